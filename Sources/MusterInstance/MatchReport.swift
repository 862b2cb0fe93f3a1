import GameModel

/// How a match ended: the body of `POST /v1/fleet/matches/{id}/result`.
public struct MatchReport: Codable, Sendable, Equatable {
    /// The index of the team that won; `nil` for a draw.
    public var winner: Int?
    public var durationMs: Int64
    /// How the teams came in, 1 for the best; absent where there are two, for then the winner says it.
    public var ranks: [Int]?
    /// The patch that it was played with: that of the sheet.
    public var patch: PatchVersion?
    /// Everyone of the roster that the match began with, and those who came later and did play.
    public var players: [Player]
    /// Players who got a seat of the running match and never came: nothing is won or lost by them.
    public var neverCame: [PlayerID]?

    public struct Player: Codable, Sendable, Equatable {
        public var playerId: PlayerID
        public var team: Int
        public var kills: Int
        public var deaths: Int
        /// Hit points taken from others.
        public var damage: Int
        /// Whether the player quit before the end, or never came.
        public var left: Bool?
        /// How far the player is, as measured here, in ms; absent where it could not be.
        public var latencyMs: Double?

        public init(
            playerId: PlayerID, team: Int, kills: Int, deaths: Int, damage: Int, left: Bool? = nil,
            latencyMs: Double? = nil
        ) {
            self.playerId = playerId
            self.team = team
            self.kills = kills
            self.deaths = deaths
            self.damage = damage
            self.left = left
            self.latencyMs = latencyMs
        }
    }

    public init(
        winner: Int?, durationMs: Int64, ranks: [Int]? = nil, patch: PatchVersion? = nil, players: [Player],
        neverCame: [PlayerID]? = nil
    ) {
        self.winner = winner
        self.durationMs = durationMs
        self.ranks = ranks
        self.patch = patch
        self.players = players
        self.neverCame = neverCame
    }

    // A draw is said as `"winner": null`, not by leaving it out.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(winner, forKey: .winner)
        try container.encode(durationMs, forKey: .durationMs)
        try container.encodeIfPresent(ranks, forKey: .ranks)
        try container.encodeIfPresent(patch, forKey: .patch)
        try container.encode(players, forKey: .players)
        try container.encodeIfPresent(neverCame, forKey: .neverCame)
    }
}

/// What became of a result.
public enum ResultDelivery: Sendable, Equatable {
    /// The API has stored it: it will be rated once.
    case recorded
    /// It is kept here, on disk where that could be written, and is brought to the API until that says yes or no.
    case kept
    /// The API will not have it, whoever asks again: the match ended otherwise, or the result can't be its.
    case refused(InstanceError)
}

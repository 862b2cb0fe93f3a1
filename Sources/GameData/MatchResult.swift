import Foundation
import GameModel

/// How a match ended, as its instance reports it.
public struct MatchResult: Sendable, Hashable, Codable {
    /// The index of the team that won; `nil` for a draw.
    public var winner: Int?
    public var durationMs: Int64
    /// How the teams came in, a number for each team: 1 for the best, equal ones for teams that tie. Where absent, the
    /// winner was first and the others share the second place, and in a draw all share the first.
    public var ranks: [Int]?
    /// The patch that it was played with. May be left out; where it is there it must be the match's.
    public var patch: PatchVersion?
    /// Everyone who was on the roster at the end, those who left among them.
    public var players: [Player]

    public struct Player: Sendable, Hashable, Codable {
        public var playerId: PlayerID
        public var team: Int
        public var kills: Int
        public var deaths: Int
        /// Hit points taken from others.
        public var damage: Int
        /// Whether the player quit before the end: then they have lost, whatever became of their team.
        public var left: Bool

        public init(playerId: PlayerID, team: Int, kills: Int, deaths: Int, damage: Int, left: Bool = false) {
            self.playerId = playerId
            self.team = team
            self.kills = kills
            self.deaths = deaths
            self.damage = damage
            self.left = left
        }
    }

    public init(
        winner: Int?, durationMs: Int64, ranks: [Int]? = nil, patch: PatchVersion? = nil, players: [Player]
    ) {
        self.winner = winner
        self.durationMs = durationMs
        self.ranks = ranks
        self.patch = patch
        self.players = players
    }

    private enum CodingKeys: String, CodingKey { case winner, durationMs, ranks, patch, players }

    /// A draw is said by `"winner":null`: a result that leaves the winner out is a mistake, not a draw.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        guard container.contains(.winner) else {
            throw DecodingError.keyNotFound(
                CodingKeys.winner,
                .init(codingPath: container.codingPath, debugDescription: "a team's index, or null for a draw"))
        }
        winner = try container.decodeIfPresent(Int.self, forKey: .winner)
        durationMs = try container.decode(Int64.self, forKey: .durationMs)
        ranks = try container.decodeIfPresent([Int].self, forKey: .ranks)
        patch = try container.decodeIfPresent(PatchVersion.self, forKey: .patch)
        players = try container.decode([Player].self, forKey: .players)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(winner, forKey: .winner)
        try container.encode(durationMs, forKey: .durationMs)
        try container.encodeIfPresent(ranks, forKey: .ranks)
        try container.encodeIfPresent(patch, forKey: .patch)
        try container.encode(players, forKey: .players)
    }

    /// The longest match: a day.
    public static let durationMsMax: Int64 = 86_400_000
    public static let countMax = 100_000
    public static let damageMax = 1_000_000_000

    /// Whether the result can be that of a match with this roster: every player once, in their team, numbers in range,
    /// ranks that agree with the winner.
    /// - Parameter teams: how many teams the match has, those of bots alone among them; as many as the roster names
    ///   where absent.
    /// - Throws: `GameDataError.invalid` naming the field, like `players[2].kills`.
    public func validate(roster: [MatchSeat], teams: Int? = nil) throws(GameDataError) {
        guard (0...Self.durationMsMax).contains(durationMs) else {
            throw .invalid(field: "durationMs", detail: "\(durationMs) is not in 0 to \(Self.durationMsMax)")
        }
        let teams = teams ?? (roster.map(\.team).max() ?? -1) + 1
        if let winner, !(0..<teams).contains(winner) {
            throw .invalid(field: "winner", detail: "\(winner) is not a team of the match: 0 to \(teams - 1)")
        }
        try validateRanks(teams: teams)
        var seats = Dictionary(roster.map { ($0.playerId, $0.team) }, uniquingKeysWith: { first, _ in first })
        for (index, player) in players.enumerated() {
            let field = "players[\(index)]"
            guard let team = seats.removeValue(forKey: player.playerId) else {
                throw .invalid(
                    field: "\(field).playerId", detail: "\(player.playerId) is not on the roster, or is here twice")
            }
            guard team == player.team else {
                throw .invalid(field: "\(field).team", detail: "the player is in team \(team), not \(player.team)")
            }
            try player.validate(field)
        }
        if let missing = seats.keys.min() {
            throw .invalid(field: "players", detail: "player \(missing) of the roster is missing")
        }
    }

    private func validateRanks(teams: Int) throws(GameDataError) {
        guard let ranks else { return }
        guard ranks.count == teams else {
            throw .invalid(field: "ranks", detail: "\(ranks.count) of them for \(teams) teams")
        }
        for (index, rank) in ranks.enumerated() where !(1...teams).contains(rank) {
            throw .invalid(field: "ranks[\(index)]", detail: "\(rank) is not in 1 to \(teams)")
        }
        let best = ranks.min() ?? 1
        let first = ranks.indices.filter { ranks[$0] == best }
        guard first == (winner.map { [$0] } ?? first), winner != nil || first.count > 1 else {
            let teams = first.map(String.init).joined(separator: ", ")
            throw .invalid(
                field: "ranks",
                detail: "the best rank is that of team \(teams), the winner is \(winner.map(String.init) ?? "nobody")")
        }
    }

    /// A rank for each of so many teams: as reported, or what follows from the winner.
    func ranks(teams: Int) -> [Int] {
        ranks ?? (0..<teams).map { team in winner == nil || winner == team ? 1 : 2 }
    }

    /// One text for one result, whatever order its players were listed in: sorted keys, players by id.
    func canonicalText() throws -> String {
        var sorted = self
        sorted.players.sort { $0.playerId < $1.playerId }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        return String(decoding: try encoder.encode(sorted), as: UTF8.self)
    }

    static func read(_ text: String) throws -> MatchResult {
        try JSONDecoder().decode(MatchResult.self, from: Data(text.utf8))
    }
}

extension MatchResult.Player {
    private enum CodingKeys: String, CodingKey { case playerId, team, kills, deaths, damage, left }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        playerId = try container.decode(PlayerID.self, forKey: .playerId)
        team = try container.decode(Int.self, forKey: .team)
        kills = try container.decode(Int.self, forKey: .kills)
        deaths = try container.decode(Int.self, forKey: .deaths)
        damage = try container.decode(Int.self, forKey: .damage)
        left = try container.decodeIfPresent(Bool.self, forKey: .left) ?? false
    }

    /// Who stayed is written without `left`: results stored before there was such a field have the same text.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(playerId, forKey: .playerId)
        try container.encode(team, forKey: .team)
        try container.encode(kills, forKey: .kills)
        try container.encode(deaths, forKey: .deaths)
        try container.encode(damage, forKey: .damage)
        if left { try container.encode(true, forKey: .left) }
    }

    func validate(_ field: String) throws(GameDataError) {
        for (name, value, most) in [
            ("kills", kills, MatchResult.countMax), ("deaths", deaths, MatchResult.countMax),
            ("damage", damage, MatchResult.damageMax),
        ] where !(0...most).contains(value) {
            throw .invalid(field: "\(field).\(name)", detail: "\(value) is not in 0 to \(most)")
        }
    }
}

/// What `MatchesRepository.recordResult` did with a result.
public enum RecordResultReply: Sendable, Hashable {
    /// Stored, with the job that will apply it.
    case recorded
    /// The same result was stored before; nothing changed.
    case alreadyRecorded
    /// Another result was stored before, or the match was abandoned; the first stands.
    case conflict
    case unknownMatch
}

/// What `MatchesRepository.abandon` did.
public enum AbandonReply: Sendable, Hashable {
    case abandoned
    case alreadyAbandoned
    /// It is placed on another instance than the one that lost it, and goes on there.
    case elsewhere
    /// The match has a result, which stands.
    case hasResult
    case unknownMatch
}

import Foundation
import GameModel

/// How a match ended, as its instance reports it.
public struct MatchResult: Sendable, Hashable, Codable {
    /// The index of the team that won; `nil` for a draw.
    public var winner: Int?
    public var durationMs: Int64
    public var players: [Player]

    public struct Player: Sendable, Hashable, Codable {
        public var playerId: PlayerID
        public var team: Int
        public var kills: Int
        public var deaths: Int
        /// Hit points taken from others.
        public var damage: Int

        public init(playerId: PlayerID, team: Int, kills: Int, deaths: Int, damage: Int) {
            self.playerId = playerId
            self.team = team
            self.kills = kills
            self.deaths = deaths
            self.damage = damage
        }
    }

    public init(winner: Int?, durationMs: Int64, players: [Player]) {
        self.winner = winner
        self.durationMs = durationMs
        self.players = players
    }

    private enum CodingKeys: String, CodingKey { case winner, durationMs, players }

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
        players = try container.decode([Player].self, forKey: .players)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(winner, forKey: .winner)
        try container.encode(durationMs, forKey: .durationMs)
        try container.encode(players, forKey: .players)
    }

    /// The longest match: a day.
    public static let durationMsMax: Int64 = 86_400_000
    public static let countMax = 100_000
    public static let damageMax = 1_000_000_000

    /// Whether the result can be that of a match with this roster: every player once, in their team, numbers in range.
    /// - Throws: `GameDataError.invalid` naming the field, like `players[2].kills`.
    public func validate(roster: [MatchSeat]) throws(GameDataError) {
        guard (0...Self.durationMsMax).contains(durationMs) else {
            throw .invalid(field: "durationMs", detail: "\(durationMs) is not in 0 to \(Self.durationMsMax)")
        }
        let teams = Set(roster.map(\.team))
        if let winner, !teams.contains(winner) {
            throw .invalid(field: "winner", detail: "\(winner) is not a team of the match: 0 to \(teams.count - 1)")
        }
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
    /// The match has a result, which stands.
    case hasResult
    case unknownMatch
}

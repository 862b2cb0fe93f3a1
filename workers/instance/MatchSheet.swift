import Foundation
import GameModel

/// All that an instance is told about a match: `GET /v1/fleet/matches/{id}`.
struct MatchSheet: Codable, Sendable, Equatable {
    var matchId: MatchID
    var mode: Mode
    var region: Region
    var patch: PatchVersion
    var teams: [[Player]]
    /// Seats of each team that bots take; empty or absent where none plays.
    var bots: [Int]?
    /// Whether the match may ask for players when some leave.
    var canBackfill: Bool?
    var balance: Balance

    struct Player: Codable, Sendable, Equatable {
        var playerId: PlayerID
        var displayName: String
        var character: String
        var rating: Double
        /// What the player does in the team; absent where the mode has no roles.
        var role: String?
        var skins: [ProductID]
    }

    struct Balance: Codable, Sendable, Equatable {
        var characters: [Character]
        var weapons: [Weapon]
    }

    struct Character: Codable, Sendable, Equatable {
        var id: String
        var name: String
        var health: Int
        var damage: Int
        var weapon: String
    }

    struct Weapon: Codable, Sendable, Equatable {
        var id: String
        var name: String
        var damage: Int
        var cooldownMs: Int
    }

    /// Which team a player is in.
    func seat(of player: PlayerID) -> (team: Int, player: Player)? {
        for (team, players) in teams.enumerated() {
            if let found = players.first(where: { $0.playerId == player }) { return (team, found) }
        }
        return nil
    }

    /// The character that a player plays; the first of the patch where the named one is not in it.
    func character(of player: Player) -> Character? {
        balance.characters.first { $0.id == player.character } ?? balance.characters.first
    }

    var players: [Player] { teams.flatMap { $0 } }

    var playerCount: Int { teams.reduce(0) { $0 + $1.count } }

    /// How many teams there are, those of bots alone among them.
    var teamCount: Int { max(teams.count, bots?.count ?? 0) }
}

/// How a match ended: the body of `POST /v1/fleet/matches/{id}/result`.
struct MatchReport: Codable, Sendable, Equatable {
    var winner: Int?
    var durationMs: Int64
    /// How the teams came in, 1 for the best; absent where there are two, for then the winner says it.
    var ranks: [Int]?
    var players: [Player]

    struct Player: Codable, Sendable, Equatable {
        var playerId: PlayerID
        var team: Int
        var kills: Int
        var deaths: Int
        var damage: Int
        /// Whether the player quit before the end, or never came.
        var left: Bool?
        /// How far the player is, as measured here; absent where it could not be.
        var latencyMs: Double?
    }

    // A draw is said as `"winner": null`, not by leaving it out.
    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(winner, forKey: .winner)
        try container.encode(durationMs, forKey: .durationMs)
        try container.encodeIfPresent(ranks, forKey: .ranks)
        try container.encode(players, forKey: .players)
    }
}

/// What an instance says of itself: the body of `PUT /v1/fleet/instances/{id}`.
struct HeartbeatBody: Codable, Sendable {
    var region: Region
    var host: String
    var port: Int
    var slots: Int
    var build: String
    var matches: [MatchID]
}

/// One thing that happened in a match: an element of `POST /v1/events`.
struct GameEvent: Codable, Sendable, Equatable {
    var kind: String
    var at: Instant
    var matchId: MatchID?
    var playerId: PlayerID?
    var data: [String: Value]

    /// A number or text inside an event.
    enum Value: Codable, Sendable, Equatable, ExpressibleByIntegerLiteral, ExpressibleByStringLiteral {
        case number(Int)
        case text(String)

        init(integerLiteral value: Int) { self = .number(value) }
        init(stringLiteral value: String) { self = .text(value) }

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            do {
                self = .number(try container.decode(Int.self))
            } catch {
                self = .text(try container.decode(String.self))
            }
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .number(let number): try container.encode(number)
            case .text(let text): try container.encode(text)
            }
        }
    }
}

import Foundation
import GameModel
import MusterInstance
import NIOCore

/// The game port's protocol: JSON objects, one a line, at most 4 KiB each. The first frame of a client is `join`.
enum ClientFrame: Sendable, Equatable {
    /// `{"type":"join","token":"…"}`
    case join(token: String)
    /// `{"type":"leave"}`: the player goes; the match goes on.
    case leave

    private struct Wire: Decodable {
        var type: String
        var token: String?
    }

    /// - Throws: ``GameRefusal`` of code `bad-frame` for anything but the frames above.
    init(_ line: ByteBuffer) throws(GameRefusal) {
        let wire: Wire
        do {
            wire = try JSONDecoder().decode(Wire.self, from: Data(line.readableBytesView))
        } catch {
            throw GameRefusal(.badFrame, "expected one JSON object with a type per line")
        }
        switch (wire.type, wire.token) {
        case ("join", .some(let token)): self = .join(token: token)
        case ("join", .none): throw GameRefusal(.badFrame, "join needs a token")
        case ("leave", _): self = .leave
        default: throw GameRefusal(.badFrame, "there is no frame of this type")
        }
    }
}

/// What the server sends; each frame is one line.
enum ServerFrame: Encodable, Sendable {
    case joined(matchId: MatchID, team: Int, character: String, health: Int)
    /// Where the fight stands, in players' health.
    case state(tick: Int, players: [PlayerState])
    case finished(winner: Int?, players: [MatchReport.Player])
    /// The last frame before the server closes the connection.
    case error(GameRefusal)

    struct PlayerState: Codable, Sendable, Equatable {
        var playerId: PlayerID
        var team: Int
        var health: Int
        /// True of a bot, absent of a player.
        var bot: Bool?
    }

    private enum Key: String, CodingKey {
        case type, matchId, team, character, health, tick, players, winner, code, detail
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        switch self {
        case .joined(let match, let team, let character, let health):
            try container.encode("joined", forKey: .type)
            try container.encode(match, forKey: .matchId)
            try container.encode(team, forKey: .team)
            try container.encode(character, forKey: .character)
            try container.encode(health, forKey: .health)
        case .state(let tick, let players):
            try container.encode("state", forKey: .type)
            try container.encode(tick, forKey: .tick)
            try container.encode(players, forKey: .players)
        case .finished(let winner, let players):
            try container.encode("finished", forKey: .type)
            try container.encode(winner, forKey: .winner)
            try container.encode(players, forKey: .players)
        case .error(let refusal):
            try container.encode("error", forKey: .type)
            try container.encode(refusal.code.rawValue, forKey: .code)
            try container.encode(refusal.detail, forKey: .detail)
        }
    }

    /// The frame as a line.
    func line() throws -> ByteBuffer {
        var buffer = ByteBuffer(bytes: try JSONEncoder().encode(self))
        buffer.writeInteger(UInt8(ascii: "\n"))
        return buffer
    }
}

/// Why a client is turned away.
struct GameRefusal: Error, Sendable, Equatable {
    enum Code: String, Sendable {
        case badFrame = "bad-frame"
        case frameTooLarge = "frame-too-large"
        /// Signature, age, audience or claims of the token are wrong.
        case badToken = "bad-token"
        /// The token was used before, or the player has just joined on another connection.
        case alreadyJoined = "already-joined"
        /// The match is not placed here, or it has ended.
        case noMatch = "no-match"
        /// The instance takes no more matches.
        case full
        case draining
        /// The API did not answer in time; the client may try again.
        case unavailable
        /// The match ended without a result.
        case abandoned
    }

    let code: Code
    let detail: String

    init(_ code: Code, _ detail: String) {
        self.code = code
        self.detail = detail
    }

    /// A client is told no more of a bad token than that it is one.
    init(_ refusal: JoinRefusal) {
        switch refusal {
        case .invalid: self.init(.badToken, "the token is not valid here")
        case .used: self.init(.alreadyJoined, "the token was used before; ask for another")
        case .unavailable: self.init(.unavailable, "the keys of the API are not known yet")
        }
    }
}

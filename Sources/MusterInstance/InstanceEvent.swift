import GameModel

/// One thing that happened in a game: an element of `POST /v1/events`.
public struct InstanceEvent: Codable, Sendable, Equatable {
    /// Its name, like `kill`.
    public var kind: String
    public var at: Instant
    public var matchId: MatchID?
    public var playerId: PlayerID?
    public var data: [String: Value]

    public init(
        kind: String, at: Instant, matchId: MatchID? = nil, playerId: PlayerID? = nil, data: [String: Value] = [:]
    ) {
        self.kind = kind
        self.at = at
        self.matchId = matchId
        self.playerId = playerId
        self.data = data
    }

    /// A number or text inside an event.
    public enum Value: Codable, Sendable, Equatable, ExpressibleByIntegerLiteral, ExpressibleByStringLiteral {
        case number(Int)
        case text(String)

        public init(integerLiteral value: Int) { self = .number(value) }
        public init(stringLiteral value: String) { self = .text(value) }

        public init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            do {
                self = .number(try container.decode(Int.self))
            } catch {
                self = .text(try container.decode(String.self))
            }
        }

        public func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .number(let number): try container.encode(number)
            case .text(let text): try container.encode(text)
            }
        }
    }
}

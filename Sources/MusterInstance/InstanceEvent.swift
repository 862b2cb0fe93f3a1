import GameModel

/// One thing that happened in a game: an element of `POST /v1/events`.
public struct InstanceEvent: Codable, Sendable, Equatable {
    /// Its name, like `kill`: 1 to 64 of `a` to `z` and `_`.
    public var kind: String
    /// The version of what the kind's data means; absent: 1.
    public var v: Int?
    public var at: Instant
    public var matchId: MatchID?
    public var playerId: PlayerID?
    public var data: [String: Value]

    public init(
        kind: String, v: Int? = nil, at: Instant, matchId: MatchID? = nil, playerId: PlayerID? = nil,
        data: [String: Value] = [:]
    ) {
        self.kind = kind
        self.v = v
        self.at = at
        self.matchId = matchId
        self.playerId = playerId
        self.data = data
    }

    /// A number, text or flag inside an event.
    public enum Value: Codable, Sendable, Equatable, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
        ExpressibleByStringLiteral, ExpressibleByBooleanLiteral
    {
        case number(Int)
        /// Not infinite, and a number: JSON has no other.
        case real(Double)
        case text(String)
        case flag(Bool)

        public init(integerLiteral value: Int) { self = .number(value) }
        public init(floatLiteral value: Double) { self = .real(value) }
        public init(stringLiteral value: String) { self = .text(value) }
        public init(booleanLiteral value: Bool) { self = .flag(value) }

        public init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let flag = try? container.decode(Bool.self) {  // Each form is tried in turn: JSON does not say which.
                self = .flag(flag)
            } else if let number = try? container.decode(Int.self) {  // As above.
                self = .number(number)
            } else if let real = try? container.decode(Double.self) {  // As above.
                self = .real(real)
            } else {
                self = .text(try container.decode(String.self))
            }
        }

        public func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .number(let number): try container.encode(number)
            case .real(let real): try container.encode(real)
            case .text(let text): try container.encode(text)
            case .flag(let flag): try container.encode(flag)
            }
        }
    }
}

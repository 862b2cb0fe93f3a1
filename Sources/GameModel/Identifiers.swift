/// A value that names one thing: text of 1 to 200 visible ASCII characters, stored and sent as it is.
///
/// Each kind of thing has a type of its own, so that a ticket's name can't be given where a match's is wanted.
public protocol Identifier: RawRepresentable, Hashable, Sendable, Codable, Comparable, CustomStringConvertible
where RawValue == String {
    /// Wraps text that is already known to be a valid identifier.
    init(_ text: String)
}

extension Identifier {
    /// Wraps text from outside; `nil` where it is empty, longer than 200 characters, or has a space or control
    /// character.
    public init?(rawValue: String) {
        guard (1...200).contains(rawValue.utf8.count), rawValue.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            return nil
        }
        self.init(rawValue)
    }

    public init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let value = Self(rawValue: text) else {
            throw DecodingError.dataCorrupted(
                .init(
                    codingPath: decoder.codingPath,
                    debugDescription: "expected an identifier of 1 to 200 visible ASCII characters"))
        }
        self = value
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rawValue)
    }

    public var description: String { rawValue }

    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// A player, and the account of that player: the two share one name. A ULID.
public struct PlayerID: Identifier {
    public let rawValue: String
    public init(_ text: String) { rawValue = text }
}

/// A match on one pool: `mode.region.ULID`, or `mode.everywhere.ULID.region` where the pool spans the regions, so that
/// any process finds the keys it lives under and where it is played.
public struct MatchID: Identifier {
    public let rawValue: String
    public init(_ text: String) { rawValue = text }
}

/// A request to be matched: `mode.region.ULID`, so that any process finds the keys it lives under.
public struct TicketID: Identifier {
    public let rawValue: String
    public init(_ text: String) { rawValue = text }
}

/// A game server process that holds matches in slots.
public struct InstanceID: Identifier {
    public let rawValue: String
    public init(_ text: String) { rawValue = text }
}

/// A thing that can be bought.
public struct ProductID: Identifier {
    public let rawValue: String
    public init(_ text: String) { rawValue = text }
}

/// One purchase of one player. A ULID; also the idempotency key towards the payment provider.
public struct OrderID: Identifier {
    public let rawValue: String
    public init(_ text: String) { rawValue = text }
}

/// A published version of the balance data (characters, weapons): 1, 2, 3 and so on.
public struct PatchVersion: Hashable, Sendable, Codable, Comparable, CustomStringConvertible {
    public let number: Int

    public init(_ number: Int) { self.number = number }

    public init(from decoder: any Decoder) throws {
        number = try decoder.singleValueContainer().decode(Int.self)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(number)
    }

    public var description: String { String(number) }

    public static func < (left: Self, right: Self) -> Bool { left.number < right.number }
}

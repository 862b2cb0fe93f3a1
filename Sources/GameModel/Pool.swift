/// A kind of match: `duel`, `trio`, `squad`. Lower-case letters, digits and `-`, 1 to 32 of them.
public struct Mode: Identifier {
    public let rawValue: String
    public init(_ text: String) { rawValue = text }
}

/// A place where instances run: `eu`, `us`. Lower-case letters, digits and `-`, 1 to 32 of them.
public struct Region: Identifier {
    public let rawValue: String
    public init(_ text: String) { rawValue = text }
}

/// The players of one mode in one region who can meet each other; written `mode:region`.
public struct Pool: Hashable, Sendable, Comparable, CustomStringConvertible {
    public let mode: Mode
    public let region: Region

    public init(mode: Mode, region: Region) {
        self.mode = mode
        self.region = region
    }

    /// Reads `mode:region`; `nil` for any other text.
    public init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, Pool.isName(parts[0]), Pool.isName(parts[1]) else { return nil }
        self.init(mode: Mode(String(parts[0])), region: Region(String(parts[1])))
    }

    public var description: String { "\(mode):\(region)" }

    public static func < (left: Self, right: Self) -> Bool { left.description < right.description }

    /// Whether a text may name a mode or a region.
    public static func isName(_ text: some StringProtocol) -> Bool {
        (1...32).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "-")
            }
    }
}

/// An identifier that begins with the pool it belongs to.
public protocol PoolIdentifier: Identifier {}

extension PoolIdentifier {
    /// A new name in a pool, from a ULID of now.
    public init(in pool: Pool, _ ulid: ULID) {
        self.init("\(pool.mode).\(pool.region).\(ulid)")
    }

    /// The pool that the name begins with; `nil` where the name is not of this form.
    public var pool: Pool? {
        let parts = rawValue.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, ULID(String(parts[2])) != nil else { return nil }
        return Pool("\(parts[0]):\(parts[1])")
    }
}

extension TicketID: PoolIdentifier {}
extension MatchID: PoolIdentifier {}

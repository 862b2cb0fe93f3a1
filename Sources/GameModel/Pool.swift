/// A kind of match: `duel`, `trio`, `squad`. Lower-case letters, digits and `-`, 1 to 32 of them.
public struct Mode: Identifier {
    public let rawValue: String
    public init(_ text: String) { rawValue = text }
}

/// A place where instances run: `eu`, `us`. Lower-case letters, digits and `-`, 1 to 32 of them.
public struct Region: Identifier {
    /// Stands in a pool's name for all regions; no region may be called so.
    public static let everywhere = Region("everywhere")

    public let rawValue: String
    public init(_ text: String) { rawValue = text }
}

/// The players of one mode who can meet each other, in one region or ``Region/everywhere``; written `mode:region`.
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
        guard parts.count >= 3, ULID(String(parts[2])) != nil, let pool = Pool("\(parts[0]):\(parts[1])") else {
            return nil
        }
        // A match that is played in one of all regions says which.
        guard parts.count == 3 || (parts.count == 4 && pool.region == .everywhere && Pool.isName(parts[3])) else {
            return nil
        }
        return pool
    }
}

extension TicketID: PoolIdentifier {}
extension MatchID: PoolIdentifier {
    /// A new name of a match that is played in one region of a pool.
    public init(in pool: Pool, playedIn region: Region, _ ulid: ULID) {
        guard pool.region == .everywhere else {
            self.init(in: pool, ulid)
            return
        }
        self.init("\(pool.mode).\(pool.region).\(ulid).\(region)")
    }

    /// Where the match is played; `nil` where the name is not of this form.
    public var region: Region? {
        guard let pool else { return nil }
        guard pool.region == .everywhere else { return pool.region }
        let parts = rawValue.split(separator: ".")
        return parts.count == 4 ? Region(String(parts[3])) : nil
    }
}

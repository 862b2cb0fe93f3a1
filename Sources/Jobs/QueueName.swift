import GameModel

/// The name of a queue: 1 to 64 of `a`-`z`, `0`-`9`, `:`, `-`, `.` and `_`.
///
/// It is also the Redis Cluster hash tag of the queue's keys, so keys of other rooms that carry `{name}` share its
/// slot.
public struct QueueName: Identifier {
    public let rawValue: String

    /// Wraps a name that is known to be valid (a literal, or one made of valid parts).
    public init(_ text: String) { rawValue = text }

    /// Wraps a name from outside; `nil` where it is not of the form above.
    public init?(rawValue: String) {
        guard (1...64).contains(rawValue.utf8.count), rawValue.utf8.allSatisfy(Self.isAllowed) else { return nil }
        self.init(rawValue)
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: ":"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"): true
        default: false
        }
    }
}

/// The name of a job, unique in its queue: 1 to 200 visible ASCII characters.
///
/// The caller may choose it (`verify-payment.01J…`): as long as a job of that name lives, another is not enqueued.
public struct JobID: Identifier {
    public let rawValue: String
    public init(_ text: String) { rawValue = text }
}

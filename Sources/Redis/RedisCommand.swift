/// The name of a Redis key. A type of its own, so that keys are told from other arguments and come from one place.
public struct RedisKey: Sendable, Hashable, ExpressibleByStringLiteral,
    ExpressibleByStringInterpolation,
    CustomStringConvertible
{
    public let name: String

    public init(_ name: String) { self.name = name }

    public init(stringLiteral value: String) { name = value }

    public var description: String { name }
}

/// One argument of a command: text, bytes or a number. Numbers are written as decimal text when the command is sent.
public struct RedisArgument: Sendable, Hashable, ExpressibleByStringLiteral,
    ExpressibleByIntegerLiteral,
    ExpressibleByStringInterpolation
{
    enum Storage: Sendable, Hashable {
        case text(String)
        case bytes([UInt8])
        case number(Int64)
    }

    let storage: Storage

    public init(_ text: String) { storage = .text(text) }

    public init(_ number: some BinaryInteger) {
        if let small = Int64(exactly: number) {
            storage = .number(small)
        } else {
            storage = .text(String(number))
        }
    }

    public init(_ bytes: [UInt8]) { storage = .bytes(bytes) }

    /// The shortest text that reads back as the same number; infinities as `inf` and `-inf`, as scores want them.
    public init(_ number: Double) { storage = .text("\(number)") }

    public init(_ key: RedisKey) { storage = .text(key.name) }

    public init(stringLiteral value: String) { storage = .text(value) }

    public init(integerLiteral value: Int64) { storage = .number(value) }

    /// The argument as text, for comparing and logging.
    var text: String {
        switch storage {
        case .text(let text): text
        case .bytes(let bytes): String(decoding: bytes, as: UTF8.self)
        case .number(let number): String(number)
        }
    }
}

/// A command and its arguments, as `["SET", "key", "value"]`.
public struct RedisCommand: Sendable, Hashable {
    public var arguments: [RedisArgument]
    /// Whether running it twice does no harm (reads; writes that are idempotent). When the connection is cut before the
    /// reply, such a command is sent again on the next connection, within its time-out; others fail.
    public var isSafeToRepeat: Bool

    public init(_ arguments: [RedisArgument], isSafeToRepeat: Bool = false) {
        self.arguments = arguments
        self.isSafeToRepeat = isSafeToRepeat
    }

    public init(_ arguments: RedisArgument..., isSafeToRepeat: Bool = false) {
        self.init(arguments, isSafeToRepeat: isSafeToRepeat)
    }
}

/// A reply of the Redis serialization protocol, version 2.
///
/// Text is kept as the bytes that came; the accessors read it as what the caller expects and answer `nil` for
/// anything else.
public enum RESPValue: Sendable, Hashable {
    case null
    case integer(Int64)
    /// A simple string, such as `OK`.
    case status(String)
    case bytes([UInt8])
    case array([RESPValue])
    /// An error reply. Commands throw it as `RedisError.server`; inside arrays and pipelines it stays in its place.
    case error(String)

    /// Bytes or status as UTF-8 (invalid sequences repaired), integer as decimal text.
    public var string: String? {
        switch self {
        case .bytes(let bytes): String(decoding: bytes, as: UTF8.self)
        case .status(let text): text
        case .integer(let number): String(number)
        case .null, .array, .error: nil
        }
    }

    /// An integer, or decimal text that is one.
    public var int: Int? {
        switch self {
        case .integer(let number): Int(number)
        case .bytes, .status: string.flatMap { Int($0) }
        case .null, .array, .error: nil
        }
    }

    /// A floating-point number: an integer, or text that is one (scores are sent so).
    public var double: Double? {
        switch self {
        case .integer(let number): Double(number)
        case .bytes, .status: string.flatMap { Double($0) }
        case .null, .array, .error: nil
        }
    }

    public var array: [RESPValue]? {
        if case .array(let elements) = self { elements } else { nil }
    }

    /// The bytes of a bulk or simple string.
    public var bytes: [UInt8]? {
        switch self {
        case .bytes(let bytes): bytes
        case .status(let text): Array(text.utf8)
        case .null, .integer, .array, .error: nil
        }
    }

    public var isNull: Bool {
        if case .null = self { true } else { false }
    }

    /// What kind of reply it is, for messages to people.
    var kind: String {
        switch self {
        case .null: "null"
        case .integer: "an integer"
        case .status: "a status"
        case .bytes: "a string"
        case .array: "an array"
        case .error(let text): "the error “\(text)”"
        }
    }
}

extension RESPValue {
    /// The text, or `unexpectedReply` where another kind of reply came. The same holds for the other `expect…` calls.
    public func expectString() throws(RedisError) -> String { try expect(string, "a string") }

    public func expectInt() throws(RedisError) -> Int { try expect(int, "an integer") }

    public func expectDouble() throws(RedisError) -> Double { try expect(double, "a number") }

    public func expectArray() throws(RedisError) -> [RESPValue] { try expect(array, "an array") }

    public func expectBytes() throws(RedisError) -> [UInt8] { try expect(bytes, "a string") }

    /// The fields of a hash, from the flat array of names and values that `HGETALL` sends.
    public func expectFields() throws(RedisError) -> [String: RESPValue] {
        let elements = try expectArray()
        guard elements.count.isMultiple(of: 2) else {
            throw .unexpectedReply("wanted pairs of field and value, got \(elements.count) elements")
        }
        var fields: [String: RESPValue] = [:]
        fields.reserveCapacity(elements.count / 2)
        for index in stride(from: 0, to: elements.count, by: 2) {
            fields[try elements[index].expectString()] = elements[index + 1]
        }
        return fields
    }

    private func expect<T>(_ value: T?, _ wanted: String) throws(RedisError) -> T {
        if case .error(let text) = self { throw .server(text) }
        guard let value else { throw .unexpectedReply("wanted \(wanted), got \(kind)") }
        return value
    }
}

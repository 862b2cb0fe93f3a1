import GameModel
import HTTPTypes
import Hummingbird

extension APIContext {
    /// A part of the path that names a thing, like `{id}`; `not-found` where the text can't be such a name.
    public func parameter<T: Identifier>(_ name: String, as type: T.Type = T.self) throws(Problem) -> T {
        guard let text = parameters.get(name), let value = T(rawValue: text) else {
            throw .notFound("There is nothing under this \(name).")
        }
        return value
    }

    /// A part of the path that is a number; `not-found` where it is none.
    public func integerParameter(_ name: String) throws(Problem) -> Int {
        guard let text = parameters.get(name), let value = Int(text) else {
            throw .notFound("There is nothing under this \(name).")
        }
        return value
    }
}

extension Request {
    /// A query item as text; `nil` where it is absent.
    public func query(_ name: String) -> String? {
        uri.queryParameters.get(name)
    }

    /// A query item as a whole number within a range; `invalid-field` where it is something else.
    public func query(_ name: String, default value: Int, in range: ClosedRange<Int>) throws(Problem) -> Int {
        guard let text = uri.queryParameters.get(name) else { return value }
        guard let number = Int(text), range.contains(number) else {
            throw .invalidField(
                name,
                "Expected a whole number from \(range.lowerBound) to \(range.upperBound), not '\(text.prefix(40))'.")
        }
        return number
    }

    /// A query item that names a thing; `nil` where it is absent, `invalid-field` where it can't be such a name.
    public func query<T: Identifier>(_ name: String, as type: T.Type) throws(Problem) -> T? {
        guard let text = uri.queryParameters.get(name) else { return nil }
        guard let value = T(rawValue: text) else {
            throw .invalidField(name, "Expected 1 to 200 visible ASCII characters.")
        }
        return value
    }

    /// Whether the client has what the tag names, by its `If-None-Match` (RFC 9110, 13.1.2: compared weakly, and `*` is
    /// whatever there is).
    func isKnown(_ tag: String) -> Bool {
        guard let known = headers[.ifNoneMatch] else { return false }
        return known.split(separator: ",").contains { item in
            let item = item.filter { $0 != " " && $0 != "\t" }
            return item == "*" || item == tag || item == "W/" + tag
        }
    }

    /// A header that must be there; `invalid-field` named after the header where it is absent or empty.
    public func requireHeader(_ name: HTTPField.Name) throws(Problem) -> String {
        guard let value = headers[name], !value.isEmpty else {
            throw .invalidField(name.rawName, "This header is missing.")
        }
        return value
    }
}

extension HTTPField.Name {
    /// The client's name for one intended effect.
    public static let idempotencyKey = Self.constant("Idempotency-Key")
    /// The request's name in logs; echoed.
    public static let requestID = Self.constant("X-Request-Id")

    static let contentTypeOptions = Self.constant("X-Content-Type-Options")
    static let referrerPolicy = Self.constant("Referrer-Policy")

    /// A name written in code: always valid, checked by the tests of the headers.
    private static func constant(_ name: String) -> HTTPField.Name {
        guard let field = HTTPField.Name(name) else { preconditionFailure("not a header name: \(name)") }
        return field
    }
}

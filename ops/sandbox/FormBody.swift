import Foundation

/// The fields of an `application/x-www-form-urlencoded` body, in order.
struct FormBody: Sendable {
    let fields: [(name: String, value: String)]

    /// `nil` where a field is not percent-encoded UTF-8.
    init?(_ text: String) {
        var fields: [(String, String)] = []
        for pair in text.split(separator: "&") {
            let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = Self.decoded(sides[0]), let value = sides.count == 2 ? Self.decoded(sides[1]) : "" else {
                return nil
            }
            fields.append((name, value))
        }
        self.fields = fields
    }

    subscript(name: String) -> String? { fields.last { $0.name == name }?.value }

    func values(of name: String) -> [String] { fields.filter { $0.name == name }.map(\.value) }

    /// The fields `name[key]`.
    func entries(of name: String) -> [String: String] {
        var entries: [String: String] = [:]
        for field in fields where field.name.hasPrefix(name + "[") && field.name.hasSuffix("]") {
            entries[String(field.name.dropFirst(name.count + 1).dropLast())] = field.value
        }
        return entries
    }

    private static func decoded(_ text: Substring) -> String? {
        text.replacing("+", with: " ").removingPercentEncoding
    }
}

import Foundation

/// The form of a balance file as a JSON Schema (2020-12), made from the table by which it is read: for editors, which
/// then complete fields and underline what is wrong.
///
/// It can't say what goes beyond one value (ids that come twice, a weapon that is not in the list); the reader does.
public enum BalanceSchema {
    /// The schema, indented, keys sorted.
    public static func text() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(schema), as: UTF8.self)
    }

    private static var schema: JSONValue {
        var lists: [String: JSONValue] = [:]
        for list in BalanceList.allCases {
            lists[list.rawValue] = .object([
                "description": .string(list.about), "type": .string("array"),
                "maxItems": integer(BalanceFields.thingsMax), "items": thing(list),
            ])
        }
        var schema = object(lists, required: BalanceList.allCases.map(\.rawValue))
        schema["$schema"] = .string("https://json-schema.org/draft/2020-12/schema")
        schema["title"] = .string("Balance of the game")
        return .object(schema)
    }

    private static func thing(_ list: BalanceList) -> JSONValue {
        var fields = ["id": described(id, BalanceFields.idAbout)]
        for field in list.fields {
            fields[field.name] = described(value(of: field.form), field.about, fallback: field.fallback)
        }
        return .object(object(fields, required: ["id"] + list.fields.filter { $0.fallback == nil }.map(\.name)))
    }

    private static func object(_ fields: [String: JSONValue], required: [String]) -> [String: JSONValue] {
        [
            "type": .string("object"), "additionalProperties": .bool(false), "properties": .object(fields),
            "required": .array(required.map { .string($0) }),
        ]
    }

    private static func value(of form: BalanceField.Form) -> [String: JSONValue] {
        switch form {
        case .integer(let range):
            [
                "type": .string("integer"), "minimum": integer(range.lowerBound), "maximum": integer(range.upperBound),
            ]
        case .text(let max):
            // Some character that can be seen, and none that controls.
            [
                "type": .string("string"), "maxLength": integer(max),
                "pattern": .string(
                    "^[^\\u0000-\\u001f\\u007f-\\u009f]*[^\\s\\u0000-\\u001f\\u007f-\\u009f]"
                        + "[^\\u0000-\\u001f\\u007f-\\u009f]*$"),
            ]
        case .choice(let choices): ["enum": .array(choices.map { .string($0) })]
        case .reference: id
        case .references(_, let max):
            [
                "type": .string("array"), "maxItems": integer(max), "uniqueItems": .bool(true), "items": .object(id),
            ]
        }
    }

    private static let id: [String: JSONValue] = [
        "type": .string("string"), "pattern": .string(BalanceFields.idPattern),
    ]

    private static func described(
        _ schema: [String: JSONValue], _ about: String, fallback: JSONValue? = nil
    ) -> JSONValue {
        var schema = schema
        schema["description"] = .string(about)
        schema["default"] = fallback
        return .object(schema)
    }

    private static func integer(_ number: Int) -> JSONValue { .integer(Int64(number)) }
}

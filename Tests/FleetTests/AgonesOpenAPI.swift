import Foundation
import TestSupport

/// A Swagger 2.0 document, as far as Agones' uses it: objects, arrays, maps, texts, numbers, enumerations, references.
struct OpenAPIDocument: Sendable {
    private indirect enum Schema: Sendable {
        case object([String: Schema])
        case map(Schema)
        case array(Schema)
        case text(choices: [String]?)
        case integer
        case boolean
        case reference(String)
        case anything
    }

    private let schemas: [String: Schema]

    /// The document that Agones publishes (pkg/allocation/go/allocation.swagger.json, 1.5x).
    static func agones() throws -> OpenAPIDocument {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "Golden/agones-allocation.swagger.json")
        let json = try JSONSerialization.jsonObject(with: Data(contentsOf: file))
        guard let definitions = (json as? [String: Any])?["definitions"] as? [String: Any] else {
            throw TestSupportError("\(file.path) has no definitions")
        }
        return OpenAPIDocument(schemas: definitions.mapValues(schema))
    }

    private static func schema(_ json: Any) -> Schema {
        guard let json = json as? [String: Any] else { return .anything }
        if let reference = json["$ref"] as? String {
            return .reference(String(reference.split(separator: "/").last ?? ""))
        }
        switch json["type"] as? String {
        case "object":
            if let values = json["additionalProperties"] { return .map(schema(values)) }
            return .object((json["properties"] as? [String: Any] ?? [:]).mapValues(schema))
        case "array": return .array(schema(json["items"] ?? [:]))
        case "string": return .text(choices: json["enum"] as? [String])
        case "integer": return .integer
        case "boolean": return .boolean
        default: return .anything
        }
    }

    /// What in a value is not as the definition says. A property that it does not know is one: grpc-gateway refuses it.
    func violations(of definition: String, in value: Any) -> [String] {
        guard let schema = schemas[definition] else { return ["no definition \(definition)"] }
        return violations(schema, value, at: definition)
    }

    private func violations(_ schema: Schema, _ value: Any, at path: String) -> [String] {
        switch schema {
        case .anything: return []
        case .reference(let name):
            guard let target = schemas[name] else { return ["\(path): no definition \(name)"] }
            return violations(target, value, at: path)
        case .object(let properties):
            guard let object = value as? [String: Any] else { return ["\(path) is no object"] }
            return object.sorted { $0.key < $1.key }.flatMap { name, value in
                guard let property = properties[name] else { return ["\(path) has no property '\(name)'"] }
                return violations(property, value, at: "\(path).\(name)")
            }
        case .map(let values):
            guard let object = value as? [String: Any] else { return ["\(path) is no object"] }
            return object.flatMap { violations(values, $0.value, at: "\(path).\($0.key)") }
        case .array(let items):
            guard let array = value as? [Any] else { return ["\(path) is no array"] }
            return array.enumerated().flatMap { violations(items, $0.element, at: "\(path)[\($0.offset)]") }
        case .text(let choices):
            guard let text = value as? String else { return ["\(path) is no text"] }
            if let choices, !choices.contains(text) { return ["\(path) is not one of \(choices): '\(text)'"] }
            return []
        case .integer: return value is Int ? [] : ["\(path) is no integer"]
        case .boolean: return value is Bool ? [] : ["\(path) is no boolean"]
        }
    }
}

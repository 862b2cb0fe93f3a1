import Foundation
import GameModel

/// The rules file's form as a JSON Schema (2020-12), made from the same tables by which it is read: for editors, which
/// then complete keys and underline what is wrong.
///
/// It can't say what goes beyond one value (a party that fits its team, expansions in order); the reader does.
public enum RulesSchema {
    /// The schema, indented, keys sorted.
    public static func text() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(schema), as: UTF8.self)
    }

    private static let poolName: SchemaValue = .object([
        "type": "string", "pattern": "^[a-z0-9-]{1,32}$", "not": ["const": .text(Region.everywhere.rawValue)],
    ])

    private static var schema: SchemaValue {
        [
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": "Rules of matchmaking",
            "type": "object",
            "required": ["modes"],
            "additionalProperties": false,
            "patternProperties": ["^x-": ["description": "For the file alone: anchors that modes take keys from."]],
            "properties": [
                "regions": [
                    "description": .text(RulesKeys.top[0].about), "type": "array", "minItems": 1,
                    "maxItems": .integer(RulesKeys.regionsMax), "uniqueItems": true, "items": poolName,
                ],
                "modes": [
                    "description": .text(RulesKeys.top[1].about), "type": "object", "minProperties": 1,
                    "maxProperties": .integer(RulesKeys.modesMax),
                    "propertyNames": ["pattern": "^[a-z0-9-]{1,32}$"], "additionalProperties": mode,
                ],
            ],
        ]
    }

    private static var mode: SchemaValue {
        var properties: [String: SchemaValue] = [:]
        for group in RulesKeys.groups {
            properties[group.name] = object(group.keys, about: group.about, defaults: defaults)
        }
        properties["latency"] = latency(properties["latency"] ?? [:])
        properties[RulesKeys.botsName] = object(RulesKeys.bots, about: RulesKeys.botsAbout) { _ in nil }
        for (list, items, max) in [
            (
                RulesKeys.lists[0], object(RulesKeys.role, about: nil) { $0.read(RoleRule(name: "", count: 1)) },
                RulesKeys.rolesMax
            ),
            (RulesKeys.lists[1], attribute, RulesKeys.attributesMax),
            (RulesKeys.lists[2], object(RulesKeys.expansion, about: nil) { _ in nil }, RulesKeys.expansionsMax),
        ] {
            properties[list.name] = [
                "description": .text(list.about), "type": "array", "items": items, "maxItems": .integer(max),
            ]
        }
        return [
            "type": "object", "required": ["teams"], "additionalProperties": false, "properties": .object(properties),
        ]
    }

    /// What a key is without being written, where that is the same for modes of any size.
    private static func defaults(_ key: RulesKey<ModeRules>) -> RulesValue? {
        let value = key.read(ModeRules(teams: 2, teamSize: 1))
        return key.isRequired || value != key.read(ModeRules(teams: 3, teamSize: 4)) ? nil : value
    }

    /// Regions together want a limit by which to choose one; limits of some regions want one of the others.
    private static func latency(_ schema: SchemaValue) -> SchemaValue {
        schema.with([
            "dependentRequired": ["regions": ["max"]],
            "if": ["properties": ["scope": ["const": "together"]], "required": ["scope"]],
            "then": ["required": ["max"]],
        ])
    }

    /// A rule that measures has a limit, the others have none.
    private static var attribute: SchemaValue {
        func kinds(_ kinds: [AttributeRule.Kind]) -> SchemaValue {
            ["properties": ["rule": ["enum": .list(kinds.map { .text($0.rawValue) })]]]
        }
        func value(_ types: [SchemaValue]) -> SchemaValue { ["properties": ["default": ["type": .list(types)]]] }
        return object(RulesKeys.attribute, about: nil) { _ in nil }.with([
            "allOf": [
                [
                    "if": kinds(AttributeRule.Kind.allCases.filter(\.hasMax)),
                    "then": value(["number"]).with(["required": ["max"]]),
                    "else": ["properties": ["max": false]],
                ],
                ["if": kinds([.equal]), "then": value(["number", "string"])],
                ["if": kinds([.oneOf]), "then": value(["string", "array"])],
            ]
        ])
    }

    private static func object<Target>(
        _ keys: [RulesKey<Target>], about: String?, defaults: (RulesKey<Target>) -> RulesValue?
    ) -> SchemaValue {
        var properties: [String: SchemaValue] = [:]
        for key in keys {
            var schema = value(of: key.form).with(["description": .text(key.about)])
            if !key.isRequired, let value = defaults(key) { schema = schema.with(["default": json(value)]) }
            properties[key.name] = schema
        }
        var schema: SchemaValue = [
            "type": "object", "additionalProperties": false, "properties": .object(properties),
        ]
        let required = keys.filter(\.isRequired).map { SchemaValue.text($0.name) }
        if !required.isEmpty { schema = schema.with(["required": .list(required)]) }
        if let about { schema = schema.with(["description": .text(about)]) }
        return schema
    }

    private static func value(of form: RulesForm) -> SchemaValue {
        switch form {
        case .number(let range, _): number(range)
        case .integer(let range):
            ["type": "integer", "minimum": .integer(range.lowerBound), "maximum": .integer(range.upperBound)]
        case .flag: ["type": "boolean"]
        case .choice(let choices): ["enum": .list(choices.map { .text($0) })]
        case .name: ["type": "string", "pattern": .text(RulesForm.namePattern)]
        case .attribute:
            [
                "type": ["number", "string", "array"],
                "minimum": .number(RulesForm.attributeNumber.lowerBound),
                "maximum": .number(RulesForm.attributeNumber.upperBound),
                "maxLength": .integer(RulesForm.attributeTextBytesMax),
                "minItems": 1, "maxItems": .integer(RulesForm.attributeListMax),
                "items": ["type": "string", "maxLength": .integer(RulesForm.attributeTextBytesMax)],
            ]
        case .numbers(let range, _, _): ["type": "object", "additionalProperties": number(range)]
        }
    }

    private static func number(_ range: ClosedRange<Double>) -> SchemaValue {
        ["type": "number", "minimum": .number(range.lowerBound), "maximum": .number(range.upperBound)]
    }

    private static func json(_ value: RulesValue) -> SchemaValue {
        switch value {
        case .number(let number): .number(number)
        case .flag(let flag): .flag(flag)
        case .text(let text): .text(text)
        case .attribute, .numbers: .text(RulesText.value(value))
        }
    }
}

/// JSON as a schema needs it.
indirect enum SchemaValue: Encodable, ExpressibleByStringLiteral, ExpressibleByDictionaryLiteral,
    ExpressibleByArrayLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral
{
    case text(String)
    case number(Double)
    case integer(Int)
    case flag(Bool)
    case list([SchemaValue])
    case object([String: SchemaValue])

    init(stringLiteral value: String) { self = .text(value) }
    init(dictionaryLiteral elements: (String, SchemaValue)...) {
        self = .object(Dictionary(elements) { $1 })
    }
    init(arrayLiteral elements: SchemaValue...) { self = .list(elements) }
    init(booleanLiteral value: Bool) { self = .flag(value) }
    init(integerLiteral value: Int) { self = .integer(value) }

    /// The same object with more keys.
    func with(_ more: [String: SchemaValue]) -> SchemaValue {
        guard case .object(let members) = self else { return self }
        return .object(members.merging(more) { $1 })
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .text(let text): try container.encode(text)
        case .number(let number): try container.encode(number)
        case .integer(let integer): try container.encode(integer)
        case .flag(let flag): try container.encode(flag)
        case .list(let list): try container.encode(list)
        case .object(let members): try container.encode(members)
        }
    }
}

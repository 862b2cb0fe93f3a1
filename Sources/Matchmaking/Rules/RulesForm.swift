import Foundation
import GameModel

/// What may stand at a key of the rules file. The reader, the JSON Schema and the check of rules made in code all ask
/// this one type, so that they can't disagree.
enum RulesForm: Sendable, Hashable {
    case number(ClosedRange<Double>, unit: String)
    case integer(ClosedRange<Int>)
    case flag
    case choice([String])
    /// What a role or an attribute is called.
    case name
    /// What a ticket's attribute may be.
    case attribute
    /// Numbers by the name of what they belong to.
    case numbers(ClosedRange<Double>, unit: String, of: String)
}

/// What stood there.
enum RulesValue: Sendable, Hashable {
    /// Also of form `integer`.
    case number(Double)
    case flag(Bool)
    /// Of forms `choice` and `name`.
    case text(String)
    case attribute(AttributeValue)
    case numbers([String: Double])
}

extension RulesForm {
    static let namePattern = "^[A-Za-z0-9_-]{1,64}$"
    static let attributeNumber = -1e9...1e9
    static let attributeTextBytesMax = 64
    static let attributeListMax = 20

    static func isName(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                    || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
            }
    }

    /// What is wrong with a value; `nil` = nothing.
    func fault(of value: RulesValue) -> String? {
        switch (self, value) {
        case (.number(let range, _), .number(let number)):
            return range.contains(number) ? nil : "\(RulesText.number(number)) is out of range"
        case (.integer(let range), .number(let number)):
            guard number == number.rounded() else { return "\(RulesText.number(number)) is no whole number" }
            return number >= Double(range.lowerBound) && number <= Double(range.upperBound)
                ? nil : "\(RulesText.number(number)) is out of range"
        case (.flag, .flag): return nil
        case (.choice(let choices), .text(let text)):
            return choices.contains(text) ? nil : "'\(text.prefix(40))' is not known"
        case (.name, .text(let text)):
            return Self.isName(text) ? nil : "'\(text.prefix(40))' is no name"
        case (.attribute, .attribute(let value)): return Self.fault(ofAttribute: value)
        case (.numbers(let range, _, _), .numbers(let numbers)):
            for (name, number) in numbers.sorted(by: { $0.key < $1.key }) where !range.contains(number) {
                return "\(RulesText.number(number)) for '\(name)' is out of range"
            }
            return nil
        default: return "\(RulesText.value(value)) is of another form"
        }
    }

    private static func fault(ofAttribute value: AttributeValue) -> String? {
        switch value {
        case .number(let number):
            attributeNumber.contains(number) ? nil : "\(RulesText.number(number)) is out of range"
        case .text(let text): text.utf8.count <= attributeTextBytesMax ? nil : "the text is too long"
        case .list(let list):
            list.isEmpty || list.count > attributeListMax
                || list.contains { $0.utf8.count > attributeTextBytesMax } ? "the list is empty or too long" : nil
        }
    }

    /// What would be right, as the end of "give …".
    var wanted: String {
        switch self {
        case .number(let range, let unit): "\(RulesText.range(range)) \(unit)".trimmingCharacters(in: .whitespaces)
        case .integer(let range): "a whole number from \(range.lowerBound) to \(range.upperBound)"
        case .flag: "true or false"
        case .choice(let choices): choices.joined(separator: " or ")
        case .name: "1 to 64 letters, digits, '-' and '_'"
        case .attribute:
            "a number, a text of at most \(Self.attributeTextBytesMax) bytes, or a list of at most "
                + "\(Self.attributeListMax) of such texts"
        case .numbers(let range, let unit, let of): "\(RulesText.range(range)) \(unit) by \(of), like {\(of): 10}"
        }
    }
}

/// How numbers and values of rules are written for people.
enum RulesText {
    /// Whole numbers without a point.
    static func number(_ number: Double) -> String {
        number == number.rounded() && abs(number) < 1e15 ? String(Int64(number)) : String(number)
    }

    static func range(_ range: ClosedRange<Double>) -> String {
        "\(number(range.lowerBound)) to \(number(range.upperBound))"
    }

    static func value(_ value: RulesValue) -> String {
        switch value {
        case .number(let number): Self.number(number)
        case .flag(let flag): String(flag)
        case .text(let text): text
        case .attribute(.number(let number)): Self.number(number)
        case .attribute(let value): value.description
        case .numbers(let numbers):
            "{"
                + numbers.sorted { $0.key < $1.key }.map { "\($0.key): \(number($0.value))" }
                .joined(separator: ", ") + "}"
        }
    }
}

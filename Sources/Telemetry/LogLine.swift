import Foundation
import Logging

/// One event as a line of text or JSON. What a message or a value holds can't break a line: line ends, quotes and
/// control characters are escaped.
struct LogLine {
    let date: Date
    let level: Logger.Level
    let role: String
    let label: String
    let message: String
    let metadata: Logger.Metadata

    /// `time level role message key=value …`, keys in order.
    var text: String {
        let name = level.rawValue
        let padding = String(repeating: " ", count: max(0, 7 - name.count))
        var line = "\(time) \(name)\(padding) \(role) \(Self.escaped(message))"
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
            line += " \(Self.escaped(key))=\(Self.quotedIfNeeded(value.description))"
        }
        return line + "\n"
    }

    /// An object with `time`, `level`, `role`, `label`, `message`, and the metadata beside them; a key of one of
    /// those names is prefixed with `_`.
    var json: String {
        let fixed = ["time": time, "level": level.rawValue, "role": role, "label": label, "message": message]
        var line = "{"
        for key in ["time", "level", "role", "label", "message"] {
            if line.count > 1 { line += "," }
            line += "\(Self.jsonString(key)):\(Self.jsonString(fixed[key] ?? ""))"
        }
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
            line += ",\(Self.jsonString(fixed[key] == nil ? key : "_" + key)):\(Self.json(value))"
        }
        return line + "}\n"
    }

    private var time: String {
        date.formatted(
            .iso8601.year().month().day().time(includingFractionalSeconds: true).timeZone(separator: .omitted))
    }

    private static func quotedIfNeeded(_ text: String) -> String {
        let isPlain =
            !text.isEmpty && text.utf8.allSatisfy { $0 > 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "=") }
        return isPlain ? escaped(text) : jsonString(text)
    }

    /// Line ends and control characters as escapes.
    private static func escaped(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: { isControl($0) }) else { return text }
        var result = ""
        for scalar in text.unicodeScalars { append(scalar, to: &result) }
        return result
    }

    private static func json(_ value: Logger.MetadataValue) -> String {
        switch value {
        case .string(let text): jsonString(text)
        case .stringConvertible(let value): jsonString(value.description)
        case .array(let values): "[" + values.map { json($0) }.joined(separator: ",") + "]"
        case .dictionary(let values):
            "{"
                + values.sorted(by: { $0.key < $1.key }).map { "\(jsonString($0.key)):\(json($0.value))" }
                .joined(separator: ",") + "}"
        }
    }

    private static func jsonString(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            default: append(scalar, to: &result)
            }
        }
        return result + "\""
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) || scalar.value == 0x2028 || scalar.value == 0x2029
    }

    private static func append(_ scalar: Unicode.Scalar, to result: inout String) {
        switch scalar {
        case "\n": result += "\\n"
        case "\r": result += "\\r"
        case "\t": result += "\\t"
        case let scalar where isControl(scalar):
            let digits = String(scalar.value, radix: 16)
            result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        default: result.unicodeScalars.append(scalar)
        }
    }
}

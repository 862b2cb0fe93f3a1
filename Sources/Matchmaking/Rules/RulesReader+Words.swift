import Foundation
import Yams

/// What a scalar of the file is. Narrower than YAML 1.1, in which `no` is false and `1:30` is 90: such words want
/// quotes, so that all readers of the file see the same.
enum RulesScalar: Hashable {
    case number(Double)
    case flag(Bool)
    case text(String)
    /// A word that YAML readers disagree about: `yes`, `off`, `1_000`, `.inf`.
    case doubtful(String)
    case nothing
    /// No scalar.
    case other
}

extension RulesReader {
    static func scalar(_ node: Node) -> RulesScalar {
        guard case .scalar(let scalar) = node else { return .other }
        let text = scalar.string
        guard scalar.style == .plain else { return .text(text) }
        switch text.lowercased() {
        case "", "~", "null": return .nothing
        case "true": return .flag(true)
        case "false": return .flag(false)
        case "yes", "no", "on", "off", "y", "n": return .doubtful(text)
        default: break
        }
        if text.wholeMatch(of: /[-+]?\d{1,20}(\.\d{1,20})?([eE][-+]?\d{1,3})?/) != nil, let number = Double(text),
            number.isFinite
        {
            return .number(number)
        }
        if text.wholeMatch(of: /[-+]?[\d.][\d_.:xXoabcdefABCDEF]*|[-+]?\.(?i:inf|nan)/) != nil {
            return .doubtful(text)
        }
        return .text(text)
    }

    /// Whether quotes would make a text of it.
    static func isWord(_ node: Node) -> Bool {
        switch scalar(node) {
        case .number, .flag, .doubtful: true
        case .text, .nothing, .other: false
        }
    }

    /// What stands there, in words.
    static func words(for node: Node) -> String {
        switch node {
        case .mapping: return "a mapping"
        case .sequence: return "a list"
        case .alias: return "an alias"
        case .scalar(let scalar):
            return Self.scalar(node) == .nothing ? "nothing" : "'\(scalar.string.prefix(40))'"
        }
    }

    /// What to do about a key that is not known.
    static func remedy(for name: String, known: [String]) -> String {
        if let near = nearest(to: name, in: known) { return "did you mean '\(near)'?" }
        for group in RulesKeys.groups where group.keys.contains(where: { $0.name == name }) {
            if known.contains(group.name) { return "it belongs under '\(group.name)'" }
        }
        return "there are \(known.joined(separator: ", "))"
    }

    static func remedy(for value: RulesValue, of form: RulesForm) -> String {
        guard case .choice(let choices) = form, case .text(let text) = value, let near = nearest(to: text, in: choices)
        else { return form.wanted }
        return "\(form.wanted); did you mean '\(near)'?"
    }

    /// The known name that is fewest edits away, if that is few for its length.
    static func nearest(to name: String, in known: [String]) -> String? {
        let nearest = known.map { (name: $0, edits: edits(from: name, to: $0)) }.min { $0.edits < $1.edits }
        guard let nearest, nearest.edits <= max(1, min(name.count, nearest.name.count) / 3) else { return nil }
        return nearest.name
    }

    /// Insertions, deletions, replacements and swaps of neighbours, of the first 64 characters.
    private static func edits(from left: String, to right: String) -> Int {
        let left = Array(left.lowercased().prefix(64))
        let right = Array(right.lowercased().prefix(64))
        var rows = [Array(0...right.count)]
        for (index, letter) in left.enumerated() {
            var row = [index + 1]
            for (column, other) in right.enumerated() {
                let replaced = rows[index][column] + (letter == other ? 0 : 1)
                var edits = min(replaced, rows[index][column + 1] + 1, row[column] + 1)
                if index > 0, column > 0, letter == right[column - 1], left[index - 1] == other {
                    edits = min(edits, rows[index - 1][column - 1] + 1)
                }
                row.append(edits)
            }
            rows.append(row)
        }
        return rows[left.count][right.count]
    }
}

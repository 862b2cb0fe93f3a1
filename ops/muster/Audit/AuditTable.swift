import Foundation
import GameModel

/// The rules of one room, with what was found.
struct AuditSection: Codable, Sendable {
    /// `accounts`, `store`, `game data`, `matchmaking`, `fleet`, `jobs`.
    var room: String
    var findings: [AuditFinding]
}

/// What an audit found, as text or JSON.
struct AuditReport: Codable, Sendable {
    /// Unix milliseconds.
    var at: Int64
    var sections: [AuditSection]

    var holds: Bool { sections.allSatisfy { $0.findings.allSatisfy(\.holds) } }

    /// One line for each rule, with the first examples of what broke it below.
    func text(isColored: Bool) -> String {
        var lines: [String] = []
        for section in sections {
            lines.append(section.room)
            for finding in section.findings {
                let mark = finding.holds ? paint("✓", 32, isColored) : paint("✗", 31, isColored)
                let counts = finding.holds ? "\(finding.checked)" : "\(finding.failed) of \(finding.checked) fail"
                lines.append("  \(mark) \(finding.rule): \(counts)\(finding.note.map { " (\($0))" } ?? "")")
                if !finding.holds { lines += finding.examples.map { "      \($0)" } }
            }
        }
        let failed = sections.flatMap(\.findings).filter { !$0.holds }.count
        let total = sections.flatMap(\.findings).count
        lines.append("")
        lines.append(failed == 0 ? "all \(total) rules hold" : "\(failed) of \(total) rules do not hold")
        return lines.joined(separator: "\n")
    }

    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }

    private func paint(_ text: String, _ color: Int, _ isColored: Bool) -> String {
        isColored ? "\u{1B}[\(color)m\(text)\u{1B}[0m" : text
    }
}

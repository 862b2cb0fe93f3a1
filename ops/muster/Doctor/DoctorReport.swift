import Foundation

/// What the doctor found, as text or JSON.
struct DoctorReport: Codable, Sendable {
    /// Unix milliseconds.
    var at: Int64
    var problems: Int
    var warnings: Int
    var findings: [DoctorFinding]

    init(at: Int64, findings: [DoctorFinding]) {
        self.at = at
        self.findings = findings
        problems = findings.filter { $0.level == .problem }.count
        warnings = findings.filter { $0.level == .warning }.count
    }

    /// One line for each finding; below those that are not well, why it matters and what to do.
    func text(isColored: Bool) -> String {
        var lines: [String] = []
        var server: String?
        for (index, finding) in findings.enumerated() {
            if index == 0 || finding.server != server {
                server = finding.server
                if index > 0 { lines.append("") }
                lines.append(server.map { "redis at \($0)" } ?? "queues")
            }
            let area = finding.area.padding(toLength: 12, withPad: " ", startingAt: 0)
            let said = Self.wrapped(finding.what, indent: 16)
            lines.append("  \(Self.mark(finding.level, isColored)) \(area)\(said[0].drop { $0 == " " })")
            lines += said.dropFirst()
            guard finding.level != .ok else { continue }
            if let why = finding.why { lines += Self.wrapped("why: \(why)", indent: 16) }
            if let remedy = finding.remedy { lines += Self.wrapped("remedy: \(remedy)", indent: 16) }
        }
        lines.append("")
        lines.append(summary)
        return lines.joined(separator: "\n")
    }

    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }

    private var summary: String {
        func count(_ number: Int, _ word: String) -> String { "\(number) \(word)\(number == 1 ? "" : "s")" }
        if problems + warnings == 0 { return "all \(findings.count) checks are well" }
        return "\(count(problems, "problem")), \(count(warnings, "warning")), of \(findings.count) checks"
    }

    private static func mark(_ level: DoctorFinding.Level, _ isColored: Bool) -> String {
        let (mark, color) =
            switch level {
            case .ok: ("✓", 32)
            case .warning: ("!", 33)
            case .problem: ("✗", 31)
            }
        return isColored ? "\u{1B}[\(color)m\(mark)\u{1B}[0m" : mark
    }

    /// Lines of 80 columns at most, broken between words; a longer word stands alone. At least one line.
    static func wrapped(_ text: String, indent: Int, columns: Int = 80) -> [String] {
        let space = String(repeating: " ", count: indent)
        var lines: [String] = []
        var line = ""
        for word in text.split(separator: " ") {
            if !line.isEmpty, indent + line.count + 1 + word.count > columns {
                lines.append(space + line)
                line = ""
            }
            line += (line.isEmpty ? "" : " ") + word
        }
        return lines + [space + line]
    }
}

import Foundation

/// `muster depth` as text, at most 80 columns wide.
enum DepthTable {
    /// All rows where they fit into so many lines, or where no height is given. Else, in this order until it fits: the
    /// allocation queues become one line, empty lines go, rows in which nothing is and nothing moves go, and in the
    /// end it is cut; what is left out is said.
    static func text(_ sample: DepthSample, linesMax: Int = .max) -> String {
        let folded = sample.withAllocationsFolded
        let busy = folded.busy
        let forms = [lines(sample), lines(folded), lines(folded, isSpaced: false), lines(busy, isSpaced: false)]
        if let fitting = forms.first(where: { $0.count <= linesMax }) { return fitting.joined(separator: "\n") }
        let shown = forms[3].prefix(max(linesMax - 1, 1))
        return (shown + ["and \(forms[3].count - shown.count) lines more: make the window taller, or see --json"])
            .joined(separator: "\n")
    }

    private static func lines(_ sample: DepthSample, isSpaced: Bool = true) -> [String] {
        var parts: [[String]] = []
        for kind in DepthRow.Kind.allCases {
            let rows = sample.rows.filter { $0.kind == kind }
            if !rows.isEmpty { parts.append([head(kind)] + rows.map(line)) }
        }
        var last: [String] = []
        if !sample.fleets.isEmpty { last = [fleetHead] + sample.fleets.map(line) }
        let processes = sample.processes.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
        last.append("processes: \(processes.isEmpty ? "none" : processes.joined(separator: ", "))")
        if sample.quietRows > 0 { last.append("not shown: \(sample.quietRows) rows in which nothing is or moves") }
        parts.append(last)
        return Array(parts.joined(separator: isSpaced ? [""] : []))
    }

    private static let fleetHead =
        cell("fleet", 14, left: true) + cell("instances", 10) + cell("slots", 8) + cell("free", 8)
        + cell("matches", 9) + cell("unjoined", 10) + cell("lost", 7)

    private static func line(_ fleet: FleetRow) -> String {
        cell(fleet.region, 14, left: true) + cell("\(fleet.instances)", 10) + cell("\(fleet.slots)", 8)
            + cell("\(fleet.free)", 8) + cell("\(fleet.matches)", 9) + cell("\(fleet.unjoined)", 10)
            + cell("\(fleet.lost)", 7)
    }

    private static func head(_ kind: DepthRow.Kind) -> String {
        cell(kind.rawValue, 20, left: true) + cell("waiting", 9) + cell("leased", 8) + cell("later", 7)
            + cell("dead", 6) + cell("oldest", 8) + cell("in/s", 10) + cell("out/s", 10)
    }

    private static func line(_ row: DepthRow) -> String {
        cell(row.name, 20, left: true) + cell("\(row.waiting)", 9) + cell("\(row.leased)", 8)
            + cell(row.later.map(String.init) ?? "-", 7) + cell(row.dead.map(String.init) ?? "-", 6)
            + cell(row.oldestMs.map(age) ?? "-", 8) + cell(rate(row.inPerSecond), 10) + cell(rate(row.outPerSecond), 10)
    }

    private static func cell(_ text: String, _ width: Int, left: Bool = false) -> String {
        let cut = String(text.prefix(width - 1))
        let space = String(repeating: " ", count: width - cut.count)
        return left ? cut + space : space + cut
    }

    /// `850ms`, `12.3s`, `4m`, `3h`, `2d`.
    static func age(_ milliseconds: Int) -> String {
        switch milliseconds {
        case ..<1000: "\(milliseconds)ms"
        case ..<100_000: String(format: "%.1fs", Double(milliseconds) / 1000)
        case ..<6_000_000: "\(milliseconds / 60_000)m"
        case ..<360_000_000: "\(milliseconds / 3_600_000)h"
        default: "\(milliseconds / 86_400_000)d"
        }
    }

    private static func rate(_ value: Double?) -> String {
        guard let value else { return "-" }
        return String(format: value < 100 ? "%.1f" : "%.0f", value)
    }
}

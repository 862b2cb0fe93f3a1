/// A comparison as text for the terminal: the runs side by side, their difference, and who waits how long.
public struct ComparisonTable {
    private let comparison: Comparison

    public init(_ comparison: Comparison) { self.comparison = comparison }

    public var text: String {
        let blocks = [
            comparison.remarks.map { "note: \($0)" }, rows,
            parts("Wait by rating") { $0.byRating }, parts("Wait by home") { $0.byRegion },
            parts("Wait by party size") { $0.byParty }, faults,
        ]
        return blocks.filter { !$0.isEmpty }.map { $0.joined(separator: "\n") }.joined(separator: "\n\n")
    }

    private var rows: [String] {
        let names = comparison.runs.map(\.name)
        var cells: [[String]] = [[""] + names + (names.count == 2 ? ["difference"] : [])]
        for group in ComparisonRows(comparison: comparison).groups where !group.rows.isEmpty {
            cells += [[], [group.name]]
            cells += group.rows.map { ["  \($0.name)"] + $0.cells(comparison.runs) }
        }
        return Self.aligned(cells)
    }

    /// For each part of the players and run: the median and the 99th percentile, and the share that expired.
    private func parts(_ title: String, _ parts: (Figures) -> [Figures.Part]) -> [String] {
        let all = comparison.runs.map { parts($0.figures) }
        guard let first = all.first, first.count > 1 else { return [] }
        let names = comparison.runs.flatMap { ["\($0.name) p50", "p99", "expired"] }
        let cells = first.map { part in
            ["  \(part.name)"]
                + all.flatMap { parts -> [String] in
                    // A size of party that one run never saw has no figures there.
                    guard let own = parts.first(where: { $0.name == part.name }), own.wait.count > 0 else {
                        return ["–", "–", "–"]
                    }
                    return [Shown.seconds(own.wait.p50), Shown.seconds(own.wait.p99), Shown.percent(own.expired)]
                }
        }
        return Self.aligned([[title] + names] + cells)
    }

    private var faults: [String] {
        comparison.runs.flatMap { run in run.figures.faults.prefix(5).map { "FAULT in \(run.name): \($0)" } }
    }

    /// The first cells on the left, the others on the right, in columns as wide as they need; a line of one cell is a
    /// heading and needs no column.
    private static func aligned(_ lines: [[String]]) -> [String] {
        let full = lines.filter { $0.count > 1 }
        let widths = (0..<(full.map(\.count).max() ?? 0)).map { column in
            full.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
        }
        return lines.map { cells in
            guard cells.count > 1 else { return cells.first ?? "" }
            return zip(cells, widths).enumerated().map { column, cell in
                let space = String(repeating: " ", count: cell.1 - cell.0.count)
                return column == 0 ? cell.0 + space : "   " + space + cell.0
            }.joined()
        }
    }
}

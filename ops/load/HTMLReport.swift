import Foundation
import GameModel
import Histogram

/// The run as one HTML file that needs nothing else: the table, and plots as inline SVG.
struct HTMLReport {
    let summary: LoadSummary

    func text() -> String {
        """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width">
        <title>Muster load: \(summary.configuration.players) players</title>
        <style>
        body { font: 15px/1.5 system-ui, sans-serif; color: #1c2430 }
        body { margin: 2rem auto; max-width: 60rem; padding: 0 1rem }
        h1 { font-size: 1.5rem; margin-bottom: 0 } h2 { font-size: 1.1rem; margin-top: 2rem }
        table { border-collapse: collapse; width: 100% } th, td { text-align: right; padding: .3rem .6rem }
        th:first-child, td:first-child { text-align: left } thead th { border-bottom: 2px solid #1c2430 }
        tbody tr:nth-child(even) { background: #f3f5f8 } .bad { color: #b3261e; font-weight: 600 }
        svg { width: 100%; height: auto } svg text { font: 11px system-ui, sans-serif; fill: #4b5563 }
        .legend span { display: inline-block; margin-right: 1.2rem } .legend i { display: inline-block; width: .8rem;
        height: .8rem; margin-right: .35rem; border-radius: 2px; vertical-align: -1px }
        p.note { color: #4b5563 }
        </style>
        </head>
        <body>
        <h1>\(summary.configuration.players) players in \(Int(summary.configuration.arrivals.inSeconds)) s</h1>
        <p class="note">\(String(format: "%.1f", summary.finishedShare * 100)) % of the \(summary.population.queuedEver)
        players that queued finished a match. \(summary.population.paid) orders paid,
        \(summary.population.declined) declined, \(summary.population.requeued) queued again.</p>
        \(stepTable())
        \(partyTable())
        \(reasons())
        <h2>Where the players are, by second</h2>
        \(LinePlot(series: populationSeries(), unit: "players").svg())
        <h2>Steps done, by second</h2>
        \(LinePlot(series: rateSeries(), unit: "per second").svg())
        <h2>Time of each step, by percentile</h2>
        \(LinePlot(series: percentileSeries(), unit: "ms", logarithmic: true, xLabels: Self.percentileLabels).svg())
        </body>
        </html>

        """
    }

    private func stepTable() -> String {
        let rows = summary.rows.map { row in
            let errors = row.errors > 0 ? "<td class=\"bad\">\(row.errors)</td>" : "<td>0</td>"
            return "<tr><td title=\"\(Step(rawValue: row.step)?.meaning ?? "")\">\(row.step)</td><td>\(row.count)</td>"
                + [row.p50, row.p95, row.p99, row.max].map { "<td>\(timeText($0))</td>" }.joined() + errors + "</tr>"
        }
        return """
            <table><thead>
            <tr><th>step</th><th>count</th><th>p50</th><th>p95</th><th>p99</th><th>max</th><th>errors</th></tr>
            </thead><tbody>
            \(rows.joined(separator: "\n"))
            </tbody></table>
            """
    }

    /// Waits in the queue, where there were parties.
    private func partyTable() -> String {
        let parties = summary.partyRows
        guard parties.contains(where: { $0.size > 1 }) else { return "" }
        let rows = parties.map { row in
            "<tr><td>\(row.size == 1 ? "alone" : "party of \(row.size)")</td><td>\(row.tickets)</td>"
                + [row.p50, row.p95, row.max].map { "<td>\(timeText($0))</td>" }.joined() + "</tr>"
        }
        return """
            <h2>Waits for a match, by party</h2>
            <table><thead><tr><th>party</th><th>tickets</th><th>p50</th><th>p95</th><th>max</th></tr></thead><tbody>
            \(rows.joined(separator: "\n"))
            </tbody></table>
            """
    }

    /// What the errors were; servers wrote these words, so they are no markup here.
    private func reasons() -> String {
        let items = summary.rows.flatMap { row in
            row.errorReasons.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(5).map { reason, count in
                "<li>\(count) × \(row.step): \(Self.escaped(String(reason.prefix(200))))</li>"
            }
        }
        return items.isEmpty ? "" : "<ul class=\"bad\">\(items.joined(separator: "\n"))</ul>"
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
    }

    private func populationSeries() -> [LinePlot.Series] {
        [
            .init(name: "in the queue", values: summary.seconds.map { Double($0.inQueue) }),
            .init(name: "playing", values: summary.seconds.map { Double($0.playing) }),
        ]
    }

    private func rateSeries() -> [LinePlot.Series] {
        [Step.logIn, .order, .matched, .play].map { step in
            .init(name: step.rawValue, values: summary.seconds.map { Double($0.done[step.rawValue] ?? 0) })
        }
    }

    private static let percentiles: [Double] = [1, 10, 25, 50, 75, 90, 95, 99, 99.9, 100]
    private static let percentileLabels = ["1", "10", "25", "50", "75", "90", "95", "99", "99.9", "max"]

    private func percentileSeries() -> [LinePlot.Series] {
        [Step.logIn, .order, .paid, .matched, .placed, .join].compactMap { step in
            guard let times = summary.steps[step]?.times, times.totalCount > 0 else { return nil }
            return .init(
                name: step.rawValue,
                values: Self.percentiles.map { Double(times.valueAtPercentile($0)) / 1000 })
        }
    }
}

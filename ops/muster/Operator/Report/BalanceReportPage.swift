import Foundation
import GameModel

/// A balance report as one HTML file that needs nothing else: tables, and plots as inline SVG; read without scripts.
struct BalanceReportPage {
    let report: BalanceReport

    func html() -> String {
        let title = "Balance of patch \(report.patch)"
        return """
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>\(title)</title>
            <style>
            \(Self.style)
            \(BarChart.style)
            </style>
            </head>
            <body>
            <h1>\(title)</h1>
            <p class="note">From events, which may be lost: a picture of how games go, not a record. Whiskers are 95 %
            confidence intervals, the dashed line is where all characters would be alike.</p>
            \(report.modes.enumerated().map(section).joined(separator: "\n"))
            </body>
            </html>

            """
    }

    private static let style = """
        body{font:15px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif;color:#111827;background:#fff}
        body{margin:2rem auto;max-width:74rem;padding:0 1rem}
        h1{font-size:1.5rem;margin:0}h2{font-size:1.1rem;margin:2rem 0 .5rem}.note{color:#4b5563;margin:.3rem 0}
        .charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(30rem,100%),1fr));gap:1.5rem 2rem}
        figure{margin:0}figure svg{width:100%;height:auto;display:block}
        .wide{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums;margin-top:1rem}
        th,td{text-align:right;padding:.2rem .7rem;font-weight:400;white-space:nowrap}
        thead th{border-bottom:2px solid #111827;font-weight:600}tbody th,th:first-child{text-align:left}
        """

    private func section(_ index: Int, _ table: BalanceReport.Table) -> String {
        let even = 1 / Double(max(1, table.characters.count))
        let all = table.characters
        let wins = all.reduce(0) { $0 + $1.winRate * Double($1.picks) } / Double(max(1, table.picks))
        let mean = all.reduce(0) { $0 + $1.damage * Double($1.picks) } / Double(max(1, table.picks))
        let charts = [
            BarChart(
                title: "Pick rate", bars: all.map { .init(name: $0.character, value: $0.pickRate) },
                show: BalanceReportText.percent, reference: even),
            BarChart(
                title: "Win rate",
                bars: all.map { .init(name: $0.character, value: $0.winRate, margin: $0.winRateMargin) },
                show: BalanceReportText.percent, reference: wins),
            BarChart(
                title: "Damage in a match", bars: all.map { .init(name: $0.character, value: $0.damage) },
                show: BalanceReportText.number, reference: mean),
            BarChart(
                title: "Damage in a minute", bars: all.map { .init(name: $0.character, value: $0.damagePerMinute) },
                show: BalanceReportText.number),
        ]
        let figures = charts.enumerated().map { place, chart in
            "<figure>\(chart.svg(id: "chart\(index)-\(place)"))</figure>"
        }
        return """
            <h2>\(BarChart.escaped(table.mode.rawValue)): \(table.picks) picks</h2>
            <div class="charts">
            \(figures.joined(separator: "\n"))
            </div>
            \(Self.rows(BalanceReportText.head, all.map(BalanceReportText.cells)))
            <h3>By day</h3>
            \(Self.rows(
                ["day", "character", "picks", "pick rate", "win rate"],
                table.days.map {
                    [
                        $0.day, $0.character, "\($0.picks)", BalanceReportText.percent($0.pickRate),
                        BalanceReportText.percent($0.winRate),
                    ]
                }))
            """
    }

    private static func rows(_ head: [String], _ rows: [[String]]) -> String {
        let body = rows.map { cells in
            "<tr>"
                + cells.enumerated().map { index, cell in
                    index == 0
                        ? "<th scope=\"row\">\(BarChart.escaped(cell))</th>" : "<td>\(BarChart.escaped(cell))</td>"
                }.joined() + "</tr>"
        }
        return """
            <div class="wide"><table><thead><tr>\(head.map { "<th scope=\"col\">\($0)</th>" }.joined())</tr></thead>
            <tbody>
            \(body.joined(separator: "\n"))
            </tbody></table></div>
            """
    }
}

/// A report's numbers as text.
enum BalanceReportText {
    static let head = [
        "character", "picks", "pick rate", "win rate", "±", "damage", "per minute", "kills", "deaths", "left",
    ]

    static func cells(_ row: BalanceReport.Character) -> [String] {
        [
            row.character, "\(row.picks)", percent(row.pickRate), percent(row.winRate), percent(row.winRateMargin),
            number(row.damage), number(row.damagePerMinute), number(row.kills), number(row.deaths),
            percent(row.leaverRate),
        ]
    }

    static func percent(_ share: Double) -> String { String(format: "%.1f %%", share * 100) }

    static func number(_ value: Double) -> String { String(format: value < 10 ? "%.2f" : "%.0f", value) }
}

/// A comparison as one HTML file that needs nothing else: tables, and plots as inline SVG; read without scripts.
public struct ComparisonPage {
    private let comparison: Comparison

    public init(_ comparison: Comparison) { self.comparison = comparison }

    /// The page. The same comparison, the same bytes.
    public func html() -> String {
        let charts = ComparisonCharts(comparison: comparison).all.enumerated()
        let figures = charts.map { "<figure>\($0.element.svg(id: "chart\($0.offset)"))</figure>" }
        return """
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>Simulation of \(Markup.text(comparison.mode))</title>
            <style>
            \(Self.style)
            \(Chart.style)
            </style>
            </head>
            <body>
            <h1>Simulation of \(Markup.text(comparison.mode))</h1>
            <p class="note">\(Markup.text(comparison.headline)). The production matcher on a clock of its own.</p>
            \(comparison.remarks.map { "<p class=\"note\">\(Markup.text($0))</p>" }.joined())
            \(legend)
            <div class="charts">
            \(figures.joined(separator: "\n"))
            </div>
            <h2>In numbers</h2>
            \(rows)
            \(parts("By rating", "rating") { $0.byRating })
            \(parts("By home", "region") { $0.byRegion })
            \(parts("By party size", "size") { $0.byParty })
            \(parts("By hour", "hour") { $0.byHour })
            </body>
            </html>

            """
    }

    /// All plots as one SVG, two in a row, on a white ground: for documents.
    public func picture() -> String {
        let charts = ComparisonCharts(comparison: comparison).all
        let (gap, margin, head) = (24.0, 20.0, 26.0)
        let rows = (charts.count + 1) / 2
        let width = Int(2 * Chart.width + gap + 2 * margin)
        let height = Int(Double(rows) * (Chart.height + gap) - gap + 2 * margin + head)
        let drawn = charts.enumerated().map { place, chart in
            let x = margin + Double(place % 2) * (Chart.width + gap)
            let y = margin + head + Double(place / 2) * (Chart.height + gap)
            return "<g transform=\"translate(\(Int(x)) \(Int(y)))\">\n\(chart.drawing)\n</g>"
        }
        let summary = charts.map { "\($0.title): \($0.summary)" }.joined(separator: " ")
        return """
            <svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 \(width) \(height)" \
            width="\(width)" height="\(height)" role="img" aria-labelledby="title summary">
            <title id="title">\(Markup.text(comparison.headline))</title>
            <desc id="summary">\(Markup.text(summary))</desc>
            <style>\(Chart.style)</style>
            <rect width="\(width)" height="\(height)" fill="#ffffff"/>
            <text x="\(Int(margin))" y="\(Int(margin) + 4)">\(Markup.text(comparison.headline))</text>
            \(drawn.joined(separator: "\n"))
            </svg>

            """
    }

    private static let style = """
        body{font:15px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif;color:#111827;background:#fff}
        body{margin:2rem auto;max-width:74rem;padding:0 1rem}
        h1{font-size:1.5rem;margin:0}h2{font-size:1.1rem;margin:2rem 0 .5rem}
        .note{color:#4b5563;margin:.3rem 0}.bad{color:#b3261e;font-weight:600}
        .charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(30rem,100%),1fr));gap:1.5rem 2rem}
        figure{margin:0}figure svg{width:100%;height:auto;display:block}
        .legend span{margin-right:1.4rem;display:inline-block}
        .legend i{display:inline-block;width:.9rem;height:.9rem;border-radius:3px}
        .legend i{margin-right:.4rem;vertical-align:-1px}
        .wide{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums}
        th,td{text-align:right;padding:.2rem .7rem;font-weight:400;white-space:nowrap}
        thead th{border-bottom:2px solid #111827;font-weight:600}tbody th,th:first-child{text-align:left}
        .dense{font-size:.82rem}.dense th,.dense td{padding:.2rem .5rem}th.run{text-align:center}
        th.group{font-weight:600;padding-top:.8rem}tbody tr:hover{background:#f3f4f6}
        """

    private var legend: String {
        let keys = comparison.runs.enumerated().map { place, run in
            let colour = Chart.colours[place % Chart.colours.count]
            let version = "rules \(run.figures.rulesVersion)"
            return "<span><i style=\"background:\(colour)\"></i>\(Markup.text("\(run.name) (\(version))"))</span>"
        }
        let faults = comparison.runs.flatMap { run in
            run.figures.faults.prefix(5).map { "<p class=\"bad\">\(Markup.text("\(run.name): \($0)"))</p>" }
        }
        return "<p class=\"legend\">\(keys.joined())</p>\(faults.joined())"
    }

    private var rows: String {
        let isPair = comparison.runs.count == 2
        let heads = [""] + comparison.runs.map { Markup.text($0.name) } + (isPair ? ["difference"] : [])
        var body: [String] = []
        for group in ComparisonRows(comparison: comparison).groups where !group.rows.isEmpty {
            body.append("<tr><th class=\"group\" scope=\"colgroup\" colspan=\"\(heads.count)\">\(group.name)</th></tr>")
            for row in group.rows {
                body.append(Self.row(row.name, row.cells(comparison.runs)))
            }
        }
        return Self.table(heads, body)
    }

    private func parts(_ title: String, _ name: String, _ of: (Figures) -> [Figures.Part]) -> String {
        let names = comparison.runs.first.map { of($0.figures).map(\.name) } ?? []
        guard names.count > 1 else { return "" }
        let columns = ["players", "p50", "p90", "p99", "expired", "chance", "worst ms"]
        let heads = [name] + comparison.runs.flatMap { _ in columns }
        let runs = comparison.runs.map { run in
            "<th scope=\"colgroup\" class=\"run\" colspan=\"\(columns.count)\">\(Markup.text(run.name))</th>"
        }
        let body = names.map { name in
            Self.row(
                Markup.text(name),
                comparison.runs.flatMap { run -> [String] in
                    guard let part = of(run.figures).first(where: { $0.name == name }) else {
                        return Array(repeating: "–", count: columns.count)
                    }
                    return [
                        String(part.players), Shown.seconds(part.wait.p50), Shown.seconds(part.wait.p90),
                        Shown.seconds(part.wait.p99), Shown.percent(part.expired), Shown.percent(part.gap + 0.5),
                        String(Int(part.worstLatency)),
                    ]
                })
        }
        return "<h2>\(title)</h2>\n"
            + Self.table(heads, body, above: "<tr><td></td>\(runs.joined())</tr>", isDense: true)
    }

    private static func row(_ name: String, _ cells: [String]) -> String {
        "<tr><th scope=\"row\">\(name)</th>" + cells.map { "<td>\($0)</td>" }.joined() + "</tr>"
    }

    private static func table(
        _ heads: [String], _ body: [String], above: String = "", isDense: Bool = false
    ) -> String {
        let head = heads.map { "<th scope=\"col\">\($0)</th>" }.joined()
        return """
            <div class="wide"><table\(isDense ? " class=\"dense\"" : "")><thead>\(above)<tr>\(head)</tr></thead><tbody>
            \(body.joined(separator: "\n"))
            </tbody></table></div>
            """
    }
}

import Foundation

/// Bars over names, each with a whisker where it has a margin, as SVG that needs nothing else. It has a title and a
/// description for those who can't see it.
struct BarChart {
    struct Bar {
        let name: String
        let value: Double
        /// Half the length of its whisker.
        var margin = 0.0
    }

    let title: String
    let bars: [Bar]
    /// How a value is written.
    let show: (Double) -> String
    /// A line across, where values would be if all were equal.
    var reference: Double?

    private static let width = 560.0
    private static let row = 26.0
    private static let left = 120.0
    private static let right = 70.0
    private static let top = 32.0

    static let style = """
        .chart text{font:12px system-ui,-apple-system,"Segoe UI",sans-serif;fill:#4b5563}
        .chart .title{font-size:14px;font-weight:600;fill:#111827}.chart rect{fill:#2563eb}
        .chart .whisker{stroke:#111827;stroke-width:1.5}.chart .reference{stroke:#d9580d;stroke-dasharray:5 4}
        """

    func svg(id: String) -> String {
        let height = Self.top + Double(bars.count) * Self.row + 8
        let most = max(bars.map { $0.value + $0.margin }.max() ?? 0, reference ?? 0, 1e-9)
        func place(_ value: Double) -> Double {
            Self.left + (Self.width - Self.left - Self.right) * min(max(value / most, 0), 1)
        }
        var parts = bars.enumerated().map { index, bar in draw(bar, at: index, place) }
        if let reference {
            let at = text(place(reference))
            parts.append(
                "<line class=\"reference\" x1=\"\(at)\" x2=\"\(at)\" y1=\"\(text(Self.top - 4))\" "
                    + "y2=\"\(text(height - 6))\"><title>\(show(reference))</title></line>")
        }
        let summary = bars.map { "\($0.name) \(show($0.value))" }.joined(separator: ", ")
        return """
            <svg class="chart" viewBox="0 0 \(Int(Self.width)) \(Int(height))" role="img" \
            aria-labelledby="\(id)-t \(id)-d">
            <title id="\(id)-t">\(Self.escaped(title))</title>
            <desc id="\(id)-d">\(Self.escaped(summary))</desc>
            <text class="title" x="0" y="16">\(Self.escaped(title))</text>
            \(parts.joined(separator: "\n"))
            </svg>
            """
    }

    private func draw(_ bar: Bar, at index: Int, _ place: (Double) -> Double) -> String {
        let y = Self.top + Double(index) * Self.row
        let middle = text(y + Self.row / 2 - 3)
        let end = place(bar.value)
        var parts = [
            "<text x=\"\(text(Self.left - 8))\" y=\"\(text(y + Self.row / 2 + 1))\" text-anchor=\"end\">"
                + "\(Self.escaped(String(bar.name.prefix(18))))</text>",
            "<rect x=\"\(text(Self.left))\" y=\"\(text(y))\" width=\"\(text(max(0, end - Self.left)))\" "
                + "height=\"\(text(Self.row - 6))\" rx=\"2\"/>",
            "<text x=\"\(text(place(bar.value + bar.margin) + 6))\" y=\"\(text(y + Self.row / 2 + 1))\">"
                + "\(Self.escaped(show(bar.value)))</text>",
        ]
        if bar.margin > 0 {
            parts.append(
                "<line class=\"whisker\" x1=\"\(text(place(bar.value - bar.margin)))\" "
                    + "x2=\"\(text(place(bar.value + bar.margin)))\" y1=\"\(middle)\" y2=\"\(middle)\"/>")
        }
        return parts.joined(separator: "\n")
    }

    private func text(_ number: Double) -> String { String(format: "%.1f", number) }

    static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
            .replacing("\"", with: "&quot;")
    }
}

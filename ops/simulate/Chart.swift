import Foundation

/// Lines, steps and ranges over two axes, as SVG that needs nothing else: no script, no font, no style sheet but
/// ``Chart/style``. It has a title and a description for those who can't see it.
struct Chart {
    struct Point {
        let x: Double
        let y: Double
    }

    enum Mark {
        /// A line from point to point.
        case line(isDashed: Bool)
        /// A filled step per point, as wide as the distance of points.
        case steps(width: Double)
        /// An upright line from each point's `y` up to its `high`, a dot at the lower end.
        case ranges(high: [Double])
    }

    struct Series {
        let name: String
        /// Which of the colours: that of its run.
        let colour: Int
        let mark: Mark
        let points: [Point]
        /// Whether the legend names it; not where another of its run stands for it.
        var isInLegend = true
    }

    struct Axis {
        let name: String
        let range: ClosedRange<Double>
        let ticks: [(value: Double, text: String)]
    }

    let title: String
    /// What it shows, in a sentence with the main numbers.
    let summary: String
    let x: Axis
    let y: Axis
    let series: [Series]

    static let width = 560.0
    static let height = 300.0
    private static let left = 52.0
    private static let right = 24.0
    private static let top = 44.0
    private static let bottom = 44.0

    /// Blue and orange, told apart by the colour-blind, and two more.
    static let colours = ["#2563eb", "#d9580d", "#0f766e", "#a21caf"]

    /// For a page or a picture that holds charts.
    static var style: String {
        let own = colours.enumerated().map { place, colour in
            ".c\(place){stroke:\(colour)}.f\(place){fill:\(colour)}"
        }
        return """
            .chart text{font:12px system-ui,-apple-system,"Segoe UI",sans-serif;fill:#4b5563}
            .chart .title{font-size:14px;font-weight:600;fill:#111827}
            .chart .grid{stroke:#e5e7eb}.chart .base{stroke:#9ca3af}
            .chart .line{fill:none;stroke-width:2;stroke-linejoin:round}.chart .dashed{stroke-dasharray:5 4}
            .chart .area{fill-opacity:.16;stroke-width:1.6}.chart .range{stroke-width:2.5;stroke-linecap:round}
            \(own.joined())
            """
    }

    /// - Parameter id: a name for its title within the page.
    func svg(id: String) -> String {
        """
        <svg class="chart" viewBox="0 0 \(Int(Self.width)) \(Int(Self.height))" role="img" \
        aria-labelledby="\(id)-t \(id)-d">
        <title id="\(id)-t">\(Markup.text(title))</title>
        <desc id="\(id)-d">\(Markup.text(summary))</desc>
        \(drawing)
        </svg>
        """
    }

    /// What is within the `svg` element.
    var drawing: String {
        let heading = "<text class=\"title\" x=\"0\" y=\"14\">\(Markup.text(title))</text>"
        return ([heading] + grid + series.flatMap(draw) + legend).joined(separator: "\n")
    }

    // MARK: Places

    private func place(x value: Double) -> Double {
        let share = (value - x.range.lowerBound) / max(1e-12, x.range.upperBound - x.range.lowerBound)
        return Self.left + (Self.width - Self.left - Self.right) * min(max(share, 0), 1)
    }

    private func place(y value: Double) -> Double {
        let share = (value - y.range.lowerBound) / max(1e-12, y.range.upperBound - y.range.lowerBound)
        return Self.height - Self.bottom - (Self.height - Self.bottom - Self.top) * min(max(share, 0), 1)
    }

    private func text(_ number: Double) -> String { String(format: "%.1f", number) }

    // MARK: Parts

    private var grid: [String] {
        var parts: [String] = []
        let (low, high) = (text(Self.left), text(Self.width - Self.right))
        for tick in y.ticks {
            let at = place(y: tick.value)
            let kind = tick.value == y.range.lowerBound ? "base" : "grid"
            parts.append("<line class=\"\(kind)\" x1=\"\(low)\" x2=\"\(high)\" y1=\"\(text(at))\" y2=\"\(text(at))\"/>")
            parts.append(
                "<text x=\"\(text(Self.left - 6))\" y=\"\(text(at + 4))\" text-anchor=\"end\">\(tick.text)</text>")
        }
        let floor = Self.height - Self.bottom
        for tick in x.ticks {
            let at = text(place(x: tick.value))
            parts.append(
                "<line class=\"base\" x1=\"\(at)\" x2=\"\(at)\" y1=\"\(text(floor))\" y2=\"\(text(floor + 4))\"/>")
            parts.append(
                "<text x=\"\(at)\" y=\"\(text(floor + 17))\" text-anchor=\"middle\">\(Markup.text(tick.text))</text>")
        }
        parts.append(
            "<text x=\"\(high)\" y=\"\(text(Self.height - 8))\" text-anchor=\"end\">\(Markup.text(x.name))</text>")
        parts.append("<text x=\"0\" y=\"33\">\(Markup.text(y.name))</text>")
        return parts
    }

    private func draw(_ series: Series) -> [String] {
        let label = "<title>\(Markup.text(series.name))</title>"
        switch series.mark {
        case .line(let isDashed):
            let points = series.points.map { "\(text(place(x: $0.x))),\(text(place(y: $0.y)))" }
            return [
                "<polyline class=\"line c\(series.colour)\(isDashed ? " dashed" : "")\" "
                    + "points=\"\(points.joined(separator: " "))\">\(label)</polyline>"
            ]
        case .steps(let width):
            guard let first = series.points.first else { return [] }
            let floor = text(place(y: y.range.lowerBound))
            var path = "M\(text(place(x: first.x))) \(floor)"
            for point in series.points { path += "V\(text(place(y: point.y)))H\(text(place(x: point.x + width)))" }
            path += "V\(floor)"
            return ["<path class=\"area c\(series.colour) f\(series.colour)\" d=\"\(path)\">\(label)</path>"]
        case .ranges(let high):
            return zip(series.points, high).map { point, high in
                let at = text(place(x: point.x))
                return "<g>\(label)<line class=\"range c\(series.colour)\" x1=\"\(at)\" x2=\"\(at)\" "
                    + "y1=\"\(text(place(y: point.y)))\" y2=\"\(text(place(y: high)))\"/>"
                    + "<circle class=\"f\(series.colour)\" cx=\"\(at)\" cy=\"\(text(place(y: point.y)))\" r=\"4\"/></g>"
            }
        }
    }

    /// In the top right corner, the last series outermost.
    private var legend: [String] {
        var parts: [String] = []
        var end = Self.width - Self.right
        for series in series.reversed() where series.isInLegend {
            let name = series.name.count > 24 ? "\(series.name.prefix(23))…" : series.name
            parts.append("<text x=\"\(text(end))\" y=\"33\" text-anchor=\"end\">\(Markup.text(name))</text>")
            // No font is known here; 6.9 is wide enough for most at 12 pixels.
            end -= Double(name.count) * 6.9 + 6
            let key: String
            switch series.mark {
            case .line(let isDashed):
                key =
                    "<line class=\"line c\(series.colour)\(isDashed ? " dashed" : "")\" x1=\"\(text(end - 18))\" "
                    + "x2=\"\(text(end))\" y1=\"29\" y2=\"29\"/>"
            case .steps:
                key =
                    "<rect class=\"area c\(series.colour) f\(series.colour)\" x=\"\(text(end - 12))\" y=\"23\" "
                    + "width=\"12\" height=\"11\"/>"
            case .ranges: key = "<circle class=\"f\(series.colour)\" cx=\"\(text(end - 6))\" cy=\"29\" r=\"4\"/>"
            }
            parts.append(key)
            end -= 30
        }
        return parts
    }
}

extension Chart.Axis {
    /// From 0 to a round number that encloses the largest value, with about five steps of 1, 2 or 5.
    static func upTo(_ most: Double, _ name: String, _ show: (Double) -> String = Shown.number) -> Self {
        let rough = max(most, 1e-9) / 5
        let power = pow(10, floor(log10(rough)))
        let step = [1.0, 2, 5, 10].map { $0 * power }.first { $0 >= rough * 0.999 } ?? rough
        let count = Int((most / step).rounded(.up))
        let values = (0...max(1, count)).map { Double($0) * step }
        return Self(name: name, range: 0...(values.last ?? 1), ticks: values.map { ($0, show($0)) })
    }
}

/// Text that stands in markup.
enum Markup {
    static func text(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
            .replacing("\"", with: "&quot;")
    }
}

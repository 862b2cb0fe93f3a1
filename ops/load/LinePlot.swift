import Foundation

/// Lines over a shared axis, drawn as SVG with a legend beneath.
struct LinePlot {
    struct Series {
        let name: String
        let values: [Double]
    }

    let series: [Series]
    let unit: String
    var logarithmic = false
    /// Labels under the points; by number where empty.
    var xLabels: [String] = []

    private static let colours = ["#2563eb", "#d97706", "#059669", "#be185d", "#7c3aed", "#0e7490"]
    private let width = 800.0
    private let height = 260.0
    private let left = 56.0
    private let bottom = 26.0
    private let top = 12.0

    func svg() -> String {
        let count = series.map(\.values.count).max() ?? 0
        guard count > 0 else { return "<p class=\"note\">nothing was recorded</p>" }
        let ticks = yTicks()
        var parts = ["<svg viewBox=\"0 0 \(Int(width)) \(Int(height))\" role=\"img\" aria-label=\"plot in \(unit)\">"]
        for tick in ticks {
            let y = yPosition(tick, ticks)
            parts.append(
                "<line x1=\"\(left)\" x2=\"\(width)\" y1=\"\(round1(y))\" y2=\"\(round1(y))\" stroke=\"#e5e7eb\"/>")
            parts.append(
                "<text x=\"\(left - 6)\" y=\"\(round1(y + 4))\" text-anchor=\"end\">\(tickText(tick))</text>")
        }
        for index in labelIndexes(count) {
            let label = index < xLabels.count ? xLabels[index] : String(index)
            parts.append(
                "<text x=\"\(round1(xPosition(index, count)))\" y=\"\(height - 8)\" "
                    + "text-anchor=\"middle\">\(label)</text>"
            )
        }
        for (number, line) in series.enumerated() {
            let points = line.values.enumerated().map { index, value in
                "\(round1(xPosition(index, count))),\(round1(yPosition(value, ticks)))"
            }
            parts.append(
                "<polyline fill=\"none\" stroke=\"\(Self.colours[number % Self.colours.count])\" stroke-width=\"2\" "
                    + "points=\"\(points.joined(separator: " "))\"/>")
        }
        parts.append("</svg>")
        let legend = series.enumerated().map { number, line in
            "<span><i style=\"background:\(Self.colours[number % Self.colours.count])\"></i>\(line.name)</span>"
        }
        return parts.joined(separator: "\n") + "\n<p class=\"legend\">\(legend.joined()) (\(unit))</p>"
    }

    private func xPosition(_ index: Int, _ count: Int) -> Double {
        left + 12 + (width - left - 30) * (count == 1 ? 0.5 : Double(index) / Double(count - 1))
    }

    private func yPosition(_ value: Double, _ ticks: [Double]) -> Double {
        guard let low = ticks.first, let high = ticks.last, high > low else { return height - bottom }
        let share =
            logarithmic ? log10(max(value, low) / low) / log10(high / low) : (value - low) / (high - low)
        return height - bottom - (height - bottom - top) * min(max(share, 0), 1)
    }

    /// Round numbers that enclose every value: powers of ten on a logarithmic axis, else steps of 1, 2 or 5.
    private func yTicks() -> [Double] {
        let values = series.flatMap(\.values)
        let high = max(values.max() ?? 1, logarithmic ? 0.001 : 1)
        if logarithmic {
            let low = max(values.filter { $0 > 0 }.min() ?? 0.1, 0.001)
            let first = Int(floor(log10(low)))
            let last = max(first + 1, Int(ceil(log10(high))))
            return (first...last).map { pow(10, Double($0)) }
        }
        let rough = high / 4
        let power = pow(10, floor(log10(rough)))
        let step = [1.0, 2, 5, 10].map { $0 * power }.first { $0 >= rough } ?? rough
        return Array(stride(from: 0, through: ceil(high / step) * step, by: step))
    }

    private func labelIndexes(_ count: Int) -> [Int] {
        guard xLabels.isEmpty else { return Array(0..<count) }
        return Array(stride(from: 0, to: count, by: max(1, count / 10)))
    }

    private func tickText(_ value: Double) -> String {
        value >= 1 || value == 0 ? String(Int(value)) : String(format: "%g", value)
    }

    private func round1(_ value: Double) -> String { String(format: "%.1f", value) }
}

import Foundation

/// The plots of a comparison: each run in a colour of its own.
struct ComparisonCharts {
    let comparison: Comparison

    var all: [Chart] { [waitOverDay, waits, backlog, byRating, chances, latencies].compactMap { $0 } }

    private var runs: [(colour: Int, run: Comparison.Run)] {
        comparison.runs.enumerated().map { ($0.offset % Chart.colours.count, $0.element) }
    }

    /// For a description: a value of each run.
    private func told(_ value: (Figures) -> String) -> String {
        comparison.runs.map { "\($0.name): \(value($0.figures))" }.joined(separator: "; ") + "."
    }

    // MARK: Over the day

    private func clock(_ name: String) -> Chart.Axis {
        let first = Double(comparison.runs.first?.figures.byHour.first?.name ?? "0") ?? 0
        let hours = Double(max(1, comparison.runs.first?.figures.byHour.count ?? 24))
        let step = [1.0, 2, 3, 6, 12, 24, 48, 96].first { hours / $0 <= 9 } ?? 192
        let ticks = stride(from: first, through: first + hours, by: step).map { hour in
            (value: hour, text: String(format: "%02d:00", Int(hour) % 24))
        }
        return Chart.Axis(name: name, range: first...(first + hours), ticks: ticks)
    }

    private var waitOverDay: Chart? {
        var series: [Chart.Series] = []
        for (colour, run) in runs {
            let hours = run.figures.byHour.filter { $0.wait.count > 0 }
            func line(_ name: String, isDashed: Bool, _ value: (Figures.Part) -> Double) -> Chart.Series {
                let points = hours.map { Chart.Point(x: (Double($0.name) ?? 0) + 0.5, y: value($0)) }
                return .init(
                    name: name, colour: colour, mark: .line(isDashed: isDashed), points: points, isInLegend: !isDashed)
            }
            series.append(line(run.name, isDashed: false) { $0.wait.p50 })
            series.append(line("\(run.name) p90", isDashed: true) { $0.wait.p90 })
        }
        return Chart(
            title: "Wait over the day: p50, and dashed p90",
            summary: "Seconds until matched, by the hour of queueing. "
                + told { "p50 \(Shown.seconds($0.wait.p50)), p90 \(Shown.seconds($0.wait.p90))" },
            x: clock("queued at"), y: .upTo(most(series), "seconds"), series: series)
    }

    private var backlog: Chart? {
        let first = clock("").range.lowerBound
        let series = runs.map { colour, run in
            // As few points as show the day's course; the minutes are in the JSON.
            let step = max(1, run.figures.backlog.count / 96)
            let points = stride(from: 0, to: run.figures.backlog.count, by: step).map { start in
                let part = run.figures.backlog[start..<min(start + step, run.figures.backlog.count)]
                return Chart.Point(
                    x: first + Double(start + part.count / 2) / 60, y: Double(part.reduce(0, +)) / Double(part.count))
            }
            return Chart.Series(name: run.name, colour: colour, mark: .line(isDashed: false), points: points)
        }
        return Chart(
            title: "Players who wait",
            summary: "How many wait at each time. " + told { "at most \($0.backlog.max() ?? 0)" },
            x: clock("time"), y: .upTo(most(series), "players"), series: series)
    }

    // MARK: Spreads

    private var waits: Chart? {
        let most = comparison.runs.compactMap { $0.figures.waitPercentiles.dropLast().last }.max() ?? 1
        let series = runs.map { colour, run in
            let points = run.figures.waitPercentiles.dropLast().enumerated().map {
                Chart.Point(x: $0.element, y: Double($0.offset))
            }
            return Chart.Series(name: run.name, colour: colour, mark: .line(isDashed: false), points: points)
        }
        return Chart(
            title: "Matched within",
            summary: "The share of players who waited no longer than so many seconds. "
                + told { "half within \(Shown.seconds($0.wait.p50)), 99 % within \(Shown.seconds($0.wait.p99))" },
            x: .upTo(most, "seconds of waiting"), y: .upTo(100, "% of players"), series: series)
    }

    private var chances: Chart? {
        steps(
            title: "How even matches are",
            summary: "Matches by the predicted chance of the strongest team against the weakest; 50 % is even. "
                + told { "mean \(Shown.percent($0.gap.mean + 0.5))" },
            x: ("strongest team's chance against the weakest, %", { 50 + $0 * 100 }), y: "% of matches", \.gapHistogram)
    }

    private var latencies: Chart? {
        guard comparison.runs.contains(where: { $0.figures.latency.count > 0 }) else { return nil }
        return steps(
            title: "Latency in matches",
            summary: "Players by the latency to the region of their match. "
                + told { "p50 \(Int($0.latency.p50)) ms, p99 \(Int($0.latency.p99)) ms" },
            x: ("ms", { $0 }), y: "% of players", \.latencyHistogram)
    }

    private func steps(
        title: String, summary: String, x: (name: String, scale: (Double) -> Double), y: String,
        _ histogram: (Figures) -> Figures.Histogram
    ) -> Chart {
        let shares = runs.map { colour, run -> (Int, Comparison.Run, Double, [Double]) in
            let bins = histogram(run.figures)
            let total = Double(max(1, bins.counts.reduce(0, +)))
            return (colour, run, bins.width, bins.counts.map { Double($0) / total * 100 })
        }
        // A tail of less than a thousandth would press the rest together.
        let shown = shares.map { share in (share.3.lastIndex { $0 >= 0.1 } ?? 0) + 1 }.max() ?? 1
        let series = shares.map { colour, run, width, values in
            let points = values.prefix(shown).enumerated().map {
                Chart.Point(x: x.scale(Double($0.offset) * width), y: $0.element)
            }
            return Chart.Series(
                name: run.name, colour: colour, mark: .steps(width: x.scale(width) - x.scale(0)), points: points)
        }
        let width = shares.first?.2 ?? 1
        let end = x.scale(Double(shown) * width)
        let ticks = Chart.Axis.upTo(end - x.scale(0), "").ticks.map { tick in
            (value: x.scale(0) + tick.value, text: Shown.number(x.scale(0) + tick.value))
        }
        let axis = Chart.Axis(
            name: x.name, range: x.scale(0)...max(end, x.scale(0) + 1e-9), ticks: ticks.filter { $0.value <= end })
        return Chart(title: title, summary: summary, x: axis, y: .upTo(most(series), y), series: series)
    }

    /// Ten tenths of the players by rating, each with a mark per run from its median to its 99th percentile.
    private var byRating: Chart? {
        var high = 0.0
        let series = runs.map { colour, run in
            let parts = run.figures.byRating
            let shift = (Double(colour) - Double(runs.count - 1) / 2) * 0.22
            high = max(high, parts.map(\.wait.p99).max() ?? 0)
            return Chart.Series(
                name: run.name, colour: colour, mark: .ranges(high: parts.map(\.wait.p99)),
                points: parts.enumerated().map {
                    Chart.Point(x: Double($0.offset) + 0.5 + shift, y: $0.element.wait.p50)
                })
        }
        // Between two tenths stands the rating that parts them.
        let names = comparison.runs.first?.figures.byRating.map(\.name) ?? []
        let ticks = names.dropLast().enumerated().map { place, name in
            (value: Double(place + 1), text: String(name.split(whereSeparator: { " –".contains($0) }).last ?? ""))
        }
        return Chart(
            title: "Wait by rating: p50 to p99 of each tenth",
            summary: "Seconds until matched of ten tenths of the players by rating. "
                + told { figures in
                    let worst = figures.byRating.max { $0.wait.p99 < $1.wait.p99 }
                    return "the longest p99 is \(Shown.seconds(worst?.wait.p99 ?? 0)), \(worst?.name ?? "")"
                },
            x: .init(name: "rating", range: 0...Double(max(1, names.count)), ticks: ticks),
            y: .upTo(high, "seconds"), series: series)
    }

    private func most(_ series: [Chart.Series]) -> Double {
        max(series.flatMap(\.points).map(\.y).max() ?? 1, 1e-6)
    }
}

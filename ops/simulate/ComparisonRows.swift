import Foundation

/// The lines of a comparison: what is told of each run, on the terminal and on the page.
struct ComparisonRows {
    enum Unit {
        case count
        case seconds
        case share
        case points
        case milliseconds

        func text(_ value: Double) -> String {
            switch self {
            case .count: Shown.number(value)
            case .seconds: Shown.seconds(value)
            case .share: Shown.percent(value)
            case .points: String(format: "%.0f", value)
            case .milliseconds: String(format: "%.0f ms", value)
            }
        }

        /// How far a second value is from the first; shares in percentage points.
        func difference(_ value: Double) -> String {
            if text(value) == text(0) || text(-value) == text(0) { return "=" }
            let size = self == .share ? String(format: "%.2f", abs(value) * 100) : text(abs(value))
            return (value < 0 ? "−" : "+") + size
        }
    }

    /// One value of each run, and the difference of two.
    struct Row {
        let name: String
        let unit: Unit
        /// `nil` where there was nothing to measure.
        let value: (Figures) -> Double?

        init(_ name: String, _ unit: Unit, _ value: @escaping (Figures) -> Double?) {
            self.name = name
            self.unit = unit
            self.value = value
        }

        func cells(_ runs: [Comparison.Run]) -> [String] {
            let values = runs.map { value($0.figures) }
            let texts = values.map { $0.map(unit.text) ?? "–" }
            guard values.count == 2 else { return texts }
            guard let first = values[0], let second = values[1] else { return texts + ["–"] }
            return texts + [unit.difference(second - first)]
        }
    }

    struct Group {
        let name: String
        let rows: [Row]
    }

    let comparison: Comparison

    var groups: [Group] {
        [
            Group(name: "Players", rows: players),
            Group(name: "Wait until matched or expired", rows: Self.quantiles(.seconds) { $0.wait }),
            Group(name: "Strongest team's chance against the weakest (even: 50 %)", rows: chances),
            Group(name: "Points between a match's best and worst", rows: Self.quantiles(.points) { $0.ratingSpread }),
            Group(name: "Latency", rows: latencies),
            Group(name: "Matches", rows: matches),
        ]
    }

    private var players: [Row] {
        let rows = [
            Row("queued, once per match", .count) { Double($0.players) },
            Row("matched", .share) { Self.share($0.matchedPlayers, of: $0) },
            Row("expired", .share) { Self.share($0.expiredPlayers, of: $0) },
            Row("did not accept", .share) { Self.share($0.declinedPlayers, of: $0) },
            Row("still waiting at the end", .count) { Double($0.waitingPlayers) },
        ]
        guard any({ $0.busyArrivals > 0 }) else { return rows }
        return rows + [Row("passed over: still busy", .count) { Double($0.busyArrivals) }]
    }

    private var chances: [Row] {
        func row(_ name: String, _ gap: @escaping (Figures.Quantiles) -> Double) -> Row {
            Row(name, .share) { $0.gap.count > 0 ? gap($0.gap) + 0.5 : nil }
        }
        return [row("p50") { $0.p50 }, row("p90") { $0.p90 }, row("p99") { $0.p99 }, row("mean") { $0.mean }]
    }

    private var latencies: [Row] {
        guard any({ $0.latency.count > 0 }) else { return [] }
        func row(_ name: String, _ value: @escaping (Figures) -> Double) -> Row {
            Row(name, .milliseconds) { $0.latency.count > 0 ? value($0) : nil }
        }
        return [
            row("of a player, p50") { $0.latency.p50 }, row("of a player, p99") { $0.latency.p99 },
            row("worst of a match, p50") { $0.worstLatency.p50 }, row("worst of a match, p90") { $0.worstLatency.p90 },
            row("worst of a match, p99") { $0.worstLatency.p99 },
            row("best to worst of a match, p50") { $0.latencySpread.p50 },
        ]
    }

    private var matches: [Row] {
        let hours = max(comparison.hours, 0.001)
        var rows = [
            Row("made", .count) { Double($0.matches) }, Row("made per hour", .count) { Double($0.matches) / hours },
            Row("refused by a player", .count) { Double($0.refusedProposals) },
        ]
        if any({ $0.shortMatches > 0 }) {
            rows.append(Row("begun short of players", .count) { Double($0.shortMatches) })
        }
        if any({ $0.bots > 0 }) { rows.append(Row("seats taken by bots", .count) { Double($0.bots) }) }
        return rows
    }

    private static func quantiles(_ unit: Unit, _ of: @escaping (Figures) -> Figures.Quantiles) -> [Row] {
        func row(_ name: String, _ value: @escaping (Figures.Quantiles) -> Double) -> Row {
            Row(name, unit) { of($0).count > 0 ? value(of($0)) : nil }
        }
        return [
            row("p50") { $0.p50 }, row("p90") { $0.p90 }, row("p99") { $0.p99 }, row("most") { $0.max },
            row("mean") { $0.mean },
        ]
    }

    private static func share(_ part: Int, of figures: Figures) -> Double {
        Double(part) / Double(max(1, figures.players))
    }

    /// Rows of what did not happen in any run say nothing.
    private func any(_ holds: (Figures) -> Bool) -> Bool { comparison.runs.contains { holds($0.figures) } }
}

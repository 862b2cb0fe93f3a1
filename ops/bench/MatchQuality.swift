import Foundation
import GameModel
import Matchmaking

/// How even matches are and how long players wait, in a simulation of arrivals: the matcher beside two plain ways to
/// match the same arrivals, each with the pause between its rounds that makes half the players wait as long.
struct MatchQuality {
    /// What one way made of the arrivals.
    struct Outcome {
        /// Of each matched ticket: its rating, and how long it waited, in s.
        var waits: [(rating: Double, seconds: Double)] = []
        /// Of each match: the predicted chance of the stronger team, less one half.
        var gaps: [Double] = []

        var medianWait: Double { MatchQuality.quantile(waits.map(\.seconds), 0.5) }
        var meanGap: Double { gaps.reduce(0, +) / Double(max(gaps.count, 1)) }
    }

    /// In s.
    private static let step = 0.1
    private static let start = Instant(milliseconds: 1_000_000_000_000)

    let name: String
    let rules: ModeRules
    let hasParties: Bool
    var arrivalsPerSecond = 20.0
    var seconds = 600.0

    static let duels = MatchQuality(
        name: "1v1", rules: ModeRules(teamSize: 1, window: 4, windowGrowth: 3, waitSecondsMax: 120), hasParties: false)
    static let squads = MatchQuality(
        name: "5v5", rules: ModeRules(teamSize: 5, window: 20, windowGrowth: 8, waitSecondsMax: 120),
        hasParties: true)

    func figures() -> [BenchFigure] {
        let arrivals = arrivals()
        let ours = simulate(arrivals)
        var figures = [
            BenchFigure("\(name): median wait", ours.medianWait, "s"),
            BenchFigure("\(name): mean win-chance gap", ours.meanGap * 100, "points"),
        ]
        for baseline in MatchBaseline.allCases {
            let other = atEqualWait(baseline, arrivals, median: ours.medianWait)
            figures += [
                BenchFigure("\(name), \(baseline.rawValue): median wait", other.medianWait, "s"),
                BenchFigure("\(name), \(baseline.rawValue): mean gap", other.meanGap * 100, "points"),
                BenchFigure("\(name): gap smaller than that by", (1 - ours.meanGap / other.meanGap) * 100, "%")
                    .atLeast(30),
            ]
        }
        return figures + deciles(ours)
    }

    /// The wait that 99 of 100 don't exceed, by tenth of the ratings.
    private func deciles(_ outcome: Outcome) -> [BenchFigure] {
        let sorted = outcome.waits.sorted { $0.rating < $1.rating }
        return (0..<10).map { tenth in
            let part = sorted[sorted.count * tenth / 10..<sorted.count * (tenth + 1) / 10]
            let p99 = Self.quantile(part.map(\.seconds), 0.99)
            let from = Int(part.first?.rating ?? 0)
            return BenchFigure("\(name): p99 wait, ratings from \(from) on", p99, "s").atMost(rules.waitSecondsMax)
        }
    }

    private func arrivals() -> [QueuedTicket] {
        var crowd = MatchCrowd(seed: 3, hasParties: hasParties)
        var tickets: [QueuedTicket] = []
        var time = crowd.gap(perSecond: arrivalsPerSecond)
        while time < seconds {
            tickets.append(crowd.ticket(at: Self.start + .milliseconds(Int64(time * 1_000))))
            time += crowd.gap(perSecond: arrivalsPerSecond)
        }
        return tickets
    }

    /// The matcher, ten ticks a second. Those left at the end, after as long again as anyone may wait, count with
    /// all their wait.
    private func simulate(_ arrivals: [QueuedTicket]) -> Outcome {
        let matcher = Matcher(rules: rules)
        var waiting = WaitingTickets(for: matcher)
        var outcome = Outcome()
        var next = 0
        let steps = Int((seconds + rules.waitSecondsMax) / Self.step)
        for step in 1...steps {
            let now = Self.start + .milliseconds(Int64(Double(step) * Self.step * 1_000))
            while next < arrivals.count, arrivals[next].queuedAt <= now {
                waiting.insert(arrivals[next])
                next += 1
            }
            for match in matcher.tick(&waiting, at: now) { note(match.teams, now, &outcome) }
        }
        let end = Self.start + .milliseconds(Int64((seconds + rules.waitSecondsMax) * 1_000))
        for ticket in waiting.all { outcome.waits.append((ticket.rating, (end - ticket.queuedAt).inSeconds)) }
        return outcome
    }

    private func simulate(_ baseline: MatchBaseline, _ arrivals: [QueuedTicket], pause: Double) -> Outcome {
        var waiting: [QueuedTicket] = []
        var outcome = Outcome()
        var next = 0
        var time = pause
        while time <= seconds + pause {
            let now = Self.start + .milliseconds(Int64(time * 1_000))
            while next < arrivals.count, arrivals[next].queuedAt <= now {
                waiting.append(arrivals[next])
                next += 1
            }
            for teams in baseline.match(&waiting, rules) { note(teams, now, &outcome) }
            time += pause
        }
        return outcome
    }

    /// With the shortest pause by which half the players wait no less than with the matcher: to the baseline's favour.
    private func atEqualWait(_ baseline: MatchBaseline, _ arrivals: [QueuedTicket], median: Double) -> Outcome {
        var (short, long) = (Self.step, max(Self.step, 4 * median))
        var best = simulate(baseline, arrivals, pause: long)
        for _ in 0..<8 {
            let middle = (short + long) / 2
            let outcome = simulate(baseline, arrivals, pause: middle)
            if outcome.medianWait >= median { (long, best) = (middle, outcome) } else { short = middle }
        }
        return best
    }

    private func note(_ teams: [[QueuedTicket]], _ now: Instant, _ outcome: inout Outcome) {
        outcome.gaps.append(WinChance.gap(of: teams.map { $0.flatMap(\.members).map(\.skill) }))
        for ticket in teams.joined() { outcome.waits.append((ticket.rating, (now - ticket.queuedAt).inSeconds)) }
    }

    static func quantile(_ values: [Double], _ part: Double) -> Double {
        let sorted = values.sorted()
        return sorted.isEmpty ? 0 : sorted[min(sorted.count - 1, Int(Double(sorted.count) * part))]
    }
}

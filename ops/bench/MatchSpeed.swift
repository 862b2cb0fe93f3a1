import Foundation
import GameModel
import Matchmaking

/// How long the matcher works: a full pool matched at once, and ticks of a pool that can't be matched.
struct MatchSpeed {
    static let now = Instant(milliseconds: 1_000_000_000_000)

    /// Pool sizes, rising tenfold.
    let sizes: [Int]

    /// The CPU time of this process, which does nothing else meanwhile, in ms: the figures are of one core, whatever
    /// else the machine does.
    static func milliseconds(_ body: () -> Void) -> Double {
        let before = clock()
        body()
        return Double(clock() - before) / 1e3
    }

    func duels() -> [BenchFigure] { passes("1v1", ModeRules(teamSize: 1), hasParties: false, targetMs: 100) }

    func squads() -> [BenchFigure] {
        passes("5v5, parties of 1-5", ModeRules(teamSize: 5), hasParties: true, targetMs: 500)
    }

    /// One full pass over tickets that all wait already, for each size.
    private func passes(_ name: String, _ rules: ModeRules, hasParties: Bool, targetMs: Double) -> [BenchFigure] {
        var figures: [BenchFigure] = []
        var before: (size: Int, time: Double)?
        for size in sizes {
            let time = pass(rules, size, hasParties)
            let figure = BenchFigure("\(name): \(size) tickets matched", time, "ms")
            figures.append(size == 100_000 ? figure.atMost(targetMs) : figure)
            if let before, before.size >= 10_000 {
                // n log n from one size to the next.
                let grown = Double(size) / Double(before.size) * log(Double(size)) / log(Double(before.size))
                figures.append(
                    BenchFigure("\(name): growth from \(before.size) to \(size)", time / before.time, "x")
                        .atMost(grown))
            }
            before = (size, time)
        }
        return figures
    }

    /// The least of some runs, in ms.
    private func pass(_ rules: ModeRules, _ size: Int, _ hasParties: Bool) -> Double {
        var crowd = MatchCrowd(seed: 1, hasParties: hasParties)
        let spread = 60_000.0
        let tickets = (0..<size).map { index in
            let ago = spread - spread * Double(index) / Double(size)
            return crowd.ticket(at: Self.now - .milliseconds(Int64(ago)))
        }
        let matcher = Matcher(rules: rules)
        var least = Double.infinity
        for _ in 0..<(size >= 1_000_000 ? 1 : 3) {
            var waiting = WaitingTickets(for: matcher)
            for ticket in tickets { waiting.insert(ticket) }
            least = min(least, Self.milliseconds { _ = matcher.match(&waiting, at: Self.now) })
        }
        return least
    }

    /// Ticks of 0.1 s with 500 arrivals each, while few or many parties of four wait for single players to join them:
    /// first none comes, then each fifth arrival is one.
    func ticks() -> [BenchFigure] {
        let few = tick(waiting: 1_000, singles: false)
        let many = tick(waiting: 100_000, singles: false)
        let matching = tick(waiting: 100_000, singles: true)
        return [
            BenchFigure("tick, 500 arrivals, no match, 1000 wait", few, "ms"),
            BenchFigure("tick, 500 arrivals, no match, 100000 wait", many, "ms").atMost(max(10, 5 * few)),
            BenchFigure("tick, 500 arrivals, 50 matches, 100000 wait", matching, "ms").atMost(50),
        ]
    }

    /// The middle one of some ticks, in ms.
    private func tick(waiting count: Int, singles: Bool) -> Double {
        let matcher = Matcher(rules: ModeRules(teamSize: 5))
        var waiting = WaitingTickets(for: matcher)
        var crowd = MatchCrowd(seed: 2, hasParties: false)
        func four(_ queuedAt: Instant) -> QueuedTicket {
            let first = crowd.ticket(at: queuedAt)
            let members = (0..<4).map { member in
                TicketMember(player: PlayerID("\(first.id)-\(member)"), skill: first.members[0].skill)
            }
            return QueuedTicket(id: first.id, queuedAt: queuedAt, members: members)
        }
        for index in 0..<count { waiting.insert(four(Self.now - .milliseconds(Int64(index % 60_000)))) }
        _ = matcher.tick(&waiting, at: Self.now)
        var times: [Double] = []
        for round in 1...20 {
            let now = Self.now + .milliseconds(100 * round)
            for arrival in 0..<500 {
                waiting.insert(singles && arrival.isMultiple(of: 5) ? crowd.ticket(at: now) : four(now))
            }
            times.append(Self.milliseconds { _ = matcher.tick(&waiting, at: now) })
        }
        return times.sorted()[times.count / 2]
    }
}

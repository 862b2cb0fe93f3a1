import GameModel
import Testing

@testable import Matchmaking

@Suite("The matcher")
struct MatcherTests {
    private let now = Instant(milliseconds: 1_000_000_000)

    private func tickets(_ count: Int, seed: UInt64, spread: ClosedRange<Double> = 800...2_600) -> [QueuedTicket] {
        var random = SplitMix64(seed: seed)
        return (0..<count).map { index in
            QueuedTicket(
                id: TicketID("t\(index)"), player: PlayerID("p\(index)"),
                queuedAt: Instant(milliseconds: now.milliseconds - Int64.random(in: 0...60_000, using: &random)),
                skill: Skill(rating: Double.random(in: spread, using: &random), deviation: 80))
        }
    }

    private func window(of ticket: QueuedTicket, _ rules: ModeRules) -> Double {
        rules.window(afterWaiting: (now - ticket.queuedAt).inSeconds)
    }

    @Test("holds its promises on random pools", arguments: [1, 2, 3, 5], [UInt64(1), 2, 3, 4, 5])
    func promises(teamSize: Int, seed: UInt64) {
        let rules = ModeRules(teamSize: teamSize, window: 20, windowGrowth: 3)
        let all = tickets(300, seed: seed)
        var waiting = WaitingTickets()
        for ticket in all { waiting.insert(ticket) }
        let matches = Matcher(rules: rules).match(&waiting, at: now)
        #expect(!matches.isEmpty)

        var left = Set(all.map(\.id))
        for match in matches {
            #expect(match.teams.map(\.count) == [teamSize, teamSize])
            let anchor = match.anchor
            for ticket in match.tickets {
                #expect(left.remove(ticket.id) != nil, "\(ticket.id) is in two matches (seed \(seed))")
                #expect(abs(ticket.rating - anchor.rating) <= window(of: anchor, rules), "seed \(seed)")
            }
        }
        #expect(left == Set(waiting.all.map(\.id)))
    }

    @Test(
        "passes over no ticket that waited longer and could have been matched", arguments: [1, 3], [UInt64(7), 8, 9])
    func longestFirst(teamSize: Int, seed: UInt64) {
        let rules = ModeRules(teamSize: teamSize, window: 15, windowGrowth: 1)
        let all = tickets(200, seed: seed)
        var waiting = WaitingTickets()
        for ticket in all { waiting.insert(ticket) }
        let matches = Matcher(rules: rules).match(&waiting, at: now)
        // Replayed from the start: at each match, no one who waited longer than its anchor had enough others in reach.
        var left = all.sorted { ($0.queuedAt, $0.id) < ($1.queuedAt, $1.id) }
        func canAnchor(_ ticket: QueuedTicket) -> Bool {
            left.filter { abs($0.rating - ticket.rating) <= window(of: ticket, rules) }.count
                >= rules.playersPerMatch
        }
        for match in matches {
            let first = left.first(where: canAnchor)
            #expect(first?.id == match.anchor.id, "seed \(seed)")
            let taken = Set(match.tickets.map(\.id))
            left.removeAll { taken.contains($0.id) }
        }
        #expect(!left.contains(where: canAnchor), "someone was left who could have been matched (seed \(seed))")
    }

    @Test("takes the nearest in rating, of equals the longest-waiting")
    func nearest() {
        var waiting = WaitingTickets()
        let make = { (id: String, rating: Double, waited: Int64) in
            QueuedTicket(
                id: TicketID(id), player: PlayerID(id), queuedAt: Instant(milliseconds: now.milliseconds - waited),
                skill: Skill(rating: rating, deviation: 50))
        }
        for ticket in [
            make("anchor", 1500, 9_000), make("far", 1560, 8_000), make("near", 1510, 1_000),
            make("near-longer", 1490, 2_000),
        ] { waiting.insert(ticket) }
        let matches = Matcher(rules: ModeRules(teamSize: 1)).match(&waiting, at: now, limit: 1)
        #expect(matches.map { $0.tickets.map(\.id.rawValue) } == [["anchor", "near-longer"]])
    }

    @Test("waits until the window has widened far enough, and no longer")
    func widening() {
        let rules = ModeRules(teamSize: 1, window: 100, windowGrowth: 10)
        let pair = [1500.0, 1700].enumerated().map { index, rating in
            QueuedTicket(
                id: TicketID("t\(index)"), player: PlayerID("p\(index)"), queuedAt: now,
                skill: Skill(rating: rating, deviation: 50))
        }
        var waiting = WaitingTickets()
        for ticket in pair { waiting.insert(ticket) }
        #expect(Matcher(rules: rules).match(&waiting, at: now + .milliseconds(9_999)).isEmpty)
        #expect(Matcher(rules: rules).match(&waiting, at: now + .seconds(10)).count == 1)
    }

    @Test("never matches a player with themselves")
    func samePlayer() {
        var waiting = WaitingTickets()
        for id in ["a", "b"] {
            waiting.insert(
                QueuedTicket(id: TicketID(id), player: PlayerID("same"), queuedAt: now, skill: .unknown))
        }
        #expect(Matcher(rules: ModeRules(teamSize: 1)).match(&waiting, at: now).isEmpty)
        #expect(waiting.count == 2)
    }

    @Test("stops at the limit, and leaves the rest waiting")
    func limit() {
        var waiting = WaitingTickets()
        for ticket in tickets(100, seed: 3, spread: 1_500...1_510) { waiting.insert(ticket) }
        #expect(Matcher(rules: ModeRules(teamSize: 1)).match(&waiting, at: now, limit: 7).count == 7)
        #expect(waiting.count == 86)
    }
}

@Suite("Team balance")
struct TeamBalanceTests {
    private func gap(_ teams: [[Int]], _ ratings: [Double]) -> Double {
        let sums = teams.map { $0.reduce(0) { $0 + ratings[$1] } }
        return (sums.max() ?? 0) - (sums.min() ?? 0)
    }

    /// Every way to split, by recursion: another way than the code's.
    private func optimum(_ ratings: [Double], size: Int) -> Double {
        func best(_ index: Int, _ taken: Int, _ difference: Double) -> Double {
            if index == ratings.count { return taken == size ? abs(difference) : .infinity }
            return min(
                best(index + 1, taken + 1, difference + ratings[index]),
                best(index + 1, taken, difference - ratings[index]))
        }
        return best(0, 0, 0)
    }

    @Test("two teams of up to twelve players are split as evenly as can be", arguments: [2, 3, 4, 5, 6])
    func exhaustive(size: Int) {
        for seed in UInt64(0)..<10 {
            var random = SplitMix64(seed: seed)
            let ratings = (0..<2 * size).map { _ in Double.random(in: 1_000...2_000, using: &random) }
            let teams = TeamBalance.split(ratings, teams: 2, size: size)
            #expect(teams.flatMap { $0 }.sorted() == Array(ratings.indices))
            #expect(abs(gap(teams, ratings) - optimum(ratings, size: size)) < 1e-6, "seed \(seed)")
        }
    }

    @Test("more players than that come close to the best split")
    func heuristic() {
        for seed in UInt64(0)..<10 {
            var random = SplitMix64(seed: seed)
            let ratings = (0..<14).map { _ in Double.random(in: 1_000...2_000, using: &random) }
            let teams = TeamBalance.split(ratings, teams: 2, size: 7)
            #expect(teams.map(\.count) == [7, 7])
            #expect(gap(teams, ratings) <= optimum(ratings, size: 7) + 60, "seed \(seed)")
        }
    }

    @Test("any number of teams gets each player once")
    func manyTeams() {
        let ratings = (0..<12).map { 1_000 + Double($0) * 37 }
        let teams = TeamBalance.split(ratings, teams: 3, size: 4)
        #expect(teams.map(\.count) == [4, 4, 4])
        #expect(teams.flatMap { $0 }.sorted() == Array(0..<12))
    }
}

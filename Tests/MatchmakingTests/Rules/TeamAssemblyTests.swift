import GameModel
import Testing

@testable import Matchmaking

@Suite("The division into teams")
struct TeamAssemblyTests {
    /// Parties whose sizes are shuffled and add up to `players`.
    private func parties(_ players: Int, largest: Int, _ random: inout SplitMix64) -> [Int] {
        var sizes: [Int] = []
        var left = players
        while left > 0 {
            let size = Int.random(in: 1...min(largest, left), using: &random)
            sizes.append(size)
            left -= size
        }
        return sizes
    }

    private func fill(_ tickets: inout RuleTickets, _ sizes: [Int], _ random: inout SplitMix64) -> [Int32] {
        sizes.enumerated().map { index, size in
            let members = (0..<size).map { place in
                rulePlayer(
                    "p\(index)-\(place)", rating: Double.random(in: 900...2_100, using: &random),
                    deviation: Double.random(in: 40...350, using: &random))
            }
            return tickets.add(members)
        }
    }

    /// The least gap of all divisions with full teams, by trying every way to give each ticket a team.
    private func leastGap(_ tickets: [QueuedTicket], teams: Int, size: Int) -> Double? {
        var least: Double?
        var teamOf = [Int](repeating: 0, count: tickets.count)
        func visit(_ index: Int, _ room: [Int]) {
            guard index < tickets.count else {
                let split = (0..<teams).map { team in
                    tickets.indices.filter { teamOf[$0] == team }.flatMap { tickets[$0].members.map(\.skill) }
                }
                let gap = WinChance.gap(of: split)
                least = min(least ?? .infinity, gap)
                return
            }
            for team in 0..<teams where room[team] >= tickets[index].members.count {
                teamOf[index] = team
                var rest = room
                rest[team] -= tickets[index].members.count
                visit(index + 1, rest)
            }
        }
        visit(0, [Int](repeating: size, count: teams))
        return least
    }

    @Test(
        "up to 12 players is the best that there is",
        arguments: [(2, 1), (2, 3), (2, 5), (2, 6), (3, 2), (3, 3), (4, 2)], [1, 3, 5])
    func best(shape: (teams: Int, size: Int), largest: Int) {
        for seed in UInt64(1)...6 {
            var random = SplitMix64(seed: seed)
            var tickets = RuleTickets(ModeRules(teams: shape.teams, teamSize: shape.size))
            let sizes = parties(shape.teams * shape.size, largest: min(largest, shape.size), &random)
            let slots = fill(&tickets, sizes, &random)
            let least = leastGap(tickets.tickets, teams: shape.teams, size: shape.size)
            let found = tickets.divide(slots)?.gap
            #expect((least == nil) == (found == nil), "parties \(sizes), seed \(seed)")
            if let least, let found {
                #expect(abs(least - found) < 1e-9, "\(found) instead of \(least), parties \(sizes), seed \(seed)")
            }
        }
    }

    @Test("keeps parties whole and fills every team", arguments: [(2, 5), (3, 4), (2, 8), (5, 5), (2, 50)])
    func whole(shape: (teams: Int, size: Int)) throws {
        var divided = 0
        for seed in UInt64(1)...20 {
            var random = SplitMix64(seed: seed)
            var tickets = RuleTickets(ModeRules(teams: shape.teams, teamSize: shape.size))
            let sizes = (0..<shape.teams).flatMap { _ in parties(shape.size, largest: min(5, shape.size), &random) }
            let slots = fill(&tickets, sizes.shuffled(using: &random), &random)
            let teams = try #require(tickets.teams(slots), "parties \(sizes), seed \(seed)")
            let counts = teams.map { $0.reduce(0) { $0 + tickets.tickets[Int($1)].members.count } }
            #expect(counts == [Int](repeating: shape.size, count: shape.teams), "seed \(seed)")
            divided += 1
        }
        #expect(divided == 20)
    }

    @Test("refuses parties that fill no teams")
    func unfit() {
        var tickets = RuleTickets(ModeRules(teamSize: 3))
        let slots = (0..<3).map { party in tickets.add([rulePlayer("\(party)a"), rulePlayer("\(party)b")]) }
        #expect(tickets.divide(slots) == nil)
    }

    /// - Parameter method: Tickets that are few are divided by trying every way, so many small ones test the exchanges.
    private func excesses(
        _ shape: (teams: Int, size: Int), largest: Int, _ method: TeamAssembly.Method
    ) throws -> [Double] {
        try (UInt64(1)...15).map { seed in
            var random = SplitMix64(seed: seed)
            var tickets = RuleTickets(ModeRules(teams: shape.teams, teamSize: shape.size))
            let sizes = (0..<shape.teams).flatMap { _ in parties(shape.size, largest: largest, &random) }
            let slots = fill(&tickets, sizes, &random)
            let best = try #require(tickets.divide(slots, method: .everyDivision)).gap
            let found = try #require(tickets.divide(slots, method: method)).gap
            #expect(found >= best - 1e-9, "seed \(seed)")
            return found - best
        }.sorted()
    }

    @Test(
        "by exchanges comes within 0.002 of the least gap in half of the cases, within 0.02 in all",
        arguments: [(2, 7, 1), (2, 8, 1), (2, 9, 1), (2, 9, 2), (3, 5, 1)])
    func near(shape: (teams: Int, size: Int, largest: Int)) throws {
        let excesses = try excesses((shape.teams, shape.size), largest: shape.largest, .exchanges)
        print("gap above the least, \(shape): median \(excesses[7]), most \(excesses[14])")
        #expect(excesses[7] <= 0.002, "\(excesses)")
        #expect(excesses[14] <= 0.02, "\(excesses)")
    }

    @Test("is the best beyond 12 players too where parties make tickets few", arguments: [(2, 7), (2, 8), (3, 5)])
    func few(shape: (teams: Int, size: Int)) throws {
        let excesses = try excesses(shape, largest: 5, .best)
        #expect(excesses[14] <= 0.002, "\(excesses)")
    }

    @Test("is the same for the same tickets")
    func deterministic() throws {
        var random = SplitMix64(seed: 9)
        var tickets = RuleTickets(ModeRules(teamSize: 10))
        let slots = fill(&tickets, [Int](repeating: 1, count: 20), &random)
        let first = try #require(tickets.divide(slots))
        let second = try #require(tickets.divide(slots))
        #expect(first.teamOf == second.teamOf)
    }
}

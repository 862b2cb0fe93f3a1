import GameModel
import Testing

@testable import Matchmaking

@Suite("The team gap, fewer players and running matches")
struct TeamGapTests {
    @Test("a gap that is exactly the limit passes, a smaller limit refuses the match")
    func edge() throws {
        let ratings = [1_800.0, 1_500, 1_500, 1_300]
        var open = RuleTickets(ModeRules(teamSize: 2))
        let slots = ratings.enumerated().map { open.add([rulePlayer("p\($0)", rating: $1)]) }
        let gap = try #require(open.divide(slots)).gap
        #expect(gap > 0)
        for (limit, passes) in [(gap, true), (gap - 1e-9, false)] {
            var rules = ModeRules(teamSize: 2)
            rules.teamGapMax = limit
            var tickets = RuleTickets(rules)
            for (index, rating) in ratings.enumerated() { tickets.add([rulePlayer("p\(index)", rating: rating)]) }
            #expect((tickets.divide(slots) != nil) == passes)
        }
    }

    @Test("the gap's limit widens with the anchor's wait", arguments: [9.9, 10])
    func expansion(waited: Double) {
        var rules = ModeRules(teamSize: 1)
        rules.teamGapMax = 0.05
        var wider = Expansion(after: 10)
        wider.teamGapMax = 0.5
        rules.expansions = [wider]
        var tickets = RuleTickets(rules)
        let slots = [
            tickets.add([rulePlayer("a", rating: 1_700)], waited: waited),
            tickets.add([rulePlayer("b", rating: 1_500)]),
        ]
        #expect((tickets.divide(slots) != nil) == (waited >= 10))
    }

    @Test("the gap says what the chances of the teams say")
    func gap() throws {
        var tickets = RuleTickets(ModeRules(teams: 3, teamSize: 2))
        var random = SplitMix64(seed: 4)
        let slots = (0..<6).map { index in
            tickets.add([
                rulePlayer(
                    "p\(index)", rating: Double.random(in: 1_000...2_000, using: &random),
                    deviation: Double.random(in: 50...300, using: &random))
            ])
        }
        let assembly = try #require(tickets.divide(slots))
        let teams = try #require(tickets.teams(slots)).map { $0.map { tickets.tickets[Int($0)].members[0].skill } }
        #expect(abs(assembly.gap - WinChance.gap(of: teams)) < 1e-12)
    }

    // MARK: Fewer players and bots

    private func short(_ teams: Int, _ size: Int, players: Int, bots: Int) -> (RuleTickets, [Int32]) {
        var rules = ModeRules(teams: teams, teamSize: size)
        var expansion = Expansion(after: 0)
        expansion.playersMin = 2
        expansion.botsMax = bots
        rules.expansions = [expansion]
        var tickets = RuleTickets(rules)
        let slots = (0..<players).map { tickets.add([rulePlayer("p\($0)", rating: 1_400 + 20 * Double($0))]) }
        return (tickets, slots)
    }

    @Test(
        "fewer players make teams as equal as can be, and bots level them before they fill them",
        arguments: [
            (8, 0, [4, 4], [0, 0]), (7, 0, [4, 3], [0, 0]), (7, 1, [4, 3], [0, 1]), (7, 2, [4, 3], [0, 1]),
            (7, 3, [4, 3], [1, 2]), (2, 8, [1, 1], [4, 4]), (10, 4, [5, 5], [0, 0]),
        ])
    func teams(players: Int, botsMax: Int, sizes: [Int], bots: [Int]) throws {
        let (tickets, slots) = short(2, 5, players: players, bots: botsMax)
        let assembly = try #require(tickets.divide(slots))
        let counts = try #require(tickets.teams(slots)).map(\.count)
        #expect(counts == sizes)
        #expect(Array(assembly.bots) == bots)
    }

    @Test("a free-for-all begins with fewer teams, and bots come after them")
    func freeForAll() throws {
        let (tickets, slots) = short(10, 1, players: 6, bots: 3)
        let assembly = try #require(tickets.divide(slots))
        #expect(assembly.teamCount == 9)
        #expect(Array(assembly.bots) == [0, 0, 0, 0, 0, 0, 1, 1, 1])
        #expect(Set(assembly.teamOf) == [0, 1, 2, 3, 4, 5])
    }

    @Test("more players than seats, or one alone, are no match")
    func outside() {
        let (tickets, slots) = short(2, 2, players: 5, bots: 4)
        #expect(tickets.divide(slots) == nil)
        #expect(tickets.divide([slots[0]]) == nil)
        #expect(tickets.divide(Array(slots.prefix(4))) != nil)
    }

    // MARK: Running matches

    private func running(_ teams: [[Double]], open: [Int], _ change: (inout BackfillSeats) -> Void = { _ in })
        -> BackfillSeats
    {
        var seats = BackfillSeats(
            match: MatchID("duel.eu.1"), region: Region("eu"), generation: 1, open: open,
            teams: teams.enumerated().map { team, ratings in
                ratings.enumerated().map { rulePlayer("r\(team)-\($0)", rating: $1) }
            })
        change(&seats)
        return seats
    }

    @Test("a running match gets the division that leaves it most even, within its open seats")
    func backfill() throws {
        var tickets = RuleTickets(ModeRules(teamSize: 3))
        let match = tickets.add([], backfill: running([[1_700, 1_700], [1_300, 1_300]], open: [1, 1]))
        let strong = tickets.add([rulePlayer("a", rating: 1_800)])
        let weak = tickets.add([rulePlayer("b", rating: 1_200)])
        #expect(try #require(tickets.teams([strong, weak], backfill: match)) == [[weak], [strong]])
    }

    @Test("fewer tickets than open seats go where players are missing most")
    func partly() throws {
        var tickets = RuleTickets(ModeRules(teamSize: 3))
        let match = tickets.add([], backfill: running([[1_500, 1_500], [1_500]], open: [1, 2]))
        let one = tickets.add([rulePlayer("a", rating: 1_500)])
        #expect(try #require(tickets.teams([one], backfill: match)) == [[], [one]])
        let party = tickets.add([rulePlayer("b"), rulePlayer("c")])
        #expect(try #require(tickets.teams([party], backfill: match)) == [[], [party]])
        let trio = tickets.add([rulePlayer("d"), rulePlayer("e"), rulePlayer("f")])
        #expect(tickets.divide([trio], backfill: match) == nil, "no team has three open seats")
    }

    @Test("who met a player of a running match of late joins that player's team, or none")
    func backfillOpponents() throws {
        var rules = ModeRules(teamSize: 2)
        rules.recentOpponents = 5
        for (open, joins) in [([1, 1], true), ([0, 2], false)] {
            var tickets = RuleTickets(rules)
            let match = tickets.add([], backfill: running([[1_500], [1_400]], open: open))
            // The ratings alone would have the strong one in the weak team.
            let one = tickets.add([
                rulePlayer("a", rating: 1_900).with { $0.recentOpponents = [PlayerID("r0-0")] }
            ])
            #expect(tickets.canMeet(match, one))
            let teams = tickets.teams([one], backfill: match)
            #expect(teams == (joins ? [[one], []] : nil))
        }
    }

    @Test("a running match keeps its region, and its players' avoid-lists count")
    func backfillRules() {
        var rules = ModeRules(teamSize: 2)
        rules.scope = .together
        rules.latency = LatencyRule(max: 60)
        rules.avoidsListed = true
        var tickets = RuleTickets(rules, regions: [Region("us"), Region("eu")])
        let match = tickets.add(
            [],
            backfill: running([[1_500], [1_400]], open: [1, 1]) { $0.teams[1][0].avoids = [PlayerID("b")] })
        let near = { (name: String, eu: Double) in
            rulePlayer(name).with { $0.latencies = [Region("us"): 10, Region("eu"): eu] }
        }
        let one = tickets.add([near("a", 60)])
        let avoided = tickets.add([near("b", 20)])
        let far = tickets.add([near("c", 61)])
        #expect(tickets.region(match, one) == Region("eu"))
        #expect(!tickets.canMeet(match, avoided))
        #expect(!tickets.canMeet(match, far))
    }

    @Test("who joins a running match takes the role that is open, by what those who play hold")
    func backfillRoles() {
        var rules = ModeRules(teamSize: 2)
        rules.roles = [RoleRule(name: "tank", count: 1), RoleRule(name: "healer", count: 1)]
        var tickets = RuleTickets(rules)
        let match = tickets.add(
            [],
            backfill: running([[1_500], [1_500, 1_500]], open: [1, 0]) { seats in
                seats.teams[0][0].roles = ["tank"]
                seats.teams[1][0].roles = ["tank"]
                seats.teams[1][1].roles = ["healer"]
            })
        let healer = tickets.add([rulePlayer("a").with { $0.roles = ["healer"] }])
        let tank = tickets.add([rulePlayer("b").with { $0.roles = ["tank"] }])
        #expect(tickets.divide([healer], backfill: match) != nil)
        #expect(tickets.divide([tank], backfill: match) == nil)
    }

    @Test("who joins a running match keeps the teams' means of an attribute within the limit")
    func backfillAverages() {
        var rules = ModeRules(teamSize: 2)
        rules.attributes = [AttributeRule(name: "level", kind: .averageDifference, max: 5)]
        var tickets = RuleTickets(rules)
        let match = tickets.add(
            [],
            backfill: running([[1_500], [1_500, 1_500]], open: [1, 0]) { seats in
                for team in seats.teams.indices {
                    for place in seats.teams[team].indices {
                        seats.teams[team][place].attributes["level"] = .number(10)
                    }
                }
            })
        // Means of 15 and of 15.5 against 10.
        let near = tickets.add([rulePlayer("a").with { $0.attributes["level"] = .number(20) }])
        let far = tickets.add([rulePlayer("b").with { $0.attributes["level"] = .number(21) }])
        #expect(tickets.divide([near], backfill: match) != nil)
        #expect(tickets.divide([far], backfill: match) == nil)
    }
}

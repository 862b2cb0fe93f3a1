import GameModel
import Testing

@testable import Matchmaking

@Suite("Roles")
struct RoleTests {
    /// Teams of a tank, a healer and one or more without a role.
    private func rules(
        teamSize: Int = 3,
        _ roles: [RoleRule] = [RoleRule(name: "tank", count: 1), RoleRule(name: "healer", count: 1)],
        _ change: (inout ModeRules) -> Void = { _ in }
    ) -> ModeRules {
        var rules = ModeRules(teamSize: teamSize)
        rules.roles = roles
        change(&rules)
        return rules
    }

    private func player(_ name: String, _ roles: String..., insists: Bool = false, rating: Double = 1500)
        -> TicketMember
    {
        rulePlayer(name, rating: rating).with {
            $0.roles = roles
            $0.insistsOnRoles = insists
        }
    }

    private func roles(of tickets: RuleTickets, _ slots: [Int32], step: Int = 0) -> [[String]]? {
        guard let teams = tickets.teams(slots) else { return nil }
        let members = teams.map { team in team.sorted().map { tickets.tickets[Int($0)] } }
        let assigned = TeamAssembly(tickets.rules).roles(of: members, step: step)
        return members.map { team in team.flatMap(\.members).compactMap { assigned[$0.player] }.sorted() }
    }

    @Test("each team gets its required roles, whatever the ratings would prefer")
    func eachTeam() throws {
        var tickets = RuleTickets(rules())
        // By ratings alone, both tanks would be in one team.
        let slots = [
            tickets.add([player("a", "tank", rating: 2_000)]), tickets.add([player("b", "tank", rating: 1_000)]),
            tickets.add([player("c", "healer", rating: 1_500)]), tickets.add([player("d", "healer", rating: 1_500)]),
            tickets.add([player("e", "damage", rating: 1_500)]), tickets.add([player("f", "damage", rating: 1_500)]),
        ]
        let teams = try #require(tickets.teams(slots))
        for team in teams { #expect(team.intersection([0, 1]).count == 1) }
        #expect(roles(of: tickets, slots) == [["healer", "tank"], ["healer", "tank"]])
    }

    @Test("one healer too few is no match; players without wishes take any role")
    func missing() {
        for lastRoles in [["damage"], []] {
            var tickets = RuleTickets(rules())
            var slots = [tickets.add([player("a", "tank")]), tickets.add([player("b", "tank")])]
            slots += [tickets.add([player("c", "healer")]), tickets.add([player("d", "damage")])]
            slots += [tickets.add([player("e", "damage")])]
            slots += [tickets.add([player("f").with { $0.roles = lastRoles }])]
            #expect((tickets.divide(slots) != nil) == lastRoles.isEmpty)
        }
    }

    @Test("after an expansion, a role is filled by who did not ask for it, but not by who insists")
    func fills() throws {
        var filling = Expansion(after: 20)
        filling.fillsRoles = true
        for (waited, insists) in [(19.9, false), (20, false), (20, true)] {
            var tickets = RuleTickets(
                rules(teamSize: 2, [RoleRule(name: "healer", count: 1)]) {
                    $0.roles.append(RoleRule(name: "damage", count: 1, isRequired: false))
                    $0.expansions = [filling]
                })
            var slots = [tickets.add([player("a", "healer")], waited: waited)]
            slots += ["b", "c", "d"].map { tickets.add([player($0, "damage", insists: insists)]) }
            #expect((tickets.divide(slots) != nil) == (waited >= 20 && !insists), "\(waited) \(insists)")
            if waited >= 20, !insists {
                let step = tickets.compiled.step(0, at: tickets.now)
                let assigned = try #require(roles(of: tickets, slots, step: step))
                #expect(assigned == [["damage", "healer"], ["damage", "healer"]])
            }
        }
    }

    @Test("who insists never sits without their role")
    func insists() {
        for insists in [false, true] {
            var tickets = RuleTickets(rules(teamSize: 2, [RoleRule(name: "tank", count: 1)]))
            let slots = ["a", "b", "c"].map { tickets.add([player($0, "tank", insists: insists)]) }
            let last = tickets.add([player("d")])
            #expect((tickets.divide(slots + [last]) != nil) == !insists)
        }
    }

    @Test("a party that can't make a team's roles is in no match")
    func party() {
        var tickets = RuleTickets(rules(teamSize: 2, [RoleRule(name: "tank", count: 1)]))
        let party = tickets.add([player("a", "damage"), player("b", "damage")])
        let others = [tickets.add([player("c", "tank")]), tickets.add([player("d", "tank")])]
        #expect(tickets.divide([party] + others) == nil)
    }

    @Test("preferred roles are filled where someone wishes them, and nobody is refused for them")
    func preferred() throws {
        var tickets = RuleTickets(rules(teamSize: 2, [RoleRule(name: "scout", count: 1, isRequired: false)]))
        let slots = [
            tickets.add([player("a", "scout")]), tickets.add([player("b", "tank")]),
            tickets.add([player("c", "tank")]), tickets.add([player("d", "tank")]),
        ]
        let assigned = try #require(roles(of: tickets, slots))
        #expect(assigned.flatMap { $0 } == ["scout"])
    }

    @Test("bots take the required roles that nobody is there for")
    func bots() {
        var short = Expansion(after: 0)
        short.playersMin = 4
        for botsMax in [0, 2] {
            short.botsMax = botsMax
            var tickets = RuleTickets(rules { $0.expansions = [short] })
            let slots = [
                tickets.add([player("a", "tank")]), tickets.add([player("b", "tank")]),
                tickets.add([player("c", "damage")]), tickets.add([player("d", "damage")]),
            ]
            let assembly = tickets.divide(slots)
            #expect((assembly != nil) == (botsMax == 2))
            if let assembly { #expect(Array(assembly.bots) == [1, 1]) }
        }
    }

    /// The best assignment by trying every way: most required roles filled, then most wishes met, then best wishes.
    private func bestScore(_ wishes: [RoleWish], _ roles: [RoleRule], fills: Bool) -> [Int]? {
        var seats: [Int?] = roles.indices.flatMap { [Int?](repeating: $0, count: roles[$0].count) }
        // A seat of a preferred role that nobody wishes is one without a role.
        seats += [Int?](repeating: nil, count: wishes.count)
        var best: [Int]?
        func visit(_ player: Int, _ used: Set<Int>, _ chosen: [Int?]) {
            guard player < wishes.count else {
                let score = score(chosen, wishes, roles)
                if best.map({ score.lexicographicallyPrecedes($0) }) ?? true { best = score }
                return
            }
            for seat in seats.indices where !used.contains(seat) {
                let wish = wishes[player]
                let isAllowed =
                    if let role = seats[seat] {
                        wish.roles & 1 << role != 0 || fills && !wish.insists && roles[role].isRequired
                    } else {
                        !wish.insists
                    }
                if isAllowed { visit(player + 1, used.union([seat]), chosen + [seats[seat]]) }
            }
        }
        visit(0, [], [])
        return best
    }

    private func score(_ chosen: [Int?], _ wishes: [RoleWish], _ roles: [RoleRule]) -> [Int] {
        var (required, unmet, ranks) = (0, 0, 0)
        for (role, wish) in zip(chosen, wishes) {
            if let role, roles[role].isRequired { required += 1 }
            if let role, wish.roles & 1 << role != 0 {
                ranks += wish.rank(of: role)
            } else if wish != .any {
                unmet += 1
            }
        }
        return [-required, unmet, ranks]
    }

    @Test("the assignment is the best there is, and exists where the search says so", arguments: [false, true])
    func assignment(fills: Bool) {
        let rules = [
            RoleRule(name: "tank", count: 1), RoleRule(name: "healer", count: 1),
            RoleRule(name: "damage", count: 2), RoleRule(name: "scout", count: 1, isRequired: false),
        ]
        let names = rules.map(\.name)
        var (possible, impossible) = (0, 0)
        for seed in UInt64(1)...150 {
            var random = SplitMix64(seed: seed)
            let wishes = (0..<Int.random(in: 4...5, using: &random)).map { index in
                // Many wish to be the tank, so that some insist in vain.
                let wished = (names + ["tank", "tank"]).shuffled(using: &random)
                    .prefix(Int.random(in: 0...2, using: &random))
                let member = rulePlayer("p\(index)").with {
                    $0.roles = Array(wished)
                    $0.insistsOnRoles = Int.random(in: 0..<2, using: &random) == 0 && !wished.isEmpty
                }
                return RoleWish(member, in: rules)
            }
            var assignment = RoleAssignment(rules)
            let unfilled = 5 - wishes.count
            let canFill = assignment.canFill(ContiguousArray(wishes), fills: fills, unfilled: unfilled)
            let best = bestScore(wishes, rules, fills: fills)
            let found = assignment.assign(wishes, fills: fills)
            #expect(found.map { score($0, wishes, rules) } == best, "seed \(seed)")
            #expect(canFill == best.map { 4 + $0[0] <= unfilled } ?? false, "seed \(seed)")
            if canFill { possible += 1 } else { impossible += 1 }
        }
        #expect(possible > 10)
        #expect(impossible > (fills ? 0 : 10))
    }
}

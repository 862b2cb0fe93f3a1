import GameModel
import Testing

@testable import Matchmaking

@Suite("Attribute rules")
struct AttributeTests {
    private func tickets(_ rule: AttributeRule, teamSize: Int = 1, teams: Int = 2, expansions: [Expansion] = [])
        -> RuleTickets
    {
        var rules = ModeRules(teams: teams, teamSize: teamSize)
        rules.attributes = [rule]
        rules.expansions = expansions
        return RuleTickets(rules)
    }

    private func player(_ name: String, _ value: AttributeValue?, rating: Double = 1500) -> TicketMember {
        rulePlayer(name, rating: rating).with { if let value { $0.attributes["x"] = value } }
    }

    @Test("equal: all have the same value, of the same type")
    func equal() {
        var tickets = tickets(AttributeRule(name: "x", kind: .equal))
        tickets.add([player("a", .text("5"))])
        tickets.add([player("b", .text("5"))])
        tickets.add([player("c", .text("6"))])
        tickets.add([player("d", .number(5))])
        #expect(tickets.canMeet(0, 1))
        #expect(!tickets.canMeet(0, 2))
        #expect(!tickets.canMeet(0, 3))
    }

    @Test("equal: a party whose members differ meets nobody")
    func equalParty() {
        var tickets = tickets(AttributeRule(name: "x", kind: .equal), teamSize: 2)
        tickets.add([player("a", .text("5")), player("b", .text("6"))])
        #expect(!tickets.canMeet(0))
    }

    @Test("one-of: all share a value; that each two do is not enough")
    func oneOf() {
        var tickets = tickets(AttributeRule(name: "x", kind: .oneOf), teams: 3)
        tickets.add([player("a", .list(["sand", "snow"]))])
        tickets.add([player("b", .list(["snow", "city"]))])
        tickets.add([player("c", .list(["city", "sand"]))])
        tickets.add([player("d", .text("snow"))])
        #expect(tickets.canMeet(0, 1))
        #expect(tickets.canMeet(1, 2))
        #expect(!tickets.canMeet(0, 1, 2))
        #expect(tickets.canMeet(0, 1, 3))
        #expect(!tickets.canMeet(2, 3))
    }

    @Test("one-of: values keep their meaning while tickets come and go")
    func oneOfReuse() {
        let rule = AttributeRule(name: "x", kind: .oneOf)
        for seed in UInt64(1)...20 {
            var random = SplitMix64(seed: seed)
            var rules = ModeRules(teamSize: 1)
            rules.attributes = [rule]
            let compiledRules = CompiledRules(rules, regions: [])
            var compiled = CompiledTickets(compiledRules)
            var here: [Set<String>] = []
            for step in 0..<400 {
                // 50 values live at most, of ever new names, in ten slots.
                let values = Set(
                    (0..<Int.random(in: 1...5, using: &random)).map { _ in
                        "v\(step / 10 * 3 + Int.random(in: 0..<6, using: &random))"
                    })
                let slot = step % 10
                let members = [player("p\(step)", .list(values.sorted()))]
                compiled.store(
                    QueuedTicket(id: TicketID("t\(step)"), queuedAt: Instant(milliseconds: 0), members: members),
                    at: Int32(slot))
                if slot < here.count { here[slot] = values } else { here.append(values) }
                for other in here.indices {
                    let agrees = compiled.attribute(0, of: Int32(slot)).agrees(
                        with: compiled.attribute(0, of: Int32(other)), .oneOf, max: 0)
                    #expect(agrees == !values.isDisjoint(with: here[other]), "seed \(seed)")
                }
            }
        }
    }

    @Test("distance: a limit that is exactly met passes, more does not; over all players, not each two in turn")
    func distance() {
        var tickets = tickets(AttributeRule(name: "x", kind: .distance, max: 10), teams: 3)
        tickets.add([player("a", .number(50))])
        tickets.add([player("b", .number(60))])
        tickets.add([player("c", .number(39.9))])
        tickets.add([player("d", .number(40))])
        #expect(tickets.canMeet(0, 1))
        #expect(!tickets.canMeet(0, 2))
        #expect(tickets.canMeet(0, 3))
        #expect(!tickets.canMeet(0, 1, 3))
    }

    @Test("limits widen with the anchor's wait; other kinds are dropped by any number")
    func expansions() {
        for kind in [AttributeRule.Kind.distance, .equal, .oneOf] {
            for (anchorWaits, otherWaits) in [(30.0, 0.0), (29.9, 60)] {
                var tickets = tickets(
                    AttributeRule(name: "x", kind: kind, max: kind == .distance ? 10 : nil),
                    expansions: [Expansion(after: 30, attributes: ["x": 25])])
                tickets.add([player("a", .number(0))], waited: anchorWaits)
                tickets.add([player("b", .number(25))], waited: otherWaits)
                #expect(tickets.canMeet(0, 1) == (anchorWaits >= 30), "\(kind) \(anchorWaits)")
            }
        }
    }

    @Test("a player without the attribute counts as the fallback, or meets nobody", arguments: [true, false])
    func fallback(hasFallback: Bool) {
        for kind in AttributeRule.Kind.allCases {
            let rule = AttributeRule(name: "x", kind: kind, max: 5, fallback: hasFallback ? .number(7) : nil)
            var tickets = tickets(rule)
            tickets.add([player("a", .number(7))])
            tickets.add([player("b", nil)])
            #expect(tickets.canMeet(0, 1) == hasFallback, "\(kind)")
            #expect(tickets.canMeet(1) == hasFallback, "\(kind)")
        }
    }

    @Test("a value of a kind that the rule can't judge meets nobody")
    func wrongKind() {
        for kind in [AttributeRule.Kind.distance, .averageDifference] {
            var tickets = tickets(AttributeRule(name: "x", kind: kind, max: 5))
            tickets.add([player("a", .number(7))])
            tickets.add([player("b", .text("seven"))])
            tickets.add([player("c", .number(.nan))])
            #expect(!tickets.canMeet(0, 1))
            #expect(!tickets.canMeet(0, 2))
        }
    }

    @Test("average-difference: teams whose means differ by the limit pass, by more do not", arguments: [4.0, 3.9])
    func average(limit: Double) throws {
        var tickets = tickets(AttributeRule(name: "x", kind: .averageDifference, max: limit), teamSize: 2)
        // The best division is {20, 11} and {15, 8}: means 15.5 and 11.5.
        let slots = [20.0, 11, 15, 8].enumerated().map { index, value in
            tickets.add([player("p\(index)", .number(value))])
        }
        let pair = [tickets.add([player("q", .number(0)), player("r", .number(8))])]
        _ = pair
        // {20, 8} and {11, 15}: 14 and 13.
        #expect(tickets.divide(slots) != nil)
        // A party of 11 and 20 against 15 and 8.
        let party = tickets.add([player("s", .number(20)), player("t", .number(11))])
        #expect((tickets.divide([party, slots[2], slots[3]]) != nil) == (limit >= 4))
    }

    @Test("average-difference decides the division, even against the ratings")
    func averageDecides() throws {
        var tickets = tickets(AttributeRule(name: "x", kind: .averageDifference, max: 0), teamSize: 2)
        // By ratings {0, 3} and {1, 2}; by the attribute {0, 2} and {1, 3} or {0, 1} and {2, 3} only.
        let slots = [(2_000.0, 1.0), (1_600, 1), (1_500, 2), (1_100, 2)].enumerated().map { index, values in
            tickets.add([player("p\(index)", .number(values.1), rating: values.0)])
        }
        let teams = try #require(tickets.teams(slots))
        for team in teams { #expect(team != [0, 1]) }
        #expect(Set(teams) == [[0, 3], [1, 2]] || Set(teams) == [[0, 2], [1, 3]])
    }
}

import GameModel
import Testing

@testable import Matchmaking

@Suite("A group of tickets while it is gathered")
struct GroupCheckTests {
    @Test("a ticket that is taken out again leaves no trace, on random groups")
    func removal() {
        var removals = 0
        for seed in UInt64(1)...60 {
            var random = SplitMix64(seed: seed)
            var tickets = RuleTickets(rules(), regions: [Region("eu"), Region("us"), Region("ap")])
            for index in 0..<12 { tickets.add([player(index, &random)]) }
            var check = GroupCheck(tickets.rules)
            guard check.begin(0, in: tickets.compiled, at: tickets.now) else { continue }
            for _ in 0..<40 {
                if check.slots.count > 1, Int.random(in: 0..<3, using: &random) == 0 {
                    check.removeLast(in: tickets.compiled)
                    removals += 1
                } else {
                    let next = Int32.random(in: 1..<12, using: &random)
                    guard !check.slots.contains(next), check.admits(next, in: tickets.compiled, at: tickets.now) else {
                        continue
                    }
                    check.add(next, in: tickets.compiled, at: tickets.now)
                }
                guard let fresh = tickets.group(Array(check.slots)) else {
                    Issue.record("the group could not be gathered anew (seed \(seed))")
                    return
                }
                #expect(check.playerCount == fresh.playerCount)
                #expect(check.region(in: tickets.compiled) == fresh.region(in: tickets.compiled), "seed \(seed)")
                for slot in Int32(1)..<12 {
                    let answers = [check, fresh].map { $0.admits(slot, in: tickets.compiled, at: tickets.now) }
                    #expect(answers[0] == answers[1], "seed \(seed)")
                }
            }
        }
        #expect(removals > 100)
    }

    private func rules() -> ModeRules {
        var rules = ModeRules(teams: 2, teamSize: 6)
        rules.scope = .together
        rules.latency = LatencyRule(max: 80)
        rules.attributes = [
            AttributeRule(name: "level", kind: .distance, max: 60), AttributeRule(name: "maps", kind: .oneOf),
        ]
        rules.avoidsListed = true
        rules.recentOpponents = 2
        return rules
    }

    private func player(_ index: Int, _ random: inout SplitMix64) -> TicketMember {
        rulePlayer("p\(index)").with {
            for region in ["eu", "us", "ap"] {
                $0.latencies[Region(region)] = Double(Int.random(in: 10...110, using: &random))
            }
            $0.attributes["level"] = .number(Double(Int.random(in: 0...100, using: &random)))
            let maps = ["sand", "snow", "city", "wood"].shuffled(using: &random)
            $0.attributes["maps"] = .list(Array(maps.prefix(Int.random(in: 2...4, using: &random))))
            if Int.random(in: 0..<4, using: &random) == 0 {
                $0.avoids = [PlayerID("p\(Int.random(in: 0..<12, using: &random))x"), PlayerID("p\((index + 3) % 12)")]
            }
        }
    }

    @Test("of more one-of values than can be in use, the first are matched by, and others once those are free")
    func values() {
        var rules = ModeRules(teamSize: 1)
        rules.attributes = [AttributeRule(name: "maps", kind: .oneOf)]
        let compiledRules = CompiledRules(rules, regions: [])
        var compiled = CompiledTickets(compiledRules)
        let store = { (slot: Int, value: String, compiled: inout CompiledTickets) in
            let member = rulePlayer("p\(slot)").with { $0.attributes["maps"] = .text(value) }
            compiled.store(
                QueuedTicket(id: TicketID("t\(slot)"), queuedAt: Instant(milliseconds: 0), members: [member]),
                at: Int32(slot))
        }
        let most = OneOfValues.countMax
        for value in 0...most { store(value, "m\(value)", &compiled) }
        let isKnown = { (slot: Int, compiled: CompiledTickets) in compiled.attribute(0, of: Int32(slot)).bits != 0 }
        for value in 0..<most { #expect(isKnown(value, compiled)) }
        #expect(!isKnown(most, compiled))
        compiled.remove(at: 7)
        store(most, "m\(most)", &compiled)
        #expect(isKnown(most, compiled))
        #expect(!compiled.attribute(0, of: Int32(most)).agrees(with: compiled.attribute(0, of: 8), .oneOf, max: 0))
    }
}

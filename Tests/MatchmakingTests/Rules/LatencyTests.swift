import GameModel
import Testing

@testable import Matchmaking

@Suite("The latency rule")
struct LatencyTests {
    private let eu = Region("eu")
    private let us = Region("us")
    private let ap = Region("ap")

    private func together(_ change: (inout ModeRules) -> Void = { _ in }) -> RuleTickets {
        var rules = ModeRules(teamSize: 1)
        rules.scope = .together
        rules.latency = LatencyRule(max: 60)
        change(&rules)
        return RuleTickets(rules, regions: [eu, us, ap])
    }

    private func player(_ name: String, _ latencies: [Region: Double]) -> TicketMember {
        rulePlayer(name).with { $0.latencies = latencies }
    }

    @Test("a match is played in the allowed region whose worst latency is lowest")
    func lowestWorst() {
        var tickets = together()
        tickets.add([player("a", [eu: 10, us: 50, ap: 59])])
        tickets.add([player("b", [eu: 58, us: 45, ap: 20])])
        // eu: 58, us: 50, ap: 59.
        #expect(tickets.region(0, 1) == us)
    }

    @Test("a limit that is exactly met passes, one ms more does not", arguments: [60.0, 61.0])
    func edge(latency: Double) {
        var tickets = together()
        tickets.add([player("a", [eu: 10])])
        tickets.add([player("b", [eu: latency])])
        #expect(tickets.canMeet(0, 1) == (latency <= 60))
    }

    @Test("a region has its own limit where the rule gives one")
    func ownLimit() {
        var tickets = together { $0.latency = LatencyRule(max: 60, regions: [ap: 100]) }
        tickets.add([player("a", [eu: 90, ap: 90])])
        tickets.add([player("b", [eu: 90, ap: 100])])
        #expect(tickets.region(0, 1) == ap)
    }

    @Test("each player's limit widens with their own wait, not with the anchor's")
    func ownWait() {
        var wider = Expansion(after: 30)
        wider.latencyPlus = 40
        for (anchorWaits, otherWaits) in [(30.0, 0.0), (30, 29.9), (0, 30), (30, 30)] {
            var tickets = together { $0.expansions = [wider] }
            tickets.add([player("a", [eu: 10])], waited: anchorWaits)
            tickets.add([player("b", [eu: 100])], waited: otherWaits)
            #expect(tickets.canMeet(0, 1) == (otherWaits >= 30), "\(anchorWaits) \(otherWaits)")
        }
    }

    @Test("a party plays where its worst member may")
    func party() {
        var tickets = together { $0.teamSize = 2 }
        tickets.add([player("a", [eu: 10, us: 50]), player("b", [eu: 70, us: 55])])
        tickets.add([player("c", [eu: 10, us: 60])])
        #expect(tickets.region(0, 1) == us)
    }

    @Test("a player who measured no latency to a region can't play there")
    func unmeasured() {
        var tickets = together()
        tickets.add([player("a", [eu: 50, us: 20])])
        tickets.add([player("b", [eu: 50])])
        tickets.add([player("c", [:])])
        #expect(tickets.region(0, 1) == eu)
        #expect(!tickets.canMeet(0, 2))
        #expect(!tickets.canMeet(2), "it can't even be an anchor")
    }

    @Test("all of a match share a region; that each two do is not enough")
    func shared() {
        var tickets = together { $0.teams = 3 }
        tickets.add([player("a", [eu: 10, us: 10])])
        tickets.add([player("b", [us: 10, ap: 10])])
        tickets.add([player("c", [eu: 10, ap: 10])])
        #expect(tickets.canMeet(0, 1))
        #expect(tickets.canMeet(1, 2))
        #expect(tickets.canMeet(0, 2))
        #expect(!tickets.canMeet(0, 1, 2))
    }

    @Test("where regions are apart, who reports no latency passes, and who is too far does not")
    func apart() {
        var rules = ModeRules(teamSize: 1)
        rules.latency = LatencyRule(max: 60)
        var tickets = RuleTickets(rules, regions: [eu])
        tickets.add([player("a", [:])])
        tickets.add([player("b", [eu: 60])])
        tickets.add([player("c", [eu: 61])])
        #expect(tickets.canMeet(0, 1))
        #expect(!tickets.canMeet(0, 2))
    }

    @Test("the region is the best of those that all allow, on random groups")
    func random() {
        for seed in UInt64(1)...300 {
            var random = SplitMix64(seed: seed)
            var tickets = together { $0.teams = 4 }
            let count = Int.random(in: 1...4, using: &random)
            let all = (0..<count).map { index in
                var latencies: [Region: Double] = [:]
                for region in [eu, us, ap] where Int.random(in: 0..<5, using: &random) > 0 {
                    latencies[region] = Double(Int.random(in: 5...75, using: &random))
                }
                tickets.add([player("p\(index)", latencies)])
                return latencies
            }
            let worst = [eu, us, ap].map { region in all.map { $0[region] ?? .infinity }.max() ?? 0 }
            let lowest = worst.min() ?? .infinity
            let region = tickets.group((0..<Int32(count)).map { $0 }).map { $0.region(in: tickets.compiled) }
            #expect(region == (lowest <= 60 ? worst.firstIndex(of: lowest) : nil), "seed \(seed)")
        }
    }
}

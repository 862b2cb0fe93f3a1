import GameModel
import Testing

@testable import Matchmaking

@Suite("Why a ticket waits, and why a match was made")
struct TicketExplainingTests {
    private let now = Instant(milliseconds: 1_000_000_000)
    private let regions = [Region("eu"), Region("us")]

    private func ticket(_ id: String, waited: Double = 0, _ members: TicketMember...) -> QueuedTicket {
        QueuedTicket(
            id: TicketID(id), queuedAt: Instant(milliseconds: now.milliseconds - Int64(waited * 1_000)),
            members: members.isEmpty ? [rulePlayer(id)] : members)
    }

    private func explain(
        _ id: String, _ rules: ModeRules, _ tickets: [QueuedTicket], nearest: Int = 3
    ) throws -> TicketExplanation {
        var waiting = WaitingTickets()
        for ticket in tickets { waiting.insert(ticket) }
        let matcher = Matcher(rules: rules, regions: rules.scope == .together ? regions : [regions[0]])
        return try #require(matcher.explain(TicketID(id), in: waiting, at: now, nearest: nearest))
    }

    @Test("says how long it waited, its window, and the nearest three with what refused each")
    func windowAndNearest() throws {
        let explanation = try explain(
            "a", ModeRules(teamSize: 1, window: 40, windowGrowth: 10),
            [
                ticket("a", waited: 14, rulePlayer("a", rating: 1_500)),
                ticket("near", waited: 3, rulePlayer("b", rating: 1_680)),
                ticket("far", rulePlayer("c", rating: 1_300)), ticket("further", rulePlayer("d", rating: 1_750)),
                ticket("furthest", rulePlayer("e", rating: 100)),
            ])
        #expect(explanation.waitedSeconds == 14)
        #expect(explanation.window == 180)
        #expect(explanation.nearest.map(\.ticket.rawValue) == ["near", "far", "further"])
        #expect(explanation.nearest[0].refusals.isEmpty, "180 is within ±180")
        #expect(explanation.nearest[0].waitedSeconds == 3)
        #expect(
            explanation.nearest[1].refusals == [RuleCheck(rule: "rating-window", limit: "±180", value: "200 away")])
        #expect(explanation.compatiblePlayers == 1)
        #expect(explanation.wantedPlayers == 1)
        #expect(explanation.missing.isEmpty)
    }

    @Test("says how many players are missing")
    func players() throws {
        let explanation = try explain("a", ModeRules(teamSize: 2), [ticket("a"), ticket("b")])
        #expect(explanation.compatiblePlayers == 1)
        #expect(explanation.wantedPlayers == 3)
        #expect(explanation.missing == ["2 players"])
    }

    @Test("says which role nobody takes")
    func role() throws {
        var rules = ModeRules(teamSize: 2)
        rules.roles = [RoleRule(name: "healer", count: 1)]
        let players = ["a", "b", "c", "d"].map { name in
            ticket(name, rulePlayer(name).with { $0.roles = [name == "a" ? "healer" : "damage"] })
        }
        let explanation = try explain("a", rules, players)
        #expect(explanation.missing == ["1 player for the role healer"])
        #expect(
            explanation.limits.contains(RuleCheck(rule: "role:healer", limit: "1 a team", value: "1 of its players")))
    }

    @Test("names each rule that refuses a candidate, with both sides' numbers")
    func refusals() throws {
        var rules = ModeRules(teamSize: 1)
        rules.scope = .together
        rules.latency = LatencyRule(max: 60)
        rules.attributes = [AttributeRule(name: "level", kind: .distance, max: 5)]
        rules.avoidsListed = true
        rules.recentOpponents = 3
        let player = { (name: String, eu: Double, level: Double) in
            rulePlayer(name).with {
                $0.latencies = [Region("eu"): eu]
                $0.attributes = ["level": .number(level)]
            }
        }
        let explanation = try explain(
            "a", rules,
            [
                ticket("a", waited: 2, player("a", 20, 10).with { $0.recentOpponents = [PlayerID("d")] }),
                ticket("b", waited: 1, player("b", 75, 20).with { $0.avoids = [PlayerID("a")] }),
                ticket("d", player("d", 20, 10)),
            ])
        #expect(
            explanation.nearest[0].refusals == [
                RuleCheck(
                    rule: "latency", limit: "a region within both limits",
                    value: "eu: 20 ms of 60 and 75 ms of 60; us: not measured of 60 and not measured of 60"),
                RuleCheck(rule: "attribute:level", limit: "5 apart at most", value: "10 and 20"),
                RuleCheck(rule: "avoid-list", limit: "apart", value: "b avoids a"),
            ])
        #expect(explanation.nearest[1].refusals.map(\.rule) == ["recent-opponents"])
        #expect(explanation.compatiblePlayers == 0)
        #expect(explanation.missing == ["1 player"])
    }

    @Test("says that a leaver is held back, and for how long")
    func leaver() throws {
        var rules = ModeRules(teamSize: 1)
        rules.history.leaverHoldSeconds = 40
        let leaver = rulePlayer("a").with { $0.leaverRate = 0.5 }
        let explanation = try explain("a", rules, [ticket("a", waited: 5, leaver), ticket("b")])
        #expect(explanation.limits.contains { $0.rule == "leaver-hold" && $0.limit == "20 s of waiting" })
        #expect(explanation.missing == ["15 s left of the wait that leaving matches costs"])
    }

    @Test("says where only the whole group does not fit: enough players, but parties that fill no teams")
    func parties() throws {
        let pair = { (id: String) in ticket(id, rulePlayer("\(id)1"), rulePlayer("\(id)2")) }
        let explanation = try explain("a", ModeRules(teamSize: 3), [pair("a"), pair("b"), pair("c")])
        #expect(explanation.compatiblePlayers == 4)
        #expect(explanation.missing == ["a group of players with parties that fill teams"])
    }

    @Test("is silent about a ticket that does not wait here")
    func unknown() {
        let matcher = Matcher(rules: ModeRules(teamSize: 1))
        #expect(matcher.explain(TicketID("x"), in: WaitingTickets(), at: now) == nil)
    }

    @Test("refusals in words agree with the search, on random pairs")
    func agree() {
        var (allowed, refused) = (0, 0)
        for seed in UInt64(1)...500 {
            var random = SplitMix64(seed: seed)
            let compiled = CompiledRules(randomRules(&random), regions: regions)
            let pair = ["a", "b"].map { randomTicket($0, &random) }
            var tickets = CompiledTickets(compiled)
            for (slot, ticket) in pair.enumerated() { tickets.store(ticket, at: Int32(slot)) }
            var check = GroupCheck(compiled)
            let canBegin = check.begin(0, in: tickets, at: now)
            let distance = abs(tickets.rows[0].rating - tickets.rows[1].rating)
            let isAllowed =
                canBegin && check.admits(1, in: tickets, at: now) && distance <= tickets.window(0, at: now)
                && pair[1].members.count <= compiled.rules.teamSize
                && tickets.rows[1].heldUntil <= now.milliseconds
            let refusals = Compatibility(rules: compiled).refusals(of: pair[1], by: pair[0], at: now)
            #expect(refusals.isEmpty == isAllowed, "seed \(seed): \(refusals)")
            if isAllowed { allowed += 1 } else { refused += 1 }
        }
        #expect(allowed > 50)
        #expect(refused > 50)
    }

    private func randomRules(_ random: inout SplitMix64) -> ModeRules {
        var rules = ModeRules(teamSize: Int.random(in: 1...2, using: &random), window: 300, windowGrowth: 5)
        if Bool.random(using: &random) {
            rules.scope = .together
            rules.latency = LatencyRule(max: 90)
        }
        if Bool.random(using: &random) {
            rules.attributes = [AttributeRule(name: "level", kind: .distance, max: 60, fallback: .number(50))]
        }
        rules.avoidsListed = Bool.random(using: &random)
        rules.recentOpponents = Int.random(in: 0...2, using: &random)
        rules.history.leaverHoldSeconds = Bool.random(using: &random) ? 20 : 0
        var later = Expansion(after: 20, attributes: ["level": 100])
        later.latencyPlus = 30
        later.avoidsListed = false
        rules.expansions = [later]
        return rules
    }

    private func randomTicket(_ id: String, _ random: inout SplitMix64) -> QueuedTicket {
        let members = (0..<Int.random(in: 1...2, using: &random)).map { index in
            rulePlayer("\(id)\(index)", rating: Double.random(in: 1_300...1_700, using: &random)).with {
                $0.latencies = [
                    regions[0]: Double(Int.random(in: 10...130, using: &random)),
                    regions[1]: Double(Int.random(in: 10...130, using: &random)),
                ]
                if Bool.random(using: &random) {
                    $0.attributes["level"] = .number(Double(Int.random(in: 0...100, using: &random)))
                }
                let other = PlayerID("\(id == "a" ? "b" : "a")0")
                if Int.random(in: 0..<6, using: &random) == 0 { $0.avoids = [other] }
                if Int.random(in: 0..<6, using: &random) == 0 { $0.recentOpponents = [PlayerID("x"), other] }
                $0.leaverRate = Int.random(in: 0..<4, using: &random) == 0 ? 1 : 0
            }
        }
        let waited = Int64.random(in: 0...40_000, using: &random)
        return QueuedTicket(
            id: TicketID(id), queuedAt: Instant(milliseconds: now.milliseconds - waited), members: members)
    }

    // MARK: Matches

    @Test("each rule of a match stands with its limit at that time and the match's value")
    func checks() throws {
        var rules = ModeRules(teamSize: 2, window: 50, windowGrowth: 10)
        rules.scope = .together
        rules.latency = LatencyRule(max: 60)
        rules.roles = [RoleRule(name: "healer", count: 1)]
        rules.attributes = [
            AttributeRule(name: "level", kind: .distance, max: 20), AttributeRule(name: "maps", kind: .oneOf),
        ]
        rules.avoidsListed = true
        rules.recentOpponents = 2
        rules.teamGapMax = 0.2
        var waiting = WaitingTickets()
        for (index, rating) in [1_500.0, 1_510, 1_540, 1_570].enumerated() {
            let name = "p\(index)"
            let member = rulePlayer(name, rating: rating).with {
                $0.latencies = [regions[0]: 20 + Double(index), regions[1]: 90]
                $0.roles = [index < 2 ? "healer" : "damage"]
                $0.attributes = ["level": .number(10 + Double(index)), "maps": .list(["sand", "m\(index)"])]
            }
            waiting.insert(ticket(name, waited: index == 0 ? 4 : 0, member))
        }
        let matcher = Matcher(rules: rules, regions: regions)
        let proposal = try #require(matcher.match(&waiting, at: now).first)
        let checks = matcher.checks(of: proposal, at: now)
        let gap = WinChance.gap(of: proposal.teams.map { $0.flatMap(\.members).map(\.skill) })
        #expect(
            checks == [
                RuleCheck(rule: "rating-window", limit: "±90", value: "70"),
                RuleCheck(rule: "players", limit: "4", value: "4"),
                RuleCheck(rule: "latency", limit: "60 ms", value: "23 ms to eu"),
                RuleCheck(rule: "role:healer", limit: "1 a team", value: "1, 1"),
                RuleCheck(rule: "attribute:level", limit: "20 apart at most", value: "3 apart"),
                RuleCheck(rule: "attribute:maps", limit: "one in common", value: "sand"),
                RuleCheck(rule: "avoid-list", limit: "apart", value: "0 listed pairs"),
                RuleCheck(rule: "recent-opponents", limit: "none of the last 2 opposed", value: "0 opposed"),
                RuleCheck(rule: "team-gap", limit: "0.2 at most", value: "\((gap * 1_000).rounded() / 1_000)"),
            ])
    }

    @Test("a match with bots says how many may be, and how many there are")
    func bots() throws {
        var rules = ModeRules(teamSize: 2)
        var short = Expansion(after: 10)
        short.playersMin = 2
        short.botsMax = 2
        rules.expansions = [short]
        var waiting = WaitingTickets()
        waiting.insert(ticket("a", waited: 12))
        waiting.insert(ticket("b"))
        let matcher = Matcher(rules: rules, regions: [regions[0]])
        let proposal = try #require(matcher.match(&waiting, at: now).first)
        #expect(proposal.bots == [1, 1])
        let checks = matcher.checks(of: proposal, at: now)
        #expect(checks.contains(RuleCheck(rule: "players", limit: "2 to 4", value: "2")))
        #expect(checks.contains(RuleCheck(rule: "bots", limit: "2 at most", value: "2")))
    }
}

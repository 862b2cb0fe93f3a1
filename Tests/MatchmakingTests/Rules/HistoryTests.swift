import GameModel
import Testing

@testable import Matchmaking

@Suite("The rating window and the history rule")
struct HistoryTests {
    @Test("the window is the anchor's: it grows with its wait, and an expansion lifts it at once")
    func window() {
        var rules = ModeRules(teamSize: 1, window: 50, windowGrowth: 2, windowMax: 120)
        var wider = Expansion(after: 20)
        wider.window = 110
        rules.expansions = [wider]
        let compiled = CompiledRules(rules, regions: [])
        for (seconds, window) in [(0.0, 50.0), (10, 70), (19.9, 89.8), (20, 110), (29, 110), (31, 112), (60, 120)] {
            #expect(abs(compiled.window(ofWait: Int64(seconds * 1_000)) - window) < 1e-9, "\(seconds) s")
            #expect(abs(rules.limits(afterWaiting: seconds).window - window) < 1e-9, "\(seconds) s")
        }
    }

    @Test("each step of waiting has the limits that the rules give it")
    func steps() {
        var first = Expansion(after: 10, attributes: ["x": 9])
        first.latencyPlus = 20
        var second = Expansion(after: 30)
        second.teamGapMax = 0.3
        second.playersMin = 4
        var rules = ModeRules(teamSize: 3)
        rules.attributes = [AttributeRule(name: "x", kind: .distance, max: 5)]
        rules.expansions = [first, second]
        let compiled = CompiledRules(rules, regions: [])
        for seconds in [0, 9.999, 10, 29.999, 30, 1_000] {
            var limits = compiled.steps[compiled.step(ofWait: Int64(seconds * 1_000))]
            limits.window = rules.limits(afterWaiting: seconds).window
            #expect(limits == rules.limits(afterWaiting: seconds), "\(seconds) s")
        }
    }

    private func rating(_ change: (inout ModeRules) -> Void, streak: Int) -> Double {
        var rules = ModeRules(teamSize: 1)
        change(&rules)
        return CompiledRules(rules, regions: []).rating(of: rulePlayer("a").with { $0.streak = streak })
    }

    @Test("a streak counts from the second win or loss on, up to its most")
    func streak() {
        for (streak, rating) in [
            (0, 1_500.0), (1, 1_500), (2, 1_510), (4, 1_530), (9, 1_535), (-1, 1_500), (-3, 1_480),
        ] {
            let found = self.rating(
                {
                    $0.history.streakPoints = 10
                    $0.history.streakPointsMax = 35
                }, streak: streak)
            #expect(found == rating, "\(streak)")
        }
        #expect(rating({ _ in }, streak: 9) == 1_500)
    }

    @Test("a placement player's window is wider, and so is that of the party they are in")
    func placement() {
        var rules = ModeRules(teamSize: 2, window: 100, windowGrowth: 0)
        rules.history.placementGames = 10
        rules.history.placementWindow = 3
        var tickets = RuleTickets(rules)
        let player = { (name: String, games: Int) in rulePlayer(name).with { $0.games = games } }
        tickets.add([player("a", 9)])
        tickets.add([player("b", 10)])
        tickets.add([player("c", 10), player("d", 0)])
        let windows = (0..<3).map { tickets.compiled.window($0, at: tickets.now) }
        #expect(windows == [300, 100, 300])
    }

    @Test("leavers are held back in proportion to their rate, a party by its worst member")
    func leavers() {
        var rules = ModeRules(teamSize: 2)
        rules.history.leaverHoldSeconds = 60
        var tickets = RuleTickets(rules)
        let player = { (name: String, rate: Double) in rulePlayer(name).with { $0.leaverRate = rate } }
        tickets.add([player("a", 0)])
        tickets.add([player("b", 0.5)])
        tickets.add([player("c", 0), player("d", 1)])
        let held = tickets.compiled.rows.map { $0.heldUntil - $0.queuedAt }
        #expect(held == [0, 30_000, 60_000])
    }

    @Test("a party counts as its mean")
    func mean() {
        var tickets = RuleTickets(ModeRules(teamSize: 2))
        tickets.add([rulePlayer("a", rating: 1_400), rulePlayer("b", rating: 1_700)])
        #expect(tickets.compiled.rows[0].rating == 1_550)
    }
}

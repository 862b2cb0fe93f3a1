import GameModel
import Testing

@testable import Matchmaking

@Suite("What a match may be made of")
struct MatchingFeatureTests {
    private let now = Instant(milliseconds: 1_000_000_000)

    private func ticket(
        _ name: String, _ ratings: [Double] = [1500], waited: Double = 1,
        change: (inout TicketMember) -> Void = { _ in }
    ) -> QueuedTicket {
        QueuedTicket(
            id: TicketID(name), queuedAt: now - .milliseconds(Int64(waited * 1_000)),
            members: ratings.enumerated().map { index, rating in
                var member = TicketMember(
                    player: PlayerID("\(name)-\(index)"), skill: Skill(rating: rating, deviation: 80), games: 100)
                change(&member)
                return member
            })
    }

    private func view(_ tickets: [QueuedTicket]) -> WaitingTickets {
        var waiting = WaitingTickets()
        for ticket in tickets { waiting.insert(ticket) }
        return waiting
    }

    private func names(_ proposals: [Proposal]) -> [Set<String>] {
        proposals.map { Set($0.tickets.map(\.id.rawValue)) }
    }

    @Test("parties stay whole, and only sizes that fill the teams are put together")
    func parties() {
        let rules = ModeRules(teamSize: 5)
        var waiting = view([
            ticket("four", [1500, 1500, 1500, 1500], waited: 9), ticket("three", [1500, 1500, 1500], waited: 8),
            ticket("other-three", [1500, 1500, 1500], waited: 7),
        ])
        #expect(Matcher(rules: rules).match(&waiting, at: now).isEmpty)
        waiting.insert(ticket("single"))
        waiting.insert(ticket("pair", [1500, 1500]))
        let match = Matcher(rules: rules).match(&waiting, at: now)
        #expect(names(match) == [["four", "single", "three", "pair"]])
        let teams = match[0].teams.map { Set($0.map(\.id.rawValue)) }
        #expect(Set(teams) == [["four", "single"], ["three", "pair"]])
    }

    @Test("a party larger than the mode allows waits and harms nobody")
    func tooLarge() {
        var rules = ModeRules(teamSize: 3, partyMax: 2)
        rules.windowMax = 100
        var waiting = view([ticket("three", [1500, 1500, 1500], waited: 50)] + (0..<6).map { ticket("t\($0)") })
        #expect(Matcher(rules: rules).tick(&waiting, at: now).count == 1)
        #expect(waiting.all.map(\.id.rawValue) == ["three"])
    }

    @Test("a full match comes before one with fewer players, whoever waits longer")
    func shortIsLast() {
        var rules = ModeRules(teams: 6, teamSize: 1, window: 100, windowGrowth: 0)
        var expansion = Expansion(after: 10)
        expansion.playersMin = 3
        expansion.botsMax = 2
        rules.expansions = [expansion]
        // The old one could begin with those in its window, of whom a younger one makes six.
        let old = ticket("old", [1400], waited: 20)
        let others = [1490.0, 1495, 1500, 1505, 1510, 1515].enumerated().map { ticket("t\($0)", [$1], waited: 5) }
        var waiting = view([old] + others)
        let full = Matcher(rules: rules).match(&waiting, at: now)
        #expect(full.count == 1 && full[0].tickets.count == 6 && full[0].bots.isEmpty)
        #expect(waiting.all.map(\.id.rawValue) == ["old"])

        var few = view([old] + others.prefix(3))
        let short = Matcher(rules: rules).tick(&few, at: now)
        #expect(short.count == 1)
        #expect(short.first?.tickets.count == 4)
        #expect(short.first?.bots.reduce(0, +) == 2)
    }

    @Test("nobody begins with fewer players before the wait is over")
    func shortAfterWait() {
        var rules = ModeRules(teamSize: 2, window: 100, windowGrowth: 0)
        var expansion = Expansion(after: 10)
        expansion.playersMin = 2
        rules.expansions = [expansion]
        let matcher = Matcher(rules: rules)
        var waiting = view([ticket("a", waited: 9.999), ticket("b")])
        #expect(matcher.tick(&waiting, at: now).isEmpty)
        #expect(matcher.tick(&waiting, at: now + .milliseconds(1)).count == 1)
    }

    @Test("leavers are looked at only after they were held back, as anchors and as others")
    func held() {
        var rules = ModeRules(teamSize: 1)
        rules.history.leaverHoldSeconds = 30
        let matcher = Matcher(rules: rules)
        var waiting = view([ticket("leaver", waited: 14.999) { $0.leaverRate = 0.5 }, ticket("other")])
        #expect(matcher.tick(&waiting, at: now).isEmpty)
        #expect(matcher.tick(&waiting, at: now + .milliseconds(1)).count == 1)
    }

    @Test("anchors come from the band, the others from anywhere")
    func band() {
        var waiting = view([
            ticket("low", [1400], waited: 9), ticket("in", [1450], waited: 3), ticket("in-too", [1800], waited: 2),
            ticket("high", [1900], waited: 8),
        ])
        let matcher = Matcher(rules: ModeRules(teamSize: 1, window: 120, windowGrowth: 0))
        var other = waiting
        #expect(names(matcher.match(&waiting, at: now, band: 1_420...1_500)) == [["in", "low"]])
        #expect(names(matcher.tick(&other, at: now, band: 1_420...1_500)) == [["in", "low"]])
        // A new band makes anchors of those who waited before.
        #expect(names(matcher.tick(&other, at: now, band: 1_500...2_000)) == [["high", "in-too"]])
    }

    @Test("a tick that made as many matches as it may goes on with the rest in the next")
    func limits() {
        var waiting = view((0..<100).map { ticket("t\($0)") })
        let matcher = Matcher(rules: ModeRules(teamSize: 1))
        #expect(matcher.tick(&waiting, at: now, limit: 20).count == 20)
        #expect(matcher.tick(&waiting, at: now, limit: 20).count == 20)
        #expect(matcher.tick(&waiting, at: now).count == 10)
        #expect(waiting.isEmpty)
    }

    @Test("other rules sort the same tickets anew")
    func reload() {
        var rules = ModeRules(teamSize: 1, window: 10, windowGrowth: 0)
        var waiting = view([ticket("a", [1500]), ticket("b", [1550])])
        #expect(Matcher(rules: rules).tick(&waiting, at: now).isEmpty)
        rules.window = 60
        #expect(Matcher(rules: rules).tick(&waiting, at: now).count == 1)
    }

    private func backfill(_ priority: BackfillRule.Priority) -> (ModeRules, QueuedTicket) {
        var rules = ModeRules(teamSize: 2, window: 100, windowGrowth: 0)
        rules.backfill = BackfillRule(isAllowed: true, priority: priority)
        let playing = ["a", "b", "c"].map {
            TicketMember(player: PlayerID($0), skill: Skill(rating: 1500, deviation: 80), games: 9)
        }
        let seats = BackfillSeats(
            match: MatchID("duel.eu.m"), region: Region("eu"), generation: 3, open: [0, 1],
            teams: [[playing[0], playing[1]], [playing[2]]])
        return (rules, QueuedTicket(id: TicketID("fill"), queuedAt: now - .seconds(2), members: [], backfill: seats))
    }

    @Test(
        "running matches get their players first, in turn, or last",
        arguments: BackfillRule.Priority.allCases, [true, false])
    func backfillPriority(priority: BackfillRule.Priority, isTick: Bool) {
        let (rules, fill) = backfill(priority)
        // Four could play a match; the oldest waits longer than the running match has asked.
        var waiting = view((0..<4).map { ticket("t\($0)", waited: 9 - Double($0)) } + [fill])
        let matcher = Matcher(rules: rules, regions: [Region("eu")])
        let made = isTick ? matcher.tick(&waiting, at: now) : matcher.match(&waiting, at: now)
        #expect(made.count == 1)
        #expect((made.first?.backfill?.id == fill.id) == (priority == .first))
        if priority == .first {
            #expect(made.first?.tickets.count == 1)
            #expect(made.first?.teams.map(\.count) == [0, 1])
            #expect(waiting.count == 3 && !waiting.contains(fill.id))
        } else {
            #expect(waiting.all.map(\.id) == [fill.id])
            waiting.insert(ticket("late"))
            let later = isTick ? matcher.tick(&waiting, at: now) : matcher.match(&waiting, at: now)
            #expect(later.first?.backfill?.id == fill.id && waiting.isEmpty)
        }
    }

    @Test("a running match takes no one out of its window, and no party that has no room in a team")
    func backfillRules() {
        let (rules, fill) = backfill(.first)
        var waiting = view([fill, ticket("far", [1700]), ticket("pair", [1500, 1500])])
        #expect(Matcher(rules: rules, regions: [Region("eu")]).tick(&waiting, at: now).isEmpty)
        waiting.insert(ticket("near", [1590]))
        let made = Matcher(rules: rules, regions: [Region("eu")]).tick(&waiting, at: now)
        #expect(names(made) == [["near"]])
    }

    @Test("players who each avoid another still meet in a free-for-all, as many as go together")
    func circle() {
        var rules = ModeRules(teams: 16, teamSize: 1, window: 3_000)
        rules.avoidsListed = true
        var waiting = view(
            (0..<22).map { index in
                ticket("t\(index)", [1_000 + Double(index) * 7]) { $0.avoids = [PlayerID("t\((index + 1) % 22)-0")] }
            })
        // Of the circle of 22 no two neighbours can meet: 11 at most.
        #expect(Matcher(rules: rules).match(&waiting, at: now).isEmpty)
        rules.teams = 11
        #expect(Matcher(rules: rules).match(&waiting, at: now).map(\.tickets.count) == [11, 11])
    }

    @Test("a hundred players meet in a free-for-all")
    func hundred() {
        var rules = ModeRules(teams: 100, teamSize: 1, window: 3_000)
        rules.avoidsListed = true
        var waiting = view(
            (0..<130).map { index in
                ticket("t\(index)", [1_000 + Double(index) * 7]) { $0.avoids = [PlayerID("t\(index + 100)-0")] }
            })
        let made = Matcher(rules: rules).match(&waiting, at: now)
        #expect(made.map(\.tickets.count) == [100] && waiting.count == 30)
    }

    @Test("a required role nobody takes is waited for, and its first player is found among many")
    func rareRole() {
        var rules = ModeRules(teamSize: 2, window: 500)
        rules.roles = [RoleRule(name: "healer", count: 1), RoleRule(name: "tank", count: 1)]
        var waiting = view(
            (0..<300).map { index in
                ticket("t\(index)", [1500 + Double(index) / 10]) {
                    $0.roles = ["tank"]
                    $0.insistsOnRoles = true
                }
            })
        let matcher = Matcher(rules: rules)
        #expect(matcher.tick(&waiting, at: now).isEmpty)
        for name in ["one", "two"] { waiting.insert(ticket(name, [1_700]) { $0.roles = ["healer"] }) }
        let made = matcher.tick(&waiting, at: now)
        #expect(made.count == 1)
        #expect(made.first?.roles.values.filter { $0 == "healer" }.count == 2)
    }
}

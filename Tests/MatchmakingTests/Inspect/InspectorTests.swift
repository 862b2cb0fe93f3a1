import Foundation
import GameModel
import Redis
import TestSupport
import Testing

@testable import Matchmaking

@Suite struct InspectorTests {
    private func with(
        _ rules: MatchmakingRules = duels(), _ body: (MatchmakingService, MatchmakingInspector) async throws -> Void
    ) async throws {
        try await withRedis { redis, _ in
            try await body(
                MatchmakingService(redis: redis, rules: rules, logger: testLogger),
                MatchmakingInspector(redis: redis, rules: rules))
        }
    }

    @Test("tickets are listed the longest-waiting first, by state, and as many as are asked for")
    func list() async throws {
        var rules = duels()
        rules.modes[Mode("pair")] = ModeRules(teamSize: 2)
        try await with(rules) { service, inspector in
            let a = try await service.queue("a")
            try await service.letClockMove()
            let b = try await service.queue("b", rating: 1700)
            try await service.letClockMove()
            let c = try await service.queue("c")
            try await service.letClockMove()
            let party = try await service.createTicket(
                TicketRequest(
                    leader: TicketMember(player: PlayerID("d")), mode: Mode("pair"), region: Region("eu"),
                    party: [PlayerID("e")]))
            let lease = try await service.takePool("r")
            guard case .proposed(let match) = try await service.propose([a, c], lease: lease) else {
                Issue.record("not proposed")
                return
            }
            _ = try await service.accept(a.id)
            func ids(_ states: TicketState...) async throws -> [TicketID] {
                try await inspector.tickets(TicketFilter(states: Set(states)), limit: 10).map(\.id)
            }
            #expect(try await ids(.queued) == [b.id])
            #expect(try await ids(.accepted) == [a.id])
            #expect(try await ids(.proposed) == [c.id])
            #expect(try await ids(.forming) == [party.id])
            #expect(try await ids(.ready) == [])
            let all = try await inspector.tickets(TicketFilter(), limit: 10)
            #expect(all.map(\.id) == [a.id, b.id, c.id, party.id])
            #expect(all[0].match == match)
            #expect(all[1].rating == 1700)
            #expect(all[3].players.map(\.hasJoined) == [true, false])
            #expect(try await inspector.tickets(TicketFilter(), limit: 2).map(\.id) == [a.id, b.id])
            let pairs = TicketFilter(mode: Mode("pair"))
            #expect(try await inspector.tickets(pairs, limit: 10).map(\.id) == [party.id])
            #expect(try await inspector.ticket(of: PlayerID("c"))?.id == c.id)
            #expect(try await inspector.ticket(of: PlayerID("z")) == nil)
        }
    }

    @Test("why a queued ticket waits is told with its window, what is missing, and what refused the nearest")
    func whyQueued() async throws {
        try await with(duels { $0.windowGrowth = 0 }) { service, inspector in
            let a = try await service.queue("a", rating: 1500)
            let near = try await service.queue("b", rating: 1650)
            let far = try await service.queue("c", rating: 2000)
            let reasons = try #require(try await inspector.why(a.id, nearest: 1))
            let why = reasons.why.joined(separator: "\n")
            #expect(why.contains(/Waited [\d.]+ s; window ±100 around 1500\./), "\(why)")
            #expect(why.contains("No ranker serves the pool duel:eu"))
            #expect(why.contains("It could meet 0 players of those who wait; a full match wants 1 more."))
            #expect(why.contains("Missing: 1 player."))
            let explanation = try #require(reasons.explanation)
            #expect(explanation.nearest.map(\.ticket) == [near.id])
            #expect(
                explanation.nearest[0].refusals == [
                    RuleCheck(rule: "rating-window", limit: "±100", value: "150 away")
                ])
            #expect(try await inspector.why(a.id, nearest: 9)?.explanation?.nearest.map(\.ticket) == [near.id, far.id])

            let c = try await service.queue("d", rating: 1590)
            _ = try await service.takePool("r")
            let could = try #require(try await inspector.why(a.id))
            #expect(could.why.last == "Nothing is missing: the next round should match it.")
            #expect(!could.why.contains { $0.contains("No ranker") })
            #expect(could.explanation?.nearest.first?.ticket == c.id)
            #expect(could.explanation?.nearest.first?.refusals.isEmpty == true)
        }
    }

    @Test("why a ticket is where it is later is told by its state, with whom or what it waits for")
    func whyLater() async throws {
        var rules = duels()
        rules.modes[Mode("pair")] = ModeRules(teamSize: 2)
        try await with(rules) { service, inspector in
            func why(_ id: TicketID) async throws -> String {
                try await inspector.why(id)?.why.joined(separator: "\n") ?? "gone"
            }
            let party = try await service.createTicket(
                TicketRequest(
                    leader: TicketMember(player: PlayerID("x")), mode: Mode("pair"), region: Region("eu"),
                    party: [PlayerID("y")]))
            #expect(try await why(party.id) == "A party is forming: it waits for y to join.")
            let a = try await service.queue("a")
            let b = try await service.queue("b")
            let lease = try await service.takePool("r")
            guard case .proposed(let match) = try await service.propose([a, b], lease: lease) else {
                Issue.record("not proposed")
                return
            }
            let proposed = try await why(a.id)
            #expect(proposed.contains("Match \(match) is proposed to it, which waits for"))
            #expect(proposed.contains("for a and b to accept."))
            _ = try await service.accept(a.id)
            let accepted = try await why(a.id)
            #expect(accepted.contains("Its players accepted match \(match)") && accepted.contains("for b to accept."))
            _ = try await service.accept(b.id)
            let placing = try await why(a.id)
            #expect(placing.contains("waits for an instance in eu"))
            #expect(placing.contains("muster jobs why \(AllocateInstance.id(of: match)) --queue duel:eu"))
            try await service.markReady(
                match, Assignment(instanceId: InstanceID("i-1"), host: "127.0.0.1", port: 1))
            #expect(try await why(a.id).contains("is played on instance i-1; it became ready"))
            _ = try await service.finish(match)
            #expect(try await why(a.id).contains(/It ended .* ago as finished: played/))
            #expect(try await why(TicketID(in: duelEU, ULID())) == "gone")
        }
    }

    @Test("a match is shown with its teams, rules and what the matcher knew")
    func matches() async throws {
        try await with { service, inspector in
            let a = try await service.queue("a", rating: 1500)
            let b = try await service.queue("b", rating: 1560)
            let lease = try await service.takePool("r")
            guard case .proposed(let id) = try await service.propose([a, b], lease: lease) else {
                Issue.record("not proposed")
                return
            }
            let listed = try await inspector.matches([.proposed, .ready], limit: 10)
            #expect(listed.map(\.id) == [id])
            #expect(try await inspector.matches([.ready], limit: 10).isEmpty)
            let (match, tickets) = try #require(try await inspector.match(id))
            #expect(match == listed[0])
            #expect(match.teams == [[a.id], [b.id]])
            #expect((match.state, match.region, match.rules, match.players) == (.proposed, Region("eu"), "standard", 2))
            #expect(tickets.map(\.id) == [a.id, b.id])
            let grounds = try #require(match.grounds)
            #expect(grounds.anchor == a.id)
            #expect(grounds.checks.contains { $0.rule == "rating-window" })
            #expect(grounds.chances.count == 2)
            #expect(try await inspector.match(MatchID(in: duelEU, ULID())) == nil)
        }
    }

    @Test("a pool's histogram counts each ticket once, by rating and waiting")
    func histogram() async throws {
        try await with { service, inspector in
            for (index, rating) in [900.0, 1490, 1500, 1510, 2200].enumerated() {
                let ticket = try await service.queue("p\(index)", rating: rating)
                // Queued so long ago that no pause moves it to another column.
                let key = RedisArgument(MatchmakingKeys(duelEU).ticket(ticket.id))
                _ = try await service.redis.send(RedisCommand("HINCRBY", key, "queuedAt", "-400000"))
            }
            let histogram = try await inspector.histogram(of: duelEU)
            #expect((histogram.tickets, histogram.players) == (5, 5))
            #expect((histogram.ratingFrom, histogram.ratingStep) == (900, 100))
            #expect(histogram.counts.map { $0[6] } == [1, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0, 1])
            let pools = try await inspector.pools()
            #expect(pools.map(\.depth.pool) == ["duel:eu"])
            #expect(pools[0].depth.waiting.count == 5)
            #expect(pools[0].waitP50Ms == nil)
        }
    }

    @Test("a histogram's columns end where they say, and its rows hold the lowest and highest rating")
    func columns() throws {
        let now = Instant(milliseconds: 1_000_000)
        func ticket(_ name: String, _ rating: Double, waited ms: Int64) -> QueuedTicket {
            QueuedTicket(
                id: TicketID(name), player: PlayerID(name), queuedAt: now - .milliseconds(ms),
                skill: Skill(rating: rating, deviation: 50))
        }
        let histogram = PoolHistogram(
            duelEU,
            [
                ticket("a", -20, waited: 0), ticket("b", -20, waited: 4_999), ticket("c", -20, waited: 5_000),
                ticket("d", 3_990, waited: 299_999), ticket("e", 3_990, waited: 300_000),
                ticket("f", 3_990, waited: -50),
            ], at: now)
        #expect(histogram.counts.first == [2, 1, 0, 0, 0, 0, 0])
        #expect(histogram.counts.last == [1, 0, 0, 0, 0, 1, 1])
        #expect(histogram.counts.count <= 20)
        #expect(histogram.ratingFrom <= -20)
        #expect(histogram.counts.flatMap { $0 }.reduce(0, +) == histogram.tickets)
        #expect(PoolHistogram(duelEU, [], at: now).counts.isEmpty)
    }
}

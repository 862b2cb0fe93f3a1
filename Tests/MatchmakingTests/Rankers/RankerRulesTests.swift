import GameModel
import Redis
import TestSupport
import Testing

@testable import Matchmaking

@Suite("Rankers and the rules in force")
struct RankerRulesTests {
    private static let timing = Ranker.Timing(
        lease: .seconds(30), round: .milliseconds(100), tick: .milliseconds(20), deadlines: .milliseconds(50))

    /// Runs the body beside a ranker and a service that follow one book.
    private func withBook(
        _ rules: MatchmakingRules, _ body: (RulesBook, MatchmakingService, RedisClient) async throws -> Void
    ) async throws {
        try await withRedis { redis, _ in
            let book = RulesBook(rules)
            let service = MatchmakingService(redis: redis, book: book, logger: testLogger)
            let ranker = Ranker(redis: redis, book: book, timing: Self.timing, logger: testLogger)
            try await withRankers([ranker]) { try await body(book, service, redis) }
        }
    }

    @Test("match by changed rules from the next tick on, and write their version on each match")
    func changed() async throws {
        let rules = duels {
            $0.window = 50
            $0.windowGrowth = 0
        }
        try await withBook(rules) { book, service, redis in
            let far = [try await service.queue("a", rating: 1_400), try await service.queue("b", rating: 1_600)]
            let near = [try await service.queue("c", rating: 2_000), try await service.queue("d", rating: 2_010)]
            try await eventually("the near ones meet") { try await service.state(near[1]) == .proposed }
            #expect(try await service.state(far[0]) == .queued)
            var wider = duels {
                $0.window = 300
                $0.windowGrowth = 0
            }
            wider.version = "wider"
            book.replace(with: wider)
            try await eventually("the far ones meet") { try await service.state(far[1]) == .proposed }
            var versions: [String?] = []
            for ticket in [near[0], far[0]] {
                let match = try #require(try await service.ticket(ticket.id)?.match)
                let key = MatchmakingKeys(duelEU).match(match)
                versions.append(try await redis.send(RedisCommand("HGET", RedisArgument(key), "rules")).string)
            }
            #expect(versions == ["standard", "wider"])
        }
    }

    @Test("serve a mode that is new, and let the tickets of a removed one run out")
    func modes() async throws {
        let trio = Pool(mode: Mode("trio"), region: Region("eu"))
        let before = duels { $0.waitSecondsMax = 0.5 }
        try await withBook(before) { book, service, redis in
            let left = try await service.queue("left")
            try await eventually("the pool is held") { try await service.depth(of: duelEU).ranker != nil }
            var after = MatchmakingRules(
                modes: [Mode("trio"): ModeRules(teamSize: 1, acceptSeconds: 600)], regions: [Region("eu")])
            after.version = "after"
            book.replace(with: after)
            var pair: [Ticket] = []
            for player in ["a", "b"] {
                pair.append(
                    try await service.createTicket(
                        TicketRequest(player: PlayerID(player), mode: Mode("trio"), region: Region("eu"))))
            }
            try await eventually("the new pool is matched") { try await service.state(pair[1]) == .proposed }
            #expect(try await service.depth(of: trio).proposed.count == 1)
            let key = MatchmakingKeys(duelEU).ticket(left.id)
            try await eventually("what is left of the old pool expires") {
                try await redis.send(RedisCommand("HGET", RedisArgument(key), "state")).string == "expired"
            }
        }
    }

    @Test("go straight to placing where the rules want no acceptance")
    func withoutAcceptance() async throws {
        try await withBook(duels { $0.needsAcceptance = false }) { _, service, redis in
            let pair = [try await service.queue("a"), try await service.queue("b")]
            try await eventually("they are placed") { try await service.state(pair[1]) == .placing }
            let match = try #require(try await service.ticket(pair[0].id)?.match)
            #expect(try await service.match(match)?.state == .placing)
            #expect(try await service.depth(of: duelEU).placing.count == 1)
            let jobs = try await redis.send(RedisCommand("HLEN", "muster:jobs:{duel:eu}:jobs"))
            #expect(jobs.int == 1, "its allocation is enqueued")
            try await service.markReady(
                match, Assignment(instanceId: InstanceID("i"), host: "h", port: 1))
            #expect(try await service.state(pair[0]) == .ready)
        }
    }

    @Test("write on each match why it was made, and how long its tickets had waited")
    func grounds() async throws {
        try await withBook(duels()) { _, service, redis in
            let first = try await service.queue("a")
            try await service.letClockMove()
            let pair = [first, try await service.queue("b")]
            try await eventually("they meet") { try await service.state(pair[1]) == .proposed }
            let id = try #require(try await service.ticket(pair[0].id)?.match)
            let why = try #require(try await service.match(id)?.why)
            let grounds = try #require(MatchGrounds(text: why))
            #expect(grounds.anchor == pair[0].id && grounds.waitedMs >= 0)
            let waits = try await redis.send(
                RedisCommand("LRANGE", RedisArgument(MatchmakingKeys(duelEU).waits), "0", "-1"))
            #expect(waits.array?.count == 2)
            let key = MatchmakingKeys(duelEU).match(id)
            let fields = try await redis.send(
                RedisCommand("HMGET", RedisArgument(key), "players", "region", "teams")
            ).array
            #expect(fields?.map(\.string) == ["2", "eu", "1,1"])
        }
    }
}

@Suite("What a ranker reads of a ticket")
struct TicketBodyTests {
    @Test("is whole, whatever letters its attributes have and however long it is")
    func pieces() async throws {
        try await withRedis { redis, _ in
            let service = MatchmakingService(redis: redis, rules: duels(), logger: testLogger)
            let keys = MatchmakingKeys(duelEU)
            for length in 0..<70 {
                var member = TicketMember(player: PlayerID("p\(length)"), skill: Skill(rating: 1_500, deviation: 80))
                member.attributes["clan"] = .text(String(repeating: "ä🦊", count: length / 6) + "\(length)")
                member.attributes["map"] = .text(String(repeating: "x", count: length))
                let request = TicketRequest(leader: member, mode: Mode("duel"), region: Region("eu"))
                let id = TicketID(in: duelEU, ULID())
                _ = try await service.create(request, id, ModeRules(teamSize: 1))
                #expect(try await service.ticket(id)?.members == [member])
                // Back to the queue by a script, which puts the pieces together again.
                _ = try await redis.run(
                    RedisScript(
                        name: "test.requeue",
                        fragments: [
                            PackageResources.fragment_lua, Array("mm_requeue(mm_clock(), KEYS[8], ARGV[1])".utf8),
                        ]), keys: keys.common + [keys.ticket(id)], arguments: [RedisArgument(id.rawValue)])
                let view = try await PoolView.load(keys, redis: redis)
                let last = try await ChangeStream.read(
                    [(keys: keys, after: StreamPlace(epoch: view.place.epoch, number: view.place.number - 1))],
                    block: .seconds(30), redis: redis)
                #expect(last.first?.batch.changes.last?.queued?.members == [member])
                #expect(view.waiting.all.last { $0.id == id }?.members == [member])
            }
        }
    }
}

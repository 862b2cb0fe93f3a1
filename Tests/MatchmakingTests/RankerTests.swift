import GameModel
import Redis
import TestSupport
import Testing

@testable import Matchmaking

@Suite("The ranker")
struct RankerTests {
    /// With a lease that a ranker does not lose on a slow machine.
    private static let timing = Ranker.Timing(
        lease: .seconds(30), round: .milliseconds(100), tick: .milliseconds(20), deadlines: .milliseconds(50))

    @Test("proposes a match for whoever waits, whether queued before it started or after")
    func proposes() async throws {
        try await withRedis { redis, _ in
            let service = MatchmakingService(redis: redis, rules: duels(), logger: testLogger)
            var before: [Ticket] = []
            for player in ["a", "b", "c"] {
                before.append(try await service.queue(player))
                try await service.letClockMove()
            }
            let ranker = Ranker(redis: redis, rules: duels(), timing: Self.timing, logger: testLogger)
            try await withRankers([ranker]) { [before] in
                try await eventually("the first two are proposed") {
                    try await service.state(before[1]) == .proposed
                }
                #expect(try await service.state(before[2]) == .queued)
                let after = try await service.queue("d")
                try await eventually("the next two are proposed") {
                    let both = (try await service.state(before[2]), try await service.state(after))
                    return both == (.proposed, .proposed)
                }
                // A decline brings the other back; a new one meets them.
                _ = try await service.decline(after.id)
                let again = try await service.queue("e")
                try await eventually("the one who was left meets a new one") {
                    let match = try await service.ticket(again.id)?.match
                    return try await service.ticket(before[2].id)?.match == match && match != nil
                }
            }
        }
    }

    @Test("of teams: six players become one trio match, balanced")
    func teams() async throws {
        try await withRedis { redis, _ in
            let rules = duels { $0.teamSize = 3 }
            let service = MatchmakingService(redis: redis, rules: rules, logger: testLogger)
            var tickets: [Ticket] = []
            for (index, rating) in [1_450.0, 1_460, 1_470, 1_530, 1_540, 1_550].enumerated() {
                tickets.append(try await service.queue("p\(index)", rating: rating))
            }
            let ranker = Ranker(redis: redis, rules: rules, timing: Self.timing, logger: testLogger)
            try await withRankers([ranker]) {
                try await eventually("one match") { try await service.depth(of: duelEU).proposed.count == 1 }
                let id = try #require(try await service.ticket(tickets[0].id)?.match)
                let match = try #require(try await service.match(id))
                #expect(match.teamSizes == [3, 3] && Set(match.tickets) == Set(tickets.map(\.id)))
                for ticket in tickets { _ = try await service.accept(ticket.id) }
                #expect(try await service.depth(of: duelEU).placing.count == 1)
            }
        }
    }

    /// Queues the players under these rules, and answers why each ticket ended.
    private func reasons(
        of players: [String], _ change: (inout ModeRules) -> Void
    ) async throws -> [String?] {
        let rules = duels(change)
        return try await withRedis { redis, _ in
            let service = MatchmakingService(redis: redis, rules: rules, logger: testLogger)
            let ranker = Ranker(redis: redis, rules: rules, timing: Self.timing, logger: testLogger)
            var tickets: [Ticket] = []
            for player in players { tickets.append(try await service.queue(player)) }
            try await withRankers([ranker]) {
                try await eventually("all expire") {
                    for ticket in tickets where try await service.state(ticket) != .expired { return false }
                    return true
                }
            }
            var reasons: [String?] = []
            for ticket in tickets { reasons.append(try await service.ticket(ticket.id)?.reason) }
            return reasons
        }
    }

    @Test("ends a proposal that nobody accepts")
    func acceptDeadline() async throws {
        #expect(try await reasons(of: ["a", "b"]) { $0.acceptSeconds = 0.2 } == ["not-accepted", "not-accepted"])
    }

    @Test("ends a ticket that has waited too long")
    func waitDeadline() async throws {
        #expect(try await reasons(of: ["lonely"]) { $0.waitSecondsMax = 0.2 } == ["waited-too-long"])
    }

    @Test("goes on after Redis lost everything")
    func flush() async throws {
        try await withRedis { redis, server in
            let service = MatchmakingService(redis: redis, rules: duels(), logger: testLogger)
            let ranker = Ranker(redis: redis, rules: duels(), timing: Self.timing, logger: testLogger)
            try await withRankers([ranker]) {
                let lonely = try await service.queue("lonely")
                try await eventually("the pool is held") { try await service.depth(of: duelEU).ranker != nil }
                try await server.flush()
                let pair = [try await service.queue("a"), try await service.queue("b")]
                try await eventually("the new ones meet") {
                    let states = (try await service.state(pair[0]), try await service.state(pair[1]))
                    return states == (.proposed, .proposed)
                }
                #expect(try await service.ticket(lonely.id) == nil)
            }
        }
    }

    @Test("goes on after its Redis was killed and came back empty: leases are taken anew and the view is rebuilt")
    func restart() async throws {
        try await withRedis { redis, server in
            let service = MatchmakingService(redis: redis, rules: duels(), logger: testLogger)
            let ranker = Ranker(redis: redis, rules: duels(), timing: Self.timing, logger: testLogger)
            try await withRankers([ranker]) {
                let lonely = try await service.queue("lonely")
                try await eventually("the pool is held") { try await service.depth(of: duelEU).ranker != nil }
                server.kill()
                try await server.restart()
                try await eventually("Redis is back") { redis.isConnected }
                #expect(try await service.ticket(lonely.id) == nil)
                let pair = [try await service.queue("lonely"), try await service.queue("b")]
                try await eventually("the new ones meet") { try await service.state(pair[1]) == .proposed }
                try await eventually("the pool is held again") {
                    try await service.depth(of: duelEU).ranker == ranker.id
                }
            }
        }
    }

    @Test("that died loses its pools to another")
    func takeOver() async throws {
        try await withRedis { redis, server in
            let service = MatchmakingService(redis: redis, rules: duels(), logger: testLogger)
            // Short, because the second waits for the first one's end.
            var timing = Self.timing
            timing.lease = .seconds(2)
            try await withThrowingTaskGroup(of: Void.self) { [timing] group in
                // Dies with its connection, so it can give nothing back.
                group.addTask {
                    try await withClient(try server.configuration()) { own in
                        let first = Ranker(
                            id: "first", redis: own, rules: duels(), timing: timing, logger: testLogger)
                        try await first.run()
                    }
                }
                try await eventually("the first holds the pool") {
                    try await service.depth(of: duelEU).ranker == "first"
                }
                group.cancelAll()
                while await group.nextResult() != nil {}
            }
            let second = Ranker(id: "second", redis: redis, rules: duels(), timing: timing, logger: testLogger)
            let pair = [try await service.queue("a"), try await service.queue("b")]
            try await withRankers([second]) {
                try await eventually("the second holds the pool") {
                    try await service.depth(of: duelEU).ranker == "second"
                }
                try await eventually("and matches") { try await service.state(pair[1]) == .proposed }
            }
        }
    }

    @Test("shares the pools with the others that live")
    func share() async throws {
        try await withRedis { redis, _ in
            let service = MatchmakingService(redis: redis, logger: testLogger)
            let rankers = (0..<4).map { Ranker(id: "r\($0)", redis: redis, timing: Self.timing, logger: testLogger) }
            try await withRankers(rankers) {
                try await eventually("six pools over four rankers: 2, 2, 1, 1") {
                    let owners = try await service.depth().compactMap(\.ranker)
                    let counts = Dictionary(grouping: owners) { $0 }.mapValues(\.count)
                    return owners.count == 6 && counts.values.sorted() == [1, 1, 2, 2]
                }
            }
        }
    }

    @Test("takes a pool anew whose lease ran out while it was slow")
    func slow() async throws {
        try await withRedis { redis, _ in
            var keeper = LeaseKeeper(
                id: "r", book: RulesBook(duels()), duration: .seconds(60), redis: redis, logger: testLogger)
            let first = try await keeper.round()
            #expect(first.map(\.isHeld) == [true])
            let renewal = try await keeper.round()
            #expect(renewal.isEmpty)
            // Its ranking saw that the time was over, and stopped.
            first[0].end()
            let second = try await keeper.round()
            #expect(second.map(\.isHeld) == [true])
            try await keeper.stop()
            let free = try await redis.send(RedisCommand("EXISTS", RedisArgument(MatchmakingKeys(duelEU).lease)))
            #expect(free == .integer(0) && !second[0].isHeld)
        }
    }

    @Test("hands out what it took in a round that failed half-way with the next")
    func halfRound() async throws {
        try await withRedis { redis, _ in
            let regions = ["a", "b", "c", "d"].map { Region($0) }
            let pools = regions.map { Pool(mode: Mode("duel"), region: $0) }
            let rules = MatchmakingRules(modes: [Mode("duel"): ModeRules(teamSize: 1)], regions: regions)
            let service = MatchmakingService(redis: redis, rules: rules, logger: testLogger)
            // Another ranker lives and holds the first pool, and the third one's lease can't be read.
            _ = try await redis.run(
                MatchmakingScripts.rankers, keys: [MatchmakingKeys.rankers], arguments: ["z", "60000", "1"])
            _ = try await service.takePool("z", pools[0])
            let broken = RedisArgument(MatchmakingKeys(pools[2]).lease)
            _ = try await redis.send(RedisCommand("RPUSH", broken, "x"))
            var keeper = LeaseKeeper(
                id: "r", book: RulesBook(rules), duration: .seconds(60), redis: redis, logger: testLogger)
            await #expect(throws: RedisError.self) { _ = try await keeper.round() }
            _ = try await redis.send(RedisCommand("DEL", broken))
            let fresh = try await keeper.round()
            #expect(fresh.map(\.pool) == [pools[1], pools[2]])
            let again = try await keeper.round()
            #expect(again.isEmpty)
        }
    }

    @Test("reckons shares that sum to all pools", arguments: 1...7)
    func shares(rankers: Int) {
        let live = (0..<rankers).map { "r\($0)" }
        let shares = live.map { LeaseKeeper.share(of: $0, among: live, units: 6) }
        #expect(shares.reduce(0, +) == 6)
        #expect((shares.max() ?? 0) - (shares.min() ?? 0) <= 1)
    }

    @Test("is refused with a fence that is not the pool's any more, and the fence rises though the lease was lost")
    func fence() async throws {
        try await withRedis { redis, server in
            let service = MatchmakingService(redis: redis, rules: duels(), logger: testLogger)
            let old = try await service.takePool("r")
            try await server.flush()
            let new = try await service.takePool("r")
            #expect(old < new, "same owner, so the fences are compared")
            let pair = [try await service.queue("a"), try await service.queue("b")]
            #expect(try await service.propose(pair, lease: old) == .fenced)
            #expect(try await service.state(pair[0]) == .queued)
        }
    }

    @Test("loads a pool of thousands, many of one millisecond, whole")
    func load() async throws {
        try await withRedis { redis, _ in
            let keys = MatchmakingKeys(duelEU)
            let service = MatchmakingService(redis: redis, rules: duels(), logger: testLogger)
            _ = try await service.queue("first")
            var commands: [RedisCommand] = []
            for index in 0..<3_500 {
                let id = TicketID(in: duelEU, ULID())
                let time = RedisArgument(index < 2_500 ? 5 : index)
                let body = try TicketBody(members: [TicketMember(player: PlayerID("p\(index)"))]).text()
                commands.append(
                    RedisCommand(
                        "HSET", RedisArgument(keys.ticket(id)), "state", "queued", "queuedAt", time, "body",
                        RedisArgument(body)))
                commands.append(RedisCommand("ZADD", RedisArgument(keys.queue), time, RedisArgument(id.rawValue)))
            }
            _ = try await redis.pipeline(commands, timeout: .seconds(60))
            let view = try await PoolView.load(keys, redis: redis)
            #expect(view.waiting.count == 3_501)
        }
    }
}

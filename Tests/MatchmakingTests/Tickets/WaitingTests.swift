import GameModel
import Redis
import TestSupport
import Testing

@testable import Matchmaking

extension MatchmakingService {
    /// When a waiting ticket leaves by itself.
    fileprivate func deadline(_ ticket: Ticket) async throws -> Int64 {
        let keys = MatchmakingKeys(duelEU)
        let reply = try await redis.send(
            RedisCommand("ZSCORE", RedisArgument(keys.deadlines), RedisArgument("t:\(ticket.id)")))
        return reply.string.flatMap(Double.init).map { Int64($0) } ?? 0
    }

    /// How often Redis ran scripts and commands so far, by name.
    func calls(_ command: String) async throws -> Int {
        let text = try await redis.send(RedisCommand("INFO", "commandstats")).string ?? ""
        let line = text.split(whereSeparator: \.isNewline).first { $0.hasPrefix("cmdstat_\(command):calls=") }
        return line?.split(separator: "=").dropFirst().first?.split(separator: ",").first.flatMap { Int($0) } ?? 0
    }
}

@Suite("A ticket that waits")
struct WaitingTests {
    @Test("leaves when nobody asks for it any more, and stays for as long as somebody does, up to its longest wait")
    func abandoned() async throws {
        try await withRedis { redis, _ in
            let rules = duels {
                $0.abandonedSeconds = 60
                $0.waitSecondsMax = 90
            }
            let service = MatchmakingService(redis: redis, rules: rules, logger: testLogger)
            let ticket = try await service.queue("p")
            let queuedAt = ticket.queuedAt.milliseconds
            #expect(try await service.deadline(ticket) == queuedAt + 60_000)

            // Somebody asks half a minute before the end: as long again from then on, but not past the longest wait.
            try await service.makeOverdue(ticket.id)
            await service.touch(ticket)
            let touched = try await service.deadline(ticket)
            #expect((queuedAt + 60_000...queuedAt + 90_000).contains(touched))
            try await service.settleDeadlines()
            #expect(try await service.state(ticket) == .queued)
            let keys = MatchmakingKeys(duelEU)
            _ = try await redis.send(RedisCommand("HSET", RedisArgument(keys.ticket(ticket.id)), "maxWait", "1000"))
            await MatchmakingService(redis: redis, rules: rules, logger: testLogger).touch(ticket)
            #expect(try await service.deadline(ticket) == queuedAt + 1_000)
            _ = try await redis.send(RedisCommand("HSET", RedisArgument(keys.ticket(ticket.id)), "maxWait", "90000"))

            try await service.makeOverdue(ticket.id)
            try await service.settleDeadlines()
            let ended = try await service.ticket(ticket.id)
            #expect(ended?.state == .expired && ended?.reason == "abandoned")
            #expect(try await service.claim(of: "p") == nil)

            let second = try await service.queue("p")
            try await service.makeDue(second.id)
            try await service.settleDeadlines()
            #expect(try await service.ticket(second.id)?.reason == "waited-too-long")
        }
    }

    @Test("has as long again to be asked for when its match came to nothing")
    func afterAMatch() async throws {
        try await withRedis { redis, _ in
            let service = MatchmakingService(
                redis: redis, rules: duels { $0.abandonedSeconds = 60 }, logger: testLogger)
            let lease = try await service.takePool("r")
            let one = try await service.queue("one")
            let two = try await service.queue("two")
            // Queued long ago, so that only the sign of life counts.
            let key = RedisArgument(MatchmakingKeys(duelEU).ticket(one.id))
            _ = try await redis.send(RedisCommand("HINCRBY", key, "queuedAt", "-300000"))
            _ = try await service.propose([one, two], lease: lease)
            _ = try await service.accept(one.id)
            let before = try await RedisClock.read(redis).now.milliseconds
            _ = try await service.decline(two.id)
            let after = try await RedisClock.read(redis).now.milliseconds
            #expect((before + 60_000...after + 60_000).contains(try await service.deadline(one)))
        }
    }

    @Test("is asked for a thousand times at the cost of one call; where tickets are never abandoned, at none")
    func touches() async throws {
        try await withRedis { redis, _ in
            for (seconds, expected) in [(60.0, 1), (0, 0)] {
                let rules = duels { $0.abandonedSeconds = seconds }
                let service = MatchmakingService(redis: redis, rules: rules, logger: testLogger)
                let ticket = try await service.queue("p\(expected)")
                let before = try await service.calls("zadd")
                for _ in 0..<1_000 { await service.touch(ticket) }
                #expect(try await service.calls("zadd") - before == expected)
            }
        }
    }

    @Test("counts as abandoned by the rules it was created by, whatever rules come later, and is touched by those")
    func touchedAfterReload() async throws {
        try await withRedis { redis, _ in
            let first = MatchmakingService(
                redis: redis, rules: duels { $0.abandonedSeconds = 60 }, logger: testLogger)
            let ticket = try await first.queue("p")
            #expect(ticket.quiet == .seconds(60))
            #expect(try await first.ticket(ticket.id) == ticket)
            let later = MatchmakingService(
                redis: redis, rules: duels { $0.abandonedSeconds = 0 }, logger: testLogger)
            try await later.makeOverdue(ticket.id)
            await later.touch(try #require(await later.ticket(ticket.id)))
            try await later.settleDeadlines()
            #expect(try await later.state(ticket) == .queued)
        }
    }

    @Test("ends in its time beside others whose keys hold something else, which are passed over")
    func besideCorrupt() async throws {
        try await withRedis { redis, _ in
            let service = MatchmakingService(redis: redis, rules: duels(), logger: testLogger)
            let keys = MatchmakingKeys(duelEU)
            let sound = try await service.queue("sound")
            try await service.makeDue(sound.id)
            let corrupt = TicketID(in: duelEU, ULID())
            let match = MatchID(in: duelEU, ULID())
            for key in [keys.ticket(corrupt), keys.match(match)] {
                _ = try await redis.send(RedisCommand("SET", RedisArgument(key), "x"))
            }
            for member in ["t:\(corrupt)", "m:\(match)", "b:\(corrupt)"] {
                _ = try await redis.send(
                    RedisCommand("ZADD", RedisArgument(keys.deadlines), "0", RedisArgument(member)))
            }
            try await service.settleDeadlines()
            #expect(try await service.state(sound) == .expired)
            #expect(try await service.claim(of: "sound") == nil)
            let left = try await redis.send(RedisCommand("ZCARD", RedisArgument(keys.deadlines)))
            #expect(left == .integer(0))
        }
    }

    @Test("is remembered for its signs of life within bounds, however many there are")
    func bounds() {
        let clients = WaitingClients()
        let start = ContinuousClock.now
        for number in 0..<(WaitingClients.touchesMax + 10) {
            #expect(clients.isTouchDue(TicketID("t\(number)"), every: .seconds(20), at: start))
        }
        #expect(clients.touchCount <= WaitingClients.touchesMax)
        // Old ones give way first.
        let later = start + .seconds(30)
        for number in 0..<WaitingClients.touchesMax {
            #expect(clients.isTouchDue(TicketID("u\(number)"), every: .seconds(20), at: later))
        }
        #expect(!clients.isTouchDue(TicketID("u1"), every: .seconds(20), at: later + .seconds(19)))
        #expect(clients.isTouchDue(TicketID("u1"), every: .seconds(20), at: later + .seconds(20)))
    }

    @Test("knows its place, how many wait, and how long the last ones waited")
    func progress() async throws {
        try await withRedis { redis, _ in
            let service = MatchmakingService(redis: redis, rules: duels(), logger: testLogger)
            var tickets: [Ticket] = []
            for player in ["a", "b", "c"] {
                tickets.append(try await service.queue(player))
                // Apart by a millisecond at least, that the order is theirs.
                let now = try await RedisClock.read(redis).now
                try await eventually("the clock moves") { try await RedisClock.read(redis).now > now }
            }
            let first = try await service.progress(of: tickets[2])
            #expect(first == TicketProgress(position: 3, waiting: 3, estimate: nil))
            let standing = try #require(try await service.standing(of: tickets[2].id))
            #expect(standing.ticket == tickets[2] && standing.progress == first)
            #expect(try await service.standing(of: TicketID(in: duelEU, ULID())) == nil)

            let waits = RedisArgument(MatchmakingKeys(duelEU).waits)
            // The newest first; what is past the last 200 is of another day.
            let old = (0..<300).map { _ in "3600000" }
            let values = (1...200).map { "\($0 * 1_000)" } + old
            _ = try await redis.send(RedisCommand([RedisArgument("RPUSH"), waits] + values.map { RedisArgument($0) }))
            let other = MatchmakingService(redis: redis, rules: duels(), logger: testLogger)
            let second = try await other.progress(of: tickets[0])
            #expect(second?.position == 1 && second?.waiting == 3)
            #expect(second?.estimate?.p50 == .seconds(100) && second?.estimate?.p90 == .seconds(180))

            _ = try await service.cancel(tickets[0].id)
            #expect(try await service.progress(of: tickets[0]) == nil)
            #expect(try await service.progress(of: try #require(try await service.ticket(tickets[0].id))) == nil)
        }
    }

    @Test("costs one call to say its place, the pool's figures being read once a second for all clients")
    func progressCost() async throws {
        try await withRedis { redis, _ in
            let service = MatchmakingService(redis: redis, rules: duels(), logger: testLogger)
            let ticket = try await service.queue("p")
            let start = ContinuousClock.now
            for _ in 0..<50 { _ = try await service.progress(of: ticket) }
            let seconds = Int((ContinuousClock.now - start).components.seconds)
            #expect(try await service.calls("zrank") == 50)
            // More than one read only where the 50 calls took longer than a second.
            #expect(try await service.calls("lrange") <= 1 + seconds)
        }
    }

    @Test("finds its player again when the match is under way: match and connection are told to who lost everything")
    func reconnect() async throws {
        try await withRedis { redis, _ in
            let service = MatchmakingService(redis: redis, rules: duels(), logger: testLogger)
            let lease = try await service.takePool("r")
            let tickets = [try await service.queue("one"), try await service.queue("two")]
            guard case .proposed(let match) = try await service.propose(tickets, lease: lease) else {
                Issue.record("not proposed")
                return
            }
            for ticket in tickets { _ = try await service.accept(ticket.id) }
            let assignment = Assignment(instanceId: InstanceID("i-1"), host: "10.0.0.1", port: 7_000)
            try await service.markReady(match, assignment)
            let active = try await service.activeTicket(of: PlayerID("two"))
            #expect(active?.id == tickets[1].id && active?.state == .ready)
            #expect(active?.match == match && active?.assignment == assignment)
            _ = try await service.finish(match)
            #expect(try await service.activeTicket(of: PlayerID("two")) == nil)
        }
    }

    @Test("takes 1 KiB of Redis's memory at most: its hash, its places in queue and deadlines, claim and change")
    func memory() async throws {
        try await withRedis { redis, _ in
            // All regions together, so that a ticket holds latencies to all of them.
            var mode = ModeRules(teamSize: 1)
            mode.scope = .together
            mode.abandonedSeconds = 60
            let rules = MatchmakingRules(
                modes: [Mode("duel"): mode], regions: [Region("eu"), Region("us"), Region("ap")])
            let pool = Pool(mode: Mode("duel"), region: .everywhere)
            let service = MatchmakingService(redis: redis, rules: rules, logger: testLogger)
            let count = 4_000
            var random = SplitMix64(seed: 7)
            var last: Ticket?
            // Scripts and buffers are there before it is measured.
            var before = 0
            for number in -10..<count {
                if number == 0 { before = try await usedMemory(redis) }
                let player = PlayerID("\(ULID(at: Instant(milliseconds: Int64(number + 10)), using: &random))")
                let leader = TicketMember(
                    player: player, skill: Skill(rating: 1_487.251_948_3, deviation: 92.538_172_4), games: 118,
                    streak: 2,
                    latencies: [Region("eu"): 23.5, Region("us"): 108.253_71, Region("ap"): 212])
                last = try await service.createTicket(
                    TicketRequest(leader: leader, mode: Mode("duel"), region: Region("eu")))
            }
            let grown = (try await usedMemory(redis) - before) / count
            let ticket = try #require(last)
            let keys = MatchmakingKeys(pool)
            let hash = try await memory(keys.ticket(ticket.id), redis)
            let claim = try await memory(MatchmakingKeys.claim(ticket.player), redis)
            let queue = try await memory(keys.queue, redis) / count
            let deadlines = try await memory(keys.deadlines, redis) / count
            let changes = try await memory(keys.changes, redis) / count
            let sum = hash + claim + queue + deadlines + changes
            print(
                "FIGURE bytes of Redis per waiting ticket: hash \(hash), claim \(claim), queue \(queue), "
                    + "deadlines \(deadlines), change \(changes): \(sum); by used_memory \(grown)")
            #expect(sum <= 1_024)
            #expect(
                try await redis.send(
                    RedisCommand("OBJECT", "ENCODING", RedisArgument(keys.ticket(ticket.id)))
                ).string == "listpack")
        }
    }

    private func memory(_ key: RedisKey, _ redis: RedisClient) async throws -> Int {
        let reply = try await redis.send(RedisCommand("MEMORY", "USAGE", RedisArgument(key), "SAMPLES", "0"))
        return reply.int ?? 0
    }

    private func usedMemory(_ redis: RedisClient) async throws -> Int {
        let text = try await redis.send(RedisCommand("INFO", "memory")).string ?? ""
        let line = text.split(whereSeparator: \.isNewline).first { $0.hasPrefix("used_memory:") }
        return line.flatMap { Int($0.dropFirst(12)) } ?? 0
    }
}

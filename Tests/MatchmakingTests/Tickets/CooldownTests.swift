import GameModel
import Redis
import TestSupport
import Testing

@testable import Matchmaking

private let duoEU = Pool(mode: Mode("duo"), region: Region("eu"))

/// Two against two in Europe only; who lets others down waits a minute, then two, then four.
private func duos(_ change: (inout ModeRules) -> Void = { _ in }) -> MatchmakingRules {
    var rules = ModeRules(teamSize: 2, acceptSeconds: 600)
    rules.cooldown = CooldownRule(seconds: 60, factor: 2, secondsMax: 200, forgetSeconds: 3_600)
    change(&rules)
    return MatchmakingRules(modes: [Mode("duo"): rules], regions: [Region("eu")])
}

extension MatchmakingService {
    /// A party of two, queued.
    fileprivate func pair(_ leader: String, _ other: String) async throws -> Ticket {
        let ticket = try await createTicket(
            TicketRequest(
                leader: TicketMember(player: PlayerID(leader)), mode: Mode("duo"), region: Region("eu"),
                party: [PlayerID(other)]))
        return try await join(ticket.id, TicketMember(player: PlayerID(other)))
    }

    /// A match of the two parties ada + bob and cyd + dan.
    fileprivate func proposePairs() async throws -> (match: MatchID, one: Ticket, two: Ticket) {
        let one = try await pair("ada", "bob")
        let two = try await pair("cyd", "dan")
        let outcome = try await propose([one, two], in: duoEU, lease: try await takePool("r", duoEU))
        guard case .proposed(let match) = outcome else { throw MatchmakingError.ticketGone(one.id) }
        return (match, one, two)
    }

    /// Whether a player is held back for so many seconds from a moment on that came after `start`.
    fileprivate func isHeldBack(_ player: String, for seconds: Int, since start: Instant) async throws -> Bool {
        guard let until = try await cooldown(of: PlayerID(player)) else { return false }
        let began = until - .seconds(seconds)
        let now = try await RedisClock.read(redis).now
        return start <= began && began <= now
    }

    fileprivate func expectFree(_ players: [String], but guilty: [String]) async throws {
        for player in players {
            #expect(try await claim(of: player) == nil, "\(player)")
            #expect((try await cooldown(of: PlayerID(player)) != nil) == guilty.contains(player), "\(player)")
        }
    }
}

@Suite("Acceptance and cooldown")
struct CooldownTests {
    @Test("a ticket is accepted when each of its players has, a match when all have")
    func eachPlayer() async throws {
        try await withRedis { redis, _ in
            let service = MatchmakingService(redis: redis, rules: duos(), logger: testLogger)
            let (match, one, two) = try await service.proposePairs()
            let ada = PlayerID("ada")
            let first = try await service.accept(one.id, by: ada)
            #expect(first.state == .proposed && first.accepted == [ada])
            #expect(try await service.accept(one.id, by: ada).state == .proposed, "again")
            #expect(try await service.ticket(one.id) == first, "what is answered is what Redis holds")
            let second = try await service.accept(one.id, by: PlayerID("bob"))
            #expect(second.state == .accepted && second.accepted == Set(one.players))
            #expect(try await service.ticket(one.id) == second)
            #expect(try await service.match(match)?.state == .proposed)
            _ = try await service.accept(two.id, by: PlayerID("dan"))
            #expect(try await service.accept(two.id, by: PlayerID("cyd")).state == .placing)
            #expect(try await service.match(match)?.state == .placing)
            #expect(try await service.accept(one.id, by: ada).state == .placing, "again")
            await #expect(throws: MatchmakingError.foreignTicket(two.id)) {
                try await service.accept(two.id, by: ada)
            }
        }
    }

    @Test("who declines is named and cooled down; the rest of the party is free, the other party queued as before")
    func decline() async throws {
        try await withRedis { redis, _ in
            let service = MatchmakingService(redis: redis, rules: duos(), logger: testLogger)
            let (_, one, two) = try await service.proposePairs()
            _ = try await service.accept(two.id)
            _ = try await service.accept(one.id, by: PlayerID("ada"))
            let start = try await RedisClock.read(redis).now
            let ended = try await service.decline(one.id, by: PlayerID("bob"))
            #expect(ended.state == .declined && ended.endedBy == [PlayerID("bob")])
            let back = try await service.ticket(two.id)
            #expect(back?.state == .queued && back?.queuedAt == two.queuedAt && back?.accepted == [])
            try await service.expectFree(["ada", "bob"], but: ["bob"])
            #expect(try await service.isHeldBack("bob", for: 60, since: start))
            let until = try #require(try await service.cooldown(of: PlayerID("bob")))
            await #expect(throws: MatchmakingError.coolingDown(until: until)) {
                try await service.pair("bob", "ada")
            }
            let party = try await service.createTicket(
                TicketRequest(
                    leader: TicketMember(player: PlayerID("ada")), mode: Mode("duo"), region: Region("eu"),
                    party: [PlayerID("bob")]))
            await #expect(throws: MatchmakingError.coolingDown(until: until)) {
                try await service.join(party.id, TicketMember(player: PlayerID("bob")))
            }
        }
    }

    @Test("who keeps silent is cooled down, not who accepted in the same party; the other party is queued as before")
    func silence() async throws {
        try await withRedis { redis, _ in
            let service = MatchmakingService(redis: redis, rules: duos(), logger: testLogger)
            let (match, one, two) = try await service.proposePairs()
            _ = try await service.accept(two.id)
            _ = try await service.accept(one.id, by: PlayerID("ada"))
            try await service.makeDue(match)
            try await service.settleDeadlines(of: duoEU)
            let ended = try await service.ticket(one.id)
            #expect(ended?.state == .expired && ended?.reason == "not-accepted")
            #expect(ended?.endedBy == [PlayerID("bob")])
            let back = try await service.ticket(two.id)
            #expect(back?.state == .queued && back?.queuedAt == two.queuedAt)
            try await service.expectFree(["ada", "bob"], but: ["bob"])
        }
    }

    @Test("withdrawing from a proposed match is a decline by another name; withdrawing while waiting is not")
    func withdrawal() async throws {
        try await withRedis { redis, _ in
            let service = MatchmakingService(redis: redis, rules: duos(), logger: testLogger)
            let (_, one, two) = try await service.proposePairs()
            _ = try await service.accept(one.id, by: PlayerID("ada"))
            let ended = try await service.cancel(one.id, by: PlayerID("ada"))
            #expect(ended.state == .cancelled && ended.reason == "left-proposal")
            try await service.expectFree(["ada", "bob"], but: ["ada"])
            #expect(try await service.cancel(two.id, by: PlayerID("cyd")).reason == "by-player")
            try await service.expectFree(["cyd", "dan"], but: [])
        }
    }

    @Test("a ticket that an operator cancels is nobody's fault")
    func operatorCancels() async throws {
        try await withRedis { redis, _ in
            let service = MatchmakingService(redis: redis, rules: duos(), logger: testLogger)
            let (_, one, two) = try await service.proposePairs()
            #expect(try await service.cancel(one.id).state == .cancelled)
            try await service.expectFree(["ada", "bob"], but: [])
            #expect(try await service.ticket(two.id)?.state == .queued)
        }
    }

    @Test("grows by its factor up to its most, counts each match once, and is forgotten after a while without another")
    func escalation() async throws {
        try await withRedis { redis, _ in
            let service = MatchmakingService(redis: redis, rules: duos(), logger: testLogger)
            let quitter = PlayerID("ada")
            for expected in [60, 120, 200, 200] {
                let match = MatchID(in: duoEU, ULID())
                let start = try await RedisClock.read(redis).now
                let until = try await service.penalise(quitter, for: match)
                #expect(try await service.penalise(quitter, for: match) == until, "the same match again")
                #expect(try await service.isHeldBack("ada", for: expected, since: start))
            }
            // An hour ago, as it were.
            let key = RedisArgument(MatchmakingKeys.cooldown(quitter))
            _ = try await redis.send(RedisCommand("HSET", key, "last", "1", "until", "1"))
            #expect(try await service.cooldown(of: quitter) == nil)
            let start = try await RedisClock.read(redis).now
            _ = try await service.penalise(quitter, for: MatchID(in: duoEU, ULID()))
            #expect(try await service.isHeldBack("ada", for: 60, since: start))
            let left = try await redis.send(RedisCommand("PTTL", key)).int ?? 0
            #expect((1...3_600_000).contains(left))
        }
    }

    @Test("is over by Redis's clock, and is nothing where the mode has none")
    func over() async throws {
        try await withRedis { redis, _ in
            let service = MatchmakingService(
                redis: redis, rules: duos { $0.cooldown = CooldownRule() }, logger: testLogger)
            let (_, one, _) = try await service.proposePairs()
            _ = try await service.decline(one.id, by: PlayerID("ada"))
            try await service.expectFree(["ada", "bob"], but: [])
            #expect(try await service.penalise(PlayerID("ada"), for: MatchID(in: duoEU, ULID())) == nil)
            // One that ended a moment ago holds nobody back.
            let key = RedisArgument(MatchmakingKeys.cooldown(PlayerID("ada")))
            let now = try await RedisClock.read(redis).now.milliseconds
            _ = try await redis.send(RedisCommand("HSET", key, "count", "3", "until", RedisArgument(now - 1)))
            #expect(try await service.pair("ada", "bob").state == .queued)
        }
    }

    @Test("is given to the guilty by their next request, where the process died that should have given it")
    func crash() async throws {
        try await withRedis { redis, _ in
            let service = MatchmakingService(redis: redis, rules: duos(), logger: testLogger)
            let (_, one, _) = try await service.proposePairs()
            _ = try await service.decline(one.id, by: PlayerID("bob"))
            // As if the script had run, and nothing after it.
            for player in one.players {
                let keys = [MatchmakingKeys.claim(player), MatchmakingKeys.cooldown(player)]
                _ = try await redis.send(RedisCommand("DEL", RedisArgument(keys[0])))
                _ = try await redis.send(RedisCommand("DEL", RedisArgument(keys[1])))
                _ = try await PlayerClaims(redis: redis).claim(player, for: one.id, lifeMs: 60_000)
            }
            let start = try await RedisClock.read(redis).now
            await #expect {
                try await service.pair("bob", "eve")
            } throws: { error in
                if case MatchmakingError.coolingDown = error { true } else { false }
            }
            #expect(try await service.isHeldBack("bob", for: 60, since: start))
            #expect(try await service.pair("ada", "eve").state == .queued, "the innocent is free at once")
        }
    }
}

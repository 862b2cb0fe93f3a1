import Foundation
import GameModel
import Jobs
import Redis
import TestSupport
import Testing

@testable import Matchmaking

@Suite("A ticket")
struct TicketFlowTests {
    @Test("matches read and made ready together are told of each by itself: one that is bad takes none with it")
    func manyMatches() async throws {
        try await withRedis { redis, _ in
            let service = MatchmakingService(
                redis: redis, rules: duels { $0.needsAcceptance = false }, logger: testLogger)
            let lease = try await service.takePool("r")
            var found: [MatchID] = []
            for pair in 0..<3 {
                let tickets = [try await service.queue("a\(pair)"), try await service.queue("b\(pair)")]
                _ = try await service.propose(tickets, lease: lease)
                found.append(try #require(try await service.ticket(tickets[0].id)?.match))
            }
            let (unknown, broken) = (MatchID(in: duelEU, ULID()), MatchID(in: duelEU, ULID()))
            _ = try await redis.send(["SET", RedisArgument(MatchmakingKeys(duelEU).match(broken)), "text"])
            let read = await service.matches([found[0], unknown, MatchID("nonsense"), broken, found[1], found[2]])
            for (index, match) in [(0, found[0]), (4, found[1]), (5, found[2])] {
                #expect(try read[index].get()?.id == match)
                #expect(try await service.match(match) == read[index].get())
            }
            #expect(try read[1].get() == nil && read[2].get() == nil)
            #expect(throws: MatchmakingError.self) { try read[3].get() }

            let known = try [0, 4, 5].map { try #require(try read[$0].get()) }
            try await service.failPlacement(found[1], reason: "no-instance")
            let assignment = Assignment(instanceId: InstanceID("i-1"), host: "10.0.0.1", port: 7_000)
            let refusals = await service.markReady(known.map { ($0, assignment) })
            #expect(refusals == [nil, .matchState(found[1], .failed, action: "make ready"), nil])
            #expect(try await service.match(found[0])?.assignment == assignment)
            #expect(try await service.match(found[2])?.state == .ready)
            #expect(await service.markReady([(known[0], assignment)]) == [nil], "again")
        }
    }

    @Test("is refused for modes, regions, latencies and characters that can't be")
    func refusals() async throws {
        try await withRedis { redis, _ in
            let service = MatchmakingService(redis: redis, rules: duels(), logger: testLogger)
            let player = PlayerID("p")
            let duel = Mode("duel")
            let eu = Region("eu")
            let cases: [(TicketRequest, MatchmakingError)] = [
                (
                    TicketRequest(player: player, mode: Mode("chess"), region: eu),
                    .unknownMode(Mode("chess"), known: [duel])
                ),
                (
                    TicketRequest(player: player, mode: duel, region: Region("mars")),
                    .unknownRegion(Region("mars"), known: [eu])
                ),
                (
                    TicketRequest(player: player, mode: duel, region: eu, latencies: [eu: .nan]),
                    .invalidLatency(eu, value: "nan")
                ),
                (
                    TicketRequest(player: player, mode: duel, region: eu, latencies: [eu: -1]),
                    .invalidLatency(eu, value: "-1.0")
                ),
                (
                    TicketRequest(player: player, mode: duel, region: eu, latencies: [eu: 5_001]),
                    .invalidLatency(eu, value: "5001.0")
                ),
                (
                    TicketRequest(player: player, mode: duel, region: eu, character: "A b"),
                    .invalidCharacter("A b")
                ),
            ]
            for (request, error) in cases {
                await #expect(throws: error) { try await service.createTicket(request) }
            }
            // Nothing was left behind: the player can queue.
            let ticket = try await service.queue("p")
            #expect(ticket.state == .queued)
        }
    }

    @Test("is the player's only one until it ends")
    func oneActive() async throws {
        try await withRedis { redis, _ in
            let service = MatchmakingService(redis: redis, rules: duels(), logger: testLogger)
            let first = try await service.queue("p")
            await #expect(throws: MatchmakingError.ticketActive(first.id)) { try await service.queue("p") }
            #expect(try await service.activeTicket(of: PlayerID("p"))?.id == first.id)
            #expect(try await service.cancel(first.id).state == .cancelled)
            #expect(try await service.cancel(first.id).state == .cancelled, "again")
            #expect(try await service.activeTicket(of: PlayerID("p")) == nil)
            let second = try await service.queue("p")

            // Its process died before it freed the claim: the claim points to a ticket that ended.
            let keys = MatchmakingKeys(duelEU)
            let claim = MatchmakingKeys.claim(PlayerID("p"))
            _ = try await service.cancel(second.id)
            _ = try await redis.send(RedisCommand("SET", RedisArgument(claim), RedisArgument(second.id.rawValue)))
            let third = try await service.queue("p")

            // Its hash is gone.
            _ = try await redis.send(RedisCommand("DEL", RedisArgument(keys.ticket(third.id))))
            #expect(try await service.queue("p").state == .queued)
        }
    }

    @Test("that was claimed for and not created holds nobody back, and can't be created late: no player has two")
    func lateCreation() async throws {
        try await withRedis { redis, _ in
            let service = MatchmakingService(redis: redis, rules: duels(), logger: testLogger)
            let request = TicketRequest(player: PlayerID("p"), mode: Mode("duel"), region: Region("eu"))
            let late = TicketID(in: duelEU, ULID())
            // Where a process was paused, or its call to create the ticket failed.
            _ = try await PlayerClaims(redis: redis).claim(request.player, for: late, lifeMs: 60_000)
            let ticket = try await service.queue("p")
            await #expect(throws: MatchmakingError.ticketActive(ticket.id)) {
                try await service.create(request, late, ModeRules(teamSize: 1))
            }
            #expect(try await service.ticket(late) == nil)
            #expect(try await service.activeTicket(of: request.player)?.id == ticket.id)
        }
    }

    @Test("wins the race for its player alone")
    func race() async throws {
        try await withRedis { redis, _ in
            let service = MatchmakingService(redis: redis, rules: duels(), logger: testLogger)
            let created = await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<30 {
                    group.addTask {
                        do {
                            _ = try await service.queue("p")
                            return true
                        } catch {
                            return false
                        }
                    }
                }
                return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(created == 1)
            let depth = try await service.depth(of: duelEU)
            #expect(depth.waiting.count == 1)
        }
    }

    @Test("goes from queue to finish, and the last acceptance enqueues one allocation")
    func wholeLife() async throws {
        try await withRedis { redis, _ in
            let service = MatchmakingService(redis: redis, rules: duels(), logger: testLogger)
            let lease = try await service.takePool("r")
            let one = try await service.queue("one", rating: 1_480)
            let two = try await service.queue("two", rating: 1_520)
            guard case .proposed(let match) = try await service.propose([one, two], lease: lease) else {
                Issue.record("not proposed")
                return
            }
            let proposed = try await service.ticket(one.id)
            #expect(proposed?.state == .proposed && proposed?.match == match && proposed?.acceptBy != nil)
            await #expect(throws: MatchmakingError.foreignTicket(one.id)) {
                try await service.accept(one.id, by: two.player)
            }
            #expect(try await service.accept(one.id, by: one.player).state == .accepted)
            #expect(try await service.accept(one.id).state == .accepted, "again")
            #expect(try await service.accept(two.id).state == .placing)
            #expect(try await service.accept(two.id).state == .placing, "again")

            let queue = JobQueue(name: AllocateInstance.queue(of: duelEU), redis: redis)
            #expect(try await queue.counts().waiting == 1)
            let job = try await allocation(of: match, redis)
            #expect(job.matchId == match && job.pool == duelEU)
            #expect(job.teams.map { $0.map(\.playerId.rawValue) } == [["one"], ["two"]])
            #expect(job.teams[1][0].rating == 1_520 && job.teams[1][0].ticketId == two.id)

            let assignment = Assignment(instanceId: InstanceID("i-1"), host: "10.0.0.1", port: 7_000)
            try await service.markReady(match, assignment)
            try await service.markReady(match, assignment)
            let other = Assignment(instanceId: InstanceID("i-2"), host: "10.0.0.2", port: 7_000)
            await #expect(throws: MatchmakingError.matchState(match, .ready, action: "make ready")) {
                try await service.markReady(match, other)
            }
            #expect(try await service.ticket(two.id)?.assignment == assignment)
            await #expect(throws: MatchmakingError.ticketActive(one.id)) { try await service.queue("one") }
            #expect(try await service.finish(match))
            #expect(try await service.finish(match) == false)
            #expect(try await service.state(one) == .finished)
            #expect(try await service.queue("one").state == .queued)
        }
    }

    /// The payload of a match's allocation job, as a worker would read it.
    private func allocation(of match: MatchID, _ redis: RedisClient) async throws -> AllocateInstance {
        let keys = JobKeys(AllocateInstance.queue(of: duelEU)).forEnqueue
        let reply = try await redis.send(
            RedisCommand("HGET", RedisArgument(keys[0]), RedisArgument(AllocateInstance.id(of: match).rawValue)))
        let bytes = try #require(reply.bytes)
        let end = try #require(bytes.firstIndex(of: UInt8(ascii: "\n")))
        return try JSONDecoder().decode(AllocateInstance.self, from: Data(bytes[(end + 1)...]))
    }

    @Test("keeps its queue time when another declines; who declined may queue again")
    func decline() async throws {
        try await withRedis { redis, _ in
            let service = MatchmakingService(redis: redis, rules: duels(), logger: testLogger)
            let lease = try await service.takePool("r")
            let one = try await service.queue("one")
            let two = try await service.queue("two")
            _ = try await service.propose([one, two], lease: lease)
            _ = try await service.accept(one.id)
            #expect(try await service.decline(two.id).state == .declined)
            let back = try await service.ticket(one.id)
            #expect(back?.state == .queued && back?.queuedAt == one.queuedAt && back?.match == nil)
            await #expect(throws: MatchmakingError.ticketState(one.id, .queued, action: "accept")) {
                try await service.accept(one.id)
            }
            #expect(try await service.queue("two").state == .queued)
        }
    }

    @Test("that is not accepted in time expires; who accepted is queued as before")
    func timeOut() async throws {
        try await withRedis { redis, _ in
            let service = MatchmakingService(redis: redis, rules: duels(), logger: testLogger)
            let lease = try await service.takePool("r")
            let one = try await service.queue("one")
            let two = try await service.queue("two")
            guard case .proposed(let match) = try await service.propose([one, two], lease: lease) else { return }
            _ = try await service.accept(one.id)
            try await service.settleDeadlines()
            #expect(try await service.state(two) == .proposed, "not before its time")
            try await service.makeDue(match)
            await #expect(throws: MatchmakingError.tooLate(two.id)) { try await service.accept(two.id) }
            try await service.settleDeadlines()
            #expect(try await service.ticket(one.id)?.queuedAt == one.queuedAt)
            #expect(try await service.state(one) == .queued)
            #expect(try await service.state(two) == .expired)
            #expect(try await service.queue("two").state == .queued)
        }
    }

    @Test("whose match finds no instance is queued again, and fails after too many tries")
    func placements() async throws {
        try await withRedis { redis, _ in
            let service = MatchmakingService(redis: redis, rules: duels { $0.placementsMax = 2 }, logger: testLogger)
            let lease = try await service.takePool("r")
            let tickets = [try await service.queue("one"), try await service.queue("two")]
            for expected in [TicketState.queued, .failed] {
                guard case .proposed(let match) = try await service.propose(tickets, lease: lease) else {
                    Issue.record("not proposed")
                    return
                }
                for ticket in tickets { _ = try await service.accept(ticket.id) }
                if expected == .queued {
                    #expect(try await service.failPlacement(match, reason: "fleet-full"))
                    #expect(try await service.failPlacement(match, reason: "fleet-full") == false)
                } else {
                    // Nobody said so: the deadline does.
                    try await service.makeDue(match)
                    try await service.settleDeadlines()
                }
                for ticket in tickets { #expect(try await service.state(ticket) == expected) }
                await #expect(throws: MatchmakingError.matchState(match, .failed, action: "make ready")) {
                    try await service.markReady(
                        match, Assignment(instanceId: InstanceID("i"), host: "h", port: 1))
                }
            }
            #expect(try await service.queue("one").state == .queued)
        }
    }

    @Test("is gone after Redis was lost, and its player can queue again")
    func lost() async throws {
        try await withRedis { redis, server in
            let service = MatchmakingService(redis: redis, rules: duels(), logger: testLogger)
            let ticket = try await service.queue("one")
            try await server.flush()
            #expect(try await service.ticket(ticket.id) == nil)
            await #expect(throws: MatchmakingError.ticketGone(ticket.id)) { try await service.accept(ticket.id) }
            let foreign = TicketID("chess.eu.\(ULID())")
            #expect(try await service.ticket(foreign) == nil)
            let nonsense = TicketID("nonsense")
            await #expect(throws: MatchmakingError.unknownTicket(nonsense)) { try await service.ticket(nonsense) }
            #expect(try await service.queue("one").state == .queued)
        }
    }

    @Test("of a running match whose mode left the rules still holds its player and says where the match is played")
    func modeRemoved() async throws {
        try await withRedis { redis, _ in
            let service = MatchmakingService(redis: redis, rules: duels(), logger: testLogger)
            let running = try await service.queue("one")
            let key = RedisArgument(MatchmakingKeys(duelEU).ticket(running.id))
            _ = try await redis.send(
                RedisCommand("HSET", key, "state", "ready", "instance", "i", "host", "h", "port", "1"))
            let others = MatchmakingRules(
                modes: [Mode("chess"): ModeRules(teamSize: 1)], regions: [Region("eu")])
            let later = MatchmakingService(redis: redis, rules: others, logger: testLogger)
            #expect(try await later.ticket(running.id)?.assignment?.host == "h")
            #expect(try await later.activeTicket(of: PlayerID("one"))?.id == running.id)
            await #expect(throws: MatchmakingError.ticketActive(running.id)) {
                try await later.createTicket(
                    TicketRequest(player: PlayerID("one"), mode: Mode("chess"), region: Region("eu")))
            }
        }
    }

    @Test("has a body of ASCII alone, also where it asks for players of a running match, and reads the same")
    func asciiBody() throws {
        let playing = TicketMember(player: PlayerID("p"), character: "Žižka 🛡")
        let body = TicketBody(
            members: [],
            backfill: BackfillSeats(
                match: MatchID("m"), region: Region("eu"), generation: 1, open: [1, 0], teams: [[], [playing]]))
        let text = try body.text()
        let isASCII = text.utf8.allSatisfy { $0 < 0x80 }
        #expect(isASCII)
        #expect(TicketBody(text: text) == body)
    }

    @Test("tells from its name when it was made")
    func madeAt() {
        let at = Instant(milliseconds: 1_764_020_371_123)
        var random = SplitMix64(seed: 1)
        #expect(TicketID(in: duelEU, ULID(at: at, using: &random)).madeAt == at)
        #expect(TicketID("nonsense").madeAt == nil)
    }

    @Test("rules that can't be played are refused by name")
    func rules() throws {
        try MatchmakingRules.standard.validate()
        #expect(MatchmakingRules.standard.pools.map(\.description).contains("squad:us"))
        for change: (inout ModeRules) -> Void in [
            { $0.teamSize = 0 }, { $0.teams = 51 * 2 }, { $0.teamSize = 51 }, { $0.window = .nan },
            { $0.windowMax = -1 }, { $0.acceptSeconds = 0 }, { $0.placementsMax = 0 },
        ] {
            #expect(throws: MatchmakingError.self) { try duels(change).validate() }
        }
    }
}

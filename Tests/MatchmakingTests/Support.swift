import GameModel
import Logging
import Redis
import TestSupport

@testable import Matchmaking

let duelEU = Pool(mode: Mode("duel"), region: Region("eu"))
let testLogger: Logger = {
    var logger = Logger(label: "test.matchmaking")
    logger.logLevel = .critical
    return logger
}()

/// Duels in Europe only, so that a test's ranker has one pool.
func duels(_ change: (inout ModeRules) -> Void = { _ in }) -> MatchmakingRules {
    // No proposal and no placing runs out by itself, however slow the machine is.
    var rules = ModeRules(teamSize: 1, acceptSeconds: 600, placeSeconds: 600)
    change(&rules)
    return MatchmakingRules(modes: [Mode("duel"): rules], regions: [Region("eu")])
}

extension MatchmakingService {
    func queue(_ player: String, rating: Double = 1500) async throws -> Ticket {
        try await createTicket(
            TicketRequest(
                player: PlayerID(player), mode: Mode("duel"), region: Region("eu"),
                skill: Skill(rating: rating, deviation: 80)))
    }

    func state(_ ticket: Ticket) async throws -> TicketState? { try await self.ticket(ticket.id)?.state }

    /// Returns when Redis's clock has moved on, so that who queues from then on has waited less than who did before.
    func letClockMove() async throws {
        let now = try await RedisClock.read(redis).now
        try await eventually("the clock moves") { try await RedisClock.read(redis).now > now }
    }

    /// Commits a match as a ranker that holds the pool would.
    func propose(
        _ tickets: [Ticket], in pool: Pool = duelEU, lease: String
    ) async throws -> ProposalCommitter.Outcome {
        let queued = tickets.map { QueuedTicket(id: $0.id, queuedAt: $0.queuedAt, members: $0.members) }
        let half = queued.count / 2
        let proposal = Proposal(
            anchor: queued[0], teams: [Array(queued[..<half]), Array(queued[half...])], region: pool.region)
        let committer = ProposalCommitter(
            keys: MatchmakingKeys(pool), pool: pool, rules: rules, lease: lease, redis: redis)
        return try await committer.commit([proposal])[0]
    }

    /// Takes the pool for an owner, for a day, so that no slow test outlives it; answers the lease's value.
    func takePool(_ owner: String, _ pool: Pool = duelEU) async throws -> String {
        let reply = try await redis.run(
            MatchmakingScripts.lease, keys: [MatchmakingKeys(pool).lease],
            arguments: [RedisArgument(owner), "86400000", "1"])
        return "\(owner) \(reply.int ?? 0)"
    }

    func settleDeadlines(of pool: Pool = duelEU) async throws {
        _ = try await PoolDeadlines(keys: MatchmakingKeys(pool), service: self, logger: testLogger).settle()
    }

    /// Moves a match's deadline into the past.
    func makeDue(_ match: MatchID) async throws {
        let keys = MatchmakingKeys(match.pool ?? duelEU)
        _ = try await redis.pipeline([
            RedisCommand("HSET", RedisArgument(keys.match(match)), "acceptBy", "1"),
            RedisCommand("ZADD", RedisArgument(keys.deadlines), "XX", "1", RedisArgument("m:\(match)")),
        ])
    }

    /// Lets a ticket's longest wait be over.
    func makeDue(_ ticket: TicketID) async throws {
        let keys = MatchmakingKeys(ticket.pool ?? duelEU)
        _ = try await redis.pipeline([
            RedisCommand("HSET", RedisArgument(keys.ticket(ticket)), "maxWait", "0"),
            RedisCommand("ZADD", RedisArgument(keys.deadlines), "XX", "1", RedisArgument("t:\(ticket)")),
        ])
    }
}

/// Runs the body beside rankers that end with it.
func withRankers(
    _ rankers: [Ranker], isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Void
) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
        for ranker in rankers { group.addTask { try await ranker.run() } }
        defer { group.cancelAll() }
        try await body()
    }
}

extension Ticket {
    /// The one player of a ticket without a party.
    var player: PlayerID { members[0].player }
}

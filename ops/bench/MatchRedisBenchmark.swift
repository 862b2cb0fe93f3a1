import Foundation
import GameModel
import Logging
import Matchmaking
import Redis
import Synchronization

/// Matchmaking through Redis: tickets are created, proposed by real rankers of this process, accepted by each player
/// and placed, against a server of its own. Only the instance is missing: a match is marked ready and finished by who
/// accepted last.
///
/// A player is a task that does what the API does for a client: it queues, waits by the process's one watcher until the
/// ticket is proposed, and accepts. Each ticket has a player of its own.
struct MatchRedisBenchmark: Sendable {
    /// How long tickets live in the main figure.
    var seconds = 5.0
    /// Players at once.
    var players = 3_000
    /// Tickets that wait, for the memory and for the rankers' own speed.
    var waiting = 20_000

    private static let modes = ["one", "two"].map { Mode($0) }
    private static let region = Region("bench")

    /// Duels in two pools; ratings hardly matter, so that the pace is that of Redis and not of who waits.
    private static let rules: MatchmakingRules = {
        var duel = ModeRules(teamSize: 1, window: 2_500)
        duel.cooldown = CooldownRule()
        return MatchmakingRules(
            modes: Dictionary(uniqueKeysWithValues: modes.map { ($0, duel) }), regions: [region])
    }()

    func run() async throws -> [BenchFigure] {
        let server = try BenchServer.start()
        do {
            let figures = try await measure(server.url)
            try server.stop()
            return figures
        } catch {
            try server.stop()
            throw error
        }
    }

    private func measure(_ url: String) async throws -> [BenchFigure] {
        var logger = Logger(label: "muster.bench")
        logger.logLevel = .error
        let redis = RedisClient(configuration: try RedisConfiguration(url: url), logger: logger)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await redis.run() }
            try await redis.waitUntilConnected(timeout: .seconds(10))
            let floor = MatchFloor(redis: redis, rules: Self.rules, logger: logger)
            let figures =
                try await memory(floor) + (try await ranking(floor)) + (try await lives(floor))
            group.cancelAll()
            return figures
        }
    }

    // MARK: Memory

    /// Bytes of Redis for each ticket that waits, all that belongs to it.
    private func memory(_ floor: MatchFloor) async throws -> [BenchFigure] {
        try await floor.clear()
        let before = try await CPUMeter.read(floor.redis)
        try await floor.queue(waiting, in: Self.modes[0], Self.region)
        let after = try await CPUMeter.read(floor.redis)
        try await floor.clear()
        return [
            BenchFigure("memory per waiting ticket", (after.memory - before.memory) / Double(waiting), "bytes")
                .atMost(1_024)
        ]
    }

    // MARK: Rankers alone

    /// How fast rankers propose what waits already: one a full pool, then two a full pool each.
    private func ranking(_ floor: MatchFloor) async throws -> [BenchFigure] {
        let one = try await proposing(floor, rankers: 1)
        let two = try await proposing(floor, rankers: 2)
        return [
            BenchFigure("proposed by 1 ranker, a full pool", one.rate, "tickets/s"),
            BenchFigure("proposed by 2 rankers, a full pool each", two.rate, "tickets/s").beside(
                one.rate * 1.6, "1.6 x one"),
            BenchFigure("Redis busy meanwhile", two.redisShare * 100, "% of a core"),
        ]
    }

    private func proposing(
        _ floor: MatchFloor, rankers: Int
    ) async throws -> (rate: Double, redisShare: Double) {
        try await floor.clear()
        let full = Self.modes.prefix(rankers)
        for mode in full { try await floor.queue(waiting, in: mode, Self.region) }
        let before = try await CPUMeter.read(floor.redis)
        try await floor.withRankers(rankers) {
            try await floor.wait { depth in depth.allSatisfy { $0.waiting.count < 2 } }
        }
        let after = try await CPUMeter.read(floor.redis)
        let seconds = before.seconds(to: after)
        return (Double(full.count * waiting) / seconds, (after.redis - before.redis) / 1e6 / seconds)
    }

    // MARK: Whole lives

    private func lives(_ floor: MatchFloor) async throws -> [BenchFigure] {
        try await floor.clear()
        let watcher = TicketWatcher(redis: floor.redis, rules: Self.rules, logger: floor.logger)
        let placed = Atomic<Int>(0)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await watcher.run() }
            defer { group.cancelAll() }
            var figures: [BenchFigure] = []
            try await floor.withRankers(1) {
                let calls = try await floor.calls()
                let before = try await CPUMeter.read(floor.redis)
                let end = ContinuousClock.now + .seconds(seconds)
                try await MatchFloor.concurrently(players) { player in
                    var round = 0
                    while ContinuousClock.now < end {
                        let count = try await floor.live(
                            PlayerID("p\(player)-\(round)"), Self.modes[round % 2], Self.region, watcher, until: end)
                        placed.add(count, ordering: .relaxed)
                        round += 1
                    }
                }
                let after = try await CPUMeter.read(floor.redis)
                let count = Double(max(1, placed.load(ordering: .relaxed)))
                figures = [
                    BenchFigure(
                        "whole life, \(players) players, 1 ranker", count / before.seconds(to: after), "tickets/s"
                    )
                    .atLeast(5_000),
                    BenchFigure("Redis CPU per ticket", (after.redis - before.redis) / count, "µs"),
                    BenchFigure(
                        "CPU of API, ranker and players per ticket", (after.client - before.client) / count, "µs"),
                    BenchFigure("calls of Redis per ticket", Double(try await floor.calls() - calls) / count, "calls"),
                ]
            }
            return figures
        }
    }
}

/// The matchmaking of a benchmark: its service, and what is done with it.
private struct MatchFloor: Sendable {
    let redis: RedisClient
    let logger: Logger
    let service: MatchmakingService

    init(redis: RedisClient, rules: MatchmakingRules, logger: Logger) {
        self.redis = redis
        self.logger = logger
        service = MatchmakingService(redis: redis, rules: rules, logger: logger)
    }

    static func concurrently(_ callers: Int, _ body: @escaping @Sendable (Int) async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for caller in 0..<callers { group.addTask { try await body(caller) } }
            try await group.waitForAll()
        }
    }

    /// Forgets everything; the server is the benchmark's own.
    func clear() async throws {
        _ = try await redis.send(RedisCommand("FLUSHALL"))
        _ = try await redis.send(RedisCommand("CONFIG", "RESETSTAT"))
    }

    func queue(_ count: Int, in mode: Mode, _ region: Region) async throws {
        let clients = 200
        try await Self.concurrently(clients) { client in
            for index in stride(from: client, to: count, by: clients) {
                _ = try await service.createTicket(
                    TicketRequest(
                        player: PlayerID("\(mode)-\(index)"), mode: mode, region: region,
                        skill: Skill(rating: 1_000 + Double(index % 1_000), deviation: 80),
                        latencies: [region: 20]))
            }
        }
    }

    /// Runs the body beside rankers of this process.
    func withRankers(_ count: Int, _ body: () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<count {
                let ranker = Ranker(
                    id: "bench\(index)", redis: redis, rules: service.rules,
                    timing: Ranker.Timing(tick: .milliseconds(20)), logger: logger)
                group.addTask { try await ranker.run() }
            }
            defer { group.cancelAll() }
            try await body()
        }
    }

    func wait(_ isDone: ([PoolDepth]) -> Bool) async throws {
        while !isDone(try await service.depth()) { try await Task.sleep(for: .milliseconds(5)) }
    }

    /// Commands that clients sent: the calls of scripts, and those that no script makes.
    func calls() async throws -> Int {
        let text = try await redis.send(RedisCommand("INFO", "commandstats")).expectString()
        let sent = ["evalsha", "eval", "hgetall", "xread"].map { "cmdstat_\($0):calls=" }
        return text.split(whereSeparator: \.isNewline).reduce(0) { sum, line in
            guard let name = sent.first(where: { line.hasPrefix($0) }) else { return sum }
            return sum + (Int(line.dropFirst(name.count).prefix { $0 != "," }) ?? 0)
        }
    }

    /// One ticket, from its creation until its player accepted; who accepts last places the match.
    /// - Returns: how many tickets were placed with it.
    func live(
        _ player: PlayerID, _ mode: Mode, _ region: Region, _ watcher: TicketWatcher,
        until end: ContinuousClock.Instant
    ) async throws -> Int {
        let created = try await service.createTicket(
            TicketRequest(player: player, mode: mode, region: region, latencies: [region: 20]))
        let proposed = try await watcher.next(
            of: created.id, after: .queued, within: max(.zero, end - .now) + .seconds(1)
        ) { try await service.ticket(created.id) }
        guard let proposed, proposed.state == .proposed else { return 0 }
        let accepted = try await service.accept(proposed.id)
        guard accepted.state == .placing, let match = accepted.match else { return 0 }
        try await service.markReady(match, Assignment(instanceId: InstanceID("bench"), host: "127.0.0.1", port: 7_000))
        try await service.finish(match)
        return 2
    }
}

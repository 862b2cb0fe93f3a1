import Fleet
import Foundation
import GameData
import GameModel
import Jobs
import Logging
import Matchmaking
import Records
import Redis
import ServiceLifecycle
import Telemetry

/// `muster ingest`: moves events from Redis to the files in `events`, and applies match results in `data.sqlite`.
///
/// Any number of them may run. It also relays the outbox of `data.sqlite`, so that a result whose job Redis lost is
/// applied even while no API runs.
public struct IngestProcess: Sendable {
    private let configuration: IngestConfiguration
    private let version: String
    private let logger: Logger

    /// - Parameter version: what it calls itself in the list of processes.
    public init(configuration: IngestConfiguration, version: String = "0", logger: Logger? = nil) {
        self.configuration = configuration
        self.version = version
        self.logger = logger ?? Log.logger("ingest")
    }

    /// Runs until the process is told to stop.
    public func run() async throws {
        try configuration.validate()
        let redis = RedisClient(configuration: try RedisConfiguration(url: configuration.redisURL), logger: logger)
        let rules = try RulesFile.follow(configuration.rulesFile, logger: logger)
        let folder = configuration.dataFolder
        let data = try RecordsDatabase.open(
            path: "\(folder)/data.sqlite", durability: .full, schemas: GameDataSchema.schemas, logger: logger)
        let events = try EventsRepository.open(folder: folder, logger: logger)
        do {
            try await ProcessHost.run(
                services: services(redis: redis, rules: rules, data: data, events: events), logger: logger)
        } catch {
            try data.close()
            try events.close()
            throw error
        }
        try data.close()
        try events.close()
    }

    /// The parts in the order of their start; they stop in reverse: what reads Redis before the client does.
    func services(
        redis: RedisClient, rules: FollowedRules, data: RecordsDatabase, events: EventsRepository
    ) -> [any Service] {
        let readiness = Readiness()
        readiness.register("redis") { redis.isConnected ? .ready : .notReady("no connection to Redis") }
        let boards = Leaderboards(redis: redis, database: data)
        let applier = ResultApplier(
            results: ResultsRepository(database: data),
            matchmaking: MatchmakingService(redis: redis, book: rules.book, logger: logger),
            fleet: FleetService(redis: redis), boards: boards, logger: logger)
        return rules.services + [
            redis,
            ProcessRegistry(redis: redis, role: "ingest", version: version, logger: logger),
            HealthServer(
                host: configuration.healthHost, port: configuration.healthPort, readiness: readiness,
                registry: MetricsRegistry.shared, logger: logger),
            OutboxRelay(database: data, redis: redis, kinds: [RecordMatchResult.self], logger: logger),
            JobWorker(
                queue: JobQueue(name: RecordMatchResult.queue, redis: redis), configuration: JobWorkerConfiguration(),
                handlers: [applier.handler(limit: configuration.resultsMax)], logger: logger, readiness: readiness),
            BoardKeeper(boards: boards, logger: logger),
            EventIngest(
                redis: redis, events: events, configuration: configuration.events,
                consumer: Self.consumerName(), readiness: readiness, logger: logger),
        ]
    }

    /// A name that no other process has, which also says whose it is: `4711-01J…`.
    static func consumerName() -> String { "\(ProcessInfo.processInfo.processIdentifier)-\(ULID())" }
}

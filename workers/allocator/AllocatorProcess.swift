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

/// `muster allocator`: places accepted matches on instances and keeps the instances of its regions.
///
/// Any number of them may serve a region. A match of a pool that spans the regions is placed by whichever allocator
/// takes it, also in a region whose instances another one keeps: slots are in Redis. Killed, it leaves its instances
/// running: the next one on the host adopts them. Stopped, it ends those that it started or adopted, unless
/// `allocator.stop-instances` says otherwise.
public struct AllocatorProcess: Sendable {
    private let configuration: AllocatorConfiguration
    private let version: String
    private let logger: Logger

    /// - Parameter version: what it calls itself in the list of processes.
    public init(configuration: AllocatorConfiguration, version: String = "0", logger: Logger? = nil) {
        self.configuration = configuration
        self.version = version
        self.logger = logger ?? Log.logger("allocator")
    }

    public func run() async throws {
        try configuration.validate()
        let redis = RedisClient(configuration: try RedisConfiguration(url: configuration.redisURL), logger: logger)
        let rules = try RulesFile.follow(configuration.rulesFile, logger: logger)
        let database = try RecordsDatabase.open(
            path: "\(configuration.dataFolder)/data.sqlite", durability: .full,
            schemas: GameDataSchema.schemas, logger: logger)
        do {
            try await ProcessHost.run(
                services: try services(redis: redis, rules: rules, database: database), logger: logger,
                gracefulShutdownMax: configuration.gracefulShutdownMax)
        } catch {
            try database.close()
            throw error
        }
        try database.close()
    }

    /// The parts in the order of their start; they stop in reverse: the placements first, then the instances. Pools
    /// that the rules gain while the process runs are served too.
    func services(redis: RedisClient, rules: FollowedRules, database: RecordsDatabase) throws -> [any Service] {
        let readiness = Readiness()
        readiness.register("redis") { redis.isConnected ? .ready : .notReady("no connection to Redis") }
        var services: [any Service] = [
            redis, ProcessRegistry(redis: redis, role: "allocator", version: version, logger: logger),
            HealthServer(
                host: "127.0.0.1", port: configuration.healthPort, readiness: readiness,
                registry: MetricsRegistry.shared, logger: logger),
        ]
        services += rules.services
        let book = rules.book
        let regions = configuration.regions ?? book.current.regions
        let fleet = FleetService(redis: redis, configuration: configuration.fleet)
        let matches = MatchesRepository(database: database)
        let matchmaking = MatchmakingService(redis: redis, book: book, logger: logger)
        let lost = LostMatches(fleet: fleet, matches: matches, matchmaking: matchmaking, logger: logger)
        let hearing = HeartbeatHearing(apiURL: configuration.apiURL)
        let keepers = regions.map { region in
            InstanceKeeper(
                region: region, policy: policy, fleet: fleet,
                driver: driver(), lost: lost, logger: logger,
                hears: hearing.callAsFunction)
        }
        var places: any MatchAllocator = fleet
        if configuration.drivers.kind == .agones {
            let agones = try AgonesAllocator(configuration.drivers.agones, fleet: fleet, logger: logger)
            places = agones
            services.append(agones)
        }
        let placer = MatchPlacer(
            fleet: fleet, places: places, matches: matches, balance: BalanceRepository(database: database),
            matchmaking: matchmaking,
            logger: logger
        ) { region in
            for keeper in keepers where keeper.region == region { keeper.slotsRanOut() }
        }
        services.append(InstanceKeepers(keepers: keepers))
        services.append(
            PoolPlacements(book: book, regions: regions) { pool in
                worker(pool, placer, redis, readiness)
            })
        return services
    }

    /// What keeps the instances of one region.
    private func driver() -> any InstanceDriver {
        switch configuration.drivers.kind {
        case .process: ProcessDriver(configuration: configuration.driver, logger: logger)
        case .agones: AgonesDriver()
        }
    }

    private var policy: InstanceKeeper.Policy {
        var policy = InstanceKeeper.Policy(
            instancesMin: configuration.instancesMin, instancesMax: configuration.instancesMax,
            freeSlotsMin: configuration.freeSlotsMin, slots: configuration.slots, stopGrace: configuration.stopGrace)
        policy.matchesMax = configuration.matchesMax == 0 ? nil : configuration.matchesMax
        policy.calmTime = configuration.calmTime
        policy.build = configuration.build
        policy.stopsInstances = configuration.drivers.stopsInstances
        return policy
    }

    private func worker(
        _ pool: Pool, _ placer: MatchPlacer, _ redis: RedisClient, _ readiness: Readiness
    ) -> JobWorker {
        var worker = JobWorkerConfiguration()
        worker.concurrency = configuration.concurrency
        return JobWorker(
            queue: JobQueue(name: AllocateInstance.queue(of: pool), redis: redis), configuration: worker,
            handlers: [placer.handler()], logger: logger, readiness: readiness)
    }
}

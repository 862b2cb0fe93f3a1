import Jobs
import Logging
import Matchmaking
import Redis
import ServiceLifecycle
import Telemetry

/// The process `muster ranker`: one ``Ranker``, its connection to Redis, its entry in the list of processes and its
/// health server. Several of them share the pools.
public struct RankerProcess: Sendable {
    private let configuration: RankerConfiguration
    private let version: String

    public init(configuration: RankerConfiguration, version: String = "0") {
        self.configuration = configuration
        self.version = version
    }

    /// Runs until SIGTERM or SIGINT; then its pools are given back.
    public func run() async throws {
        try configuration.validate()
        let logger = Log.logger("muster.ranker")
        let redis = RedisClient(
            configuration: try RedisConfiguration(url: configuration.redisURL), logger: Log.logger("muster.redis"))
        let readiness = Readiness()
        readiness.register("redis") { redis.isConnected ? .ready : .notReady("not connected") }
        let rules = try RulesFile.follow(configuration.rulesFile, logger: logger)
        let ranker = Ranker(redis: redis, book: rules.book, timing: configuration.timing, logger: logger)
        let health = HealthServer(
            host: configuration.healthHost, port: configuration.healthPort, readiness: readiness, registry: .shared,
            logger: logger)
        let registry = ProcessRegistry(redis: redis, role: "ranker", version: version, logger: logger)
        try await ProcessHost.run(services: [redis, health, registry] + rules.services + [ranker], logger: logger)
    }
}

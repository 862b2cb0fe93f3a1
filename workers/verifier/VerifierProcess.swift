import Jobs
import Logging
import Records
import Redis
import ServiceLifecycle
import Store
import Telemetry

/// `muster verifier`: has orders charged by the payment provider and writes their verdicts.
///
/// Any number of them may run. It also relays the outbox of `accounts.sqlite`, so that an order whose job Redis lost
/// gets its verdict even while no API runs.
public struct VerifierProcess: Sendable {
    private let configuration: VerifierConfiguration
    private let logger: Logger

    public init(configuration: VerifierConfiguration, logger: Logger? = nil) {
        self.configuration = configuration
        self.logger = logger ?? Log.logger("verifier")
    }

    /// Runs until the process is told to stop.
    public func run() async throws {
        try configuration.validate()
        let redis = RedisClient(configuration: try RedisConfiguration(url: configuration.redisURL), logger: logger)
        let database = try RecordsDatabase.open(
            path: "\(configuration.dataFolder)/accounts.sqlite", durability: .full,
            schemas: [StoreSchema.schema, Outbox.schema, ChangeLog.schema], logger: logger)
        let providers = PaymentProviders(configuration.payments, connections: configuration.concurrency)
        do {
            try await ProcessHost.run(
                services: services(redis: redis, database: database, provider: providers.all[0]), logger: logger)
        } catch {
            try await providers.shutdown()
            try database.close()
            throw error
        }
        try await providers.shutdown()
        try database.close()
    }

    /// The parts in the order of their start; they stop in reverse: what reads Redis before the client does.
    func services(
        redis: RedisClient, database: RecordsDatabase, provider: any PaymentProvider
    ) -> [any Service] {
        let readiness = Readiness()
        readiness.register("redis") { redis.isConnected ? .ready : .notReady("no connection to Redis") }
        var worker = JobWorkerConfiguration()
        worker.concurrency = configuration.concurrency
        let verification = VerifyPaymentHandler(repository: StoreRepository(database: database), provider: provider)
        return [
            redis,
            ProcessRegistry(redis: redis, role: "verifier", version: "1", logger: logger),
            HealthServer(
                host: configuration.healthHost, port: configuration.healthPort, readiness: readiness,
                registry: MetricsRegistry.shared, logger: logger),
            OutboxRelay(database: database, redis: redis, kinds: [VerifyPayment.self], logger: logger),
            JobWorker(
                queue: JobQueue(name: VerifyPayment.queue, redis: redis), configuration: worker,
                handlers: [verification.handler], logger: logger, readiness: readiness),
        ]
    }
}

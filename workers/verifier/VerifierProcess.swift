import Jobs
import Logging
import Metrics
import Records
import Redis
import ServiceLifecycle
import Store
import Telemetry

/// `muster verifier`: has orders charged by their payment providers, writes their verdicts, makes refunds, books what
/// became of charges later, and once a day compares the providers' charges with the orders.
///
/// Any number of them may run: a job runs in one of them, and a tick of the daily comparison fires once. It also relays
/// the outbox of `accounts.sqlite`, so that an order whose job Redis lost gets its verdict even while no API runs.
public struct VerifierProcess: Sendable {
    private let configuration: VerifierConfiguration
    private let version: String
    private let logger: Logger

    /// - Parameter version: what it calls itself in the list of processes.
    public init(configuration: VerifierConfiguration, version: String = "0", logger: Logger? = nil) {
        self.configuration = configuration
        self.version = version
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
                services: services(redis: redis, database: database, providers: providers.all), logger: logger)
        } catch {
            try await providers.shutdown()
            try database.close()
            throw error
        }
        try await providers.shutdown()
        try database.close()
    }

    /// The parts in the order of their start; they stop in reverse: what reads Redis before the client does.
    ///
    /// - Throws: `CronScheduleError` or `JobError` for a schedule that can't be kept.
    func services(
        redis: RedisClient, database: RecordsDatabase, providers: [any PaymentProvider]
    ) throws -> [any Service] {
        let readiness = Readiness()
        readiness.register("redis") { redis.isConnected ? .ready : .notReady("no connection to Redis") }
        let parts: [any Service] = [
            redis,
            ProcessRegistry(redis: redis, role: "verifier", version: version, logger: logger),
            HealthServer(
                host: configuration.healthHost, port: configuration.healthPort, readiness: readiness,
                registry: MetricsRegistry.shared, logger: logger),
            OutboxRelay(
                database: database, redis: redis, kinds: [VerifyPayment.self, SettleOrder.self], logger: logger),
            settling(redis, StoreRepository(database: database), providers, readiness),
        ]
        return try parts + comparing(redis, StoreRepository(database: database), providers, readiness)
    }

    /// The worker that brings orders to their ends.
    private func settling(
        _ redis: RedisClient, _ repository: StoreRepository, _ providers: [any PaymentProvider], _ readiness: Readiness
    ) -> JobWorker {
        var worker = JobWorkerConfiguration()
        worker.concurrency = configuration.concurrency
        let verification = VerifyPaymentHandler(
            repository: repository, providers: providers, timeOut: configuration.orderTimeOut)
        let settlement = SettleOrderHandler(repository: repository, providers: providers)
        return JobWorker(
            queue: JobQueue(name: VerifyPayment.queue, redis: redis), configuration: worker,
            handlers: [verification.handler, settlement.handler], logger: logger, readiness: readiness)
    }

    /// The daily comparison: its clock, and the worker that makes it.
    private func comparing(
        _ redis: RedisClient, _ repository: StoreRepository, _ providers: [any PaymentProvider], _ readiness: Readiness
    ) throws -> [any Service] {
        let queue = JobQueue(name: ReconcilePayments.queue, redis: redis)
        var worker = JobWorkerConfiguration()
        worker.concurrency = 1
        let comparison = ReconcilePaymentsHandler(
            reconciler: Reconciler(repository: repository, orderTimeOut: configuration.orderTimeOut),
            providers: providers,
            onReport: { report in
                Gauge(label: "store_reconcile_differences", dimensions: [("provider", report.provider)])
                    .record(report.found)
                Counter(label: "store_reconcile_runs_total", dimensions: [("provider", report.provider)]).increment()
            })
        let runner = JobWorker(
            queue: queue, configuration: worker, handlers: [comparison.handler], logger: logger, readiness: readiness)
        guard let schedule = configuration.reconcileCron else { return [runner] }
        let entry = try ReconcilePayments.entry(schedule: schedule, days: configuration.reconcileDays)
        return [runner, CronScheduler(table: CronTable(queue: queue), entries: [entry], logger: logger)]
    }
}

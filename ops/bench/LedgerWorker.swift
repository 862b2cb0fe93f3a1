import Jobs
import Logging
import Redis
import Telemetry

/// A job of a trial: it works for a while, and its effect is a row in the ledger.
public struct LedgerJob: Job {
    public static let kind = "bench.ledger"
    /// A trial harms workers and servers, never jobs: none may be buried for what happened to those.
    public static let options = JobOptions(
        maxAttempts: 1_000, backoff: .fixed(.milliseconds(100)), maxCrashes: 1_000)

    public let n: Int
    /// How long it works, in ms, where that is not as its worker is told.
    public let ms: Int?
    /// Only takes room.
    public let padding: String?

    public init(n: Int, ms: Int? = nil, padding: String? = nil) {
        self.n = n
        self.ms = ms
        self.padding = padding
    }
}

/// A real worker process for trying faults on: it runs the ledger jobs of one queue until it is asked to stop.
///
/// It is stubborn on purpose. Its handler takes the end of its lease for the end of the work, and writes all the same,
/// as one that calls into foreign code would: so what is tried is whether the ledger refuses that write.
public struct LedgerWorker: Sendable {
    public var redisURL: String
    public var queue: QueueName
    /// The SQLite file that all workers of the trial share.
    public var ledgerPath: String
    /// Jobs at the same time.
    public var concurrency = 16
    /// How long a job works.
    public var work = Duration.milliseconds(10)
    public var lease = JobWorkerConfiguration().leaseDuration

    public init(redisURL: String, queue: QueueName, ledgerPath: String) {
        self.redisURL = redisURL
        self.queue = queue
        self.ledgerPath = ledgerPath
    }

    /// Runs until SIGTERM or SIGINT.
    /// - Throws: where Redis's URL or a setting can't work, or the file can't be opened.
    public func run() async throws {
        let logger = Logger(label: "muster.bench.worker")
        let redis = RedisClient(configuration: try RedisConfiguration(url: redisURL), logger: logger)
        let ledger = try LedgerRepository.open(path: ledgerPath, logger: logger)
        var configuration = JobWorkerConfiguration()
        configuration.concurrency = concurrency
        configuration.leaseDuration = lease
        try configuration.validate()
        let worker = JobWorker(
            queue: JobQueue(name: queue, redis: redis), configuration: configuration,
            handlers: [.each(LedgerJob.self) { job, context in try await run(job, context, ledger) }], logger: logger)
        do {
            try await ProcessHost.run(services: [redis, worker], logger: logger)
        } catch {
            try ledger.close()
            throw error
        }
        try ledger.close()
    }

    private func run(_ job: LedgerJob, _ context: JobContext, _ ledger: LedgerRepository) async throws {
        guard try await ledger.begin(context) == .fresh else { return }
        do {
            try await Task.sleep(for: job.ms.map { .milliseconds($0) } ?? work)
        } catch {
            context.logger.notice("the work is cut short, and its effect written all the same")
        }
        // Unstructured, and awaited: a write of a cancelled task would end before the ledger could refuse it.
        let written = try await Task { try await ledger.apply(context) }.value
        if !written { context.logger.warning("the ledger refused the effect of a lost lease") }
    }
}

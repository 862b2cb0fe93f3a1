import GameModel
import Logging
import ServiceLifecycle
import Telemetry

/// Runs the jobs of all shards of a queue: a `JobWorker` for each, all under one id, with the concurrency shared out.
///
/// Of a concurrency that does not divide evenly the first shards get one more; each gets at least 1, so that more than
/// `concurrency` jobs can run where there are more shards than that. A shard does not use what another leaves idle.
/// Each idle shard blocks on a connection of its own: `blockingConnectionsMax` of the client must be as many at least.
///
/// When it is told to stop in one shard (`JobWorkers.order`) it stops in all; quiet holds for that shard alone.
public struct ShardedJobWorker: SelfStoppingService {
    /// Its name in the lists of all shards.
    public let workerID: String
    private let workers: [JobWorker]
    private let logger: Logger

    /// As `JobWorker.init`. Its readiness is that of its shards, `jobs:<name>.0` and so on.
    public init(
        queue: ShardedJobQueue, configuration: JobWorkerConfiguration = JobWorkerConfiguration(),
        handlers: [JobHandler], logger: Logger, readiness: Readiness? = nil, workerID: String? = nil
    ) {
        let id = workerID ?? ULID().description
        self.workerID = id
        self.logger = logger
        let places = shares(of: configuration.concurrency, among: queue.shards.count)
        workers = zip(queue.shards, places).map { shard, places in
            var own = configuration
            own.concurrency = max(1, places)
            return JobWorker(
                queue: shard, configuration: own, handlers: handlers, logger: logger, readiness: readiness,
                workerID: id)
        }
    }

    /// Runs until graceful shutdown or cancellation, or until one of its workers is told to stop.
    /// - Throws: as `JobWorker.run`.
    public func run() async throws {
        // A group each, so that all of them stop at the same time: one group would stop them in turn.
        let groups = workers.map { worker in
            ServiceGroup(
                configuration: ServiceGroupConfiguration(
                    services: [.init(service: worker, successTerminationBehavior: .gracefullyShutdownGroup)],
                    gracefulShutdownSignals: [], cancellationSignals: [], logger: logger))
        }
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for group in groups { tasks.addTask { try await group.run() } }
            try await tasks.next()
            for group in groups { await group.triggerGracefulShutdown() }
            try await tasks.waitForAll()
        }
    }
}

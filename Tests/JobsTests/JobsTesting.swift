import GameModel
import Logging
import Redis
import ServiceLifecycle
import Synchronization
import TestSupport

@testable import Jobs

/// A job of the tests; `n` tells them apart.
struct Add: Job {
    static let kind = "test.add"
    static let options = JobOptions(
        maxAttempts: 3, backoff: .exponential(base: .milliseconds(1), cap: .milliseconds(4), jitter: 0))
    var n = 0
}

/// What handlers saw, from any task.
final class Ledger: Sendable {
    private let runs = Mutex<[JobID: Int]>([:])
    private let notes = Mutex<[String]>([])

    func ran(_ id: JobID) { runs.withLock { $0[id, default: 0] += 1 } }
    func note(_ text: String) { notes.withLock { $0.append(text) } }
    var counts: [JobID: Int] { runs.withLock { $0 } }
    var total: Int { counts.values.reduce(0, +) }
    var noted: [String] { notes.withLock { $0 } }
}

let quiet: Logger = {
    var logger = Logger(label: "test.jobs")
    logger.logLevel = .critical
    return logger
}()

/// A queue on a Redis of its own.
func withQueue(_ body: (JobQueue, RedisServer) async throws -> Void) async throws {
    // On a starved machine a call may take long, which none of these tests is about.
    try await withRedis(configure: { $0.commandTimeout = .seconds(30) }) { client, server in
        try await body(JobQueue(name: QueueName("test"), redis: client), server)
    }
}

/// A worker's settings with which a test need not wait. Its leases are long, so that none is lost while the machine is
/// starved, and are renewed often, so that one that was taken away is noticed soon.
func quickWorker(_ change: (inout JobWorkerConfiguration) -> Void = { _ in }) -> JobWorkerConfiguration {
    var configuration = JobWorkerConfiguration()
    configuration.leaseDuration = .seconds(60)
    configuration.renewInterval = .milliseconds(100)
    configuration.blockMax = .milliseconds(200)
    change(&configuration)
    return configuration
}

/// Runs workers beside the body, then stops them gracefully and waits for their end.
func withWorkers(_ workers: [JobWorker], _ body: () async throws -> Void) async throws {
    let group = ServiceGroup(
        configuration: ServiceGroupConfiguration(
            services: workers.map { .init(service: $0) }, gracefulShutdownSignals: [], cancellationSignals: [],
            logger: quiet))
    try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask { try await group.run() }
        do {
            try await body()
        } catch {
            tasks.cancelAll()
            throw error
        }
        await group.triggerGracefulShutdown()
        try await tasks.waitForAll()
    }
}

extension JobQueue {
    func reserve(limit: Int, lease: Duration) async throws(JobError) -> Reservation {
        try await reserve(limit: limit, lease: lease, worker: "tester")
    }

    func worker(
        _ configuration: JobWorkerConfiguration = quickWorker(), _ handlers: JobHandler...
    ) -> JobWorker {
        JobWorker(queue: self, configuration: configuration, handlers: handlers, logger: quiet)
    }

    /// Waits until nothing waits, runs or is due.
    func settled() async throws {
        try await eventually("the queue is empty") {
            let counts = try await counts()
            return counts.waiting + counts.later + counts.leased == 0
        }
    }
}

import GameModel
import Jobs
import Logging
import Redis
import Synchronization

/// A job that does nothing.
struct BenchJob: Job {
    static let kind = "bench.nothing"
    let n: Int

    static func many(_ count: Int) -> [(id: JobID?, job: BenchJob)] { (0..<count).map { (nil, BenchJob(n: $0)) } }
}

/// What all measurements share: the server, a queue that no one else uses, and how long each may take.
struct Bench: Sendable {
    let redis: RedisClient
    let limits: RedisBenchmark?
    let jobs: Int
    let seconds: Double
    let deep: Bool
    let logger: Logger

    /// A queue of its own for a measurement; `discard` it after.
    func queue() -> JobQueue { JobQueue(name: QueueName("bench-" + ULID().description.lowercased()), redis: redis) }

    /// Removes all keys of a queue.
    func discard(_ queue: JobQueue) async throws {
        var cursor = "0"
        repeat {
            let pattern = RedisArgument("*{\(queue.name.rawValue)}*")
            let reply = try await redis.send(
                RedisCommand(["SCAN", RedisArgument(cursor), "MATCH", pattern, "COUNT", "1000"]))
            let parts = try reply.expectArray()
            cursor = try parts[0].expectString()
            let keys = try parts[1].expectArray().compactMap(\.string)
            if !keys.isEmpty { _ = try await redis.send(RedisCommand(["UNLINK"] + keys.map { RedisArgument($0) })) }
        } while cursor != "0"
    }

    /// Enqueues so many jobs in batches, from a few callers at once.
    func fill(_ queue: JobQueue, _ count: Int, batch: Int = 500, callers: Int = 4) async throws {
        try await concurrently(callers) { caller in
            var left = count / callers + (caller < count % callers ? 1 : 0)
            while left > 0 {
                try await queue.enqueue(BenchJob.many(min(batch, left)))
                left -= batch
            }
        }
    }

    /// Runs the body so many times at once.
    func concurrently(_ callers: Int, _ body: @escaping @Sendable (Int) async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for caller in 0..<callers { group.addTask { try await body(caller) } }
            try await group.waitForAll()
        }
    }

    /// Runs a worker for as long as the body takes.
    func withWorker(
        _ queue: JobQueue, _ handler: JobHandler, concurrency: Int = 1_000, batch: Int = 500,
        _ body: () async throws -> Void
    ) async throws {
        var configuration = JobWorkerConfiguration()
        configuration.concurrency = concurrency
        configuration.batch = batch
        let worker = JobWorker(queue: queue, configuration: configuration, handlers: [handler], logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await worker.run() }
            try await body()
            group.cancelAll()
        }
    }

    /// Waits until the queue counts so many completed jobs.
    func waitUntilCompleted(_ count: Int, _ queue: JobQueue) async throws {
        while try await queue.counts().completed < count { try await Task.sleep(for: .milliseconds(5)) }
    }
}

import Jobs
import Logging
import Redis
import ServiceLifecycle
import TestSupport
import Testing

// The example of the README, under 40 lines: a job, its handler, an enqueue, a worker.

struct Greet: Job {
    static let kind = "greet"
    let name: String
}

func greetings(redis: RedisClient, logger: Logger, said: Ledger) async throws {
    let queue = JobQueue(name: QueueName("greetings"), redis: redis)
    try await queue.enqueue(Greet(name: "Ada"), id: JobID("greet.ada"))
    try await queue.enqueue(Greet(name: "Grace"), delay: .milliseconds(20))

    let worker = JobWorker(
        queue: queue,
        handlers: [
            .each(Greet.self) { job, context in
                said.note("hello \(job.name), attempt \(context.attempt)")
            }
        ],
        logger: logger)
    try await withWorkers([worker]) {
        try await eventually("both were greeted") { said.noted.count == 2 }
    }
}

@Test("the example runs") func example() async throws {
    let said = Ledger()
    try await withRedis { redis, _ in try await greetings(redis: redis, logger: quiet, said: said) }
    #expect(said.noted == ["hello Ada, attempt 1", "hello Grace, attempt 1"])
}

import Jobs
import Logging
import Redis
import ServiceLifecycle
import TestSupport
import Testing
import UnixSignals

// README example begins
struct Greet: Job {
    static let kind = "greet"
    let name: String
}

func serveGreetings(redisURL: String, greet: @escaping @Sendable (String) -> Void) async throws {
    let logger = Logger(label: "greeter")
    let redis = RedisClient(configuration: try RedisConfiguration(url: redisURL), logger: logger)
    let queue = JobQueue(name: QueueName("greetings"), redis: redis)
    let worker = JobWorker(
        queue: queue,
        handlers: [
            .each(Greet.self) { job, context in
                greet("hello \(job.name), attempt \(context.attempt)")
            }
        ],
        logger: logger)
    let services = ServiceGroup(
        services: [redis, worker], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
    async let running: Void = services.run()

    // While it lives, a second "greet.ada" is refused.
    try await queue.enqueue(Greet(name: "Ada"), id: JobID("greet.ada"))
    try await queue.enqueue(Greet(name: "Grace"), delay: .milliseconds(20))
    try await running
}
// README example ends

@Test("the README's example runs") func example() async throws {
    let server = try await RedisServer.start()
    defer { server.stop() }
    let said = Ledger()
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await serveGreetings(redisURL: server.url) { said.note($0) } }
        try await eventually("both were greeted") { said.noted.count == 2 }
        group.cancelAll()
    }
    // A worker that looks late finds both, and runs them at once.
    #expect(said.noted.sorted() == ["hello Ada, attempt 1", "hello Grace, attempt 1"])
}

import Foundation
import Jobs
import Redis
import ServiceLifecycle
import TestSupport
import Testing

/// `muster workers` as an operator runs it.
@Suite struct WorkersTests {
    private struct Row: Decodable {
        struct Worker: Decodable {
            let name: String
            let state: String
            let pid: Int32
        }
        let id: String
        let queue: String
        let isLive: Bool
        let order: String?
        let worker: Worker
    }

    private static func list(_ url: String, _ queue: String) async throws -> [Row] {
        let ending = try await MusterUp.run(["workers", "ls", "--redis", url, "--queue", queue, "--json"])
        try #require(ending.status == 0, "\(ending.errors)")
        return try JSONDecoder().decode([Row].self, from: Data(ending.output.utf8))
    }

    @Test("a worker is listed, rests, goes on, and stops only where that is confirmed")
    func orders() async throws {
        try await withRedis { redis, server in
            let queue = JobQueue(name: QueueName("mails"), redis: redis)
            var configuration = JobWorkerConfiguration()
            configuration.name = "mailer"
            configuration.presenceInterval = .milliseconds(20)
            let worker = JobWorker(queue: queue, configuration: configuration, handlers: [], logger: testLogger)
            let group = ServiceGroup(
                configuration: ServiceGroupConfiguration(
                    services: [.init(service: worker, successTerminationBehavior: .gracefullyShutdownGroup)],
                    logger: testLogger))
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await group.run() }
                try await eventually("it lives") { try await JobWorkers(queue: queue).list().count == 1 }
                let row = try #require(try await Self.list(server.url, "mails").first)
                #expect(row.id == worker.workerID && row.queue == "mails" && row.worker.name == "mailer" && row.isLive)
                let table = try await MusterUp.run(["workers", "ls", "--redis", server.url, "--queue", "mails"])
                #expect(table.output.contains(worker.workerID) && table.output.contains("0/16"))

                func say(_ words: String...) async throws -> MusterUp.Ending {
                    try await MusterUp.run(["workers"] + words + ["--redis", server.url, "--queue", "mails"])
                }
                func isState(_ state: String) async throws {
                    try await eventually("it is \(state)") {
                        try await JobWorkers(queue: queue).list().first?.worker.state.rawValue == state
                    }
                }
                #expect(try await say("quiet", "--all").status == 0)
                try await isState("quiet")
                #expect(try await say("resume", worker.workerID).output.contains("told to run"))
                try await isState("running")

                let unknown = try await say("quiet", "nobody")
                #expect(unknown.status != 0 && unknown.errors.contains("nobody") && unknown.output.isEmpty)
                let unasked = try await say("stop", "--all")
                #expect(unasked.status != 0 && unasked.errors.contains("--yes") && unasked.output.isEmpty)
                let stop = ["workers", "stop", "--all", "--redis", server.url, "--queue", "mails"]
                await #expect(throws: TestSupportError.self) {
                    try await Terminal.run(try MusterUp.executable(), stop, typed: "n\n")
                }
                #expect(try await Self.list(server.url, "mails").first?.order == "run")
                let asked = try await Terminal.run(try MusterUp.executable(), stop, typed: "y\n")
                #expect(asked.contains { $0.contains("Stop 1 worker") && $0.contains("[y/N]") }, "\(asked)")
                try await tasks.waitForAll()
            }
            #expect(try await Self.list(server.url, "mails").isEmpty)
        }
    }

    @Test(
        "a call that leaves open which workers are meant is refused",
        arguments: [
            ["quiet"], ["quiet", "--all"], ["stop", "a", "--all", "--queue", "q", "--yes"], ["ls", "--queue", "A b"],
        ])
    func wrongCalls(_ arguments: [String]) async throws {
        let ending = try await MusterUp.run(["workers"] + arguments + ["--redis", "redis://127.0.0.1:1"])
        #expect(ending.status != 0 && ending.output.isEmpty && ending.errors.contains("Usage"))
    }

    @Test("a stopped worker's process ends in order, and its supervisor starts it again")
    func process() async throws {
        try await withMuster(["--ranker", "1", "--ingest", "1"]) { up in
            let url = try #require(try up.state()).redisUrl
            var before: [Row] = []
            try await eventually("the worker of the results has said that it lives") {
                before = try await Self.list(url, "results")
                return !before.isEmpty
            }
            let row = try #require(before.first)
            #expect(before.count == 1 && row.worker.name == "ingest")
            #expect(try up.pid(of: "ingest-1") == row.worker.pid)
            let stop = try await up.muster(["workers", "stop", row.id, "--yes"])
            #expect(stop.status == 0, "\(stop.errors)")
            try await eventually(within: .seconds(180), "another has taken its place") {
                let now = try await Self.list(url, "results")
                return now.count == 1 && now[0].id != row.id && now[0].isLive
            }
            // A busy worker may be silent for a while; one that was killed would stay so for five minutes.
            try await eventually("no worker fell silent") {
                let health = try await up.muster(["doctor", "--json"])
                return !health.output.isEmpty && !health.output.contains("fell silent")
            }
        }
    }
}

import Foundation
import GameModel
import Redis
import ServiceLifecycle
import TestSupport
import Testing

@testable import Jobs
@testable import Telemetry

/// Settings with which an order is obeyed soon.
private func attentive(_ change: (inout JobWorkerConfiguration) -> Void = { _ in }) -> JobWorkerConfiguration {
    quickWorker { configuration in
        configuration.presenceInterval = .milliseconds(20)
        change(&configuration)
    }
}

extension JobWorkers {
    /// Waits until the worker says that it does that.
    fileprivate func wait(for state: WorkerState, of id: String) async throws {
        try await eventually("worker \(id) is \(state)") {
            try await list().first { $0.id == id }?.worker.state == state
        }
    }

    /// A worker that says it lives once, and nothing after.
    fileprivate func visitor(_ queue: JobQueue, id: String, silentAfter: Duration) async throws {
        let description = WorkerDescription(
            name: "visitor", version: "7", host: "elsewhere", pid: 1, kinds: ["a"], concurrency: 1, running: 0,
            state: .running, startedAt: Instant(milliseconds: 0))
        let text = String(decoding: try JSONEncoder().encode(description), as: UTF8.self)
        _ = try await queue.run(
            WorkerScripts.presence, keys: WorkerKeys(queue.name).all,
            [RedisArgument(id), RedisArgument(silentAfter.milliseconds), 0, RedisArgument(text)])
    }
}

@Suite struct PresenceTests {
    @Test("a worker says who it is and what it does while it lives, and signs off at its end")
    func presence() async throws {
        try await withQueue { queue, _ in
            let release = Signal()
            let configuration = attentive {
                $0.name = "adder"
                $0.version = "1.2.3"
                $0.concurrency = 3
            }
            let worker = JobWorker(
                queue: queue, configuration: configuration,
                handlers: [.each(Add.self) { _, _ in await release.wait() }], logger: quiet)
            try await queue.enqueue(Add(), id: JobID("held"))
            try await withWorkers([worker]) {
                var listed: [WorkerEntry] = []
                try await eventually("it is listed with the job that it runs") {
                    listed = try await JobWorkers(queue: queue).list()
                    return listed.first?.worker.running == 1
                }
                let entry = try #require(listed.first)
                #expect(listed.count == 1 && entry.id == worker.workerID && entry.queue == queue.name)
                #expect(entry.isLive && entry.order == nil && entry.silentMs < 5_000)
                #expect(entry.worker.name == "adder" && entry.worker.version == "1.2.3")
                #expect(entry.worker.pid == Int(getpid()) && entry.worker.kinds == [Add.kind])
                #expect(entry.worker.concurrency == 3 && entry.worker.state == .running)
                release.raise()
                try await queue.settled()
            }
            try await eventually("it has signed off") {
                try await JobWorkers(queue: queue).list(includingSilent: true).isEmpty
            }
        }
    }

    @Test("a quiet worker takes no more jobs, ends what it has, stays ready, and goes on when it is told to")
    func quietAndRun() async throws {
        try await withQueue { queue, _ in
            let ledger = Ledger()
            let release = Signal()
            let readiness = Readiness()
            let worker = JobWorker(
                queue: queue, configuration: attentive { $0.readyWithin = .milliseconds(500) },
                handlers: [
                    .each(Add.self) { job, context in
                        if job.n == 1 { await release.wait() }
                        ledger.ran(context.id)
                    }
                ], logger: quiet, readiness: readiness)
            let workers = JobWorkers(queue: queue)
            try await queue.enqueue(Add(n: 1), id: JobID("before"))
            try await withWorkers([worker]) {
                try await eventually("the first runs") { try await queue.counts().leased == 1 }
                #expect(try await workers.order(id: worker.workerID, .quiet) == .told)
                try await workers.wait(for: .quiet, of: worker.workerID)
                try await queue.enqueue(Add(n: 2), id: JobID("meanwhile"))
                release.raise()
                try await eventually("the first ends") { ledger.counts[JobID("before")] == 1 }
                // Longer than the worker counts as ready without a word from the queue.
                let quietSince = ContinuousClock.now
                try await eventually("time passes") { .now - quietSince > .milliseconds(700) }
                try await eventually("it is ready all the same") {
                    await readiness.report().allSatisfy { $0.state == .ready }
                }
                #expect(ledger.total == 1)
                #expect(try await queue.counts().waiting == 1)

                #expect(try await workers.order(id: worker.workerID, .run) == .told)
                try await eventually("the second runs") { ledger.counts[JobID("meanwhile")] == 1 }
            }
        }
    }

    @Test("a worker that waits in Redis obeys at once, and the next job wakes another worker, not it")
    func wakeGoesToAnother() async throws {
        try await withQueue { queue, _ in
            let ledger = Ledger()
            // They would look by themselves only after ten minutes.
            let settings = attentive { $0.blockMax = .seconds(600) }
            let handler = JobHandler.each(Add.self) { _, context in ledger.ran(context.id) }
            let resting = JobWorker(queue: queue, configuration: settings, handlers: [handler], logger: quiet)
            let working = JobWorker(queue: queue, configuration: settings, handlers: [handler], logger: quiet)
            let workers = JobWorkers(queue: queue)
            try await withWorkers([resting, working]) {
                for round in 0..<10 {
                    try await eventually("both block") {
                        try await queue.redis.info("clients")["blocked_clients"] == "2"
                    }
                    try await workers.order(id: resting.workerID, .quiet)
                    // Before, between and after the worker's obeying: the wake-up may go to either.
                    if round.isMultiple(of: 2) { try await workers.wait(for: .quiet, of: resting.workerID) }
                    try await queue.enqueue(Add(), id: JobID("j\(round)"))
                    try await eventually("job \(round) runs") { ledger.total == round + 1 }
                    try await workers.wait(for: .quiet, of: resting.workerID)
                    try await workers.order(id: resting.workerID, .run)
                }
            }
        }
    }

    @Test("a worker that is told to stop ends its jobs and with them its process, gracefully")
    func stop() async throws {
        try await withQueue { queue, _ in
            let ledger = Ledger()
            let release = Signal()
            let worker = JobWorker(
                queue: queue, configuration: attentive(),
                handlers: [
                    .each(Add.self) { _, context in
                        await release.wait()
                        ledger.ran(context.id)
                    }
                ], logger: quiet)
            let workers = JobWorkers(queue: queue)
            try await queue.enqueue(Add(), id: JobID("last"))
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await ProcessHost.run(
                        services: [Neighbour(ledger: ledger), worker], logger: quiet, signals: [])
                }
                try await eventually("the job runs") { try await queue.counts().leased == 1 }
                #expect(try await workers.order(id: worker.workerID, .stop) == .told)
                try await workers.wait(for: .stopping, of: worker.workerID)
                try await queue.enqueue(Add(), id: JobID("after"))
                #expect(try await workers.order(id: worker.workerID, .run) == .stopping)
                #expect(try await workers.order(id: worker.workerID, .stop) == .told)
                release.raise()
                try await group.waitForAll()
            }
            #expect(ledger.noted == ["the neighbour stops gracefully"])
            #expect(ledger.counts == [JobID("last"): 1])
            #expect(try await queue.counts().waiting == 1)
            try await eventually("it has signed off") { try await workers.list(includingSilent: true).isEmpty }
            #expect(try await workers.order(id: worker.workerID, .quiet) == .unknown)
            #expect(try await queue.redis.send(["EXISTS", RedisArgument(WorkerKeys(queue.name).orders)]).int == 0)
        }
    }

    @Test("a worker that fell silent is told from those that live, and is forgotten with its orders after a while")
    func silence() async throws {
        try await withQueue { queue, _ in
            let workers = JobWorkers(queue: queue)
            try await workers.visitor(queue, id: "lively", silentAfter: .seconds(600))
            try await workers.visitor(queue, id: "gone", silentAfter: .milliseconds(1))
            #expect(try await workers.order(ids: ["gone", "nobody", "lively"], .quiet) == [.told, .unknown, .told])
            try await eventually("it is silent") { try await workers.list().map(\.id) == ["lively"] }
            let all = try await workers.list(includingSilent: true)
            let gone = try #require(all.first { $0.id == "gone" })
            #expect(all.count == 2 && !gone.isLive && gone.silentMs >= 5_000 && gone.order == .quiet)

            // Whoever asks to remember the silent ones for no time has them forgotten.
            let keys = WorkerKeys(queue.name)
            _ = try await queue.run(WorkerScripts.workers, keys: keys.all, [0])
            #expect(
                try await queue.redis.send(["HKEYS", RedisArgument(keys.workers)]).array == [
                    .bytes(Array("lively".utf8))
                ])
            #expect(
                try await queue.redis.send(["HKEYS", RedisArgument(keys.orders)]).array == [
                    .bytes(Array("lively".utf8))
                ])
        }
    }

    @Test("a worker that starts forgets those that were killed long ago")
    func sweep() async throws {
        try await withQueue { queue, _ in
            let keys = WorkerKeys(queue.name)
            _ = try await queue.redis.send(["HSET", RedisArgument(keys.workers), "old", "1000 {}", "odd", "what?"])
            _ = try await queue.redis.send(["HSET", RedisArgument(keys.orders), "old", "stop"])
            let worker = queue.worker(attentive(), .each(Add.self) { _, _ in })
            try await withWorkers([worker]) {
                try await eventually("only the new one is known") {
                    try await queue.redis.send(["HKEYS", RedisArgument(keys.workers)]).array?.compactMap(\.string)
                        == [worker.workerID]
                }
                #expect(try await queue.redis.send(["EXISTS", RedisArgument(keys.orders)]).int == 0)
            }
        }
    }

    @Test("a wiped Redis changes nothing about what a worker does, and it lists itself again")
    func wiped() async throws {
        try await withQueue { queue, server in
            let ledger = Ledger()
            let worker = queue.worker(attentive(), .each(Add.self) { _, context in ledger.ran(context.id) })
            let workers = JobWorkers(queue: queue)
            try await withWorkers([worker]) {
                try await workers.wait(for: .running, of: worker.workerID)
                try await workers.order(id: worker.workerID, .quiet)
                try await workers.wait(for: .quiet, of: worker.workerID)
                try await server.flush()
                try await workers.wait(for: .quiet, of: worker.workerID)
                #expect(try await workers.list().first?.order == nil)
                try await queue.enqueue(Add(), id: JobID("later"))
                try await workers.order(id: worker.workerID, .run)
                try await eventually("it runs again") { ledger.total == 1 }
            }
        }
    }

    @Test(
        "an id that can't stand in a job's state is refused before anything runs",
        arguments: ["", "with space", "é", String(repeating: "x", count: 27)])
    func badIDs(_ id: String) async throws {
        let redis = RedisClient(configuration: try RedisConfiguration(url: "unix:///nowhere"), logger: quiet)
        let worker = JobWorker(
            queue: JobQueue(name: QueueName("test"), redis: redis), handlers: [], logger: quiet, workerID: id)
        await #expect(throws: JobError.self) { try await worker.run() }
    }

    @Test("every script file of the room is on the list of scripts, and Redis takes each")
    func catalog() async throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Sources/Jobs/Scripts")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            .filter { $0.hasSuffix(".lua") && !$0.contains("_fragment") }
        #expect(JobScripts.all.count == files.count)
        #expect(Set(JobScripts.all.map(\.sha1)).count == files.count)
        #expect(Set(["BLPOP", "EVALSHA", "HSET", "TIME", "ZADD"]).isSubset(of: JobScripts.commands))
        try await withQueue { queue, _ in
            for script in JobScripts.all {
                let name = try await queue.redis.send(["SCRIPT", "LOAD", RedisArgument(script.source)]).string
                #expect(name == script.sha1, "\(script.name)")
            }
        }
    }
}

/// What runs beside a worker in its process.
private struct Neighbour: Service {
    let ledger: Ledger

    func run() async throws {
        try await gracefulShutdown()
        ledger.note("the neighbour stops gracefully")
    }
}

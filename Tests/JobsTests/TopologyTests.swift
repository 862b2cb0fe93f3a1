import GRDB
import GameModel
import Records
import Redis
import TestSupport
import Testing

@testable import Jobs

private struct Broken: Error {}

/// The core of the queue on each way to run Redis: one server, sentinels, a cluster.
@Suite struct TopologyTests {
    /// A queue on shared servers, by a client that has the queue's name.
    private func withQueue(
        _ name: String, on topology: Topology,
        _ body: (JobQueue, RedisConfiguration, TopologyServers) async throws -> Void
    ) async throws {
        let servers = try await SharedServers.shared.servers(topology)
        let configuration = try servers.configuration(name: name)
        try await withClient(configuration) { redis in
            try await redis.waitUntilConnected(timeout: .seconds(60))
            try await body(JobQueue(name: QueueName(name), redis: redis), configuration, servers)
        }
    }

    @Test(
        "one, many, delayed and prioritised jobs run once each, in order within their priority; duplicates don't",
        arguments: Topology.allCases)
    func enqueue(on topology: Topology) async throws {
        try await withQueue("life", on: topology) { queue, _, _ in
            #expect(try await queue.enqueue(Add(n: 0), id: JobID("one")) == .added(JobID("one")))
            #expect(try await queue.enqueue(Add(n: 9), id: JobID("one")) == .duplicate(JobID("one")))
            for priority in [3, 1, 0, 2] {
                let jobs = (1...200).map { (id: JobID("p\(priority).\($0)") as JobID?, job: Add(n: $0)) }
                let replies = try await queue.enqueue(jobs, options: JobOptions(priority: priority))
                #expect(replies.allSatisfy { $0.isAdded })
            }
            let plain = (1...600).map { (id: JobID("m.\($0)") as JobID?, job: Add(n: $0)) }
            #expect(try await queue.enqueue(plain + plain[..<1]).map(\.isAdded) == plain.map { _ in true } + [false])
            try await queue.enqueue(Add(n: 1), id: JobID("late.1"), delay: .milliseconds(20))
            try await queue.enqueue(Add(n: 2), id: JobID("late.2"), at: Instant(milliseconds: 1))
            let before = try await queue.counts()
            #expect(before.enqueued == 1_403 && before.isBalanced)

            let ledger = Ledger()
            let handler = JobHandler.each(Add.self) { _, context in
                ledger.ran(context.id)
                ledger.note(context.id.rawValue)
            }
            try await withWorkers([queue.worker(quickWorker { $0.concurrency = 1 }, handler)]) {
                try await eventually(within: .seconds(300), "all are completed") {
                    try await queue.counts().completed == 1_403
                }
            }
            #expect(ledger.counts.count == 1_403 && ledger.total == 1_403)
            for prefix in ["p0.", "p1.", "p2.", "p3.", "m."] {
                let order = ledger.noted.filter { $0.hasPrefix(prefix) }
                #expect(order == (1...order.count).map { "\(prefix)\($0)" })
            }
            #expect(try await queue.counts().isBalanced)
        }
    }

    @Test("a worker completes, retries, buries and snoozes, and the books balance", arguments: Topology.allCases)
    func attempts(on topology: Topology) async throws {
        try await withQueue("attempts", on: topology) { queue, _, _ in
            let ledger = Ledger()
            let handler = JobHandler.each(Add.self) { job, context in
                ledger.ran(context.id)
                switch job.n % 4 {
                case 0: return
                case 1: if context.attempt == 1 { throw Broken() }
                case 2: throw Bury("enough")
                default: if ledger.counts[context.id] == 1 { try context.snooze(.milliseconds(2)) }
                }
            }
            try await queue.enqueue((0..<400).map { (id: JobID("j\($0)") as JobID?, job: Add(n: $0)) })
            try await withWorkers([queue.worker(quickWorker(), handler), queue.worker(quickWorker(), handler)]) {
                try await queue.settled()
            }
            let runs = (0..<400).map { ledger.counts[JobID("j\($0)")] }
            #expect(runs == (0..<400).map { [1, 2, 1, 2][$0 % 4] })
            let counts = try await queue.counts()
            #expect(counts.completed == 300 && counts.dead == 100 && counts.retried == 100 && counts.released == 100)
            #expect(counts.isBalanced)
        }
    }

    @Test(
        "waiting, delayed and running jobs are cancelled, and a running one's handler ends",
        arguments: Topology.allCases)
    func cancel(on topology: Topology) async throws {
        try await withQueue("cancel", on: topology) { queue, _, _ in
            let ledger = Ledger()
            let handler = JobHandler.each(Add.self) { job, context in
                ledger.ran(context.id)
                await Signal().wait()
                ledger.note("ended \(context.id)")
            }
            try await queue.enqueue(Add(), id: JobID("running"))
            try await withWorkers([queue.worker(quickWorker { $0.concurrency = 1 }, handler)]) {
                try await eventually("it runs") { ledger.total == 1 }
                try await queue.enqueue(Add(), id: JobID("waiting"))
                try await queue.enqueue(Add(), id: JobID("later"), delay: .seconds(600))
                let ids = ["running", "waiting", "later", "nobody"].map { JobID($0) }
                #expect(try await queue.cancel(ids) == [.cancelled, .cancelled, .cancelled, .unknown])
                try await eventually("its handler ended") { ledger.noted == ["ended running"] }
            }
            let counts = try await queue.counts()
            #expect(counts.cancelled == 3 && counts.completed == 0 && counts.isBalanced)
            #expect(ledger.total == 1)
        }
    }

    @Test("the job of a worker that is cut off from Redis runs again at another one", arguments: Topology.allCases)
    func vanished(on topology: Topology) async throws {
        try await withQueue("vanished", on: topology) { queue, configuration, _ in
            let ledger = Ledger()
            let lost = RedisClient(configuration: configuration, logger: quiet)
            let stuck = JobHandler.each(Add.self) { _, context in
                ledger.note("lost \(context.attempt)")
                await Signal().wait()
            }
            let next = JobHandler.each(Add.self) { _, context in ledger.note("next \(context.attempt)") }
            try await queue.enqueue(Add(), id: JobID("a"))
            try await withThrowingTaskGroup(of: Void.self) { workers in
                try await withThrowingTaskGroup(of: Void.self) { connection in
                    connection.addTask { try await lost.run() }
                    workers.addTask {
                        // With its only place taken it does not look for jobs, so that it can't take its own again.
                        let settings = quickWorker {
                            $0.concurrency = 1
                            $0.leaseDuration = .milliseconds(300)
                        }
                        try await JobQueue(name: queue.name, redis: lost).worker(settings, stuck).run()
                    }
                    try await eventually("it runs") { ledger.noted == ["lost 1"] }
                    connection.cancelAll()
                }
                try await withWorkers([queue.worker(quickWorker(), next)]) {
                    try await eventually("it is completed elsewhere") { try await queue.counts().completed == 1 }
                }
                workers.cancelAll()
            }
            #expect(ledger.noted == ["lost 1", "next 2"])
            let counts = try await queue.counts()
            #expect(counts.recovered == 1 && counts.isBalanced)
        }
    }

    @Test("what a database owes is relayed, runs once, and is settled with its effect", arguments: Topology.allCases)
    func relay(on topology: Topology) async throws {
        try await withRecords(schemas: [Outbox.schema]) { database in
            try await withQueue("relay", on: topology) { queue, _, _ in
                let relay = OutboxRelay(database: database, redis: queue.redis, kinds: [Add.self], logger: quiet)
                let handler = JobHandler.each(Add.self) { _, context in
                    try await database.write { db in
                        guard try Inbox.apply(jobId: context.id.rawValue, token: context.token, in: db) else { return }
                        try Outbox.settle(jobId: context.id.rawValue, in: db)
                    }
                }
                try await database.write { db in
                    for number in 0..<50 {
                        try Outbox.insert(
                            OutboxEntry(
                                jobId: "owed.\(number)", queue: queue.name.rawValue, kind: Add.kind,
                                payload: Array("{\"n\":1}".utf8), createdAt: Instant.now.milliseconds), in: db)
                    }
                }
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await relay.run() }
                    try await withWorkers([queue.worker(quickWorker(), handler)]) {
                        try await eventually("all is settled") {
                            try await database.read { try Outbox.openCount(in: $0) } == 0
                        }
                        try await queue.settled()
                    }
                    group.cancelAll()
                }
                #expect(try await queue.counts().completed == 50)
            }
        }
    }

    @Test("an idle worker blocks in Redis and is woken by each enqueue", arguments: Topology.allCases)
    func wakeUp(on topology: Topology) async throws {
        try await withQueue("wake", on: topology) { queue, _, servers in
            let ledger = Ledger()
            let place = try await servers.places(of: queue).first
            let handler = JobHandler.each(Add.self) { _, context in ledger.ran(context.id) }
            // It would look by itself only after ten minutes.
            try await withWorkers([queue.worker(quickWorker { $0.blockMax = .seconds(600) }, handler)]) {
                for round in 0..<6 {
                    try await eventually("it blocks") { try await TopologyServers.isBlocked("wake", at: place) }
                    let delay: Duration? = round.isMultiple(of: 2) ? nil : .milliseconds(20)
                    try await queue.enqueue(Add(), id: JobID("j\(round)"), delay: delay)
                    try await eventually("job \(round) ran") { ledger.total == round + 1 }
                }
            }
        }
    }

    enum Blow: String, CaseIterable, Sendable {
        /// SIGKILL
        case killed
        /// SIGSTOP: its connections stay and say nothing.
        case frozen
    }

    @Test(
        "a worker that idles while its master is lost runs the jobs that come after, from whoever serves then",
        arguments: Topology.allCases, Blow.allCases)
    func failover(on topology: Topology, by blow: Blow) async throws {
        let servers = try await TopologyServers.start(topology, nodeTimeout: 5_000)
        defer { servers.stop() }
        let configuration = try servers.configuration(name: "idle")
        var caller = configuration
        caller.clientName = "caller"
        try await withClient(configuration) { redis in
            try await withClient(caller) { other in
                let ledger = Ledger()
                let handler = JobHandler.each(Add.self) { _, context in ledger.ran(context.id) }
                let queue = JobQueue(name: QueueName("failover"), redis: redis)
                let outside = JobQueue(name: queue.name, redis: other)
                let (first, second) = try await servers.places(of: queue)
                defer { first.resume() }
                // It would look by itself only after ten minutes, or when the lease of a reply that was lost runs out.
                let settings = quickWorker {
                    $0.blockMax = .seconds(600)
                    $0.leaseDuration = .seconds(2)
                }
                try await withWorkers([queue.worker(settings, handler)]) {
                    try await runs("before", outside, ledger)
                    try await eventually("it blocks") { try await TopologyServers.isBlocked("idle", at: first) }
                    try await servers.expectLoss()
                    if blow == .killed { first.kill() } else { first.pause() }
                    if topology == .single { try await heal(first, blow) }
                    try await runs("after", outside, ledger)
                    try await eventually("it blocks where the queue is now") {
                        try await TopologyServers.isBlocked("idle", at: second)
                    }
                    try await runs("woken", outside, ledger)
                    if topology != .single {
                        try await heal(first, blow)
                        try await eventually("the former master follows the new one") {
                            do {
                                return try await first.command("ROLE") == "*5"
                            } catch is TestSupportError {
                                return false  // The sentinels cut its clients when they make it a replica.
                            }
                        }
                        try await runs("healed", outside, ledger)
                    }
                }
                #expect(try await outside.counts().isBalanced)
            }
        }
    }

    /// A job that is enqueued, as soon as anyone takes it, runs.
    private func runs(_ id: String, _ queue: JobQueue, _ ledger: Ledger) async throws {
        try await eventually("\(id) is enqueued") {
            do {
                return try await queue.enqueue(Add(), id: JobID(id)).isInQueue
            } catch let error as JobError where error.isOutage {
                return false
            }
        }
        try await eventually("\(id) ran") { ledger.counts[JobID(id)] != nil }
    }

    private func heal(_ server: RedisServer, _ blow: Blow) async throws {
        if blow == .killed { try await server.restart() } else { server.resume() }
    }
}

import GameModel
import Redis
import ServiceLifecycle
import Telemetry
import TestSupport
import Testing

@testable import Jobs

private struct Broken: Error, CustomStringConvertible {
    var description: String { "broken" }
}

@Suite struct WorkerTests {
    @Test("every job runs once, and nothing of it stays")
    func completes() async throws {
        try await withQueue { queue, _ in
            let ledger = Ledger()
            try await queue.enqueue((0..<300).map { (id: JobID("j\($0)") as JobID?, job: Add(n: $0)) })
            let worker = queue.worker(quickWorker(), .each(Add.self) { _, context in ledger.ran(context.id) })
            try await withWorkers([worker]) { try await queue.settled() }
            #expect(ledger.counts.count == 300 && ledger.total == 300)
            #expect(try await queue.counts().completed == 300)
            try await eventually("the worker's signing off has come too") {
                try await queue.redis.send(["KEYS", "*"]).array?.compactMap(\.string) == [queue.keys.stats.name]
            }
        }
    }

    @Test("a batch handler gets jobs together, and fails single ones")
    func batch() async throws {
        try await withQueue { queue, _ in
            let ledger = Ledger()
            try await queue.enqueue((0..<20).map { (id: JobID("j\($0)") as JobID?, job: Add(n: $0)) })
            let handler = JobHandler.batch(Add.self, limit: 10) { jobs in
                ledger.note("\(jobs.count)")
                var errors: [JobID: any Error] = [:]
                for (job, context) in jobs {
                    ledger.ran(context.id)
                    if job.n == 3, context.attempt == 1 { errors[context.id] = Broken() }
                }
                return errors
            }
            try await withWorkers([queue.worker(quickWorker { $0.concurrency = 20 }, handler)]) {
                try await queue.settled()
            }
            #expect(ledger.noted == ["10", "10", "1"])
            #expect(ledger.counts[JobID("j3")] == 2)
            let counts = try await queue.counts()
            #expect(counts.completed == 20 && counts.retried == 1)
        }
    }

    @Test("a failing job is tried as often as allowed, then buried with its last error, and the hook is told")
    func retries() async throws {
        try await withQueue { queue, _ in
            let ledger = Ledger()
            let handler = JobHandler.each(
                Add.self,
                onBury: { job, _, bury in ledger.note("\(job?.n ?? -1) \(bury.reason) \(bury.message)") },
                { _, context in
                    ledger.ran(context.id)
                    throw Broken()
                })
            try await queue.enqueue(Add(n: 5), id: JobID("bad"))
            try await withWorkers([queue.worker(quickWorker(), handler)]) { try await queue.settled() }
            #expect(ledger.total == 3)
            #expect(ledger.noted == ["5 handlerError broken"])
            let counts = try await queue.counts()
            #expect(counts.dead == 1 && counts.retried == 2 && counts.isBalanced)
            let state = try await queue.redis.send(["HGET", RedisArgument(queue.keys.attempts), "bad"]).string
            let words = try #require(state).split(separator: " ")
            #expect(words[1...3] == ["3", "0", "3"] && words[5] == "handlerError" && words.last == "broken")
        }
    }

    @Test("a handler can bury and snooze")
    func buryAndSnooze() async throws {
        try await withQueue { queue, _ in
            let ledger = Ledger()
            let handler = JobHandler.each(Add.self) { job, context in
                ledger.ran(context.id)
                if job.n == 1 { throw Bury("no such order") }
                if ledger.counts[context.id] == 1 { try context.snooze(.milliseconds(5)) }
                ledger.note("attempt \(context.attempt)")
            }
            try await queue.enqueue(Add(n: 1), id: JobID("bury"))
            try await queue.enqueue(Add(n: 2), id: JobID("snooze"))
            try await withWorkers([queue.worker(quickWorker(), handler)]) { try await queue.settled() }
            #expect(ledger.counts == [JobID("bury"): 1, JobID("snooze"): 2])
            #expect(ledger.noted == ["attempt 1"])
            let counts = try await queue.counts()
            #expect(counts.dead == 1 && counts.completed == 1 && counts.released == 1 && counts.isBalanced)
        }
    }

    @Test("a job of unknown kind goes back unattempted; an undecodable payload is buried")
    func unknownAndUndecodable() async throws {
        try await withQueue { queue, _ in
            let ledger = Ledger()
            try await queue.enqueue(encoded: [
                EncodedJob(id: JobID("stranger"), kind: "nobody.knows", payload: []),
                EncodedJob(id: JobID("garbled"), kind: Add.kind, payload: Array("{".utf8)),
            ])
            let handler = JobHandler.each(
                Add.self, onBury: { job, _, bury in ledger.note("\(job == nil) \(bury.reason)") }, { _, _ in })
            try await withWorkers([queue.worker(quickWorker { $0.unknownKindDelay = .seconds(600) }, handler)]) {
                try await eventually("one is buried, one put off") {
                    let counts = try await queue.counts()
                    return counts.dead == 1 && counts.later == 1
                }
            }
            #expect(ledger.noted == ["true undecodable"])
            let state = try await queue.redis.send(["HGET", RedisArgument(queue.keys.attempts), "stranger"]).string
            #expect(try #require(state).split(separator: " ")[1...3] == ["0", "0", "20"])
        }
    }

    @Test("leases are renewed while a handler runs longer than one")
    func renewal() async throws {
        try await withQueue { queue, _ in
            let ledger = Ledger()
            let release = Signal()
            let slow = JobHandler.each(Add.self) { _, context in
                ledger.ran(context.id)
                await release.wait()
            }
            try await queue.enqueue(Add(), id: JobID("slow"))
            #expect(try await queue.reserve(limit: 0, lease: .seconds(1)).hasMore)
            let settings = quickWorker { $0.leaseDuration = .seconds(6) }
            try await withWorkers([queue.worker(settings, slow), queue.worker(settings, slow)]) {
                try await eventually("it runs") { ledger.total == 1 }
                let key = RedisArgument(queue.keys.leased)
                let start = try await queue.redis.send(["ZSCORE", key, "slow"]).string.flatMap { Double($0) }
                let begun = try #require(start)
                try await eventually("the lease is extended past its first length") {
                    let now = try await queue.redis.send(["ZSCORE", key, "slow"]).string.flatMap { Double($0) }
                    return (now ?? 0) > begun + 6_000
                }
                #expect(ledger.total == 1)
                release.raise()
                try await queue.settled()
            }
            let counts = try await queue.counts()
            #expect(counts.completed == 1 && counts.recovered == 0)
        }
    }

    @Test("a lost lease cancels its handler, and what it then answers sends nothing")
    func lostLease() async throws {
        try await withQueue { queue, _ in
            let ledger = Ledger()
            let never = Signal()
            let handler = JobHandler.each(Add.self) { _, _ in
                ledger.note("begun")
                await never.wait()
                ledger.note(Task.isCancelled ? "cancelled" : "woken")
            }
            try await queue.enqueue(Add(), id: JobID("gone"))
            try await withWorkers([queue.worker(quickWorker(), handler)]) {
                try await eventually("it runs") { ledger.noted == ["begun"] }
                #expect(try await queue.cancel([JobID("gone")]) == [.cancelled])
                try await eventually("its handler is cancelled") { ledger.noted == ["begun", "cancelled"] }
            }
            let counts = try await queue.counts()
            #expect(counts.cancelled == 1 && counts.completed == 0 && counts.isBalanced)
        }
    }

    @Test("a graceful stop lets handlers finish, and hands back what does not, unattempted")
    func gracefulStop() async throws {
        try await withQueue { queue, _ in
            let ledger = Ledger()
            let never = Signal()
            let handler = JobHandler.each(Add.self) { job, context in
                ledger.ran(context.id)
                guard job.n == 1 else { return }
                await never.wait()
                throw CancellationError()
            }
            try await queue.enqueue(Add(n: 1), id: JobID("stuck"))
            try await queue.enqueue(Add(n: 2), id: JobID("quick"))
            try await withWorkers([queue.worker(quickWorker { $0.stopGrace = .seconds(5) }, handler)]) {
                try await eventually("both were begun") { ledger.total == 2 }
            }
            let counts = try await queue.counts()
            #expect(counts.completed == 1 && counts.waiting == 1 && counts.leased == 0 && counts.recovered == 0)
            let again = try #require(try await queue.reserve(limit: 1, lease: .seconds(60)).leases.first)
            #expect(again.id == JobID("stuck") && again.attempt == 1)
        }
    }

    @Test("an idle worker is woken by an enqueue, not by polling")
    func wakeUp() async throws {
        try await withQueue { queue, server in
            try await withClient(try server.configuration()) { redis in
                try await wakeUp(queue, JobQueue(name: queue.name, redis: redis), server)
            }
        }
    }

    /// Two workers, each with a client of its own as in two processes.
    private func wakeUp(_ queue: JobQueue, _ other: JobQueue, _ server: RedisServer) async throws {
        let ledger = Ledger()
        // They would look by themselves only after ten minutes.
        let settings = quickWorker { $0.blockMax = .seconds(600) }
        let handler = JobHandler.each(Add.self) { _, context in ledger.ran(context.id) }
        try await withWorkers([queue.worker(settings, handler), other.worker(settings, handler)]) {
            for round in 0..<20 {
                try await eventually("both workers block") {
                    try await queue.redis.info("clients")["blocked_clients"] == "2"
                }
                if round == 10 { try await server.command("CONFIG RESETSTAT") }
                let delay: Duration? = round.isMultiple(of: 2) ? nil : .milliseconds(20)
                try await queue.enqueue(Add(), id: JobID("j\(round)"), delay: delay)
                try await eventually("job \(round) ran") { ledger.total == round + 1 }
            }
        }
        let stats = try await queue.redis.info("commandstats")
        let calls = stats["cmdstat_blpop"].flatMap { $0.split(separator: ",").first?.dropFirst(6) }
        let count = try #require(calls.flatMap { Int($0) })
        #expect(count < 60, "blocking reads for ten jobs and two workers")
    }

    @Test("a worker survives an outage of Redis and says so in its readiness")
    func outage() async throws {
        try await withQueue { queue, server in
            let ledger = Ledger()
            let readiness = Readiness()
            let worker = JobWorker(
                queue: queue, configuration: quickWorker { $0.readyWithin = .seconds(3) },
                handlers: [.each(Add.self) { _, context in ledger.ran(context.id) }], logger: quiet,
                readiness: readiness)
            func isReady() async -> Bool { await readiness.report().allSatisfy { $0.state == .ready } }
            #expect(await !isReady())
            try await withWorkers([worker]) {
                try await eventually("ready") { await isReady() }
                server.kill()
                try await eventually("not ready") { await !isReady() }
                try await server.restart()
                try await eventually("ready again") { await isReady() }
                try await eventually("jobs are enqueued again") {
                    do {
                        return try await queue.enqueue(Add(), id: JobID("after")).id == JobID("after")
                    } catch let error as JobError where error.isOutage {
                        return false
                    }
                }
                try await eventually("it ran") { ledger.counts[JobID("after")] == 1 }
            }
        }
    }

    @Test("the books balance under random load with several workers, some of which vanish")
    func booksBalance() async throws {
        try await withQueue { queue, _ in
            let ledger = Ledger()
            let handler = JobHandler.each(Add.self) { job, context in
                ledger.ran(context.id)
                switch Int.random(in: 0..<20) {
                case 0: throw Broken()
                case 1: throw Bury("enough")
                case 2: throw Snooze(.milliseconds(3))
                default: break
                }
            }
            let workers = (0..<3).map { index in
                queue.worker(quickWorker { $0.concurrency = 8 + 8 * index }, handler)
            }
            try await withWorkers(workers) {
                for round in 0..<40 {
                    let delay: Duration? = round.isMultiple(of: 3) ? .milliseconds(round) : nil
                    try await queue.enqueue(
                        (0..<50).map { (id: JobID("j\(round).\($0)") as JobID?, job: Add(n: $0)) }, delay: delay)
                    // A worker that takes work and vanishes.
                    if round.isMultiple(of: 8) { _ = try await queue.reserve(limit: 5, lease: .milliseconds(20)) }
                    _ = try await queue.cancel([JobID("j\(round).7")])
                    #expect(try await queue.counts().isBalanced)
                }
                try await queue.settled()
            }
            let counts = try await queue.counts()
            #expect(counts.enqueued == 2000 && counts.isBalanced)
            #expect(counts.completed + counts.dead + counts.cancelled == 2000)
        }
    }
}

extension RedisClient {
    /// One section of INFO as its fields.
    func info(_ section: String) async throws -> [Substring: Substring] {
        let text = try await send(["INFO", RedisArgument(section)]).string ?? ""
        var fields: [Substring: Substring] = [:]
        for line in text.split(whereSeparator: \.isNewline) {
            let parts = line.split(separator: ":", maxSplits: 1)
            if parts.count == 2 { fields[parts[0]] = parts[1] }
        }
        return fields
    }
}

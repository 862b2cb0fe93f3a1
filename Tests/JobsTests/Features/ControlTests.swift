import GameModel
import Redis
import TestSupport
import Testing

@testable import Jobs

@Suite struct ControlTests {
    @Test("a paused queue gives no jobs, takes them in, and lets those go on that run; resumed, it gives them at once")
    func pause() async throws {
        try await withQueue { queue, _ in
            let (meter, latch) = (Meter(), Latch())
            let handler = JobHandler.each(Errand.self) { _, context in
                await meter.during(context) { await latch.wait() }
            }
            try await queue.put("running")
            try await withWorkers([queue.worker(patient(), handler), queue.worker(patient(), handler)]) {
                defer { latch.open() }
                try await eventually("it runs") { meter.running == ["": 1] }
                try await queue.pause()
                try await queue.put("a", "b", "c")
                latch.open()
                try await queue.completed(1)
                let paused = try await queue.reserve(limit: 9, lease: .seconds(1))
                #expect(paused.leases.isEmpty && !paused.hasMore)
                #expect(try await queue.counts().waiting == 3 && meter.began == [JobID("running")])
                try await queue.resume()
                try await queue.completed(4)
            }
        }
    }

    @Test(
        "a draining queue takes no jobs in and runs what it has, retries and scheduled ones too; resumed, it takes"
    )
    func drain() async throws {
        try await withQueue { queue, _ in
            try await queue.put("a")
            try await queue.enqueue(Errand(), id: JobID("later"), delay: .milliseconds(50))
            try await queue.drain()
            #expect(try await queue.put("b", "a") == [.draining(JobID("b")), .duplicate(JobID("a"))])
            let handler = JobHandler.each(Errand.self) { _, context in
                if context.attempt == 1 { throw JobError.invalid("once") }
            }
            try await withWorkers([queue.worker(patient(), handler)]) { try await queue.completed(2) }
            try await queue.resume()
            #expect(try await queue.put("b") == [.added(JobID("b"))])
            #expect(try await queue.counts().isBalanced)
        }
    }

    @Test("limits are read back as set; a change leaves the others alone, and impossible ones are refused")
    func limits() async throws {
        try await withQueue { queue, _ in
            var limits = QueueLimits()
            limits.isPaused = true
            limits.isDraining = true
            limits.concurrency = 7
            limits.rate = RateLimit(5, per: .milliseconds(1500), burst: 2)
            limits.ofEachKey = KeyLimit(concurrency: 2, rate: RateLimit(1, per: .seconds(1)))
            limits.ofKeys = ["a:b": KeyLimit(concurrency: 3), "c": KeyLimit(rate: RateLimit(9, per: .seconds(2)))]
            limits.weights = [8, 4, 2, 1]
            limits.jobsMax = 1000
            limits.bytesMax = 1 << 20
            limits.overflow = .shed
            limits.deadAge = .seconds(86_400)
            limits.deadBytes = 1 << 16
            limits.resultBytes = 1 << 17
            try await queue.setLimits(limits)
            #expect(try await queue.limits() == limits)
            #expect(try await queue.changeLimits { $0.concurrency = nil }.concurrency == nil)
            try await queue.resume()
            (limits.concurrency, limits.isPaused, limits.isDraining) = (nil, false, false)
            #expect(try await queue.limits() == limits)
            await #expect(throws: JobError.self) { try await queue.changeLimits { $0.concurrency = 0 } }
            await #expect(throws: JobError.self) { try await queue.changeLimits { $0.weights = [1, 2, 3] } }
            await #expect(throws: JobError.self) {
                try await queue.changeLimits { $0.rate = RateLimit(0, per: .seconds(1)) }
            }
            await #expect(throws: JobError.self) { try await queue.changeLimits { $0.ofKeys["a b"] = KeyLimit() } }
            try await queue.setLimits(QueueLimits())
            #expect(try await queue.limits() == QueueLimits())
        }
    }

    @Test("a running job is cancelled from another process: its handler is told, and what it then says is refused")
    func cancelRunning() async throws {
        try await withQueue { queue, server in
            try await withClient(try server.configuration()) { redis in
                let elsewhere = JobQueue(name: queue.name, redis: redis)
                let ledger = Ledger()
                let handler = JobHandler.each(Errand.self) { _, context in
                    ledger.note("\(context.id) begun")
                    guard context.id == JobID("a") else { return }
                    do {
                        try await hangUntilCancelled()
                    } catch {
                        ledger.note("a cancelled")
                    }
                }
                try await queue.put("a")
                let worker = queue.worker(patient { $0.renewInterval = .milliseconds(300) }, handler)
                try await withWorkers([worker]) {
                    try await eventually("it runs") { ledger.noted == ["a begun"] }
                    #expect(try await elsewhere.cancel([JobID("a")]) == [.cancelled])
                    try await eventually("its handler is told") { ledger.noted == ["a begun", "a cancelled"] }
                }
                let counts = try await queue.counts()
                #expect(counts.completed == 0 && counts.cancelled == 1 && counts.leased == 0 && counts.isBalanced)
            }
        }
    }

    @Test("a job with a key, a unique key and a callback is cancelled wherever it is, and nothing of it stays")
    func cancelExtras() async throws {
        try await withQueue { queue, _ in
            let options = JobOptions(unique: Uniqueness("u"), key: "k", keepResult: .seconds(1))
            for place in ["waiting", "later", "leased"] {
                let job = EncodedJob(
                    id: JobID(place), kind: Errand.kind, payload: [], options: options,
                    due: place == "later" ? .after(.seconds(600)) : .now)
                let callback = EncodedJob(id: JobID("after"), kind: Errand.kind, payload: [])
                let replies = try await queue.enqueueBatch([job], then: callback)
                #expect(replies.allSatisfy { $0.isAdded })
                if place == "leased" { #expect(try await queue.takeIDs(9) == ["leased"]) }
                #expect(try await queue.cancel([JobID(place)]) == [.cancelled])
                let last = try await queue.take(9)
                #expect(last.map(\.id.rawValue) == ["after"], "\(place)")
                try await queue.settle(try #require(last.first))
                #expect(try await queue.counts().isBalanced)
            }
            // Of the turns of keys a trace may stay until the next look.
            _ = try await queue.reserve(limit: 1, lease: .zero)
            #expect(try await queue.redis.send(["KEYS", "*"]).array?.compactMap(\.string) == [queue.keys.stats.name])
        }
    }

    @Test("an operator buries a job wherever it lives, with a reason; a running one's handler is told")
    func bury() async throws {
        try await withQueue { queue, _ in
            let ledger = Ledger()
            let handler = JobHandler.each(Errand.self) { _, context in
                ledger.note("begun")
                do {
                    try await hangUntilCancelled()
                } catch {
                    ledger.note("told")
                }
            }
            let bury = Bury("by hand", reason: .unknownType)
            try await queue.put("running")
            let worker = queue.worker(patient { $0.renewInterval = .milliseconds(300) }, handler)
            try await withWorkers([worker]) {
                try await eventually("it runs") { ledger.noted == ["begun"] }
                #expect(try await queue.bury(JobID("running"), as: bury) == .buried)
                try await eventually("its handler is told") { ledger.noted == ["begun", "told"] }
            }
            try await queue.put("waiting")
            try await queue.put("keyed", options: JobOptions(key: "k"))
            try await queue.enqueue(Errand(), id: JobID("later"), delay: .seconds(600))
            let callback = EncodedJob(id: JobID("blocked"), kind: Errand.kind, payload: [])
            try await queue.enqueueBatch(
                [EncodedJob(id: JobID("child"), kind: Errand.kind, payload: [])], then: callback)
            for id in ["waiting", "keyed", "later", "blocked"] {
                #expect(try await queue.bury(JobID(id), as: bury) == .buried)
                #expect(try await queue.record(id)?.reason == "unknownType", "\(id)")
            }
            #expect(try await queue.bury(JobID("later"), as: bury) == .dead)
            #expect(try await queue.bury(JobID("nobody"), as: bury) == .unknown)
            #expect(try await queue.takeIDs(9) == ["child"])
            let counts = try await queue.counts()
            #expect(counts.dead == 5 && counts.buried == 5 && counts.isBalanced)
        }
    }

    @Test("a dead letter that is put back runs as if new, and keeps what happened before")
    func redrive() async throws {
        try await withQueue { queue, _ in
            let ledger = Ledger()
            let handler = JobHandler.each(Errand.self) { _, context in
                ledger.note("attempt \(context.attempt)")
                if ledger.noted.count <= 2 { throw JobError.invalid("not yet") }
            }
            try await queue.put("a", options: JobOptions(maxAttempts: 2, backoff: .fixed(.milliseconds(1))))
            try await withWorkers([queue.worker(patient(), handler)]) {
                try await eventually("it is dead") { try await queue.counts().dead == 1 }
                #expect(try await queue.redrive([JobID("a")]) == [.available])
                try await queue.completed(1)
            }
            #expect(ledger.noted == ["attempt 1", "attempt 2", "attempt 1"])
            let counts = try await queue.counts()
            #expect(counts.redriven == 1 && counts.deadBytes == 0 && counts.isBalanced)
        }
    }

    @Test("scheduled jobs are made to run now; those that wait, run or are not there are told apart")
    func runNow() async throws {
        try await withQueue { queue, _ in
            try await queue.enqueue(Errand(), id: JobID("later"), delay: .seconds(600))
            try await queue.put("waiting")
            let ids = ["later", "waiting", "nobody"].map { JobID($0) }
            #expect(try await queue.redrive(ids) == [.available, .notDead, .unknown])
            #expect(Set(try await queue.takeIDs(9)) == ["later", "waiting"])
            #expect(try await queue.redrive([JobID("later")]) == [.notDead])
        }
    }

    @Test("the age of the oldest waiting job is told where only jobs with a key wait, too")
    func oldest() async throws {
        try await withQueue { queue, _ in
            #expect(try await queue.counts().oldestWaitingMs == nil)
            try await queue.put("a", options: JobOptions(key: "k"))
            try await queue.nextMoment()
            #expect(try #require(try await queue.counts().oldestWaitingMs) >= 2)
        }
    }
}

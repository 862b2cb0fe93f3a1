import GameModel
import Redis
import TestSupport
import Testing

@testable import Jobs

@Suite struct ConcurrencyLimitTests {
    @Test("no more jobs of a queue run at once than its limit says, over two workers, and all get done")
    func ofQueue() async throws {
        try await withQueue { queue, _ in
            try await queue.changeLimits { $0.concurrency = 3 }
            let (meter, latch) = (Meter(), Latch())
            let handler = JobHandler.each(Errand.self) { _, context in
                await meter.during(context) { await latch.wait() }
            }
            try await queue.enqueue((0..<60).map { (id: JobID("j\($0)") as JobID?, job: Errand(n: $0)) })
            try await withWorkers([queue.worker(patient(), handler), queue.worker(patient(), handler)]) {
                defer { latch.open() }
                try await eventually("three run") { meter.running == ["": 3] }
                let counts = try await queue.counts()
                #expect(counts.leased == 3 && counts.waiting == 57)
                latch.open()
                try await queue.completed(60)
            }
            #expect(meter.most == ["": 3])
            #expect(try await queue.counts().isBalanced)
        }
    }

    @Test("an end by failure, burial, snooze or cancellation lets the next one run too")
    func everyEnd() async throws {
        try await withQueue { queue, _ in
            try await queue.changeLimits { $0.concurrency = 1 }
            let (meter, latch) = (Meter(), Latch())
            let handler = JobHandler.each(Errand.self) { _, context in
                try await meter.during(context) {
                    switch context.id {
                    case JobID("a") where context.attempt == 1: throw Snooze(.seconds(600))
                    case JobID("b"): throw Bury("enough")
                    case JobID("c"): throw JobError.invalid("a failure")
                    case JobID("d"): await latch.wait()
                    default: break
                    }
                }
            }
            let options = JobOptions(backoff: .fixed(.seconds(600)))
            try await queue.put("a", "b", "c", "d", "e", options: options)
            let worker = queue.worker(patient { $0.renewInterval = .milliseconds(300) }, handler)
            try await withWorkers([worker]) {
                defer { latch.open() }
                try await eventually("d runs") { meter.began.last == JobID("d") }
                #expect(try await queue.cancel([JobID("d")]) == [.cancelled])
                latch.open()
                try await queue.completed(1)
            }
            #expect(meter.began.map(\.rawValue) == ["a", "b", "c", "d", "e"])
        }
    }

    @Test("cancelled and expired jobs take no place: what waits behind them runs")
    func emptyTurns() async throws {
        try await withQueue { queue, _ in
            try await queue.changeLimits { $0.concurrency = 1 }
            try await queue.put("a", "b", "c")
            try await queue.put("late", options: JobOptions(startWithin: .milliseconds(1)))
            try await queue.put("d")
            _ = try await queue.cancel([JobID("a"), JobID("b")])
            try await queue.nextMoment()
            try await withWorkers([queue.worker(patient(), .each(Errand.self) { _, _ in })]) {
                try await queue.completed(2)
            }
            let counts = try await queue.counts()
            #expect(counts.dead == 1 && counts.waiting == 0 && counts.isBalanced)
        }
    }

    @Test("a limit that is raised, or taken away, at run time lets jobs go on at once")
    func raised() async throws {
        try await withQueue { queue, _ in
            try await queue.changeLimits { $0.concurrency = 1 }
            let (meter, latch) = (Meter(), Latch())
            let handler = JobHandler.each(Errand.self) { _, context in
                await meter.during(context) { await latch.wait() }
            }
            try await queue.put("a", "b", "c", "d", "e")
            try await withWorkers([queue.worker(patient(), handler), queue.worker(patient(), handler)]) {
                defer { latch.open() }
                try await eventually("one runs") { meter.running == ["": 1] }
                try await queue.changeLimits { $0.concurrency = 3 }
                try await eventually("three run") { meter.running == ["": 3] }
                try await queue.changeLimits { $0.concurrency = nil }
                try await eventually("all run") { meter.running == ["": 5] }
                latch.open()
                try await queue.completed(5)
            }
        }
    }

    @Test("a limit that is lowered below what runs holds further jobs back until enough have ended")
    func lowered() async throws {
        try await withQueue { queue, _ in
            try await queue.put("a", "b", "c", "d")
            let running = try await queue.take(3)
            try await queue.changeLimits { $0.concurrency = 2 }
            #expect(try await queue.take(9).isEmpty)
            try await queue.settle(running[0])
            #expect(try await queue.take(9).isEmpty)
            try await queue.settle(running[1])
            #expect(try await queue.takeIDs(9) == ["d"])
        }
    }

    @Test("no more jobs of a key run at once than its limit says: its own, where it has one, or that of each key")
    func ofKeys() async throws {
        try await withQueue { queue, _ in
            try await queue.changeLimits {
                $0.ofEachKey.concurrency = 1
                $0.ofKeys["match:a"] = KeyLimit(concurrency: 2)
            }
            let (meter, latch) = (Meter(), Latch())
            let handler = JobHandler.each(Errand.self) { _, context in
                await meter.during(context, as: String(context.id.rawValue.prefix(7))) { await latch.wait() }
            }
            for key in ["match:a", "match:b", "match:c"] {
                for number in 0..<5 { try await queue.put("\(key).\(number)", options: JobOptions(key: key)) }
            }
            try await withWorkers([queue.worker(patient(), handler), queue.worker(patient(), handler)]) {
                defer { latch.open() }
                try await eventually("as many run as may") {
                    meter.running == ["match:a": 2, "match:b": 1, "match:c": 1]
                }
                #expect(try await queue.counts().leased == 4)
                latch.open()
                try await queue.completed(15)
            }
            #expect(meter.most == ["match:a": 2, "match:b": 1, "match:c": 1])
        }
    }

    @Test("a key's limit that is raised at run time lets its jobs go on at once")
    func keyRaised() async throws {
        try await withQueue { queue, _ in
            try await queue.changeLimits { $0.ofEachKey.concurrency = 1 }
            let (meter, latch) = (Meter(), Latch())
            let handler = JobHandler.each(Errand.self) { _, context in
                await meter.during(context) { await latch.wait() }
            }
            try await queue.put("a", "b", "c", "d", options: JobOptions(key: "k"))
            try await withWorkers([queue.worker(patient(), handler)]) {
                defer { latch.open() }
                try await eventually("one runs") { meter.running == ["": 1] }
                try await queue.changeLimits { $0.ofKeys["k"] = KeyLimit(concurrency: 3) }
                try await eventually("three run") { meter.running == ["": 3] }
                try await queue.setLimits(QueueLimits())
                try await eventually("all run") { meter.running == ["": 4] }
                latch.open()
                try await queue.completed(4)
            }
        }
    }

    @Test("a job of a key that was not started in time makes room for the next of its key")
    func expiredOfKey() async throws {
        try await withQueue { queue, _ in
            try await queue.changeLimits { $0.ofEachKey.concurrency = 1 }
            try await queue.put("late", options: JobOptions(key: "k", startWithin: .milliseconds(1)))
            try await queue.put("next", options: JobOptions(key: "k"))
            try await queue.nextMoment()
            try await withWorkers([queue.worker(patient(), .each(Errand.self) { _, _ in })]) {
                try await queue.completed(1)
            }
            #expect(try await queue.record("late")?.reason == "expired")
        }
    }

    @Test("a vanished worker's places are free again when its leases run out")
    func vanished() async throws {
        try await withQueue { queue, _ in
            try await queue.changeLimits {
                $0.concurrency = 2
                $0.ofEachKey.concurrency = 1
            }
            try await queue.put("a", options: JobOptions(key: "k"))
            try await queue.put("b")
            #expect(try await queue.reserve(limit: 9, lease: .milliseconds(200)).leases.count == 2)
            try await queue.put("c")
            // Nobody ends anything: the worker must know by itself when the leases run out.
            try await withWorkers([queue.worker(patient(), .each(Errand.self) { _, _ in })]) {
                try await queue.completed(3)
            }
            #expect(try await queue.counts().recovered == 2)
        }
    }

    @Test("a worker whose last place is taken has another one know when to look again")
    func handedOn() async throws {
        try await withQueue { queue, _ in
            func isWoken() async throws -> Bool {
                try await queue.redis.send(["LLEN", RedisArgument(queue.keys.wake)]).int == 1
            }
            try await queue.enqueue(Errand(), id: JobID("later"), delay: .seconds(3600))
            try await queue.put("now")
            let first = try await queue.reserve(limit: 1, lease: .seconds(7200))
            #expect(first.leases.map(\.id.rawValue) == ["now"] && !first.hasMore)
            #expect(try await isWoken())
            let second = try await queue.reserve(limit: 1, lease: .seconds(7200))
            #expect(second.leases.isEmpty)
            #expect(try #require(second.nextDue) > .seconds(3500))
            #expect(try await !isWoken())
        }
    }
}

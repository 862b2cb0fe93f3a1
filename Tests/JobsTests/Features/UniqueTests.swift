import GameModel
import Redis
import TestSupport
import Testing

@testable import Jobs

@Suite struct UniqueTests {
    private let options = JobOptions(backoff: .fixed(.seconds(600)), unique: Uniqueness("season:9"))

    private func isFree(_ queue: JobQueue, _ id: String) async throws -> Bool {
        try await queue.put(id, options: options) == [.added(JobID(id))]
    }

    @Test("a second job of a unique key is refused with the id of the first, in one call or two; other keys are free")
    func refused() async throws {
        try await withQueue { queue, _ in
            let holder = JobID("a")
            #expect(
                try await queue.put("a", "b", "a", options: options) == [
                    .added(holder), .notUnique(JobID("b"), holder: holder), .duplicate(holder),
                ])
            #expect(
                try await queue.put("c", options: JobOptions(unique: Uniqueness("season:10"))) == [.added(JobID("c"))])
            let both = [(id: JobID("d") as JobID?, job: Errand()), (id: JobID("e"), job: Errand())]
            let replies = try await queue.enqueue(both, options: JobOptions(unique: Uniqueness("x")))
            #expect(replies == [.added(JobID("d")), .notUnique(JobID("e"), holder: JobID("d"))])
            let counts = try await queue.counts()
            #expect(counts.waiting == 3 && counts.enqueued == 3 && counts.isBalanced)
        }
    }

    @Test("the key stays taken while the job waits, runs, is handed back or will be tried again; its end frees it")
    func completed() async throws {
        try await withQueue { queue, _ in
            try await queue.put("a", options: options)
            let lease = try #require(try await queue.take(1).first)
            #expect(try await !isFree(queue, "b"))
            try await queue.settle(lease, .retry(after: .milliseconds(1), error: "no"))
            #expect(try await !isFree(queue, "b"))
            try await withWorkers([queue.worker(patient(), .each(Errand.self) { _, _ in })]) {
                try await queue.completed(1)
            }
            #expect(try await isFree(queue, "b"))
        }
    }

    @Test("the key dies with its job: buried by its handler or by hand, cancelled, quarantined, or not started in time")
    func otherEnds() async throws {
        try await withQueue { queue, _ in
            try await queue.put("handler", options: options)
            try await queue.settle(try #require(try await queue.take(1).first), .bury(Bury("no")))
            #expect(try await isFree(queue, "hand"))
            #expect(try await queue.bury(JobID("hand"), as: Bury("no")) == .buried)
            #expect(try await isFree(queue, "waiting"))
            #expect(try await queue.cancel([JobID("waiting")]) == [.cancelled])
            #expect(try await isFree(queue, "running"))
            #expect(try await queue.takeIDs(9) == ["running"])
            #expect(try await queue.cancel([JobID("running")]) == [.cancelled])
            var once = options
            once.maxCrashes = 1
            try await queue.put("crashed", options: once)
            #expect(try await queue.reserve(limit: 1, lease: .zero).leases.count == 1)
            #expect(try await queue.reserve(limit: 1, lease: .zero).buried.map(\.reason) == [.crashed])
            once.startWithin = .milliseconds(1)
            #expect(try await queue.put("late", options: once) == [.added(JobID("late"))])
            try await queue.nextMoment()
            #expect(try await queue.reserve(limit: 1, lease: .zero).buried.map(\.reason) == [.expired])
            #expect(try await isFree(queue, "last"))
            #expect(try await queue.counts().isBalanced)
        }
    }

    @Test(
        "a window frees the key while its job still lives, and that job's end then leaves the next holder's key alone")
    func window() async throws {
        try await withQueue { queue, _ in
            var brief = options
            brief.unique?.window = .milliseconds(1)
            var long = options
            long.unique?.window = .seconds(3600)
            try await queue.put("a", options: brief)
            try await queue.nextMoment()
            #expect(try await queue.put("b", options: long) == [.added(JobID("b"))])
            let first = try #require(try await queue.take(1).first)
            #expect(first.id == JobID("a"))
            try await queue.settle(first)
            #expect(try await queue.put("c", options: long) == [.notUnique(JobID("c"), holder: JobID("b"))])
        }
    }

    @Test("a purged dead letter does not free the key that another has by now")
    func purged() async throws {
        try await withQueue { queue, _ in
            try await queue.put("a", options: options)
            _ = try await queue.bury(JobID("a"), as: Bury("no"))
            #expect(try await isFree(queue, "b"))
            #expect(try await queue.purge([JobID("a")]) == [true])
            #expect(try await !isFree(queue, "c"))
        }
    }

    @Test("a dead letter is put back only where nobody else has its unique key, and then has it again")
    func redriven() async throws {
        try await withQueue { queue, _ in
            try await queue.put("a", options: options)
            _ = try await queue.bury(JobID("a"), as: Bury("no"))
            try await queue.put("b", options: options)
            #expect(try await queue.redrive([JobID("a")]) == [.notUnique(holder: JobID("b"))])
            #expect(try await queue.record("a")?.state == .dead)
            _ = try await queue.cancel([JobID("b")])
            #expect(try await queue.redrive([JobID("a")]) == [.available])
            #expect(try await !isFree(queue, "c"))
            #expect(try await queue.counts().isBalanced)
        }
    }

    @Test("a job that is refused for its key makes no room for itself, and one refused for want of room takes no key")
    func besideBudgets() async throws {
        try await withQueue { queue, _ in
            try await queue.changeLimits {
                $0.jobsMax = 2
                $0.overflow = .shed
            }
            try await queue.put("plain")
            try await queue.put("a", options: options)
            #expect(try await !isFree(queue, "b"))
            #expect(try await queue.counts().shed == 0)
            try await queue.changeLimits { $0.overflow = .reject }
            let other = JobOptions(unique: Uniqueness("other"))
            #expect(try await queue.put("c", options: other) == [.full(JobID("c"))])
            try await queue.changeLimits { $0.jobsMax = nil }
            #expect(try await queue.put("d", options: other) == [.added(JobID("d"))])
        }
    }
}

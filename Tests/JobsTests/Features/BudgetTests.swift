import GameModel
import Redis
import TestSupport
import Testing

@testable import Jobs

@Suite struct BudgetTests {
    private func shedding(_ queue: JobQueue, jobs: Int? = nil, bytes: Int? = nil) async throws {
        try await queue.changeLimits {
            $0.jobsMax = jobs
            $0.bytesMax = bytes
            $0.overflow = .shed
        }
    }

    @Test("a queue that has as many jobs as it may refuses more, and takes some when others have ended")
    func jobs() async throws {
        try await withQueue { queue, _ in
            try await queue.changeLimits { $0.jobsMax = 3 }
            let ids = ["a", "b", "c", "d"].map { JobID($0) }
            let replies = try await queue.enqueue(ids.map { (id: $0 as JobID?, job: Errand()) })
            #expect(replies == [.added(ids[0]), .added(ids[1]), .added(ids[2]), .full(ids[3])])
            #expect(try await queue.put("a") == [.duplicate(ids[0])])
            let leases = try await queue.take(2)
            #expect(try await queue.put("d") == [.full(ids[3])])
            try await queue.settle(leases[0])
            try await queue.settle(leases[1], .bury(Bury("no")))
            _ = try await queue.cancel([ids[2]])
            // Neither dead letters nor cancelled jobs count.
            #expect(try await queue.put("d", "e", "f", "g").map(\.isAdded) == [true, true, true, false])
            #expect(try await queue.counts().isBalanced)
        }
    }

    @Test("a queue over its bytes refuses what would not fit, and still takes what does")
    func bytes() async throws {
        try await withQueue { queue, _ in
            func job(_ id: String, _ bytes: Int) -> EncodedJob {
                EncodedJob(id: JobID(id), kind: Errand.kind, payload: [UInt8](repeating: 32, count: bytes))
            }
            try await queue.changeLimits { $0.bytesMax = 1000 }
            let replies = try await queue.enqueue(encoded: [job("a", 600), job("b", 600), job("c", 100)])
            #expect(replies == [.added(JobID("a")), .full(JobID("b")), .added(JobID("c"))])
            try await queue.settle(try #require(try await queue.take(1).first))
            let again = try await queue.enqueue(encoded: [job("b", 600)])
            #expect(again == [.added(JobID("b"))])
            #expect(try await queue.counts().bytes <= 1000)
        }
    }

    @Test("where the oldest are shed, those of the lowest priority go first, are counted, and nothing else is lost")
    func shed() async throws {
        try await withQueue { queue, _ in
            try await queue.put("high")
            try await queue.put("low1", "low2", options: JobOptions(priority: 3))
            try await shedding(queue, jobs: 3)
            #expect(try await queue.put("new1", "new2").allSatisfy { $0.isAdded })
            for id in ["low1", "low2"] { #expect(try await queue.record(id) == nil) }
            #expect(try await queue.put("new3").allSatisfy { $0.isAdded })
            let counts = try await queue.counts()
            #expect(counts.shed == 3 && counts.waiting == 3 && counts.isBalanced)
            #expect(try await queue.takeIDs(9) == ["new1", "new2", "new3"])
        }
    }

    @Test("bytes are shed until there is room; a job that could never fit sheds nothing")
    func shedBytes() async throws {
        try await withQueue { queue, _ in
            func job(_ id: String, _ bytes: Int) -> EncodedJob {
                EncodedJob(id: JobID(id), kind: Errand.kind, payload: [UInt8](repeating: 32, count: bytes))
            }
            try await shedding(queue, bytes: 1000)
            try await queue.enqueue(encoded: [job("a", 200), job("b", 200), job("c", 200)])
            let huge = try await queue.enqueue(encoded: [job("huge", 2000)])
            #expect(huge == [.full(JobID("huge"))])
            #expect(try await queue.counts().shed == 0)
            let fits = try await queue.enqueue(encoded: [job("d", 600)])
            #expect(fits == [.added(JobID("d"))])
            #expect(try await queue.takeIDs(9) == ["c", "d"])
            #expect(try await queue.counts().isBalanced)
        }
    }

    @Test(
        "jobs that run, have a key or wait for a time are not shed; where there are no others, the new one is refused")
    func notShed() async throws {
        try await withQueue { queue, _ in
            try await queue.put("running")
            #expect(try await queue.take(1).count == 1)
            try await queue.put("keyed", options: JobOptions(key: "k"))
            try await queue.enqueue(Errand(), id: JobID("later"), delay: .seconds(600))
            try await shedding(queue, jobs: 3)
            #expect(try await queue.put("new") == [.full(JobID("new"))])
            #expect(try await queue.counts().shed == 0)
        }
    }

    @Test("a job of the same call is not shed for a later one, and no reply claims a job that was shed")
    func oneCall() async throws {
        try await withQueue { queue, _ in
            try await queue.put("old")
            try await shedding(queue, jobs: 2)
            let ids = ["a", "b", "old", "c"].map { JobID($0) }
            let replies = try await queue.enqueue(ids.map { (id: $0 as JobID?, job: Errand()) })
            #expect(replies == [.added(ids[0]), .added(ids[1]), .full(ids[2]), .full(ids[3])])
            #expect(try await queue.takeIDs(9) == ["a", "b"])
            #expect(try await queue.counts().isBalanced)
        }
    }

    @Test("cancelled jobs make room without being shed, and can be enqueued again")
    func cancelled() async throws {
        try await withQueue { queue, _ in
            try await queue.put("a", "b", "c")
            try await shedding(queue, jobs: 3)
            _ = try await queue.cancel([JobID("a")])
            #expect(try await queue.put("a") == [.added(JobID("a"))])
            #expect(try await queue.counts().shed == 0)
            #expect(try await queue.put("d").allSatisfy { $0.isAdded })
            #expect(try await queue.counts().shed == 1)
            #expect(try await queue.takeIDs(9) == ["c", "a", "d"])
            #expect(try await queue.counts().isBalanced)
        }
    }

    @Test("a shed job frees its unique key")
    func shedUnique() async throws {
        try await withQueue { queue, _ in
            let unique = JobOptions(unique: Uniqueness("u"))
            try await queue.put("a", options: unique)
            try await shedding(queue, jobs: 1)
            try await queue.put("b")
            try await queue.changeLimits { $0.jobsMax = nil }
            #expect(try await queue.put("c", options: unique) == [.added(JobID("c"))])
        }
    }
}

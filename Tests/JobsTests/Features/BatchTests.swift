import GameModel
import Redis
import TestSupport
import Testing

@testable import Jobs

@Suite struct BatchTests {
    private static let callbackID = JobID("callback")
    private let callback = EncodedJob(id: callbackID, kind: Errand.kind, payload: Array("{\"n\":-1}".utf8))

    private func jobs(_ ids: [String], options: JobOptions = JobOptions()) -> [EncodedJob] {
        ids.map { EncodedJob(id: JobID($0), kind: Errand.kind, payload: Array("{\"n\":0}".utf8), options: options) }
    }

    private func isBlocked(_ queue: JobQueue) async throws -> Bool {
        try await queue.record(Self.callbackID.rawValue)?.state == .blocked
    }

    @Test(
        "a job runs when all of a set of others are done, and not before, whatever their number",
        arguments: [1, 3, 1201])
    func callback(_ size: Int) async throws {
        try await withQueue { queue, _ in
            let ledger = Ledger()
            let handler = JobHandler.each(Errand.self) { job, context in
                if job.n == -1 { ledger.note("after \(ledger.total)") }
                ledger.ran(context.id)
            }
            // The worker runs while the batch is still being enqueued.
            try await withWorkers([queue.worker(patient(), handler)]) {
                let replies = try await queue.enqueueBatch(jobs((0..<size).map { "j\($0)" }), then: callback)
                #expect(replies.count == size + 1 && replies.allSatisfy { $0.isAdded })
                try await queue.completed(size + 1)
            }
            #expect(ledger.noted == ["after \(size)"])
            try await eventually("the worker's signing off has come too") {
                try await queue.redis.send(["KEYS", "*"]).array?.compactMap(\.string) == [queue.keys.stats.name]
            }
        }
    }

    @Test("a batch without jobs runs its callback at once")
    func empty() async throws {
        try await withQueue { queue, _ in
            let replies = try await queue.enqueueBatch([], then: callback)
            #expect(replies == [.added(Self.callbackID)])
            #expect(try await queue.takeIDs(9) == ["callback"])
        }
    }

    @Test("where all must be completed, a dead letter holds the callback up until it is redriven and done")
    func deadRedriven() async throws {
        try await withQueue { queue, _ in
            try await queue.enqueueBatch(jobs(["a", "b"]), then: callback)
            let leases = try await queue.take(9)
            #expect(leases.map(\.id.rawValue) == ["a", "b"])
            try await queue.settle(leases[0])
            try await queue.settle(leases[1], .bury(Bury("no")))
            #expect(try await isBlocked(queue))
            #expect(try await queue.redrive([JobID("b")]) == [.available])
            #expect(try await isBlocked(queue))
            try await queue.settle(try #require(try await queue.take(9).first))
            #expect(try await queue.takeIDs(9) == ["callback"])
            #expect(try await queue.counts().isBalanced)
        }
    }

    @Test("a child that is cancelled, or purged when dead, is waited for no longer")
    func cancelledAndPurged() async throws {
        try await withQueue { queue, _ in
            try await queue.enqueueBatch(jobs(["a", "b"]), then: callback)
            #expect(try await queue.cancel([JobID("a")]) == [.cancelled])
            #expect(try await queue.bury(JobID("b"), as: Bury("no")) == .buried)
            #expect(try await isBlocked(queue))
            #expect(try await queue.purge([JobID("b")]) == [true])
            #expect(try await queue.takeIDs(9) == ["callback"])
        }
    }

    @Test(
        "where all must only have ended, dead letters do too, and their later redrive does not run the callback again")
    func ended() async throws {
        try await withQueue { queue, _ in
            try await queue.enqueueBatch(jobs(["a", "b", "c"]), then: callback, policy: .ended)
            let leases = try await queue.take(2)
            try await queue.settle(leases[0], .bury(Bury("no")))
            try await queue.settle(leases[1])
            #expect(try await isBlocked(queue))
            _ = try await queue.bury(JobID("c"), as: Bury("no"))
            let last = try await queue.take(9)
            #expect(last.map(\.id) == [Self.callbackID])
            try await queue.settle(try #require(last.first))
            #expect(try await queue.redrive([JobID("a"), JobID("c")]) == [.available, .available])
            for lease in try await queue.take(9) { try await queue.settle(lease) }
            let counts = try await queue.counts()
            #expect(counts.completed == 4 && counts.enqueued == 4 && counts.isBalanced)
        }
    }

    @Test("quarantined, expired and shed children count as ended too")
    func otherEnds() async throws {
        try await withQueue { queue, _ in
            let options = JobOptions(maxCrashes: 1, startWithin: .seconds(3600))
            var children = jobs(["crashing"], options: options)
            children += jobs(["late"], options: JobOptions(startWithin: .milliseconds(1)))
            children += jobs(["shed"])
            try await queue.enqueueBatch(children, then: callback, policy: .ended)
            #expect(try await queue.reserve(limit: 1, lease: .zero).leases.count == 1)
            try await queue.nextMoment()
            let found = try await queue.reserve(limit: 1, lease: .seconds(600))
            #expect(found.buried.map(\.reason) == [.crashed, .expired] && found.leases.isEmpty && found.hasMore)
            #expect(try await isBlocked(queue))
            try await queue.changeLimits {
                $0.jobsMax = 2
                $0.overflow = .shed
            }
            try await queue.put("new")
            #expect(try await queue.counts().shed == 1)
            #expect(Set(try await queue.takeIDs(9)) == ["new", "callback"])
        }
    }

    @Test("a batch that is enqueued again adds nothing, and its callback still runs once")
    func repeated() async throws {
        try await withQueue { queue, _ in
            try await queue.enqueueBatch(jobs(["a", "b"]), then: callback)
            let replies = try await queue.enqueueBatch(jobs(["a", "b", "c"]), then: callback)
            let ids = ["a", "b", "c"].map { JobID($0) }
            #expect(replies == [.duplicate(Self.callbackID), .duplicate(ids[0]), .duplicate(ids[1]), .added(ids[2])])
            let ledger = Ledger()
            let handler = JobHandler.each(Errand.self) { _, context in ledger.ran(context.id) }
            try await withWorkers([queue.worker(patient(), handler)]) { try await queue.completed(4) }
            #expect(ledger.total == 4)
        }
    }

    @Test("a call that broke off before the end is made whole by its repetition")
    func brokenOff() async throws {
        try await withQueue { queue, _ in
            // As far as a caller came that died: the callback and one job are there, the end of the batch is not said.
            _ = try await queue.runEnqueue(
                [RedisArgument(Self.callbackID.rawValue), RedisArgument(callback.specification), "w"], .fast)
            _ = try await queue.enqueue(jobs(["a"]), callback: "p=callback", durability: .fast)
            try await queue.settle(try #require(try await queue.take(9).first))
            #expect(try await isBlocked(queue))
            try await queue.enqueueBatch(jobs(["b"]), then: callback)
            try await queue.settle(try #require(try await queue.take(9).first))
            #expect(try await queue.takeIDs(9) == ["callback"])
        }
    }

    @Test("where the callback is refused, nothing of the batch is enqueued")
    func refused() async throws {
        try await withQueue { queue, _ in
            try await queue.put("holder", options: JobOptions(unique: Uniqueness("u")))
            let unique = EncodedJob(
                id: Self.callbackID, kind: Errand.kind, payload: [], options: JobOptions(unique: Uniqueness("u")))
            let holder = JobID("holder")
            let notUnique = try await queue.enqueueBatch(jobs(["a"]), then: unique)
            #expect(notUnique == [.notUnique(Self.callbackID, holder: holder)])
            try await queue.changeLimits { $0.jobsMax = 1 }
            let full = try await queue.enqueueBatch(jobs(["a"]), then: callback)
            #expect(full == [.full(Self.callbackID)])
            try await queue.drain()
            let draining = try await queue.enqueueBatch(jobs(["a"]), then: callback)
            #expect(draining == [.draining(Self.callbackID)])
            #expect(try await queue.counts().enqueued == 1)
        }
    }

    @Test("a job that is refused is not waited for")
    func childRefused() async throws {
        try await withQueue { queue, _ in
            try await queue.changeLimits { $0.jobsMax = 2 }
            let replies = try await queue.enqueueBatch(jobs(["a", "b"]), then: callback)
            #expect(replies == [.added(Self.callbackID), .added(JobID("a")), .full(JobID("b"))])
            try await queue.settle(try #require(try await queue.take(9).first))
            #expect(try await queue.takeIDs(9) == ["callback"])
        }
    }

    @Test("a cancelled callback does not run; its jobs do")
    func callbackCancelled() async throws {
        try await withQueue { queue, _ in
            try await queue.enqueueBatch(jobs(["a", "b"]), then: callback)
            #expect(try await queue.cancel([Self.callbackID]) == [.cancelled])
            for lease in try await queue.take(9) { #expect(try await queue.settle(lease) == .done) }
            #expect(try await queue.take(9).isEmpty)
            let counts = try await queue.counts()
            #expect(counts.completed == 2 && counts.cancelled == 1 && counts.blocked == 0 && counts.isBalanced)
            #expect(try await queue.redis.send(["KEYS", "*"]).array?.compactMap(\.string) == [queue.keys.stats.name])
        }
    }

    @Test("jobs and callback keep their options: keys, priorities, unique keys")
    func options() async throws {
        try await withQueue { queue, _ in
            let last = EncodedJob(
                id: Self.callbackID, kind: Errand.kind, payload: [],
                options: JobOptions(priority: 2, unique: Uniqueness("u"), key: "k"))
            try await queue.enqueueBatch(jobs(["a", "b"], options: JobOptions(priority: 1, key: "k")), then: last)
            try await queue.changeLimits { $0.ofEachKey.concurrency = 1 }
            for id in ["a", "b", "callback"] {
                let leases = try await queue.take(9)
                #expect(leases.map(\.id.rawValue) == [id])
                try await queue.settle(try #require(leases.first))
            }
            #expect(
                try await queue.put("next", options: JobOptions(unique: Uniqueness("u"))) == [.added(JobID("next"))])
        }
    }
}

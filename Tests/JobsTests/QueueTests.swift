import GameModel
import Redis
import TestSupport
import Testing

@testable import Jobs

@Suite struct QueueTests {
    private func add(_ id: String) -> (id: JobID?, job: Add) { (JobID(id), Add()) }

    @Test("a second job of a living id is refused, of a finished one it is not")
    func duplicates() async throws {
        try await withQueue { queue, _ in
            let id = JobID("a")
            #expect(try await queue.enqueue(Add(), id: id) == .added(id))
            #expect(try await queue.enqueue(Add(), id: id) == .duplicate(id))
            #expect(try await queue.enqueue([add("a"), add("b"), add("b")]).map(\.isAdded) == [false, true, false])
            let lease = try #require(try await queue.reserve(limit: 1, lease: .seconds(60)).leases.first)
            #expect(try await queue.enqueue(Add(), id: id) == .duplicate(id))
            _ = try await queue.settle([Settlement(id: lease.id, token: lease.token, verb: .complete)])
            #expect(try await queue.enqueue(Add(), id: id) == .added(id))
            #expect(try await queue.counts().isBalanced)
        }
    }

    @Test("many jobs are enqueued in as many calls as needed, in order")
    func manyJobs() async throws {
        try await withQueue { queue, _ in
            let jobs = (0..<1201).map { (id: JobID("j\($0)") as JobID?, job: Add(n: $0)) }
            #expect(try await queue.enqueue(jobs).allSatisfy { $0.isAdded })
            let first = try await queue.reserve(limit: 500, lease: .seconds(60))
            #expect(first.leases.map(\.id.rawValue) == (0..<500).map { "j\($0)" })
            #expect(first.hasMore)
            let counts = try await queue.counts()
            #expect(counts.waiting == 701 && counts.leased == 500 && counts.isBalanced)
            #expect(counts.oldestWaitingMs != nil)
        }
    }

    @Test("lower priorities run first, oldest first within one")
    func priorities() async throws {
        try await withQueue { queue, _ in
            for (id, priority) in [("c", 3), ("b", 1), ("a", 0), ("b2", 1)] {
                try await queue.enqueue(Add(), id: JobID(id), options: JobOptions(priority: priority))
            }
            let leases = try await queue.reserve(limit: 9, lease: .seconds(60)).leases
            #expect(leases.map(\.id.rawValue) == ["a", "b", "b2", "c"])
        }
    }

    @Test("a delayed job is not given before its time, and reserve says how long that is")
    func delayed() async throws {
        try await withQueue { queue, _ in
            try await queue.enqueue(Add(), id: JobID("later"), delay: .seconds(3600))
            try await queue.enqueue(Add(), id: JobID("past"), at: Instant(milliseconds: 1))
            let reservation = try await queue.reserve(limit: 9, lease: .seconds(7200))
            #expect(reservation.leases.map(\.id.rawValue) == ["past"])
            let due = try #require(reservation.nextDue)
            #expect(due > .seconds(3500) && due <= .seconds(3600))
            #expect(try await queue.counts().later == 1)
        }
    }

    @Test("a vanished worker's job goes back to the front, and its late completion is refused")
    func reaping() async throws {
        try await withQueue { queue, _ in
            try await queue.enqueue([add("a"), add("b")])
            let lost = try #require(try await queue.reserve(limit: 1, lease: .zero).leases.first)
            let again = try #require(try await queue.reserve(limit: 1, lease: .seconds(60)).leases.first)
            #expect(again.id == lost.id && again.attempt == 2 && again.token > lost.token)
            let late = Settlement(id: lost.id, token: lost.token, verb: .complete)
            #expect(try await queue.settle([late]) == [.refused])
            #expect(try await queue.renew([(lost.id, lost.token)], lease: .seconds(60)) == [lost.id])
            #expect(try await queue.settle([Settlement(id: again.id, token: again.token, verb: .complete)]) == [.done])
            #expect(try await queue.settle([late]) == [.unknown])
            let counts = try await queue.counts()
            #expect(counts.recovered == 1 && counts.completed == 1 && counts.waiting == 1 && counts.isBalanced)
        }
    }

    @Test("a job that takes its last attempt down with the worker is buried as crashed")
    func crashed() async throws {
        try await withQueue { queue, _ in
            try await queue.enqueue(Add(), id: JobID("poison"), options: JobOptions(maxAttempts: 2))
            #expect(try await queue.reserve(limit: 1, lease: .zero).leases.count == 1)
            #expect(try await queue.reserve(limit: 1, lease: .zero).leases.count == 1)
            let last = try await queue.reserve(limit: 1, lease: .seconds(60))
            #expect(last.leases.isEmpty && last.buried.map(\.lease.id.rawValue) == ["poison"])
            let counts = try await queue.counts()
            #expect(counts.dead == 1 && counts.recovered == 1 && counts.buried == 1 && counts.isBalanced)
        }
    }

    @Test("a released job comes back first and the attempt does not count")
    func release() async throws {
        try await withQueue { queue, _ in
            try await queue.enqueue([add("a"), add("b"), add("c")])
            let leases = try await queue.reserve(limit: 2, lease: .seconds(60)).leases
            _ = try await queue.settle(
                leases.map { Settlement(id: $0.id, token: $0.token, verb: .release(after: .zero)) })
            let again = try await queue.reserve(limit: 3, lease: .seconds(60)).leases
            #expect(again.map(\.id.rawValue) == ["a", "b", "c"])
            #expect(again.map(\.attempt) == [1, 1, 1])
        }
    }

    @Test("jobs are cancelled wherever they are, and their ids can be used again")
    func cancel() async throws {
        try await withQueue { queue, _ in
            try await queue.enqueue([add("leased"), add("waiting"), add("other")])
            let lease = try #require(try await queue.reserve(limit: 1, lease: .seconds(60)).leases.first)
            try await queue.enqueue(Add(), id: JobID("later"), delay: .seconds(60))
            let ids = ["leased", "waiting", "later", "nobody"].map { JobID($0) }
            #expect(try await queue.cancel(ids) == [.cancelled, .cancelled, .cancelled, .unknown])
            #expect(
                try await queue.settle([Settlement(id: lease.id, token: lease.token, verb: .complete)]) == [.unknown])
            var counts = try await queue.counts()
            #expect(counts.waiting == 1 && counts.cancelled == 3 && counts.isBalanced)
            // "waiting" takes its old place over, "other" keeps its own.
            try await queue.enqueue(Add(), id: JobID("waiting"))
            let leases = try await queue.reserve(limit: 9, lease: .seconds(60)).leases
            #expect(leases.map(\.id.rawValue) == ["waiting", "other"])
            counts = try await queue.counts()
            #expect(counts.waiting == 0 && counts.isBalanced)
        }
    }

    @Test("tokens rise across a FLUSHALL")
    func flush() async throws {
        try await withQueue { queue, server in
            try await queue.enqueue(Add(), id: JobID("a"))
            let before = try #require(try await queue.reserve(limit: 1, lease: .seconds(60)).leases.first)
            try await server.flush()
            try await queue.enqueue(Add(), id: JobID("a"))
            let after = try #require(try await queue.reserve(limit: 1, lease: .seconds(60)).leases.first)
            #expect(after.token > before.token && after.attempt == 1)
        }
    }

    @Test("another room's script enqueues in its own call")
    func fragment() async throws {
        try await withQueue { queue, _ in
            let script = RedisScript(
                name: "test",
                fragments: [
                    JobScripts.enqueueFragment,
                    Array(
                        """
                        redis.call('SET', KEYS[1], 'accepted')
                        return muster_enqueue(2, (muster_clock()), { ARGV[1], ARGV[2] .. '{"n":7}', '0' })
                        """.utf8),
                ])
            let job = EncodedJob(id: JobID("mine"), kind: Add.kind, payload: [])
            let reply = try await queue.redis.run(
                script, keys: ["muster:other:{test}:x"] + JobKeys(queue.name).forEnqueue,
                arguments: [RedisArgument(job.id.rawValue), RedisArgument(job.header)])
            #expect(reply == .array([.integer(1)]))
            let lease = try #require(try await queue.reserve(limit: 1, lease: .seconds(60)).leases.first)
            #expect(lease.envelope.map { String(decoding: $0.payload, as: UTF8.self) } == "{\"n\":7}")
        }
    }

    @Test("processes that live are listed, and gone ones are not")
    func processes() async throws {
        try await withRedis { redis, _ in
            let registry = ProcessRegistry(redis: redis, role: "ranker", version: "1", logger: quiet)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await registry.run() }
                try await eventually("the process is listed") {
                    try await ProcessRegistry.list(redis).map(\.role) == ["ranker"]
                }
                group.cancelAll()
            }
            try await eventually("it signed off") { try await ProcessRegistry.list(redis).isEmpty }
        }
    }
}

import GameModel
import Redis
import TestSupport
import Testing

@testable import Jobs

extension JobQueue {
    fileprivate func why(_ id: String) async throws -> [String] { try await JobInspector(queue: self).why(JobID(id)) }

    fileprivate func add(_ ids: String..., options: JobOptions? = nil, delay: Duration? = nil) async throws {
        for id in ids {
            #expect(try await enqueue(Add(), id: JobID(id), delay: delay, options: options).isAdded)
        }
    }

    @discardableResult
    fileprivate func lease(
        _ limit: Int = 1, for duration: Duration = .seconds(60), worker: String = "w1"
    ) async throws -> [Lease] {
        try await reserve(limit: limit, lease: duration, worker: worker).leases
    }

    fileprivate func end(_ lease: Lease, _ verb: Settlement.Verb) async throws {
        let settlement = Settlement(id: lease.id, token: lease.token, verb: verb, hasExtras: lease.hasExtras)
        #expect(try await settle([settlement]) == [.done])
    }
}

/// Whether one of the lines has all of the words.
private func says(_ lines: [String], _ words: String...) -> Bool {
    lines.contains { line in words.allSatisfy { line.contains($0) } }
}

/// So long that its words stay the same while a test runs.
private let long = Duration.seconds(10 * 86_400 + 12 * 3_600 + 1_800)
private let longWords = "10 d 12 h"

@Suite struct WhyTests {
    @Test("of a job that waits in a paused queue it is said that the queue is paused, and how to resume it")
    func paused() async throws {
        try await withQueue { queue, _ in
            try await queue.add("a")
            #expect(!says(try await queue.why("a"), "paused"))
            try await queue.pause()
            let lines = try await queue.why("a")
            #expect(lines.first?.hasPrefix("paused") == true && says(lines, "muster queues resume test"))
        }
    }

    @Test("of a draining queue it is said that it takes no new jobs, of those that are in and of unknown ones")
    func draining() async throws {
        try await withQueue { queue, _ in
            try await queue.add("a")
            try await queue.drain()
            #expect(says(try await queue.why("a"), "draining", "those it has run"))
            #expect(says(try await queue.why("b"), "draining", "takes no new jobs"))
        }
    }

    @Test("of a delayed job it is said when it is due, of one that is retried also what failed")
    func due() async throws {
        try await withQueue { queue, _ in
            try await queue.add("delayed", delay: long)
            let delayed = try await queue.why("delayed")
            #expect(delayed.first == "due in \(longWords)", "\(delayed)")
            try await queue.add("retried")
            try await queue.end(
                try #require(try await queue.lease().first), .retry(after: long, error: "boom"))
            let retried = try await queue.why("retried")
            #expect(says(retried, "due in \(longWords)", "attempt 1 of 3 failed: boom"), "\(retried)")
            try await queue.add("snoozed")
            try await queue.end(try #require(try await queue.lease().first), .release(after: long))
            #expect(says(try await queue.why("snoozed"), "due in \(longWords)", "put it off"))
            try await queue.enqueue(Add(), id: JobID("overdue"), at: Instant(milliseconds: 1))
            #expect(says(try await queue.why("overdue"), "due for", "next look of a worker"))
        }
    }

    @Test("of a limit of the queue it is said who takes its places")
    func queueConcurrency() async throws {
        try await withQueue { queue, _ in
            try await queue.changeLimits { $0.concurrency = 5 }
            try await queue.add("a", "b", "c", "d", "e", "waiting")
            #expect(!says(try await queue.why("waiting"), "limit reached"))
            try await queue.lease(1, for: .seconds(30), worker: "w1")
            try await queue.lease(4, for: .seconds(60), worker: "w2")
            let lines = try await queue.why("waiting")
            let held =
                "held by job a, leased to worker w1; job b, leased to worker w2; job c, leased to worker w2; 2 more"
            #expect(says(lines, "limit reached: queue test has 5 of 5 running", held), "\(lines)")
        }
    }

    @Test("of a limit of a key it is said which key, and who takes its places")
    func keyConcurrency() async throws {
        try await withQueue { queue, _ in
            try await queue.changeLimits {
                $0.ofEachKey.concurrency = 1
                $0.ofKeys["vip"] = KeyLimit(concurrency: 2)
            }
            try await queue.add("v1", "v2", "v3", options: JobOptions(key: "vip"))
            try await queue.add("u1", "u2", options: JobOptions(key: "user"))
            #expect(try await queue.lease(9).count == 3)
            let held = "held by job v1, leased to worker w1; job v2, leased to worker w1"
            #expect(says(try await queue.why("v3"), "limit reached: key vip has 2 of 2 running: \(held)"))
            let other = try await queue.why("u2")
            #expect(says(other, "limit reached: key user has 1 of 1 running: held by job u1"), "\(other)")
            #expect(says(other, "next of its key"), "\(other)")
        }
    }

    @Test("of a rate it is said when it lets a job start again, of the queue's and of a key's")
    func rates() async throws {
        try await withQueue { queue, _ in
            try await queue.changeLimits { $0.rate = RateLimit(1, per: long, burst: 1) }
            try await queue.add("a", "b")
            try await queue.lease(2)
            let lines = try await queue.why("b")
            #expect(
                says(lines, "rate limit reached: queue test starts 1 each \(longWords), free again in \(longWords)"),
                "\(lines)")
            try await queue.changeLimits {
                $0.rate = nil
                $0.ofEachKey.rate = RateLimit(2, per: long * 2, burst: 2)
            }
            try await queue.add("k1", "k2", "k3", options: JobOptions(key: "k"))
            #expect(try await queue.lease(9).map(\.id.rawValue).sorted() == ["b", "k1", "k2"])
            let key = try await queue.why("k3")
            #expect(says(key, "rate limit reached: key k starts 2 each 21 d 1 h, free again in \(longWords)"), "\(key)")
        }
    }

    @Test("of a job that waits for others it is said for which, and while its batch is open, that")
    func blocked() async throws {
        try await withQueue { queue, _ in
            let jobs = try (0..<7).map { try EncodedJob(Add(n: $0), id: JobID("j\($0)")) }
            try await queue.enqueueBatch(jobs, then: try EncodedJob(Add(), id: JobID("last")))
            let lines = try await queue.why("last")
            #expect(lines == ["waits for 7 jobs to end: j0, j1, j2, j3, j4 and 2 more"])
            let open = try EncodedJob(Add(), id: JobID("open"))
            _ = try await queue.runEnqueue(
                [RedisArgument(open.id.rawValue), RedisArgument(open.specification), "w"], .fast)
            #expect(says(try await queue.why("open"), "still being enqueued"))
        }
    }

    @Test("of a job in line it is said how many are before it at its priority, or of its key")
    func position() async throws {
        try await withQueue { queue, _ in
            try await queue.add("a", "b", "c", options: JobOptions(priority: 1))
            try await queue.add("other")
            #expect(says(try await queue.why("a"), "next in line at priority 1"))
            #expect(says(try await queue.why("b"), "behind 1 job of its queue at priority 1"))
            #expect(says(try await queue.why("c"), "behind 2 jobs of its queue at priority 1"))
            try await queue.add("x1", options: JobOptions(priority: 2, key: "x"))
            try await queue.add("y1", "y2", "y3", options: JobOptions(priority: 2, key: "y"))
            #expect(says(try await queue.why("x1"), "next in line at priority 2"))
            #expect(says(try await queue.why("y3"), "behind 2 jobs of key y and the turn of another key at priority 2"))
        }
    }

    @Test("it is said where no worker lives, none knows the kind, or only quiet ones do")
    func workers() async throws {
        try await withQueue { queue, _ in
            try await queue.add("a")
            #expect(says(try await queue.why("a"), "no worker of queue test lives"))
            let stranger = queue.worker(quickWorker { $0.presenceInterval = .milliseconds(20) })
            try await withWorkers([stranger]) {
                try await eventually("it is said that no worker knows the kind") {
                    says(try await queue.why("a"), "no live worker knows kind test.add: 1 live")
                }
            }
        }
        try await withQueue { queue, _ in
            let configuration = quickWorker {
                $0.presenceInterval = .milliseconds(20)
                $0.name = "adder"
            }
            let worker = queue.worker(configuration, .each(Add.self) { _, _ in })
            try await withWorkers([worker]) {
                try await eventually("it lives") { try await JobWorkers(queue: queue).list().count == 1 }
                try await JobWorkers(queue: queue).order(id: worker.workerID, .quiet)
                try await eventually("it is quiet") {
                    try await JobWorkers(queue: queue).list().first?.worker.state == .quiet
                }
                try await queue.add("b")
                let lines = try await queue.why("b")
                #expect(
                    says(lines, "only quiet workers know kind test.add", "\(worker.workerID) (adder on "), "\(lines)")
            }
        }
    }

    @Test("of a leased job it is said who has it and for how long, and how far it is")
    func leased() async throws {
        try await withQueue { queue, _ in
            try await queue.add("a")
            let lease = try #require(try await queue.lease(1, for: long, worker: "w7").first)
            let lines = try await queue.why("a")
            #expect(says(lines, "running: leased to worker w7 for \(longWords)", "attempt 1 of 3, begun"), "\(lines)")
            #expect(try await queue.noteProgress(lease.id, token: lease.token, fraction: 0.4, text: "two of five"))
            #expect(says(try await queue.why("a"), "at 40 %: two of five"))
        }
    }

    @Test("of a lease that ran out it is said that, and that another worker takes the job")
    func lapsed() async throws {
        try await withQueue { queue, _ in
            try await queue.add("a")
            try await queue.lease(1, for: .zero, worker: "gone")
            let lines = try await queue.why("a")
            #expect(says(lines, "the lease of worker gone ran out", "gives it to another (attempt 1 of 3"), "\(lines)")
            #expect(says(lines, "no worker of queue test lives"))
        }
    }

    @Test("of a dead job the reason, the error and the way back are said")
    func dead() async throws {
        try await withQueue { queue, _ in
            try await queue.add("a")
            try await queue.end(
                try #require(try await queue.lease().first), .bury(Bury("no such file", reason: .timeout)))
            let lines = try await queue.why("a")
            #expect(says(lines, "dead: buried", "as timeout after 1 of 3 attempts: no such file"), "\(lines)")
            #expect(says(lines, "muster jobs retry a", "muster jobs rm a"))
        }
    }

    @Test("of an unknown job it is said what that can mean, of a cancelled one whose place is left, that")
    func unknown() async throws {
        try await withQueue { queue, _ in
            #expect(says(try await queue.why("nobody"), "not known to queue test", "completed without a kept result"))
            try await queue.add("a")
            _ = try await queue.cancel([JobID("a")])
            #expect(says(try await queue.why("a"), "cancelled"))
            #expect(try await JobInspector(queue: queue).job(JobID("a")) == nil)
        }
    }

    @Test("of a completed job whose result is kept it is said for how long")
    func completed() async throws {
        try await withQueue { queue, _ in
            try await queue.add("a", options: JobOptions(keepResult: long))
            try await queue.end(try #require(try await queue.lease().first), .complete)
            let lines = try await queue.why("a")
            #expect(
                says(lines, "completed", "ago on attempt 1 by worker w1; its result is kept for \(longWords)"),
                "\(lines)")
        }
    }

    @Test("of a job that must start in time it is said how long it has, and where it is too late, that")
    func expiring() async throws {
        try await withQueue { queue, _ in
            try await queue.add("soon", options: JobOptions(startWithin: long))
            #expect(says(try await queue.why("soon"), "must start within \(longWords)", "expired"))
            try await queue.add("late", options: JobOptions(startWithin: .milliseconds(1)))
            try await eventually("it is too late") { says(try await queue.why("late"), "too late to start") }
        }
    }
}

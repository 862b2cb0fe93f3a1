import GameModel
import Redis
import TestSupport
import Testing

@testable import Jobs

@Suite struct RetentionTests {
    private func bury(_ ids: String..., in queue: JobQueue) async throws {
        for id in ids {
            try await queue.put(id)
            #expect(try await queue.bury(JobID(id), as: Bury("no")) == .buried)
            try await queue.nextMoment()
        }
    }

    @Test("dead letters are kept for ever, unless the queue says otherwise")
    func forEver() async throws {
        try await withQueue { queue, _ in
            try await bury("a", in: queue)
            #expect(try await queue.retained() == [0, 0])
            #expect(try await queue.counts().dead == 1)
        }
    }

    @Test("dead letters over the age limit are forgotten, younger ones kept")
    func age() async throws {
        try await withQueue { queue, _ in
            try await bury("a", "b", in: queue)
            try await queue.changeLimits { $0.deadAge = .seconds(3600) }
            #expect(try await queue.retained() == [0, 0])
            try await queue.changeLimits { $0.deadAge = .milliseconds(1) }
            #expect(try await queue.retained() == [2, 0])
            let counts = try await queue.counts()
            #expect(counts.purged == 2 && counts.dead == 0 && counts.deadBytes == 0 && counts.bytes == 0)
            #expect(counts.isBalanced)
        }
    }

    @Test("over the limit of bytes, the oldest dead letters go first, as many as must")
    func bytes() async throws {
        try await withQueue { queue, _ in
            try await bury("c", "b", "a", in: queue)
            let bytes = try await queue.counts().deadBytes
            try await queue.changeLimits { $0.deadBytes = bytes - 1 }
            #expect(try await queue.retained() == [1, 0])
            #expect(try await queue.record("c") == nil)
            #expect(try await queue.record("b")?.state == .dead)
            try await queue.changeLimits { $0.deadBytes = bytes / 3 }
            #expect(try await queue.retained() == [1, 0])
            let counts = try await queue.counts()
            #expect(counts.dead == 1 && counts.deadBytes <= bytes / 3 && counts.isBalanced)
        }
    }

    @Test("more than one call of the script forgets are all forgotten")
    func many() async throws {
        try await withQueue { queue, _ in
            let jobs = (0..<450).map { (id: JobID("j\($0)") as JobID?, job: Errand(n: $0)) }
            try await queue.enqueue(jobs)
            let leases = try await queue.take(500)
            _ = try await queue.settle(
                leases.map { Settlement(id: $0.id, token: $0.token, verb: .bury(Bury("no"))) })
            try await queue.changeLimits { $0.deadBytes = 1 }
            #expect(try await queue.retained() == [450, 0])
            #expect(try await queue.counts().isBalanced)
        }
    }

    @Test("workers keep the limits by themselves")
    func byWorkers() async throws {
        try await withQueue { queue, _ in
            try await bury("a", in: queue)
            try await queue.put("b", options: JobOptions(keepResult: .milliseconds(1)))
            try await queue.changeLimits { $0.deadAge = .milliseconds(1) }
            let worker = queue.worker(
                patient { $0.retainInterval = .milliseconds(20) }, .each(Errand.self) { _, _ in })
            try await withWorkers([worker]) {
                try await queue.completed(1)
                try await eventually("the dead letter and the result are gone") {
                    let counts = try await queue.counts()
                    return counts.dead == 0 && counts.resultBytes == 0
                }
            }
        }
    }

    @Test("an operator purges dead letters and nothing else")
    func purge() async throws {
        try await withQueue { queue, _ in
            try await bury("dead", in: queue)
            try await queue.put("waiting")
            let ids = ["dead", "waiting", "nobody"].map { JobID($0) }
            #expect(try await queue.purge(ids) == [true, false, false])
            let counts = try await queue.counts()
            #expect(counts.purged == 1 && counts.waiting == 1 && counts.isBalanced)
        }
    }
}

import GameModel
import Redis
import TestSupport
import Testing

@testable import Jobs

@Suite struct FairnessTests {
    @Test("a key with a thousand jobs does not hold up one with one")
    func keysTakeTurns() async throws {
        try await withQueue { queue, _ in
            let many = (0..<1000).map { (id: JobID("big.\($0)") as JobID?, job: Errand(n: $0)) }
            try await queue.enqueue(many, options: JobOptions(key: "big"))
            #expect(try await queue.take(10).count == 10)
            try await queue.put("small", options: JobOptions(key: "small"))
            #expect(try await queue.takeIDs(2).contains("small"))
        }
    }

    @Test("keys that wait are served one after the other, each again only after all others")
    func rounds() async throws {
        try await withQueue { queue, _ in
            for key in ["a", "b", "c"] {
                let jobs = (0..<10).map { (id: JobID("\(key).\($0)") as JobID?, job: Errand(n: $0)) }
                try await queue.enqueue(jobs, options: JobOptions(key: key))
            }
            let meter = Meter()
            let handler = JobHandler.each(Errand.self) { _, context in await meter.during(context) {} }
            let worker = queue.worker(patient { $0.concurrency = 1 }, handler)
            try await withWorkers([worker]) { try await queue.completed(30) }
            let keys = meter.began.map { $0.rawValue.prefix(1) }
            for round in 0..<10 {
                #expect(Set(keys[(round * 3)..<(round * 3 + 3)]) == ["a", "b", "c"], "round \(round)")
            }
        }
    }

    @Test("the jobs of a key begin in the order in which they were enqueued, call by call and within a call")
    func order() async throws {
        try await withQueue { queue, _ in
            try await queue.changeLimits { $0.ofEachKey.concurrency = 1 }
            // Ids that sort the other way round.
            var expected: [String] = []
            for number in 0..<40 {
                for key in ["x", "y"] {
                    let id = "\(key).\(99 - number)"
                    try await queue.put(id, options: JobOptions(key: key))
                    if key == "x" { expected.append(id) }
                }
            }
            let together = (0..<20).map { (id: JobID("x.\(59 - $0)") as JobID?, job: Errand(n: $0)) }
            try await queue.enqueue(together, options: JobOptions(key: "x"))
            expected += together.compactMap { $0.id?.rawValue }
            let meter = Meter()
            let handler = JobHandler.each(Errand.self) { _, context in await meter.during(context) {} }
            try await withWorkers([queue.worker(patient(), handler), queue.worker(patient(), handler)]) {
                try await queue.completed(100)
            }
            #expect(meter.began.map(\.rawValue).filter { $0.hasPrefix("x") } == expected)
        }
    }

    @Test("a job of a key that was handed back is its key's next one again")
    func ownPlace() async throws {
        try await withQueue { queue, _ in
            try await queue.put("a", "b", "c", options: JobOptions(key: "k"))
            let leases = try await queue.take(2)
            #expect(leases.map(\.id.rawValue) == ["a", "b"])
            for lease in leases { try await queue.settle(lease, .release(after: .zero)) }
            #expect(try await queue.takeIDs(3) == ["a", "b", "c"])
        }
    }

    @Test("priorities share the workers by their weights, taken one by one or many at once", arguments: [1, 17, 85])
    func weights(_ limit: Int) async throws {
        try await withQueue { queue, _ in
            for priority in JobOptions.priorities {
                let jobs = (0..<200).map { (id: JobID("\(priority).\($0)") as JobID?, job: Errand(n: $0)) }
                try await queue.enqueue(jobs, options: JobOptions(priority: priority))
            }
            func shares(_ total: Int) async throws -> [Int] {
                var shares = [0, 0, 0, 0]
                for _ in 0..<(total / limit) {
                    for lease in try await queue.take(limit) { shares[try #require(lease.envelope).priority] += 1 }
                }
                return shares
            }
            #expect(try await shares(85) == [64, 16, 4, 1])
            try await queue.changeLimits { $0.weights = [2, 1, 1, 1] }
            #expect(try await shares(85) == [34, 17, 17, 17])
        }
    }

    @Test("a job of the lowest priority is not starved by ones of the highest that keep coming")
    func noStarvation() async throws {
        try await withQueue { queue, _ in
            let ledger = Ledger()
            let handler = JobHandler.each(Errand.self) { job, context in
                ledger.ran(context.id)
                guard context.id != JobID("low"), ledger.counts[JobID("low")] == nil else { return }
                try await queue.enqueue(Errand(n: job.n + 1), options: JobOptions(priority: 0))
            }
            try await queue.put("high", "high2")
            try await queue.put("low", options: JobOptions(priority: 3))
            let worker = queue.worker(patient { $0.concurrency = 1 }, handler)
            try await withWorkers([worker]) {
                try await eventually("the low one ran") { ledger.counts[JobID("low")] == 1 }
                try await queue.settled()
            }
        }
    }

    @Test("jobs with a key and jobs without do not starve each other, also where one is taken at a time")
    func mixed() async throws {
        try await withQueue { queue, _ in
            for number in 0..<20 {
                try await queue.put("key.\(number)", options: JobOptions(key: "k\(number % 2)"))
                try await queue.put("plain.\(number)")
            }
            var taken: [String] = []
            for _ in 0..<20 { taken += try await queue.takeIDs(1) }
            #expect(taken.count { $0.hasPrefix("key") } == 10)
        }
    }

    @Test("a better priority goes first within a key, and moves its key forward")
    func priorityOfKey() async throws {
        try await withQueue { queue, _ in
            try await queue.put("a1", options: JobOptions(priority: 2, key: "a"))
            try await queue.put("b1", options: JobOptions(priority: 1, key: "b"))
            try await queue.put("a2", options: JobOptions(priority: 0, key: "a"))
            var taken: [String] = []
            for _ in 0..<3 { taken += try await queue.takeIDs(1) }
            #expect(taken == ["a2", "b1", "a1"])
        }
    }
}

import GameModel
import Jobs
import Redis
import Synchronization

/// What a job costs while many others wait, and the memory that each of those takes.
extension Bench {
    func depths() async throws -> [BenchFigure] {
        let queue = queue()
        let empty = try await CPUMeter.read(redis)
        var waiting = 0
        var first: Double?
        var costs: [BenchFigure] = []
        var memory: [BenchFigure] = []
        for depth in [1_000, 10_000, 100_000, 1_000_000] + (deep ? [5_000_000] : []) {
            try await fill(queue, depth - waiting)
            waiting = depth
            let full = try await CPUMeter.read(redis)
            // The payload of the n-th job is {"n":…}; those of a batch of 500 count from 0 to 499.
            let payload = 8.8
            let bytes = (full.memory - empty.memory) / Double(depth) - payload
            memory.append(BenchFigure("memory beside the payload, \(depth) waiting", bytes, "bytes").atMost(350))
            let cost = try await steady(queue)
            let figure = BenchFigure("Redis CPU for a whole life, \(depth) waiting", cost, "µs/job")
            // Flat: within a quarter of what it costs with the fewest.
            costs.append(figure.atMost(first.map { $0 * 1.25 }))
            first = first ?? cost
        }
        try await discard(queue)
        return costs + memory
    }

    /// Each job that ends is replaced by a new one, so that as many wait as before.
    private func steady(_ queue: JobQueue) async throws -> Double {
        let handled = Atomic<Int>(0)
        let handler = JobHandler.batch(BenchJob.self, limit: 500) { jobs in
            try await queue.enqueue(BenchJob.many(jobs.count))
            handled.add(jobs.count, ordering: .relaxed)
            return [:]
        }
        let start = try await CPUMeter.read(redis)
        var end = start
        try await withWorker(queue, handler) {
            try await Task.sleep(for: .seconds(max(1, seconds / 2)))
            end = try await CPUMeter.read(redis)
        }
        return (end.redis - start.redis) / Double(max(1, handled.load(ordering: .relaxed)))
    }
}

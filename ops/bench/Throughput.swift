import GameModel
import Jobs
import Redis

/// How many jobs a second go in and out, and what that costs both sides.
extension Bench {
    func enqueueing() async throws -> [BenchFigure] {
        let one = try await limits?.run(["LPUSH", "bench:limit", "x"], clients: 1, count: 20_000)?.perSecond
        let many = try await limits?.run(["LPUSH", "bench:limit", "x"], clients: 4, pipeline: 16, count: 200_000)
        return [
            BenchFigure("enqueue, one by one", try await callers(1), "jobs/s").beside(one, "LPUSH -c 1"),
            BenchFigure("enqueue, 64 callers", try await callers(64), "jobs/s")
                .beside(many?.perSecond, "LPUSH -c 4 -P 16"),
        ]
    }

    private func callers(_ callers: Int) async throws -> Double {
        let queue = queue()
        try await queue.enqueue(BenchJob(n: 0))
        let begin = ContinuousClock.now
        let end = begin + .seconds(seconds)
        try await concurrently(callers) { _ in
            while ContinuousClock.now < end { try await queue.enqueue(BenchJob(n: 1)) }
        }
        let took = (ContinuousClock.now - begin).inSeconds
        let rate = Double(try await queue.counts().enqueued - 1) / took
        try await discard(queue)
        return rate
    }

    /// Batches in, then out by one worker in this process: once with a handler that takes one job a call, once with
    /// one that takes up to 500.
    func lives() async throws -> [BenchFigure] {
        let values = [String](repeating: String(repeating: "x", count: 60), count: 100)
        let push = try await limits?.run(
            ["LPUSH", "bench:limit"] + values, clients: 4, count: 10_000)
        let pop = try await limits?.run(["LPOP", "bench:limit", "100"], clients: 4, count: 10_000)
        let queue = queue()
        let start = try await CPUMeter.read(redis)
        try await fill(queue, jobs, batch: 100, callers: 4)
        let full = try await CPUMeter.read(redis)
        let drained = try await drain(queue, .batch(BenchJob.self, limit: 500) { _ in [:] }, total: jobs)
        let alone = self.queue()
        try await fill(alone, jobs, batch: 100, callers: 4)
        let single = try await drain(alone, .each(BenchJob.self) { _, _ in }, total: jobs)
        try await discard(queue)
        try await discard(alone)
        let count = Double(jobs)
        let limit = pop.map { $0.perSecond * 100 }
        return [
            BenchFigure("enqueue, batches of 100 from 4 callers", count / start.seconds(to: full), "jobs/s")
                .beside(push.map { $0.perSecond * 100 }, "LPUSH of 100 -c 4").atLeast(100_000),
            BenchFigure("drain by one process, handler of batches", drained.perSecond, "jobs/s")
                .beside(limit, "LPOP of 100 -c 4").atLeast(60_000),
            BenchFigure("drain by one process, handler of single jobs", single.perSecond, "jobs/s")
                .beside(limit, "LPOP of 100 -c 4").atLeast(60_000),
            BenchFigure("Redis CPU to enqueue", (full.redis - start.redis) / count, "µs/job"),
            BenchFigure("Redis CPU to lease and complete", drained.redis, "µs/job"),
            BenchFigure("Redis CPU for a whole life", (full.redis - start.redis) / count + drained.redis, "µs/job")
                .atMost(12),
            BenchFigure("client CPU to enqueue", (full.client - start.client) / count, "µs/job"),
            BenchFigure("client CPU to run, handler of batches", drained.client, "µs/job"),
            BenchFigure("client CPU to run, handler of single jobs", single.client, "µs/job"),
        ]
    }

    private func drain(
        _ queue: JobQueue, _ handler: JobHandler, total: Int
    ) async throws -> (perSecond: Double, redis: Double, client: Double) {
        let start = try await CPUMeter.read(redis)
        var end = start
        try await withWorker(queue, handler) {
            try await waitUntilCompleted(total, queue)
            end = try await CPUMeter.read(redis)
        }
        let count = Double(total)
        return (count / start.seconds(to: end), (end.redis - start.redis) / count, (end.client - start.client) / count)
    }
}

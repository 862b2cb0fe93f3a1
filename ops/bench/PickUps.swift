import Histogram
import Jobs
import Redis
import Synchronization

/// How long after the moment at which its enqueueing was to begin a job runs on a worker that was idle.
extension Bench {
    func pickUps() async throws -> [BenchFigure] {
        var figures: [BenchFigure] = []
        let limit = try await limits?.run(["PING"], clients: 1, count: 20_000)?.p99
        for rate in [10, 100, 1_000] {
            let ping = Latencies()
            try await openLoop(rate) { due in
                _ = try await redis.send(RedisCommand("PING"))
                ping.record(since: due)
            }
            let pickUp = try await pickUp(rate)
            let name = "pick-up at \(rate)/s"
            figures += [
                BenchFigure("PING at \(rate)/s, p99", ping.micros(99), "µs").beside(limit, "PING -c 1"),
                BenchFigure("\(name), p50", pickUp.micros(50), "µs"),
                BenchFigure("\(name), p99", pickUp.micros(99), "µs")
                    .atMost(pickUp.count >= Self.samplesMin ? ping.micros(99) * 5 : nil),
                BenchFigure("\(name), p999", pickUp.micros(99.9), "µs"),
            ]
        }
        return figures
    }

    /// Of fewer samples the 99th percentile is chance, and is not judged.
    private static let samplesMin = 500

    private func pickUp(_ rate: Int) async throws -> Latencies {
        let queue = queue()
        let latencies = Latencies()
        let begin = ContinuousClock.now
        let handler = JobHandler.each(BenchJob.self) { job, _ in
            latencies.record(since: begin + .nanoseconds(job.n))
        }
        let count = Int(Double(rate) * seconds)
        try await withWorker(queue, handler) {
            try await openLoop(rate) { due in
                let offset = (due - begin).components
                let nanos = offset.seconds * 1_000_000_000 + offset.attoseconds / 1_000_000_000
                try await queue.enqueue(BenchJob(n: Int(nanos)))
            }
            try await waitUntilCompleted(count, queue)
        }
        try await discard(queue)
        return latencies
    }

    private func openLoop(
        _ rate: Int, _ body: @escaping @Sendable (ContinuousClock.Instant) async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for await due in Pacer(perSecond: rate, seconds: seconds).ticks() {
                group.addTask { try await body(due) }
            }
            try await group.waitForAll()
        }
    }
}

/// Times to the ns, from any task.
private final class Latencies: Sendable {
    private let times = Mutex(
        Histogram<UInt32>(highestTrackableValue: 60_000_000_000, numberOfSignificantValueDigits: .three))

    func record(since begin: ContinuousClock.Instant) {
        let took = (ContinuousClock.now - begin).components
        let nanos = took.seconds * 1_000_000_000 + took.attoseconds / 1_000_000_000
        times.withLock { _ = $0.record(UInt64(max(0, nanos))) }
    }

    var count: UInt64 { times.withLock { $0.totalCount } }

    func micros(_ percentile: Double) -> Double {
        times.withLock { Double($0.valueAtPercentile(percentile)) / 1_000 }
    }
}

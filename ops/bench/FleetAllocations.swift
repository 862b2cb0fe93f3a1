import GameModel
import Histogram
import Redis
import Synchronization

/// How long a slot takes to find, and how many a second are found, by the code and the script of an allocator; no
/// SQLite and no jobs are part of it.
struct FleetAllocations: Sendable {
    let redis: RedisClient
    let limits: RedisBenchmark?
    /// Slots of the fleet.
    let slots: Int
    let seconds: Double

    /// Allocations in which one caller is measured.
    private static let aloneMax = 5_000
    /// Allocations a second in the open loop.
    private static let load = 2_000
    private static let callers = 64

    func figures() async throws -> [BenchFigure] {
        let fleet = BenchedFleet(redis: redis, slots: slots)
        return try await alone(fleet) + (try await loaded(fleet)) + (try await rate(fleet))
    }

    /// One caller, a round trip and an allocation in turn, so that both meet the same machine.
    private func alone(_ fleet: BenchedFleet) async throws -> [BenchFigure] {
        let (trips, allocations) = (Latencies(), Latencies())
        try await fleet.clear()
        try await fleet.beating {
            for _ in 0..<min(Self.aloneMax, slots * 9 / 10) {
                var begin = ContinuousClock.now
                _ = try await redis.send(RedisCommand("PING"))
                trips.record(.now - begin)
                begin = .now
                try await fleet.allocate()
                allocations.record(.now - begin)
            }
        }
        return [
            BenchFigure("round trip to Redis (PING), p50", trips.micros(50), "µs"),
            BenchFigure("  p99", trips.micros(99), "µs"),
            BenchFigure("allocation from ready slots, p50", allocations.micros(50), "µs")
                .beside(trips.micros(50) * 5, "5 round trips").atMost(trips.micros(50) * 5),
            BenchFigure("  p99", allocations.micros(99), "µs")
                .beside(trips.micros(99) * 5, "5 round trips").atMost(trips.micros(99) * 5),
        ]
    }

    /// As many a second as are wanted, however slow each is.
    private func loaded(_ fleet: BenchedFleet) async throws -> [BenchFigure] {
        let latencies = Latencies()
        let seconds = min(seconds, Double(slots) * 0.9 / Double(Self.load))
        try await fleet.clear()
        try await fleet.beating {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for await due in Pacer(perSecond: Self.load, seconds: seconds).ticks() {
                    group.addTask {
                        try await fleet.allocate()
                        latencies.record(.now - due)
                    }
                }
                try await group.waitForAll()
            }
        }
        return [
            BenchFigure("allocation at \(Self.load) a second, p50", latencies.micros(50), "µs"),
            BenchFigure("  p99", latencies.micros(99), "µs"),
        ]
    }

    /// As fast as it goes.
    private func rate(_ fleet: BenchedFleet) async throws -> [BenchFigure] {
        let limit = try await limits?.run(
            ["HSET", "bench:limit", "match", "instance"], clients: Self.callers, count: 200_000)
        try await fleet.clear()
        let count = slots * 9 / 10
        let before = try await CPUMeter.read(redis)
        var after = before
        try await fleet.beating {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for caller in 0..<Self.callers {
                    group.addTask {
                        for _ in stride(from: caller, to: count, by: Self.callers) { try await fleet.allocate() }
                    }
                }
                try await group.waitForAll()
            }
            after = try await CPUMeter.read(redis)
        }
        return [
            BenchFigure("allocations, \(Self.callers) callers", Double(count) / before.seconds(to: after), "1/s")
                .beside(limit?.perSecond, "HSET -c \(Self.callers)").atLeast(2_000),
            BenchFigure("  Redis CPU, heartbeats included", (after.redis - before.redis) / Double(count), "µs"),
            BenchFigure("  allocator's CPU", (after.client - before.client) / Double(count), "µs"),
        ]
    }
}

/// Latencies of many tasks.
private final class Latencies: Sendable {
    private let histogram = Mutex(Histogram<UInt64>(numberOfSignificantValueDigits: .three))

    func record(_ duration: Duration) {
        histogram.withLock { _ = $0.record(UInt64(max(1, duration.inSeconds * 1e9))) }
    }

    func micros(_ percentile: Double) -> Double {
        histogram.withLock { Double($0.valueAtPercentile(percentile)) / 1_000 }
    }
}

import Foundation
import Logging
import Redis

/// The whole benchmark of the fleet: slots by the script, whole placements by an allocator, and how many matches of the
/// reference game an instance holds on one core.
public struct FleetBenchmark: Sendable {
    /// This program.
    public var executable: String
    /// Ready slots that allocations are made from.
    public var slots = 20_000
    /// Matches of the placements' figures.
    public var placements = 5_000
    /// Matches that one instance is to hold; none = not measured.
    public var matches = 500
    /// Seconds per timed figure.
    public var seconds = 5.0
    /// Print JSON at the end in place of lines on the way.
    public var json = false

    public init(executable: String) { self.executable = executable }

    /// Measures and prints.
    public func run() async throws {
        try await BenchServer.withFolder { url, folder in try await measure(url, folder) }
    }

    private func measure(_ url: String, _ folder: String) async throws {
        let configuration = try RedisConfiguration(url: url)
        var logger = Logger(label: "muster.bench")
        logger.logLevel = .error
        let redis = RedisClient(configuration: configuration, logger: logger)
        let allocations = FleetAllocations(
            redis: redis, limits: RedisBenchmark(configuration), slots: slots, seconds: seconds)
        let placing = FleetPlacements(
            executable: executable, url: url, redis: redis, logger: logger, matches: placements)
        let holding = HeldMatches(executable: executable, logger: logger, seconds: seconds * 2)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await redis.run() }
            try await redis.waitUntilConnected(timeout: .seconds(10))
            let header = try await BenchHeader.read(redis)
            var report = BenchReport(json: json, header: header.line)
            report.add(try await allocations.figures())
            report.add(try await placing.figures(folder + "/placing"))
            if matches > 0 { report.add(try await holding.figures(folder + "/holding", matches: matches)) }
            try report.finish(header)
            group.cancelAll()
        }
    }
}

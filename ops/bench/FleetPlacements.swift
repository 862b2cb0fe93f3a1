import Foundation
import GameModel
import Jobs
import Logging
import Matchmaking
import Redis

/// Placements by a whole `muster allocator`: from the job to a slot, the roster in `data.sqlite` with
/// `synchronous=FULL`, and the tickets that say where to play.
struct FleetPlacements: Sendable {
    let executable: String
    let url: String
    let redis: RedisClient
    let logger: Logger
    /// Matches to place.
    let matches: Int

    private static let rulesText = """
        regions: [\(BenchedFleet.region)]
        modes:
          \(BenchedFleet.pool.mode):
            teams: {count: 2, size: 1}
            rating: {window: 2500}
            acceptance: {required: false}
        """

    private static let rules: MatchmakingRules = {
        var duel = ModeRules(teamSize: 1, window: 2_500)
        duel.needsAcceptance = false
        return MatchmakingRules(modes: [BenchedFleet.pool.mode: duel], regions: [BenchedFleet.region])
    }()

    func figures(_ folder: String) async throws -> [BenchFigure] {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Self.rulesText.write(toFile: folder + "/rules.yaml", atomically: true, encoding: .utf8)
        let fleet = BenchedFleet(redis: redis, slots: matches * 2)
        try await fleet.clear()
        try await propose()
        var figures: [BenchFigure] = []
        try await fleet.beating {
            let child = try BenchChild.start(
                executable,
                [
                    "allocator", "--redis", url, "--data", folder, "--rules", folder + "/rules.yaml",
                    "--log-level", "warning",
                ] + ["instances-min=0", "free-slots-min=0"].flatMap { ["--set", "allocator.\($0)"] },
                output: folder + "/allocator.log")
            let outcome: Result<[BenchFigure], any Error>
            do {
                outcome = .success(try await measure(child.pid()))
            } catch {
                outcome = .failure(error)
            }
            try child.stop()
            figures = try outcome.get()
        }
        return figures
    }

    /// Leaves one allocation job for each match.
    private func propose() async throws {
        let service = MatchmakingService(redis: redis, rules: Self.rules, logger: logger)
        let clients = 100
        try await withThrowingTaskGroup(of: Void.self) { group in
            for client in 0..<clients {
                group.addTask {
                    for index in stride(from: client, to: 2 * matches, by: clients) {
                        _ = try await service.createTicket(
                            TicketRequest(
                                player: PlayerID("p\(index)"), mode: BenchedFleet.pool.mode,
                                region: BenchedFleet.region,
                                skill: Skill(rating: 1_000 + Double(index % 1_000), deviation: 80),
                                latencies: [BenchedFleet.region: 20]))
                    }
                }
            }
            try await group.waitForAll()
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            let ranker = Ranker(
                id: "bench", redis: redis, rules: Self.rules, timing: Ranker.Timing(tick: .milliseconds(20)),
                logger: logger)
            group.addTask { try await ranker.run() }
            while try await service.depth().contains(where: { $0.waiting.count > 1 }) {
                try await Task.sleep(for: .milliseconds(5))
            }
            group.cancelAll()
        }
    }

    /// Over the middle four fifths, so that the allocator's start does not count.
    private func measure(_ pid: Int32) async throws -> [BenchFigure] {
        let (low, high) = (
            try await reading(atLeast: matches / 10, pid), try await reading(atLeast: matches * 9 / 10, pid)
        )
        let last = try await reading(atLeast: matches, pid)
        guard last.buried == 0 else { throw BenchError("\(last.buried) matches were not placed") }
        let count = Double(high.placed - low.placed)
        return [
            BenchFigure("whole placement by 1 allocator", count / low.meter.seconds(to: high.meter), "1/s")
                .atLeast(2_000),
            BenchFigure("  its CPU per placement", (high.cpu - low.cpu) / count, "µs"),
            BenchFigure("  Redis CPU per placement", (high.meter.redis - low.meter.redis) / count, "µs"),
        ]
    }

    private struct Reading {
        let placed: Int
        let buried: Int
        let meter: CPUMeter
        let cpu: Double
    }

    private func reading(atLeast bound: Int, _ pid: Int32) async throws -> Reading {
        let queue = JobQueue(name: AllocateInstance.queue(of: BenchedFleet.pool), redis: redis)
        let deadline = ContinuousClock.now + .seconds(120)
        while ContinuousClock.now < deadline {
            let counts = try await queue.counts()
            if counts.completed + counts.buried >= bound {
                return Reading(
                    placed: counts.completed, buried: counts.buried, meter: try await CPUMeter.read(redis),
                    cpu: try BenchChild.cpuMicroseconds(of: pid))
            }
            try await Task.sleep(for: .milliseconds(5))
        }
        throw BenchError("fewer than \(bound) matches are placed after 120 s")
    }
}

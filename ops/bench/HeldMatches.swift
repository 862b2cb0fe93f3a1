import Foundation
import GameModel
import Logging
import NIOCore
import NIOPosix

/// How many matches of the reference game one core holds: a real instance, bound to one core, beside the real API; the
/// players are connections of this process. Matches last ten seconds, and for each that ends the next one begins.
struct HeldMatches: Sendable {
    let executable: String
    let logger: Logger
    /// How long it is measured when all matches run.
    let seconds: Double

    static let pool = Pool(mode: Mode("duel"), region: Region("eu"))
    /// The ticks of a match, each of 100 ms: all have the most health that there is, so that nobody falls earlier.
    private static let ticks = 100
    private static let tickMs = 100.0

    /// - Parameter matches: how many one core is to hold.
    func figures(_ folder: String, matches: Int) async throws -> [BenchFigure] {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let backend = try await BenchBackend.start(executable, folder: folder)
        let outcome: Result<[BenchFigure], any Error>
        do {
            let games = try await BenchGames(backend, logger)
            let few = try await hold(max(1, matches * 2 / 5), backend, games)
            let all = try await hold(matches, backend, games)
            try games.close()
            outcome = .success(
                few.figures(isGoal: false) + all.figures(isGoal: true) + [
                    BenchFigure("  one core's worth of matches, extrapolated", all.running / all.cpu, "matches")
                        .atLeast(Double(matches))
                ])
        } catch {
            outcome = .failure(error)
        }
        try backend.stop()
        return try outcome.get()
    }

    /// An instance with so many matches.
    private struct Held {
        let matches: Int
        /// How many ran on the average.
        let running: Double
        /// Cores that the instance took.
        let cpu: Double
        let tickMs: (mean: Double, p99: Double)
        /// MB at most.
        let memory: Double

        func figures(isGoal: Bool) -> [BenchFigure] {
            [
                BenchFigure("an instance of \(matches) matches: ran at once", running, "matches")
                    .atLeast(isGoal ? Double(matches) : nil),
                BenchFigure("  its CPU", cpu * 100, "% of a core").atMost(isGoal ? 100 : nil),
                BenchFigure("  a tick, mean", tickMs.mean, "ms"),
                BenchFigure("  a tick, p99", tickMs.p99, "ms").atMost(isGoal ? HeldMatches.tickMs * 1.1 : nil),
                BenchFigure("  its memory at most", memory, "MB"),
            ]
        }
    }

    private func hold(_ count: Int, _ backend: BenchBackend, _ games: BenchGames) async throws -> Held {
        // Some more, for while one ends and the next one begins.
        let rooms = count + count / 20 + 1
        let instance = InstanceID("\(Self.pool.region).\(ULID())")
        let log = "\(backend.folder)/\(instance).log"
        let token = try String(contentsOfFile: backend.state.instanceTokenFile, encoding: .utf8)
        let settings = [
            "api.url=\(backend.state.apiUrl)",
            "instance.token=\(token.trimmingCharacters(in: .whitespacesAndNewlines))",
            "instance.id=\(instance)", "instance.region=\(Self.pool.region)", "instance.slots=\(rooms)",
            "instance.ticks-max=\(Self.ticks)", "instance.stop-grace-seconds=0",
        ]
        let child = try BenchChild.start(
            "taskset",
            ["-c", "0", executable, "instance", "--data", backend.folder, "--log-level", "info"]
                + settings.flatMap { ["--set", $0] }, output: log)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let outcome: Result<Held, any Error>
        do {
            let port = try await BenchChild.wait(for: "the instance") { () throws -> Int? in
                let bytes = FileManager.default.contents(atPath: log) ?? Data()
                let said = String(decoding: bytes, as: UTF8.self).firstMatch(of: /listening.* port=([0-9]+)/)
                return said.flatMap { Int($0.1) }
            }
            let game = BenchGame(games: games, instance: instance, port: port, group: group, tally: MatchTally())
            outcome = .success(try await play(game, rooms: rooms, count: count, try await child.pid()))
        } catch {
            outcome = .failure(error)
        }
        try await group.shutdownGracefully()
        try child.stop()
        return try outcome.get()
    }

    private func play(_ game: BenchGame, rooms: Int, count: Int, _ pid: Int32) async throws -> Held {
        let length = Duration.milliseconds(Int64(Self.tickMs) * Int64(Self.ticks))
        return try await withThrowingTaskGroup(of: Void.self) { group in
            for room in 0..<rooms {
                group.addTask {
                    // Spread over the length of a match, so that they don't all begin and end at once.
                    try await Task.sleep(for: length * room / rooms)
                    await game.playOn()
                }
            }
            try await Task.sleep(for: length * 1.3)
            game.tally.measure(true)
            let (begin, before) = (ContinuousClock.now, try BenchChild.cpuMicroseconds(of: pid))
            var running = 0
            var samples = 0
            while ContinuousClock.now - begin < .seconds(seconds) {
                try game.tally.check()
                running += game.tally.running
                samples += 1
                try await Task.sleep(for: .milliseconds(50))
            }
            game.tally.measure(false)
            let (took, after) = (ContinuousClock.now - begin, try BenchChild.cpuMicroseconds(of: pid))
            game.tally.finish()
            let held = Held(
                matches: count, running: Double(running) / Double(max(1, samples)),
                cpu: (after - before) / 1e6 / took.inSeconds, tickMs: game.tally.tickMs,
                memory: try BenchChild.memoryPeakMB(of: pid))
            // The players leave; their matches end without them.
            group.cancelAll()
            return held
        }
    }
}

import Foundation
import Logging
import Redis

/// The whole benchmark of the queue: one run against one server, each figure beside its limit and its target.
///
/// It works in queues of its own and removes them. Other clients of the server, and other work on the machine, spoil
/// the figures.
public struct JobsBenchmark: Sendable {
    /// The server; `nil` starts one.
    public var redisURL: String?
    /// Jobs per throughput figure.
    public var jobs = 200_000
    /// How long each timed figure is measured.
    public var seconds = 5.0
    /// Measure with 5 million waiting jobs too.
    public var deep = false
    /// Print JSON at the end in place of lines on the way.
    public var json = false

    public init() {}

    /// Measures and prints.
    public func run() async throws {
        if let redisURL { return try await measure(redisURL) }
        let server = try BenchServer.start()
        do {
            try await measure(server.url)
        } catch {
            try server.stop()
            throw error
        }
        try server.stop()
    }

    private func measure(_ url: String) async throws {
        let configuration = try RedisConfiguration(url: url)
        var logger = Logger(label: "muster.bench")
        logger.logLevel = .error
        let redis = RedisClient(configuration: configuration, logger: logger)
        let bench = Bench(
            redis: redis, limits: RedisBenchmark(configuration), jobs: jobs, seconds: seconds, deep: deep,
            logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await redis.run() }
            try await redis.waitUntilConnected(timeout: .seconds(10))
            try await measure(bench)
            group.cancelAll()
        }
    }

    private func measure(_ bench: Bench) async throws {
        let header = try await BenchHeader.read(bench.redis)
        if !json { print(header.line + "\n") }
        var figures: [BenchFigure] = []
        for part in [bench.enqueueing, bench.lives, bench.roundTrips, bench.pickUps, bench.depths] {
            let more = try await part()
            if !json { for figure in more { say(figure.line) } }
            figures += more
        }
        guard json else { return say("\n" + verdict(figures)) }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        say(String(decoding: try encoder.encode(Report(server: header, figures: figures)), as: UTF8.self))
    }

    private func verdict(_ figures: [BenchFigure]) -> String {
        let judged = figures.filter { $0.met != nil }
        return "\(judged.count { $0.met == true }) of \(judged.count) targets met"
    }

    /// Output to a pipe is kept back until there is much of it; a reader wants each part as it comes.
    private func say(_ line: String) {
        print(line)
        fflush(nil)
    }

    private struct Report: Encodable {
        let server: BenchHeader
        let figures: [BenchFigure]
    }
}

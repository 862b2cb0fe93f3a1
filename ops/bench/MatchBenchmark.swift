import Foundation

/// The whole benchmark of matchmaking: the matcher's speed by itself, how even its matches are beside two plain ways,
/// and the life of tickets through Redis; each figure beside its target.
public struct MatchBenchmark: Sendable {
    /// Tickets of the largest pool, 1,000 to 1,000,000.
    public var largest = 1_000_000
    /// Measure tickets through a redis-server too.
    public var redis = true
    /// Print JSON at the end in place of lines on the way.
    public var json = false

    public init() {}

    /// Measures and prints.
    public func run() async throws {
        let header = Header()
        if !json { say(header.line + "\n") }
        let speed = MatchSpeed(sizes: [1_000, 10_000, 100_000, 1_000_000].filter { $0 <= largest })
        var figures: [BenchFigure] = []
        let parts: [() async throws -> [BenchFigure]] = [
            speed.duels, speed.squads, speed.ticks, MatchQuality.duels.figures, MatchQuality.squads.figures,
            { redis ? try await MatchRedisBenchmark().run() : [] },
        ]
        for part in parts {
            let more = try await part()
            if !json { for figure in more { say(figure.line) } }
            figures += more
        }
        guard json else {
            let judged = figures.filter { $0.met != nil }
            return say("\n\(judged.count { $0.met == true }) of \(judged.count) targets met")
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        say(String(decoding: try encoder.encode(Report(machine: header, figures: figures)), as: UTF8.self))
    }

    /// Output to a pipe is kept back until there is much of it; a reader wants each part as it comes.
    private func say(_ line: String) {
        print(line)
        fflush(nil)
    }

    private struct Header: Encodable {
        let cores = ProcessInfo.processInfo.activeProcessorCount
        #if DEBUG
            let build = "debug build: not for comparing"
        #else
            let build = "release build"
        #endif

        var line: String { "matcher on one core of \(cores), in CPU time · \(build)" }
    }

    private struct Report: Encodable {
        let machine: Header
        let figures: [BenchFigure]
    }
}

import ArgumentParser
import Foundation
import GameModel
import Jobs
import Matchmaking

/// `muster pools`: how full they are.
struct PoolsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pools",
        abstract: "Show the pools of matchmaking: who waits, how long, and with what rating.",
        discussion: """
            Example:
              muster pools ls
              muster pools show squad:everywhere
            """,
        subcommands: [PoolsListCommand.self, PoolsShowCommand.self])
}

/// `muster pools ls`.
struct PoolsListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls",
        abstract: "List pools: tickets that wait, matches under way, and the waits of the last ones matched.",
        discussion: """
            Example:
              muster pools ls
              muster pools ls --mode squad --json | jq '.pools[].depth.waiting.count'
            """)

    @OptionGroup var access: MatchmakingAccess
    @OptionGroup var pools: PoolFilterOptions
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        let pools = pools
        let facts = try await access.with { try await $0.pools(try pools.filter($0.rules)) }
        if json { return try JobJSON.print(["pools": facts]) }
        let rows = facts.map { pool in
            [
                pool.depth.pool, "\(pool.depth.waiting.count)",
                pool.depth.waiting.count > 0 ? DepthTable.age(Int(pool.depth.waiting.oldestMs)) : "-",
                pool.waitP50Ms.map { DepthTable.age(Int($0)) } ?? "-",
                pool.waitP90Ms.map { DepthTable.age(Int($0)) } ?? "-", "\(pool.depth.proposed.count)",
                "\(pool.depth.placing.count)", "\(pool.depth.ready.count)", "\(pool.bands)",
                pool.depth.ranker == nil ? "none" : "yes",
            ]
        }
        print(
            JobText.table(
                [
                    "pool", "waiting", "oldest", "wait p50", "p90", "proposed", "placing", "played", "bands", "ranker",
                ], rows, right: Set(1...8), flexible: []))
    }
}

/// `muster pools show`.
struct PoolsShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Draw who waits in a pool, by rating and by how long.",
        discussion: """
            Each row is a band of ratings, each column a time of waiting; the darker a cell, the more tickets.

            Example:
              muster pools show duel:eu
              muster pools show squad:everywhere --json | jq .histogram.counts
            """)

    @OptionGroup var access: MatchmakingAccess
    @Argument(help: "The pool: mode:region, or mode:everywhere.") var pool: String
    @Flag(help: "Print JSON.") var json = false

    private struct Output: Encodable {
        let facts: PoolFacts
        let histogram: PoolHistogram
    }

    func run() async throws {
        let name = pool
        let output = try await access.with { inspector in
            guard let pool = Pool(name), inspector.rules.rules(of: pool) != nil else {
                throw CommandFailure(
                    "The rules have no pool '\(name)'.",
                    nextStep: "There are \(inspector.rules.pools.map(\.description).joined(separator: ", ")). "
                        + "Others with --rules FILE.")
            }
            return Output(
                facts: try await inspector.facts(of: pool), histogram: try await inspector.histogram(of: pool))
        }
        if json { return try JobJSON.print(output) }
        let (depth, histogram) = (output.facts.depth, output.histogram)
        let p50 = output.facts.waitP50Ms.map { Duration.milliseconds($0).inWords }
        let p90 = output.facts.waitP90Ms.map { Duration.milliseconds($0).inWords }
        print(
            MatchmakingText.rows([
                ("pool", depth.pool), ("ranker", depth.ranker ?? "none: start one, 'muster ranker'"),
                ("waiting", "\(histogram.tickets) tickets, \(histogram.players) players"),
                ("last waits", p50.map { "\($0) at the median, \(p90 ?? "-") at the 90th percentile" }),
                (
                    "matches",
                    "\(depth.proposed.count) proposed, \(depth.placing.count) placing, \(depth.ready.count) played"
                ), ("bands", output.facts.bands > 1 ? "\(output.facts.bands), by rating" : nil),
            ]))
        print("\n\(HistogramPlot.text(histogram))")
    }
}

/// A histogram of two dimensions in the terminal.
enum HistogramPlot {
    private static let shades = ["  ", "░░", "▒▒", "▓▓", "██"]

    static func text(_ histogram: PoolHistogram) -> String {
        guard !histogram.counts.isEmpty else { return "nobody waits" }
        let heads = heads(histogram.waitsSeconds)
        let most = histogram.counts.flatMap { $0 }.max() ?? 1
        let rows = histogram.counts.enumerated().reversed().map { index, row in
            let from = histogram.ratingFrom + Double(index) * histogram.ratingStep
            let label = "\(MatchmakingText.number(from)) to \(MatchmakingText.number(from + histogram.ratingStep))"
            return [label] + row.map { cell($0, most: most) } + ["\(row.reduce(0, +))"]
        }
        let sums = (heads.indices.map { column in histogram.counts.reduce(0) { $0 + $1[column] } }).map(String.init)
        var table = TextTable(["rating"] + heads + ["all"], right: Set(1...heads.count + 1))
        for row in rows { table.add(row) }
        table.add(["all"] + sums + ["\(histogram.tickets)"])
        return "tickets by rating and waiting\n" + table.text
    }

    /// `< 5 s`, …, `longer`.
    private static func heads(_ waits: [Double]) -> [String] {
        waits.map { "< \(Duration.seconds($0).inWords)" } + ["longer"]
    }

    /// The count with a shade that grows with its square root, so that few among many are still seen.
    static func cell(_ count: Int, most: Int) -> String {
        guard count > 0 else { return "·" }
        let share = (Double(count) / Double(max(most, 1))).squareRoot()
        let shade = min(shades.count - 1, max(1, Int((share * Double(shades.count - 1)).rounded(.up))))
        return "\(count) \(shades[shade])"
    }
}

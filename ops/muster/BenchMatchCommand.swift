import ArgumentParser
import Bench

/// `muster bench match`: how fast the matcher is, how even its matches are, and tickets through Redis.
struct BenchMatchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "match",
        abstract: "Measure the matcher's speed, its matches' quality, and tickets through Redis.",
        discussion: """
            Matches pools of 1,000 to 1,000,000 tickets on one core, ticks with 100,000 waiting, and simulates \
            arrivals with the matcher and two plain ways beside it at equal median wait; then lets tickets \
            live through a redis-server of its own. Takes two minutes; the matcher's times are CPU time of one \
            thread.

            Example:
              muster bench match
              muster bench match --largest 100000 --no-redis --json
            """)

    @Option(help: "Tickets of the largest pool.") var largest = 1_000_000
    @Flag(inversion: .prefixedNo, help: "Measure tickets through a redis-server too.") var redis = true
    @Flag(help: "Print JSON in place of the table.") var json = false

    func validate() throws {
        guard (1_000...1_000_000).contains(largest) else {
            throw ValidationError("--largest is 1000 to 1000000.")
        }
    }

    func run() async throws {
        var benchmark = MatchBenchmark()
        benchmark.largest = largest
        benchmark.redis = redis
        benchmark.json = json
        try await benchmark.run()
    }
}

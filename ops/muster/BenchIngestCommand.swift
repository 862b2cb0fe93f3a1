import ArgumentParser
import Bench

/// `muster bench ingest`: how fast events come into Redis, and from there into SQLite.
struct BenchIngestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ingest",
        abstract: "Measure events into Redis and from there into SQLite, beside the raw limits.",
        discussion: """
            Starts a redis-server and 'muster ingest' processes of its own on a temporary folder (TMPDIR says where). \
            Beside their figures it prints what redis-benchmark reaches with XADD, and SQLite with the same rows by a \
            prepared statement in one transaction through its C API. Then comes a burst, with the lag until it is \
            zero. Takes a minute; other work on the machine spoils the figures.

            Example:
              muster bench ingest
              muster bench ingest --events 100000 --burst 200000 --json
            """)

    @Option(help: "Events of each throughput figure.") var events = 1_000_000
    @Option(help: "Events of the burst.") var burst = 1_000_000
    @Option(
        help: ArgumentHelp(
            "Events that an ingest process stores in one transaction at most, 1 to 5000; else its default.",
            valueName: "events"))
    var batch: Int?
    @Flag(help: "Print JSON in place of the table.") var json = false

    func validate() throws {
        if let batch, !(1...5_000).contains(batch) {
            throw ValidationError("--batch is 1 to 5000, not \(batch).")
        }
        for (name, count) in [("events", events), ("burst", burst)] where !(20_000...3_000_000).contains(count) {
            throw ValidationError("--\(name) is 20000 to 3000000, not \(count).")
        }
    }

    func run() async throws {
        var benchmark = IngestBenchmark(executable: ThisProgram.path)
        benchmark.events = events
        benchmark.burst = burst
        benchmark.ingestBatch = batch
        benchmark.json = json
        try await benchmark.run()
    }
}

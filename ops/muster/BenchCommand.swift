import ArgumentParser
import Bench

/// `muster bench`: what the machine, and the queue and matchmaking on it, can do.
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure the queue, matchmaking, the API, the fleet and events on this machine.",
        discussion: """
            Example:
              muster bench jobs
              muster bench match
              muster bench api
              muster bench ingest
              muster bench fleet
            """,
        subcommands: [
            BenchJobsCommand.self, BenchMatchCommand.self, BenchAPICommand.self, BenchIngestCommand.self,
            BenchFleetCommand.self, BenchWorkerCommand.self, BenchHelloCommand.self,
        ])
}

/// `muster bench jobs`: speed, latency, CPU and memory of the queue, beside redis-benchmark.
struct BenchJobsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jobs",
        abstract: "Measure enqueueing, draining, pick-up, CPU and memory of jobs.",
        discussion: """
            Starts a redis-server of its own with AOF everysec in a temporary folder, unless --redis names one, and \
            prints each figure beside what redis-benchmark reaches in the same run and beside its target. Takes two \
            minutes; other work on the machine spoils the figures.

            Example:
              muster bench jobs
              muster bench jobs --redis redis://127.0.0.1:6379 --jobs 500000 --deep --json
            """)

    @Option(help: ArgumentHelp("A server to measure: redis://host:port or unix:///path.", valueName: "url"))
    var redis: String?
    @Option(help: "Jobs per throughput figure.") var jobs = 200_000
    @Option(help: "Seconds per timed figure.") var seconds = 5.0
    @Flag(help: "Measure with 5 million waiting jobs too (about 2 GB).") var deep = false
    @Flag(help: "Print JSON in place of the table.") var json = false

    func validate() throws {
        guard jobs >= 100 else { throw ValidationError("--jobs is 100 or more.") }
        guard seconds >= 0.1 else { throw ValidationError("--seconds is 0.1 or more.") }
    }

    func run() async throws {
        var benchmark = JobsBenchmark()
        benchmark.redisURL = redis
        benchmark.jobs = jobs
        benchmark.seconds = seconds
        benchmark.deep = deep
        benchmark.json = json
        try await benchmark.run()
    }
}

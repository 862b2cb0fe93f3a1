import ArgumentParser
import Bench

/// `muster bench fleet`: how fast matches get their slots, and how many an instance holds.
struct BenchFleetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fleet",
        abstract: "Measure allocations, whole placements, and matches per core of the reference game.",
        discussion: """
            Allocates from ready slots in a redis-server of its own, each allocation beside a round trip of the same \
            moment; has a 'muster allocator' place matches; and has one 'muster instance', bound to one core by \
            taskset, run matches beside the whole backend, while this process plays all their players. Takes a minute \
            and a half; other work on the machine spoils the figures.

            Example:
              muster bench fleet
              muster bench fleet --slots 5000 --placements 1000 --matches 100 --json
            """)

    @Option(help: "Ready slots that allocations are made from.") var slots = 20_000
    @Option(help: "Matches that an allocator places.") var placements = 5_000
    @Option(help: "Matches that one core is to hold; 0 leaves that out.") var matches = 500
    @Option(help: "Seconds per timed figure.") var seconds = 5.0
    @Flag(help: "Print JSON in place of the table.") var json = false

    func validate() throws {
        guard (1_000...100_000).contains(slots) else { throw ValidationError("--slots is 1000 to 100000.") }
        guard (100...50_000).contains(placements) else { throw ValidationError("--placements is 100 to 50000.") }
        guard (0...900).contains(matches) else { throw ValidationError("--matches is 0 to 900.") }
        guard seconds >= 0.1 else { throw ValidationError("--seconds is 0.1 or more.") }
    }

    func run() async throws {
        OpenFiles.raiseLimit()
        var benchmark = FleetBenchmark(executable: ThisProgram.path)
        benchmark.slots = slots
        benchmark.placements = placements
        benchmark.matches = matches
        benchmark.seconds = seconds
        benchmark.json = json
        try await benchmark.run()
    }
}

import ArgumentParser
import Foundation
import GameModel
import Matchmaking
import Simulate

/// `muster simulate`: what rules of matchmaking come to, before players meet them.
struct SimulateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "Run rules of matchmaking over a made-up or recorded day of players.",
        discussion: """
            Uses the matcher that rankers use, on a clock of its own and without servers: a day of 100,000 players \
            takes seconds. Prints how long players wait and how good their matches are; with --compare, two rule \
            files on the same players side by side. The same seed gives the same result, byte for byte.

            A population file names what differs from the players made up by default: ratings, regions, latencies, \
            parties, hours, and more (see ops/simulate/PopulationFile.swift). Arrivals are a CSV file with the columns \
            time (seconds or ISO 8601), player and rating, and where wanted deviation, region, party, latency_REGION.

            Example:
              muster simulate --rules rules.yaml --mode squad
              muster simulate --rules a.yaml --compare b.yaml --mode squad --players 100000 --html compare.html
              muster simulate --rules a.yaml --mode duel --arrivals friday.csv --json
            """)

    @Option(help: ArgumentHelp("A rules file; without one, the built-in rules.", valueName: "file"))
    var rules: String?
    @Option(help: ArgumentHelp("Other rules for the same players.", valueName: "file")) var compare: String?
    @Option(help: "The mode that is played.") var mode: String
    @Option(help: ArgumentHelp("What players are like (YAML).", valueName: "file")) var population: String?
    @Option(help: ArgumentHelp("Real arrivals (CSV) in place of made-up ones.", valueName: "file"))
    var arrivals: String?
    @Option(help: "Players who begin to play on one day.") var players: Int?
    @Option(help: "The same, per hour on average.") var playersPerHour: Double?
    @Option(help: ArgumentHelp("Begin at this hour of the day.", valueName: "hour")) var from: Double?
    @Option(help: "Simulate so many hours.") var hours: Double?
    @Option(help: "Seconds between two runs of the matcher.") var tick = 1.0
    @Option(help: "The same seed gives the same players and results.") var seed: UInt64 = 1
    @Option(help: ArgumentHelp("Write a page with tables and plots.", valueName: "file")) var html: String?
    @Option(help: ArgumentHelp("Write the plots as one picture.", valueName: "file")) var svg: String?
    @Flag(help: "Print JSON in place of tables.") var json = false

    func validate() throws {
        guard players == nil || playersPerHour == nil else {
            throw ValidationError("Give --players or --players-per-hour, not both.")
        }
        guard arrivals == nil || (players == nil && playersPerHour == nil) else {
            throw ValidationError("The players of --arrivals are those of the file.")
        }
        guard (2...10_000_000).contains(players ?? 2), (0.1...400_000).contains(playersPerHour ?? 1) else {
            throw ValidationError("--players is 2 to 10000000.")
        }
        guard (0...743).contains(from ?? 0), (0.01...744).contains(hours ?? 1) else {
            throw ValidationError("--from is 0 to 743 and --hours 0.01 to 744.")
        }
        guard arrivals != nil || (from ?? 0) + (hours ?? 0) <= 24 else {
            throw ValidationError("--from and --hours stay within one day of 24 hours.")
        }
        guard (0.01...60).contains(tick) else { throw ValidationError("--tick is 0.01 to 60 seconds.") }
    }

    func run() async throws {
        do {
            var files = [(name: Self.name(of: rules), rules: try Self.read(rules: rules))]
            if let compare { files.append((Self.name(of: compare), try Self.read(rules: compare))) }
            // Two files of one name are told apart by their folders.
            if files.count == 2, files[0].name == files[1].name {
                files[0].name = rules ?? files[0].name
                files[1].name = compare ?? files[1].name
            }
            let crowd = try crowd(files.map(\.rules))
            let comparison = try await simulated(files, crowd)
            try write(comparison)
            guard comparison.runs.allSatisfy({ $0.figures.faults.isEmpty }) else {
                throw CommandFailure(
                    "The simulation did what must never happen; its figures can't be trusted.",
                    nextStep: "Report it with the rules, the seed \(seed) and the lines above that say FAULT.")
            }
        } catch let error as SimulationError {
            throw CommandFailure(
                error.description, nextStep: "Nothing was simulated; correct that, then run the command again.")
        }
    }

    // MARK: What is simulated

    private static func name(of file: String?) -> String {
        file.map { URL(fileURLWithPath: $0).lastPathComponent } ?? "built-in rules"
    }

    private static func read(rules file: String?) throws -> MatchmakingRules {
        guard let file else { return .standard }
        do {
            return try MatchmakingRules.read(file: file)
        } catch {
            throw CommandFailure("\(error)", nextStep: "See what is allowed with 'muster rules schema'.")
        }
    }

    private static func text(of file: String) throws -> String {
        do {
            return try String(contentsOfFile: file, encoding: .utf8)
        } catch {
            throw CommandFailure(
                "\(file) can't be read: \(error.localizedDescription)", nextStep: "Give a file of UTF-8 text.")
        }
    }

    private func crowd(_ rules: [MatchmakingRules]) throws -> Crowd {
        var population = Population()
        if let file = self.population {
            population = try PopulationFile.read(Self.text(of: file), named: file)
        }
        if let players { population.players = players }
        if let playersPerHour { population.players = max(2, Int((playersPerHour * 24).rounded())) }
        guard let file = arrivals else {
            let start = from ?? 0
            return Crowd(
                population, rules: rules, mode: Mode(mode), seed: seed,
                span: Self.span(start, hours ?? 24 - start))
        }
        let regions = Set(rules.flatMap(\.regions)).sorted()
        let crowd = try ArrivalsFile.read(Self.text(of: file), named: file, regions: regions, habits: population)
        guard from != nil || hours != nil else { return crowd }
        return crowd.within(Self.span(from ?? 0, hours ?? 744))
    }

    private static func span(_ from: Double, _ hours: Double) -> Range<Int64> {
        Int64(from * 3_600_000)..<max(Int64(from * 3_600_000) + 1, Int64((from + hours) * 3_600_000))
    }

    private func simulated(
        _ files: [(name: String, rules: MatchmakingRules)], _ crowd: Crowd
    ) async throws -> Comparison {
        let simulations = try files.map { file in
            try Simulation(
                rules: file.rules, mode: Mode(mode), crowd: crowd, seed: seed, tickMs: Int64((tick * 1_000).rounded()))
        }
        let clock = ContinuousClock()
        let start = clock.now
        let figures = await withTaskGroup(of: (Int, Figures).self) { group in
            for (place, simulation) in simulations.enumerated() { group.addTask { (place, simulation.run()) } }
            return await group.reduce(into: [Int: Figures]()) { $0[$1.0] = $1.1 }
        }
        let runs = files.enumerated().compactMap { place, file in
            figures[place].map { Comparison.Run(name: file.name, figures: $0) }
        }
        let comparison = Comparison(simulations[0], runs: runs)
        // Not with the result, which is the same each time.
        let took = max(0.001, (clock.now - start).inSeconds)
        FileHandle.note(
            comparison.headline
                + String(
                    format: "\n%.0f h in %.1f s: %.0f times as fast as real time", comparison.hours, took,
                    comparison.hours * 3_600 / took))
        return comparison
    }

    // MARK: What is said

    private func write(_ comparison: Comparison) throws {
        let page = ComparisonPage(comparison)
        for (path, text) in [(html, page.html), (svg, page.picture)] {
            guard let path else { continue }
            do {
                try text().write(toFile: path, atomically: true, encoding: .utf8)
            } catch {
                throw CommandFailure(
                    "\(path) can't be written: \(error.localizedDescription)", nextStep: "Name a file in a folder.")
            }
            FileHandle.note("wrote \(path)")
        }
        // Last: whoever reads it may stop reading before its end.
        print(json ? try comparison.jsonText() : "\n" + ComparisonTable(comparison).text)
    }
}

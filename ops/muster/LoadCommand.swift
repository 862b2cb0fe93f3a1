import ArgumentParser
import Foundation
import GameModel
import Load

/// `muster load`: simulated players, the whole journey.
struct LoadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load",
        abstract: "Simulate players: log in, buy, queue, accept, play, get the result.",
        discussion: """
            Players arrive as a Poisson process, however slow the servers are, and latencies count from when each \
            step was meant to begin. Ends with a table; fails if fewer of the queued players finish a match than \
            required.

            Example:
              muster load --players 1000 --seconds 60 --report load.html
              muster load --modes squad --regions eu,us,ap --parties 2=0.2,3=0.1,5=0.1 --players 2000
              muster load --api http://127.0.0.1:8080,http://127.0.0.1:8081 --modes duel=7,trio=3 --json
            """)

    @OptionGroup var shared: SharedOptions
    @Option(
        help: ArgumentHelp(
            "One API or several, with commas; those of a running 'muster up', else port 8080.", valueName: "urls"))
    var api: String?
    @Option(help: "How many players.") var players = 1000
    @Option(help: "Over how many seconds they arrive.") var seconds = 60.0
    @Option(help: "How many seconds the last of them may still take.") var drain = 90.0
    @Option(help: "End after this many seconds in which nothing happened and nobody plays.") var idleTimeout = 15.0
    @Option(help: "Modes with weights.") var modes = "duel=7,trio=3"
    @Option(help: "Regions where players are at home, from which their latency is low.") var regions = "eu,us"
    @Option(
        help: ArgumentHelp(
            "The share of players in parties of each size; the others play alone.", valueName: "size=share,…"))
    var parties: String?
    @Option(help: "The share of players whose card is declined.") var declinedCards = 0.05
    @Option(help: "The share of players who turn their first proposal down.") var decliners = 0.01
    @Option(help: "The share of queued players who must finish a match.") var requireFinished = 0.95
    @Option(help: "The same seed gives the same arrivals and wishes.") var seed: UInt64 = 1
    @Option(help: ArgumentHelp("Write an HTML report.", valueName: "file")) var report: String?
    @Flag(help: "Print JSON in place of the table.") var json = false
    @Flag(inversion: .prefixedNo, help: "Draw the progress line.") var progress = true

    func run() async throws {
        var load = LoadConfiguration()
        load.apiURLs = try urls()
        load.players = players
        load.arrivals = try Self.duration("seconds", seconds)
        load.drain = try Self.duration("drain", drain)
        load.idleTimeout = try Self.duration("idle-timeout", idleTimeout)
        load.modes = modes.split(separator: ",").map { text in
            let sides = text.split(separator: "=")
            return .init(mode: Mode(String(sides[0])), weight: sides.count > 1 ? Int(sides[1]) ?? 0 : 1)
        }
        load.regions = regions.split(separator: ",").map { Region(String($0)) }
        load.parties = try partyShares()
        load.declinedCards = declinedCards
        load.decliners = decliners
        load.requiredFinished = requireFinished
        load.seed = seed
        load.reportPath = report
        load.json = json
        load.showProgress = progress
        try await LoadRun(configuration: load).run()
    }

    /// Seconds that a duration can hold; how many make sense, the load says.
    private static func duration(_ name: String, _ seconds: Double) throws -> Duration {
        guard seconds.isFinite, abs(seconds) < 1e9 else {
            throw ValidationError("--\(name) is \(seconds), and must be a number of seconds, at most 86400.")
        }
        return .seconds(seconds)
    }

    private func partyShares() throws -> [Int: Double] {
        var shares: [Int: Double] = [:]
        for text in (parties ?? "").split(separator: ",") {
            let sides = text.split(separator: "=")
            guard sides.count == 2, let size = Int(sides[0]), let share = Double(sides[1]), shares[size] == nil else {
                throw ValidationError("--parties: '\(text)' is not SIZE=SHARE, such as 2=0.2")
            }
            shares[size] = share
        }
        return shares
    }

    private func urls() throws -> [String] {
        if let api { return api.split(separator: ",").map(String.init) }
        return try UpState.read(from: shared.dataFolder)?.apiUrls ?? LoadConfiguration().apiURLs
    }
}

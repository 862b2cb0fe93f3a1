import ArgumentParser
import GameData
import GameModel
import Records
import Redis

/// `muster leaderboard`: the best players of each mode and season.
struct LeaderboardCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "leaderboard",
        abstract: "Show the best players of a mode and season, and fill the boards in Redis anew.",
        discussion: """
            Example:
              muster leaderboard show duel --top 20
              muster leaderboard show duel --around 01K0Z7QK3T8V5M2B9X4C6D1E0F
              muster leaderboard rebuild
            """,
        subcommands: [LeaderboardShowCommand.self, LeaderboardRebuildCommand.self])

    static func mode(_ text: String) throws -> Mode {
        guard let mode = Mode(rawValue: text) else {
            throw ValidationError("'\(text)' is no mode's name: 1 to 200 visible ASCII characters.")
        }
        return mode
    }

    /// The boards of a data folder and a Redis.
    static func with<T: Sendable>(
        _ shared: SharedOptions, _ body: @escaping @Sendable (Leaderboards) async throws -> T
    ) async throws -> T {
        let url = try shared.redisURL()
        return try await DataFile.with(shared.dataFolder) { database in
            try await RedisConnection.with(url: url) { redis in
                do {
                    return try await body(Leaderboards(redis: redis, database: database))
                } catch let error as GameDataError {
                    throw CommandFailure("\(error)", nextStep: "See the seasons: muster seasons ls.")
                }
            }
        }
    }
}

/// `muster leaderboard show`.
struct LeaderboardShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show the best players of a mode, or who stands around one.",
        discussion: """
            Example:
              muster leaderboard show duel --top 20
              muster leaderboard show duel --season spring --from 101
              muster leaderboard show duel --around 01K0Z7QK3T8V5M2B9X4C6D1E0F --json
            """)

    @OptionGroup var shared: SharedOptions
    @Argument(help: "The mode.") var mode: String
    @Option(help: "The season's name; the current one where it is left out.") var season: String?
    @Option(help: "How many lines, 1 to 1000.") var top = 20
    @Option(help: "The rank of the first line, from 1.") var from = 1
    @Option(help: ArgumentHelp("Five lines on either side of this player.", valueName: "player")) var around: String?
    @Flag(help: "Print JSON.") var json = false

    func validate() throws {
        guard (1...Leaderboards.limitMax).contains(top) else {
            throw ValidationError("--top takes 1 to \(Leaderboards.limitMax), not \(top).")
        }
        guard (1...Leaderboards.rankMax).contains(from) else {
            throw ValidationError("--from takes 1 to \(Leaderboards.rankMax), not \(from).")
        }
        if let around, PlayerID(rawValue: around) == nil {
            throw ValidationError("'\(around)' is no player's id: 1 to 200 visible ASCII characters.")
        }
    }

    func run() async throws {
        let mode = try LeaderboardCommand.mode(mode)
        let command = self
        let page = try await LeaderboardCommand.with(shared) { boards in
            guard let player = command.around else {
                return try await boards.page(mode, season: command.season, from: command.from, limit: command.top)
            }
            return try await boards.page(mode, season: command.season, around: PlayerID(player), lines: 5)
        }
        if json { return try JobJSON.print(page) }
        if let around, page.rank == nil {
            throw CommandFailure(
                "Player \(around) has no rated match in \(mode), season \(page.season).",
                nextStep: "See who has: muster leaderboard show \(mode).")
        }
        guard !page.entries.isEmpty else { return print("nobody is on the board of \(mode), season \(page.season)") }
        let rows = page.entries.map { entry in
            [
                "\(entry.rank)", entry.displayName, entry.playerId.rawValue, MatchmakingText.number(entry.rating),
                "\(entry.games)",
            ]
        }
        print("\(mode), season \(page.season): \(page.total) players (from \(page.source.rawValue))")
        print(
            JobText.table(
                ["rank", "name", "player", "rating", "games"], rows, right: [0, 3, 4], flexible: [1], most: 120))
    }
}

/// `muster leaderboard rebuild`.
struct LeaderboardRebuildCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rebuild",
        abstract: "Fill the current season's boards in Redis anew from SQLite; meanwhile SQLite answers.",
        discussion: """
            Needed only where data.sqlite was brought back from a copy: after a wipe of Redis, and when a season \
            begins, 'muster ingest' does it by itself. Results that are applied meanwhile are on the boards too.

            Example:
              muster leaderboard rebuild
              muster leaderboard rebuild duel
            """)

    @OptionGroup var shared: SharedOptions
    @Argument(help: "Only of this mode.") var mode: String?

    func run() async throws {
        let mode = try mode.map(LeaderboardCommand.mode)
        let filled = try await LeaderboardCommand.with(shared) { boards in
            var filled: [(Mode, Leaderboards.FillReply)] = []
            let modes = try await boards.modes()
            for mode in mode.map({ [$0] }) ?? modes { filled.append((mode, try await boards.fill(mode, anew: true))) }
            return filled
        }
        if filled.isEmpty { print("nobody has a rating yet") }
        for (mode, reply) in filled {
            guard case .filled(let players) = reply else {
                throw CommandFailure(
                    "The board of \(mode) was lost or begun anew while it was filled.",
                    nextStep: "Do it again: muster leaderboard rebuild \(mode).")
            }
            print("\(mode): \(players) players")
        }
    }
}

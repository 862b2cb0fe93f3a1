import ArgumentParser
import Foundation
import GameData
import GameModel
import Logging
import Records

/// `muster seasons`: when ratings begin anew.
struct SeasonsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "seasons",
        abstract: "See the seasons, and start one: ratings move towards a newcomer's.",
        discussion: """
            Example:
              muster seasons ls
              muster seasons start autumn --carry 0.5
            """,
        subcommands: [SeasonsListCommand.self, SeasonsStartCommand.self])

    /// The seasons of a data folder; a folder without the file is refused, not filled with an empty one.
    static func with<Value>(
        _ folder: String, _ body: (SeasonsRepository) async throws -> Value
    ) async throws -> Value {
        guard FileManager.default.fileExists(atPath: "\(folder)/data.sqlite") else {
            throw CommandFailure(
                "There is no data.sqlite in \(folder).", nextStep: "Name the data folder: --data FOLDER.")
        }
        let quiet = Logger(label: "seasons", factory: { _ in SwiftLogNoOpLogHandler() })
        let database = try RecordsDatabase.open(
            path: "\(folder)/data.sqlite", durability: .full, schemas: GameDataSchema.schemas, logger: quiet)
        let value: Value
        do {
            value = try await body(SeasonsRepository(database: database))
        } catch {
            try database.close()
            throw error
        }
        try database.close()
        return value
    }
}

/// `muster seasons ls`.
struct SeasonsListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls",
        abstract: "List the seasons, the current one first.",
        discussion: """
            Example:
              muster seasons ls --json
            """)

    @OptionGroup var shared: SharedOptions
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        let seasons = try await SeasonsCommand.with(shared.dataFolder) { Array(try await $0.all().reversed()) }
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            return print(String(decoding: try encoder.encode(seasons), as: UTF8.self))
        }
        var table = TextTable(["season", "name", "began", "carry"], right: [0, 3])
        for season in seasons {
            let began = Date(timeIntervalSince1970: Double(season.startedAt.milliseconds) / 1_000)
            let isFirst = season.startedAt.milliseconds == 0
            table.add([
                "\(season.number)", season.name, isFirst ? "—" : began.formatted(.iso8601), "\(season.carry)",
            ])
        }
        print(table.text)
    }
}

/// `muster seasons start`.
struct SeasonsStartCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "start",
        abstract: "Start a season: every rating is kept under the season that ends, and moves towards 1500.",
        discussion: """
            With --carry 0.5 each rating keeps half of its distance from a newcomer's; 1 changes nothing, 0 makes \
            everyone a newcomer. Started twice by one name, the second does nothing; one that was cut short goes on.

            Example:
              muster seasons start autumn --carry 0.5
            """)

    @OptionGroup var shared: SharedOptions
    @OptionGroup var confirmation: Confirmation
    @Argument(help: "The season's name, 1 to 64 bytes.") var name: String
    @Option(help: "The share of each rating that is kept, 0 to 1.") var carry = 0.5

    func validate() throws {
        guard (0...1).contains(carry) else { throw ValidationError("--carry takes 0 to 1, not \(carry).") }
    }

    func run() async throws {
        let reply = try await SeasonsCommand.with(shared.dataFolder) { seasons in
            let ending = try await seasons.current()
            if ending.name != name {
                try confirmation.require("End season \(ending.name) and reset every rating (carry \(carry))?")
            }
            do {
                return try await seasons.startSeason(name, carry: carry)
            } catch let error as GameDataError {
                throw CommandFailure("\(error)", nextStep: "See which there were: muster seasons ls.")
            }
        }
        switch reply {
        case .started(let season, let ratings):
            print("season \(season.number), \(season.name), has begun; \(ratings) ratings were kept and reset")
        case .alreadyStarted(let season, let ratings):
            print("season \(season.number), \(season.name), is the current one; \(ratings) ratings were still to reset")
        }
    }
}

import ArgumentParser
import Foundation
import GameData
import GameModel
import Logging

/// `muster events`: what games told.
struct EventsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events",
        abstract: "See the events of games: as they come, what is stored, what waits, what was lost.",
        discussion: """
            Example:
              muster events tail --follow --kind kill
              muster events query --match duel.eu.01K0Z7QK3T8V5M2B9X4C6D1E0F
              muster events lag
              muster events export --format csv --from 2026-11-01 --to 2026-12-01 november.csv
            """,
        subcommands: [
            EventsTailCommand.self, EventsQueryCommand.self, EventsLagCommand.self, EventsExportCommand.self,
        ])

    /// The events of a data folder; a folder without them is refused, not filled with empty files.
    static func with<Value>(
        _ folder: String, _ body: (EventsRepository) async throws -> Value
    ) async throws -> Value {
        guard hasEvents(folder) else {
            throw CommandFailure(
                "There is no events.sqlite in \(folder).",
                nextStep: "Name the data folder of an ingest: --data FOLDER.")
        }
        let events = try open(folder)
        let value: Value
        do {
            value = try await body(events)
        } catch {
            try events.close()
            throw error
        }
        try events.close()
        return value
    }

    static func hasEvents(_ folder: String) -> Bool {
        FileManager.default.fileExists(atPath: "\(folder)/events.sqlite")
    }

    static func open(_ folder: String) throws -> EventsRepository {
        try EventsRepository.open(
            folder: folder, logger: Logger(label: "events", factory: { _ in SwiftLogNoOpLogHandler() }))
    }
}

/// Which events are wanted.
struct EventFilterOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Only of this kind.", valueName: "kind")) var kind: String?
    @Option(help: ArgumentHelp("Only of this match.", valueName: "id")) var match: String?
    @Option(help: ArgumentHelp("Only of this player.", valueName: "id")) var player: String?

    func validate() throws {
        if let kind, !GameEvent.isKind(kind) {
            throw ValidationError("'\(kind)' is no kind of event: 1 to 64 of a to z and _, like match_finished.")
        }
        if let match, MatchID(rawValue: match) == nil { throw ValidationError("'\(match)' is no match's id.") }
        if let player, PlayerID(rawValue: player) == nil { throw ValidationError("'\(player)' is no player's id.") }
    }

    var query: EventQuery {
        var query = EventQuery()
        query.kind = kind
        query.match = match.map { MatchID($0) }
        query.player = player.map { PlayerID($0) }
        return query
    }
}

/// From when to when.
struct EventTimeOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The first moment: 2026-11-26, 2026-11-26T10:00:00Z, or an age like 90s, 15m, 2h, 7d.", valueName: "time"))
    var from: String?
    @Option(help: ArgumentHelp("The moment before which they end, in the same forms.", valueName: "time"))
    var to: String?

    func validate() throws {
        let moments = try [("--from", from), ("--to", to)].map { name, text in try text.map { try Self.read($0, name) }
        }
        if let from = moments[0], let to = moments[1], to <= from {
            throw ValidationError("--to is not after --from: nothing is in between.")
        }
    }

    func apply(to query: inout EventQuery) throws {
        query.from = try from.map { try Self.read($0, "--from") }
        query.to = try to.map { try Self.read($0, "--to") }
    }

    static func read(_ text: String, _ name: String, now: Instant = .now) throws -> Instant {
        if let day = EventDay(text) { return Instant(milliseconds: Int64(day.number) * 86_400_000) }
        let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400]
        if let unit = text.last.flatMap({ units[$0] }), let count = Int64(text.dropLast()),
            (0...100_000).contains(count)
        {
            return now - .seconds(count * unit)
        }
        do {
            return Instant(try Date(text, strategy: .iso8601))
        } catch {
            throw ValidationError(
                "\(name) takes 2026-11-26, 2026-11-26T10:00:00Z or an age like 15m, not '\(text)'.")
        }
    }
}

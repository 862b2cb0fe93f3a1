import ArgumentParser
import Foundation
import GameData

/// `muster events query`.
struct EventsQueryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "query",
        abstract: "Show stored events, the oldest first.",
        discussion: """
            A match's events are found by an index; what is asked for by player or kind is looked for in every row of \
            the time asked for, so name a time where there are many.

            Example:
              muster events query --match duel.eu.01K0Z7QK3T8V5M2B9X4C6D1E0F
              muster events query --kind kill --from 15m --json | jq .data.damage
              muster events query --player 01K0Z7QK3T8V5M2B9X4C6D1E0F --newest --limit 20
            """)

    @OptionGroup var shared: SharedOptions
    @OptionGroup var filter: EventFilterOptions
    @OptionGroup var time: EventTimeOptions
    @Option(help: "At most so many, 1 to 10000.") var limit = 100
    @Flag(help: "The newest, newest first.") var newest = false
    @Flag(help: "Print JSON, a line each.") var json = false

    func validate() throws { try JobsListCommand.check(limit) }

    func run() async throws {
        var query = filter.query
        try time.apply(to: &query)
        // One more than is shown tells whether there are more.
        query.limit = limit + 1
        query.isNewestFirst = newest
        let found = try await EventsCommand.with(shared.dataFolder) { [query] in try await $0.events(query) }
        for event in found.prefix(limit).map({ EventText($0) }) { print(json ? try event.json() : try event.line()) }
        if found.isEmpty { FileHandle.note("no event is stored that is asked for") }
        if found.count > limit { FileHandle.note("the first \(limit); --limit shows more, 'events export' all") }
    }
}

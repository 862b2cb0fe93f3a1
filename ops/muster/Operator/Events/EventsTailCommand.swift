import ArgumentParser
import Foundation
import GameData
import GameModel

/// `muster events tail`.
struct EventsTailCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tail",
        abstract: "Show the last events, and with --follow those that come: from the streams, and the stored ones.",
        discussion: """
            Where the data folder is not on this host, only events that wait in the streams are seen.

            Example:
              muster events tail
              muster events tail --follow --kind match_finished
              muster events tail --follow --json | jq -c '[.kind, .data]'
            """)

    @OptionGroup var shared: SharedOptions
    @OptionGroup var filter: EventFilterOptions
    @Option(name: [.customShort("n"), .long], help: "How many of the last, 0 to 1000.") var lines = 20
    @Flag(name: .shortAndLong, help: "Go on with those that come, until interrupted.") var follow = false
    @Flag(help: "Print JSON, a line each.") var json = false

    private static let pause = Duration.milliseconds(250)

    func validate() throws {
        guard (0...1_000).contains(lines) else { throw ValidationError("--lines takes 0 to 1000, not \(lines).") }
    }

    func run() async throws {
        let command = self
        let events = EventsCommand.hasEvents(shared.dataFolder) ? try EventsCommand.open(shared.dataFolder) : nil
        if events == nil {
            FileHandle.note("no events are stored in \(shared.dataFolder): only what waits in the streams is seen")
        }
        try await RedisConnection.with(url: try shared.redisURL()) { redis in
            var tail = EventTail(redis: redis, events: events)
            let query = command.filter.query
            let last = try await tail.last(max(1, command.lines), of: query)
            try command.show(last.suffix(command.lines))
            while command.follow {
                let next = try await tail.next()
                try command.show(next.filter { query.wants($0.event) })
                if next.isEmpty { try await Task.sleep(for: Self.pause) }
            }
        }
        try events?.close()
    }

    private func show(_ events: some Sequence<StoredEvent>) throws {
        var text = ""
        for event in events.map({ EventText($0) }) { text += (json ? try event.json() : try event.line()) + "\n" }
        // Not print: who follows through a pipe wants each line when it comes.
        FileHandle.standardOutput.write(Data(text.utf8))
    }
}

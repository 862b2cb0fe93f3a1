import ArgumentParser
import GameModel
import Jobs

/// The one cron entry that a command is about.
struct CronTarget: ParsableArguments {
    @OptionGroup var access: JobAccess
    @Argument(help: "The entry's name.") var name: String
    @Flag(help: "Print JSON.") var json = false

    func validate() throws {
        guard CronName(rawValue: name) != nil else {
            throw ValidationError("'\(name)' is no cron entry: a name has 1 to 120 visible ASCII characters.")
        }
    }

    /// Does something to the entry, then prints how it is, or the words about it.
    ///
    /// - Parameter change: answers whether the entry was still there.
    /// - Throws: `CommandFailure` where there is no such entry, and where several queues have one.
    func act(
        _ change: @escaping @Sendable (CronTable, CronName) async throws -> Bool, says words: (CronRow) -> String
    ) async throws {
        let name = CronName(name)
        let row = try await access.with { queues in
            var found: [CronTable] = []
            for queue in queues {
                let table = CronTable(queue: queue)
                if try await table.list().contains(where: { $0.name == name }) { found.append(table) }
            }
            guard let table = found.first else { throw Self.notFound(name, in: queues) }
            guard found.count == 1 else {
                throw CommandFailure(
                    "Several queues have a cron entry \(name): "
                        + "\(found.map(\.queue.name.rawValue).joined(separator: ", ")).",
                    nextStep: "Say which one is meant with --queue NAME.")
            }
            guard try await change(table, name), let status = try await table.list().first(where: { $0.name == name })
            else { throw Self.notFound(name, in: [table.queue]) }
            return CronRow(queue: table.queue.name, status)
        }
        if json { return try JobJSON.print(row) }
        print(words(row))
    }

    private static func notFound(_ name: CronName, in queues: [JobQueue]) -> CommandFailure {
        let place =
            queues.count == 1 ? "The queue \(queues[0].name) has no" : "No queue of the house has a"
        return CommandFailure(
            "\(place) cron entry \(name).",
            nextStep: "See which there are with 'muster cron ls', or name another queue with --queue NAME.")
    }
}

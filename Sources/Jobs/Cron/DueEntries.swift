import GameModel
import Redis

/// Which entries are due, as cron_due.lua answers.
struct DueEntries: Sendable {
    /// The time of Redis.
    let now: Instant
    /// Whether the table holds no entry at all.
    let isTableEmpty: Bool
    /// When the next entry will be due that is not due yet.
    let next: Instant?
    let entries: [DueEntry]

    init?(_ reply: RESPValue) {
        guard let parts = reply.array, parts.count % 3 == 0, parts.count >= 3, let now = parts[0].int,
            let fields = parts[1].int, let next = parts[2].string
        else { return nil }
        var entries: [DueEntry] = []
        for index in stride(from: 3, to: parts.count, by: 3) {
            guard let name = parts[index].string, let due = parts[index + 1].int, let head = parts[index + 2].string
            else { return nil }
            entries.append(DueEntry(name: name, due: Instant(milliseconds: Int64(due)), head: head))
        }
        self.now = Instant(milliseconds: Int64(now))
        isTableEmpty = fields == 0
        self.next = Int64(next).map { Instant(milliseconds: $0) }
        self.entries = entries
    }
}

/// An entry whose tick has come.
struct DueEntry: Sendable, Hashable {
    let name: String
    let due: Instant
    /// The first line of its definition.
    let head: String

    var revision: String { CronDefinition(head)?.revision ?? "" }
}

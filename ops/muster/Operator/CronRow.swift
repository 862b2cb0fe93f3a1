import GameModel
import Jobs

/// A cron entry as `muster cron` shows it; in JSON, times are in Unix ms.
struct CronRow: Sendable, Encodable {
    let queue: QueueName
    let name: CronName
    let schedule: String
    let timeZone: String
    let kind: String
    /// `skip`, `once` or `all:10`.
    let missed: String
    let isPaused: Bool
    let nextDue: Instant?
    /// By the clock of Redis; negative where the tick is overdue.
    let nextInMs: Int64?
    let lastTick: Instant?
    let lastFiredAt: Instant?
    let lastJob: JobID?
    let fired: Int
    let refused: Int

    init(queue: QueueName, _ status: CronStatus) {
        self.queue = queue
        name = status.name
        schedule = status.schedule
        timeZone = status.timeZone
        kind = status.kind
        missed = "\(status.missed)"
        isPaused = status.isPaused
        nextDue = status.nextDue
        nextInMs = status.nextIn?.milliseconds
        lastTick = status.lastTick
        lastFiredAt = status.lastFiredAt
        lastJob = status.lastJob
        fired = status.fired
        refused = status.refused
    }

    static func table(_ rows: [CronRow]) -> String {
        let head = ["queue", "entry", "schedule", "missed", "next tick", "fired", "refused", "last job"]
        let cells = rows.map { row in
            [
                row.queue.rawValue, row.name.rawValue,
                row.schedule + (row.timeZone == "UTC" ? "" : " \(row.timeZone)"), row.missed, row.nextText,
                "\(row.fired)", "\(row.refused)", row.lastJob?.rawValue ?? "-",
            ]
        }
        return JobText.table(head, cells, right: [5, 6], flexible: [0, 2, 7])
    }

    /// `paused`, `in 90 s`, `overdue by 12 s` or `none`; a tick that has just come is not overdue, as firing takes a
    /// moment.
    var nextText: String {
        if isPaused { return "paused" }
        guard let nextInMs else { return "none" }
        if nextInMs < -1000 { return "overdue by \(Duration.milliseconds(-nextInMs).inWords)" }
        return "in \(Duration.milliseconds(max(nextInMs, 0)).inWords)"
    }
}

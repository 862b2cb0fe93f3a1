import ArgumentParser
import Foundation
import Jobs

/// `muster cron`: jobs that come again and again.
struct CronCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cron",
        abstract: "See, pause, resume and run the jobs that are enqueued by a schedule.",
        discussion: """
            Example:
              muster cron ls
              muster cron pause nightly-report
            """,
        subcommands: [CronListCommand.self, CronPauseCommand.self, CronResumeCommand.self, CronRunCommand.self])
}

/// `muster cron ls`.
struct CronListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls",
        abstract: "List the cron entries, with their next tick and their last job.",
        discussion: """
            A tick that stays overdue means that no process runs a scheduler for that queue. "refused" counts the \
            ticks that the queue took no job for: the unique job of an earlier one lived, or it was full or draining.

            Example:
              muster cron ls
              muster cron ls --json | jq '.entries[] | select(.isPaused)'
            """)

    @OptionGroup var access: JobAccess
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        let rows = try await access.with { queues in
            var rows: [CronRow] = []
            for queue in queues {
                rows += try await CronTable(queue: queue).list().map { CronRow(queue: queue.name, $0) }
            }
            return rows
        }
        if json { return try JobJSON.print(["entries": rows]) }
        if rows.isEmpty {
            let place = access.queueName.map { "the queue \($0) has" } ?? "the queues of the house have"
            FileHandle.note("\(place) no cron entry; see another queue with --queue NAME")
        }
        print(CronRow.table(rows))
    }
}

/// `muster cron pause`.
struct CronPauseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause",
        abstract: "Let no tick of an entry fire until it is resumed.",
        discussion: """
            Jobs that it has enqueued already stay.

            Example:
              muster cron pause nightly-report
            """)

    @OptionGroup var target: CronTarget

    func run() async throws {
        try await target.act { table, name in
            try await table.pause(name)
        } says: { row in
            "\(row.name) is paused"
        }
    }
}

/// `muster cron resume`.
struct CronResumeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume",
        abstract: "Let the ticks of a paused entry fire again.",
        discussion: """
            It goes on with the next tick. Those that passed meanwhile do not fire; 'muster cron run' makes one up.

            Example:
              muster cron resume nightly-report
            """)

    @OptionGroup var target: CronTarget

    func run() async throws {
        try await target.act { table, name in
            try await table.resume(name)
        } says: { row in
            "\(row.name): next tick \(row.nextText)"
        }
    }
}

/// `muster cron run`.
struct CronRunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Enqueue the job of an entry now, apart from its schedule.",
        discussion: """
            Works on a paused entry too, and moves no tick. Each call enqueues another job.

            Example:
              muster cron run nightly-report
            """)

    @OptionGroup var target: CronTarget

    func run() async throws {
        try await target.act { table, name in
            guard let reply = try await table.runNow(name) else { return false }
            if let failure = Self.refusal(reply, table.queue.name) { throw failure }
            return true
        } says: { row in
            "\(row.name): enqueued \(row.lastJob?.rawValue ?? "a job") on \(row.queue)"
        }
    }

    private static func refusal(_ reply: EnqueueReply, _ queue: QueueName) -> CommandFailure? {
        switch reply {
        case .added, .duplicate: nil
        case .notUnique(_, let holder):
            CommandFailure(
                "No job was enqueued: it is unique, and \(holder) lives.",
                nextStep: "Wait for its end, or see what it waits for with 'muster jobs why \(holder)'.")
        case .full:
            CommandFailure(
                "No job was enqueued: the queue \(queue) is full.",
                nextStep: "Wait until it has shrunk, or see its limits with 'muster queues ls \(queue)'.")
        case .draining:
            CommandFailure(
                "No job was enqueued: the queue \(queue) is draining.",
                nextStep: "End that with 'muster queues resume \(queue)'.")
        }
    }
}

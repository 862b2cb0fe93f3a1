import ArgumentParser
import Foundation
import Jobs
import Redis

/// `muster queues`: whole queues.
struct QueuesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "queues",
        abstract: "See queues; pause, resume and drain them, and set their limits, while they run.",
        discussion: """
            Example:
              muster queues ls
              muster queues pause verify
              muster queues limit verify --concurrency 50 --rate 100/1s
            """,
        subcommands: [
            QueuesListCommand.self, QueuesPauseCommand.self, QueuesResumeCommand.self, QueuesDrainCommand.self,
            QueuesLimitCommand.self,
        ])
}

/// `muster queues ls`.
struct QueuesListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls",
        abstract: "List queues: what waits, runs and is dead, and the limits that are set.",
        discussion: """
            Example:
              muster queues ls
              muster queues ls verify results --json
            """)

    @OptionGroup var shared: SharedOptions
    @Argument(help: "Queues; all of the house where none is given.") var names: [String] = []
    @Flag(help: "Print JSON.") var json = false

    func validate() throws { for name in names { _ = try JobAccess.queue(name) } }

    func run() async throws {
        let queues = try names.isEmpty ? shared.queues() : names.map { try JobAccess.queue($0) }
        let rows = try await RedisConnection.with(url: try shared.redisURL()) { redis in
            var rows: [QueueRow] = []
            for name in queues { rows.append(try await QueueRow(JobQueue(name: name, redis: redis))) }
            return rows
        }
        if json { return try JobJSON.print(["queues": rows]) }
        let head = ["queue", "state", "waiting", "leased", "later", "blocked", "dead", "oldest", "workers"]
        print(JobText.table(head, rows.map(\.cells), right: Set(2...8), flexible: [0]))
        let limited = rows.filter { !$0.limits.lines.isEmpty }
        if !limited.isEmpty { print("\nlimits") }
        for row in limited {
            let text = row.limits.lines.map { "\($0.name) \($0.value)" }.joined(separator: ", ")
            print(JobText.wrapped(text, first: "\(row.queue): ", indent: 2))
        }
    }
}

/// One queue as `ls` shows it.
struct QueueRow: Encodable, Sendable {
    let queue: QueueName
    let counts: QueueCounts
    let limits: QueueLimitsOutput
    /// Workers that live.
    let workers: Int

    init(_ queue: JobQueue) async throws {
        self.queue = queue.name
        counts = try await queue.counts()
        limits = QueueLimitsOutput(queue: queue.name, limits: try await queue.limits())
        workers = try await JobWorkers(queue: queue).list().count
    }

    var cells: [String] {
        [queue.rawValue, limits.state]
            + [counts.waiting, counts.leased, counts.later, counts.blocked, counts.dead].map(String.init)
            + [counts.oldestWaitingMs.map(DepthTable.age) ?? "-", "\(workers)"]
    }
}

/// The queues that a command changes.
struct QueueTargets: ParsableArguments {
    @OptionGroup var shared: SharedOptions
    @Argument(help: "The queues' names.") var names: [String]
    @Flag(name: .customLong("new"), help: "Also a queue to which nothing was ever enqueued.") var allowsNew = false
    @Flag(help: "Print JSON.") var json = false

    func validate() throws { for name in names { _ = try JobAccess.queue(name) } }

    /// Changes each queue, then prints what is in force.
    func each(_ body: @escaping @Sendable (JobQueue) async throws -> Void) async throws {
        let names = try names.map { try JobAccess.queue($0) }
        let allowsNew = allowsNew
        let house = try shared.queues()
        let outputs = try await RedisConnection.with(url: try shared.redisURL()) { redis in
            let queues = names.map { JobQueue(name: $0, redis: redis) }
            // All are looked at before one is changed: a misspelled name must not leave half of the work done.
            for queue in queues where !allowsNew { try await Self.requireKnown(queue, among: house) }
            var outputs: [QueueLimitsOutput] = []
            for queue in queues {
                try await body(queue)
                outputs.append(QueueLimitsOutput(queue: queue.name, limits: try await queue.limits()))
            }
            return outputs
        }
        if json { return try JobJSON.print(["queues": outputs]) }
        for output in outputs { print("\(output.queue) is \(output.state)") }
    }

    static func requireKnown(_ queue: JobQueue, among house: [QueueName]) async throws {
        if house.contains(queue.name) { return }
        guard try await queue.counts().enqueued == 0, try await queue.limits() == QueueLimits() else { return }
        throw CommandFailure(
            "Nothing was ever enqueued to a queue \(queue.name).",
            nextStep: "The house has \(house.map(\.rawValue).joined(separator: ", ")). "
                + "Add --new where you mean a new one.")
    }
}

/// `muster queues pause`.
struct QueuesPauseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause",
        abstract: "Let no job of a queue start, until it is resumed; those that run go on.",
        discussion: """
            Example:
              muster queues pause verify
            """)

    @OptionGroup var targets: QueueTargets

    func run() async throws { try await targets.each { try await $0.pause() } }
}

/// `muster queues resume`.
struct QueuesResumeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume",
        abstract: "End the pause and the drain of a queue.",
        discussion: """
            Example:
              muster queues resume verify
            """)

    @OptionGroup var targets: QueueTargets

    func run() async throws { try await targets.each { try await $0.resume() } }
}

/// `muster queues drain`.
struct QueuesDrainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drain",
        abstract: "Refuse new jobs, until the queue is resumed; those that are in are run.",
        discussion: """
            Whoever enqueues is told so; what an outbox holds is offered again later.

            Example:
              muster queues drain verify --yes
            """)

    @OptionGroup var targets: QueueTargets
    @OptionGroup var confirmation: Confirmation

    func run() async throws {
        try confirmation.require("Refuse all new jobs for \(targets.names.joined(separator: ", "))?")
        try await targets.each { try await $0.drain() }
    }
}

import ArgumentParser
import Foundation
import GameModel
import Jobs
import Redis

/// `muster workers`: who runs jobs, and what they are told.
struct WorkersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "workers",
        abstract: "List the workers of the queues, and have them rest, go on or stop.",
        discussion: """
            A worker serves one queue in one process; a process may have several. An order is obeyed within 2 seconds.

            Example:
              muster workers ls
              muster workers quiet --queue verify --all
              muster workers stop 01K0Z7QK3T8V5M2B9X4C6D1E0F --yes
            """,
        subcommands: [
            WorkersListCommand.self, WorkersQuietCommand.self, WorkersResumeCommand.self, WorkersStopCommand.self,
        ])
}

/// `muster workers ls`.
struct WorkersListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls",
        abstract: "List the workers that live, and those that fell silent in the last minutes.",
        discussion: """
            Example:
              muster workers ls
              muster workers ls --queue verify --json | jq -r '.[].id'
            """)

    @OptionGroup var shared: SharedOptions
    @Option(help: ArgumentHelp("Only the workers of this queue.", valueName: "name")) var queue: String?
    @Flag(help: "Print JSON.") var json = false

    func validate() throws { try WorkerTargets.validate(queue) }

    func run() async throws {
        let names = try WorkerTargets.queues(queue, of: shared)
        let entries = try await RedisConnection.with(url: try shared.redisURL()) { redis in
            try await WorkerTargets.entries(of: names, redis)
        }
        print(json ? try WorkerTargets.json(entries) : Self.table(entries, now: .now))
    }

    static func table(_ entries: [WorkerEntry], now: Instant) -> String {
        guard !entries.isEmpty else { return "no worker lives" }
        var table = TextTable(["worker", "queue", "name", "host:pid", "state", "runs", "up", "kinds"], right: [5, 6])
        for entry in entries {
            let worker = entry.worker
            let age = DepthTable.age(max(0, Int((now - worker.startedAt).milliseconds)))
            table.add([
                entry.id, entry.queue.rawValue, worker.name, "\(worker.host):\(worker.pid)", state(entry),
                "\(worker.running)/\(worker.concurrency)", age, worker.kinds.joined(separator: " "),
            ])
        }
        return table.text
    }

    /// What it does; with an arrow, what it was told and has not done yet.
    private static func state(_ entry: WorkerEntry) -> String {
        guard entry.isLive else { return "silent \(DepthTable.age(entry.silentMs))" }
        let wanted: WorkerState? =
            switch entry.order {
            case .quiet: .quiet
            case .run: .running
            case .stop: .stopping
            case nil: nil
            }
        guard let wanted, wanted != entry.worker.state, entry.worker.state != .stopping else {
            return entry.worker.state.rawValue
        }
        return "\(entry.worker.state.rawValue) → \(wanted.rawValue)"
    }
}

/// `muster workers quiet`.
struct WorkersQuietCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quiet",
        abstract: "Have workers take no more jobs; they end what they have, and live on.",
        discussion: """
            Example:
              muster workers quiet 01K0Z7QK3T8V5M2B9X4C6D1E0F
              muster workers quiet --queue verify --all
            """)

    @OptionGroup var targets: WorkerTargets

    func run() async throws { try await targets.give(.quiet) }
}

/// `muster workers resume`.
struct WorkersResumeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume",
        abstract: "Have quiet workers take jobs again.",
        discussion: """
            Example:
              muster workers resume 01K0Z7QK3T8V5M2B9X4C6D1E0F
              muster workers resume --queue verify --all
            """)

    @OptionGroup var targets: WorkerTargets

    func run() async throws { try await targets.give(.run) }
}

/// `muster workers stop`.
struct WorkersStopCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop",
        abstract: "Stop workers, and the processes that they are in, as SIGTERM would.",
        discussion: """
            They take no more jobs, end what they have or hand it back, and exit with 0. What supervises them may \
            start them again: 'muster up' does. Asks first.

            Example:
              muster workers stop 01K0Z7QK3T8V5M2B9X4C6D1E0F
              muster workers stop --queue verify --all --yes
            """)

    @OptionGroup var targets: WorkerTargets
    @OptionGroup var confirmation: Confirmation

    func run() async throws {
        try await targets.give(.stop) { entries in
            let processes = Set(entries.map { "\($0.worker.host):\($0.worker.pid)" }).sorted()
            let who = entries.count == 1 ? "1 worker, and with it" : "\(entries.count) workers, and with them"
            let what = processes.count == 1 ? "the process" : "the processes"
            try confirmation.require("Stop \(who) \(what) \(processes.joined(separator: ", "))?")
        }
    }
}

import ArgumentParser
import Foundation
import Jobs

/// `muster jobs dead`: dead letters, many at once.
struct JobsDeadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dead",
        abstract: "See dead letters, and put back or purge those that a filter holds for.",
        discussion: """
            Example:
              muster jobs dead ls --queue verify --reason timeout
              muster jobs dead retry --kind store.verify-payment --error "connection refused" --dry-run
              muster jobs dead purge --older-than 30d --yes
            """,
        subcommands: [JobsDeadListCommand.self, JobsDeadRetryCommand.self, JobsDeadPurgeCommand.self])
}

/// `muster jobs dead ls`.
struct JobsDeadListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls",
        abstract: "List dead letters, the newest first.",
        discussion: """
            Example:
              muster jobs dead ls --reason timeout --younger-than 1h
            """)

    @OptionGroup var access: JobAccess
    @Option(help: "Only those buried for it: \(ReasonCode.allNames).") var reason: ReasonCode?
    @OptionGroup var filter: JobFilterOptions
    @Option(help: "At most so many, 1 to 10000.") var limit = 50
    @Flag(help: "Print JSON.") var json = false

    func validate() throws { try JobsListCommand.check(limit) }

    func run() async throws {
        try await JobsListCommand.list(access, [.dead], filter.filter(reason: reason), limit: limit, json: json)
    }
}

/// What `retry` and `purge` of dead letters have in common.
struct DeadLetterSelection: ParsableArguments {
    @OptionGroup var access: JobAccess
    @Option(help: "Only those buried for it: \(ReasonCode.allNames).") var reason: ReasonCode?
    @OptionGroup var filterOptions: JobFilterOptions
    @Option(help: "The oldest so many of each queue; all where it is not given.") var limit: Int?
    @Flag(help: "Only count what would be done.") var dryRun = false
    @Flag(help: "Print JSON.") var json = false

    func validate() throws {
        if let limit, limit < 1 { throw ValidationError("--limit takes 1 or more, not \(limit).") }
    }

    var filter: JobFilter { filterOptions.filter(reason: reason) }

    /// For how many letters of each queue the filter holds.
    func count() async throws -> [DeadLetterAct] {
        let (filter, limit) = (filter, limit)
        return try await access.with { queues in
            var counted: [DeadLetterAct] = []
            for queue in queues {
                let tally = try await DeadLetters(queue: queue).count(matching: filter, limit: limit)
                counted.append(DeadLetterAct(queue: queue.name, matching: tally))
            }
            return counted
        }
    }

    /// Does it queue by queue.
    func act(
        _ body: @escaping @Sendable (DeadLetters, JobFilter, Int?, inout DeadLetterAct) async throws -> Void
    ) async throws -> [DeadLetterAct] {
        let (filter, limit) = (filter, limit)
        return try await access.with { queues in
            var acts: [DeadLetterAct] = []
            for queue in queues {
                var act = DeadLetterAct(queue: queue.name)
                try await body(DeadLetters(queue: queue), filter, limit, &act)
                acts.append(act)
            }
            return acts
        }
    }

    /// Prints what a dry run found, or what was done; queues of which there is nothing to say are left out.
    func report(_ acts: [DeadLetterAct]) throws {
        if json { return try JobJSON.print(DeadLetterOutput(isDryRun: dryRun, queues: acts)) }
        let lines = acts.compactMap(\.text)
        print(lines.isEmpty ? "no dead letters match" : lines.joined(separator: "\n"))
    }
}

/// What was done, or would be, with the dead letters of one queue.
struct DeadLetterAct: Encodable, Sendable {
    let queue: QueueName
    /// Of a dry run.
    var matching: DeadLetters.Tally?
    var redriven: DeadLetters.Redriven?
    var purged: Int?

    var text: String? {
        if let matching {
            guard matching.count > 0 else { return nil }
            func parts(_ counts: [String: Int]) -> String {
                counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { "\($0.key) \($0.value)" }
                    .joined(separator: ", ")
            }
            let found = Self.letters(matching.count) + (matching.count == 1 ? " matches" : " match")
            let text = "\(queue): \(found): \(parts(matching.byReason)); kinds: \(parts(matching.byKind))"
            return JobText.wrapped(text, first: "", indent: 2)
        }
        if let redriven {
            guard redriven != DeadLetters.Redriven() else { return nil }
            var text = "\(queue): \(Self.letters(redriven.redriven)) put back"
            if redriven.notUnique > 0 {
                text += ", \(redriven.notUnique) stay dead as another job has their unique key now"
            }
            if redriven.gone > 0 { text += ", \(redriven.gone) had gone meanwhile" }
            return text
        }
        guard let purged, purged > 0 else { return nil }
        return "\(queue): \(Self.letters(purged)) purged"
    }

    static func letters(_ count: Int) -> String { count == 1 ? "1 dead letter" : "\(count) dead letters" }
}

private struct DeadLetterOutput: Encodable {
    let isDryRun: Bool
    let queues: [DeadLetterAct]
}

/// `muster jobs dead retry`.
struct JobsDeadRetryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry",
        abstract: "Let dead letters run again, as if new.",
        discussion: """
            One that is buried anew meanwhile is not retried twice.

            Example:
              muster jobs dead retry --kind store.verify-payment --older-than 1h --dry-run
              muster jobs dead retry --kind store.verify-payment --older-than 1h
            """)

    @OptionGroup var selection: DeadLetterSelection

    func run() async throws {
        if selection.dryRun { return try selection.report(try await selection.count()) }
        let acts = try await selection.act { letters, filter, limit, act in
            act.redriven = try await letters.redrive(matching: filter, limit: limit)
        }
        try selection.report(acts)
    }
}

/// `muster jobs dead purge`.
struct JobsDeadPurgeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "purge",
        abstract: "Remove dead letters for good.",
        discussion: """
            Example:
              muster jobs dead purge --older-than 30d --dry-run
              muster jobs dead purge --older-than 30d --yes
            """)

    @OptionGroup var selection: DeadLetterSelection
    @OptionGroup var confirmation: Confirmation

    func run() async throws {
        let counted = try await selection.count()
        let matching = counted.filter { ($0.matching?.count ?? 0) > 0 }
        if selection.dryRun { return try selection.report(counted) }
        guard !matching.isEmpty else {
            return try selection.report(counted.map { DeadLetterAct(queue: $0.queue, purged: 0) })
        }
        let total = matching.reduce(0) { $0 + ($1.matching?.count ?? 0) }
        let names = matching.map(\.queue.rawValue).joined(separator: ", ")
        try confirmation.require("Purge \(DeadLetterAct.letters(total)) of \(names) for good?")
        let acts = try await selection.act { letters, filter, limit, act in
            act.purged = try await letters.purge(matching: filter, limit: limit)
        }
        try selection.report(acts)
    }
}

extension ReasonCode {
    /// For help texts.
    fileprivate static var allNames: String { allCases.map(\.rawValue).joined(separator: ", ") }
}

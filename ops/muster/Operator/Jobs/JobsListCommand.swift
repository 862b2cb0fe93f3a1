import ArgumentParser
import Foundation
import GameModel
import Jobs

/// `muster jobs ls`: which jobs are where.
struct JobsListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls",
        abstract: "List jobs: those that wait or run, or those of the states given.",
        discussion: """
            What waits comes in the order in which it runs, what has ended the newest first. Completed jobs are there \
            only while their result is kept.

            Example:
              muster jobs ls --queue verify
              muster jobs ls --state scheduled --kind store.verify-payment --older-than 10m
              muster jobs ls --json | jq -r '.jobs[].id'
            """)

    @OptionGroup var access: JobAccess
    @Option(
        help: ArgumentHelp("scheduled, available, blocked, leased, completed or dead; repeatable.", valueName: "state"))
    var state: [JobState] = []
    @OptionGroup var filter: JobFilterOptions
    @Option(help: "At most so many, 1 to 10000.") var limit = 50
    @Flag(help: "Print JSON.") var json = false

    func validate() throws { try Self.check(limit) }

    static func check(_ limit: Int?) throws {
        if let limit, !(1...10_000).contains(limit) {
            throw ValidationError("--limit takes 1 to 10000, not \(limit).")
        }
    }

    func run() async throws {
        let states = state.isEmpty ? [.leased, .available, .scheduled, .blocked] : state
        try await Self.list(access, states, filter.filter(), limit: limit, json: json)
    }

    /// Prints the jobs of these states, queue by queue.
    static func list(
        _ access: JobAccess, _ states: [JobState], _ filter: JobFilter, limit: Int, json: Bool
    ) async throws {
        let (jobs, now) = try await access.with { queues in
            var jobs: [JobRecord] = []
            let now = try await JobInspector(queue: queues[0]).now()
            for queue in queues {
                for state in states where jobs.count <= limit {
                    // One more than is shown tells whether there are more.
                    jobs += try await JobInspector(queue: queue).list(
                        state: state, matching: filter, limit: limit + 1 - jobs.count)
                }
            }
            return (jobs, now)
        }
        let shown = Array(jobs.prefix(limit))
        if json { return try JobJSON.print(JobListOutput(jobs: shown, isCut: jobs.count > limit)) }
        let place = access.queueName.map { "queue \($0)" } ?? "the queues of the house"
        guard !shown.isEmpty else {
            return print(
                "no jobs of \(place) are \(states.map(\.rawValue).joined(separator: ", "))"
                    + (filter == JobFilter() ? "" : " and match"))
        }
        print(JobText.list(shown, at: now))
        if jobs.count > limit { print("the first \(limit); --limit shows more") }
    }
}

import ArgumentParser
import Foundation
import Jobs

/// What became of one job that a command was to do something with.
struct JobOutcome: Encodable, Sendable {
    let id: JobID
    var queue: QueueName?
    var isDone: Bool
    /// What was done, or why nothing was.
    var text: String
    /// What to do instead.
    var nextStep: String?

    static func done(_ job: JobRecord, _ text: String) -> JobOutcome {
        JobOutcome(id: job.id, queue: job.queue, isDone: true, text: text)
    }

    static func refused(_ job: JobRecord, _ text: String, nextStep: String) -> JobOutcome {
        JobOutcome(id: job.id, queue: job.queue, isDone: false, text: text, nextStep: nextStep)
    }
}

/// The jobs that a command was given by their ids, and what it does to each.
struct JobTargets: ParsableArguments {
    @OptionGroup var access: JobAccess
    @Argument(help: "The jobs' ids.") var ids: [String]
    @Flag(help: "Print JSON.") var json = false

    func validate() throws { _ = try JobAccess.ids(ids) }

    /// As a question names them.
    var named: String {
        ids.count == 1 ? "job \(ids[0])" : "\(ids.count) jobs: \(JobText.cut(ids.joined(separator: ", "), 200))"
    }

    /// Does it to each of the jobs, and says what became of it; ends with a failure where one could not be served.
    func each(_ body: @escaping @Sendable (JobQueue, JobRecord) async throws -> JobOutcome) async throws {
        let ids = try JobAccess.ids(ids)
        let outcomes = try await access.with { queues in
            var outcomes: [JobOutcome] = []
            for id in ids {
                let found = try await JobSearch.find(id, in: queues)
                if found.count == 1 {
                    outcomes.append(try await body(found[0].queue, found[0].record))
                } else {
                    let failure =
                        found.isEmpty ? JobSearch.notFound(id, in: queues) : JobSearch.ambiguous(id, found)
                    outcomes.append(
                        JobOutcome(id: id, isDone: false, text: failure.message, nextStep: failure.nextStep))
                }
            }
            return outcomes
        }
        if json {
            try JobJSON.print(["jobs": outcomes])
        } else {
            for outcome in outcomes where outcome.isDone { print("\(outcome.id): \(outcome.text)") }
        }
        for outcome in outcomes where !outcome.isDone {
            FileHandle.note("\(outcome.id): \(outcome.text)\(outcome.nextStep.map { "\n  \($0)" } ?? "")")
        }
        if !outcomes.allSatisfy(\.isDone) { throw ExitCode.failure }
    }
}

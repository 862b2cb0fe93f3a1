import ArgumentParser
import Foundation
import GameModel
import Jobs

/// `muster jobs show`: all that is kept of one job.
struct JobsShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show all that is kept of a job, with its payload or its result.",
        discussion: """
            Example:
              muster jobs show 01JEXAMPLE
              muster jobs show 01JEXAMPLE --json | jq .payload
            """)

    @OptionGroup var access: JobAccess
    @Argument(help: "The job's id.") var id: String
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        let id = try JobAccess.ids([id])[0]
        let record = try await access.withJob(id) { _, record in record }
        if json { return try JobJSON.print(JobShowOutput(record: record)) }
        for (name, value) in Self.rows(record) {
            let space = String(repeating: " ", count: max(0, 13 - name.count))
            print(JobText.wrapped(value, first: name + space, indent: 13))
        }
        if let payload = record.payload { print("\npayload\n\(JobText.payload(payload))") }
        if let result = record.result { print("\nresult\n\(result.isEmpty ? "none" : JobText.payload(result))") }
    }

    private static func rows(_ job: JobRecord) -> [(String, String)] {
        func at(_ instant: Instant?) -> String? { instant.map(JobText.time) }
        let progress = job.progress.map { said in
            "\(Int((said.fraction * 100).rounded())) %" + (said.text.isEmpty ? "" : ", \(said.text)")
        }
        let rows: [(String, String?)] = [
            ("job", job.id.rawValue), ("queue", job.queue.rawValue), ("kind", job.kind), ("state", job.state.rawValue),
            ("priority", job.priority.map(String.init)), ("key", job.key), ("unique key", job.uniqueKey),
            ("callback", job.callback?.rawValue), ("attempt", JobText.attempts(job)),
            ("crashes", job.crashes > 0 ? "\(job.crashes)" : nil), ("enqueued", at(job.enqueuedAt)),
            ("start before", job.attempt == 0 ? at(job.startBefore) : nil), ("due", at(job.dueAt)),
            ("leased", at(job.leasedAt)), ("lease ends", at(job.leaseEndsAt)), ("worker", job.worker),
            ("progress", progress), ("buried", at(job.buriedAt)), ("reason", job.reason), ("error", job.error),
            ("completed", at(job.completedAt)), ("kept until", at(job.keptUntil)),
            ("bytes", job.payloadBytes.map(String.init)),
        ]
        return rows.compactMap { name, value in value.map { (name, $0) } }
    }
}

/// `muster jobs why`: why a job does not run.
struct JobsWhyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "why",
        abstract: "Say in words why a job does not run, or where it runs, or how it ended.",
        discussion: """
            Example:
              muster jobs why 01JEXAMPLE
              muster jobs why 01JEXAMPLE --queue verify --json
            """)

    @OptionGroup var access: JobAccess
    @Argument(help: "The job's id.") var id: String
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        let id = try JobAccess.ids([id])[0]
        let output = try await access.withJob(id) { inspector, record in
            JobWhyOutput(id: id, queue: record.queue, state: record.state, why: try await inspector.why(id))
        }
        if json { return try JobJSON.print(output) }
        print("\(output.id) of queue \(output.queue) is \(output.state.rawValue)")
        for line in output.why { print(JobText.wrapped(line, first: "- ", indent: 2)) }
    }
}

/// `muster jobs trace`: the life of a job.
struct JobsTraceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trace",
        abstract: "Show what happened to a job and when, and what is to come.",
        discussion: """
            Times are by the clock of Redis, in UTC; beside them the time since the job was enqueued. The last twenty \
            attempts are kept.

            Example:
              muster jobs trace 01JEXAMPLE
            """)

    @OptionGroup var access: JobAccess
    @Argument(help: "The job's id.") var id: String
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        let id = try JobAccess.ids([id])[0]
        let output = try await access.withJob(id) { inspector, record in
            JobTraceOutput(id: id, queue: record.queue, state: record.state, life: try await inspector.life(id))
        }
        if json { return try JobJSON.print(output) }
        print("\(output.id) of queue \(output.queue) is \(output.state.rawValue)\n")
        guard let begin = output.life.first?.at else { return print("nothing of its life is kept") }
        let rows = output.life.map { event in
            (JobText.time(event.at), "+\((event.at - begin).inWords)", event.what.rawValue, event.text)
        }
        let (since, what) = (rows.map(\.1.count).max() ?? 0, rows.map(\.2.count).max() ?? 0)
        for row in rows {
            let first =
                row.0 + "  " + String(repeating: " ", count: since - row.1.count) + row.1 + "  " + row.2
                + String(repeating: " ", count: what - row.2.count) + "  "
            print(JobText.wrapped(row.3, first: first, indent: first.count))
        }
    }
}

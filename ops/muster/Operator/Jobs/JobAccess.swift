import ArgumentParser
import Foundation
import GameModel
import Jobs
import Redis

/// How the commands about jobs reach them: Redis, and the queue where one is named.
struct JobAccess: ParsableArguments {
    @OptionGroup var shared: SharedOptions

    @Option(
        name: .customLong("queue"),
        help: ArgumentHelp("The queue; all queues of the house where none is given.", valueName: "name"))
    var queueName: String?

    func validate() throws {
        if let queueName { _ = try Self.queue(queueName) }
    }

    /// A queue's name from the command line.
    static func queue(_ text: String) throws -> QueueName {
        guard let name = QueueName(rawValue: text) else {
            throw ValidationError("'\(text)' is no queue: a name has 1 to 64 of a-z, 0-9, ':', '-', '.' and '_'.")
        }
        return name
    }

    /// Job ids from the command line.
    static func ids(_ texts: [String]) throws -> [JobID] {
        var ids: [JobID] = []
        for text in texts {
            guard let id = JobID(rawValue: text) else {
                throw ValidationError("'\(text)' is no job id: that has 1 to 200 visible ASCII characters.")
            }
            if !ids.contains(id) { ids.append(id) }
        }
        return ids
    }

    /// Runs the body with the queues in question.
    func with<T: Sendable>(_ body: @escaping @Sendable ([JobQueue]) async throws -> T) async throws -> T {
        let names = try queueName.map { [QueueName($0)] } ?? shared.queues()
        return try await RedisConnection.with(url: try shared.redisURL()) { redis in
            try await body(names.map { JobQueue(name: $0, redis: redis) })
        }
    }

    /// Runs the body with the one job of this id.
    ///
    /// - Throws: `CommandFailure` where there is none, and where several queues have one.
    func withJob<T: Sendable>(
        _ id: JobID, _ body: @escaping @Sendable (JobInspector, JobRecord) async throws -> T
    ) async throws -> T {
        try await with { queues in
            let found = try await JobSearch.find(id, in: queues)
            guard let first = found.first else { throw JobSearch.notFound(id, in: queues) }
            guard found.count == 1 else { throw JobSearch.ambiguous(id, found) }
            return try await body(JobInspector(queue: first.queue), first.record)
        }
    }
}

/// Finds a job by its id, which is unique in its queue only.
enum JobSearch {
    struct Found: Sendable {
        let queue: JobQueue
        let record: JobRecord
    }

    static func find(_ id: JobID, in queues: [JobQueue]) async throws -> [Found] {
        var found: [Found] = []
        for queue in queues {
            if let record = try await JobInspector(queue: queue).job(id) {
                found.append(Found(queue: queue, record: record))
            }
        }
        return found
    }

    static func notFound(_ id: JobID, in queues: [JobQueue]) -> CommandFailure {
        let place =
            queues.count == 1 ? "queue \(queues[0].name) knows no job \(id)" : "no queue of the house knows a job \(id)"
        return CommandFailure(
            "\(place): never enqueued, cancelled, removed, or completed without a kept result.",
            nextStep: "See what is there with 'muster jobs ls', or name another queue with --queue NAME.")
    }

    static func ambiguous(_ id: JobID, _ found: [Found]) -> CommandFailure {
        CommandFailure(
            "Several queues have a job \(id): \(found.map(\.queue.name.rawValue).joined(separator: ", ")).",
            nextStep: "Say which one is meant with --queue NAME.")
    }
}

import ArgumentParser
import Foundation
import GameModel
import Jobs
import Redis

/// Which workers an order is for.
struct WorkerTargets: ParsableArguments {
    @OptionGroup var shared: SharedOptions
    @Argument(help: "The ids of workers, as 'muster workers ls' shows them.") var ids: [String] = []
    @Option(help: ArgumentHelp("Look only at the workers of this queue.", valueName: "name")) var queue: String?
    @Flag(help: "All workers of --queue.") var all = false
    @Flag(help: "Print JSON.") var json = false

    /// One worker and what came of the order.
    private struct Told: Codable, Sendable {
        var id: String
        var queue: QueueName
        var order: WorkerOrder
        var reply: OrderReply
    }

    func validate() throws {
        try Self.validate(queue)
        if all {
            guard queue != nil else { throw ValidationError("--all is for the workers of one queue: add --queue.") }
            guard ids.isEmpty else { throw ValidationError("Give ids or --all, not both.") }
        } else if ids.isEmpty {
            throw ValidationError("Which worker? Give its id, or --queue and --all.")
        }
    }

    /// Gives the order, once `confirm` has seen who gets it and has not thrown.
    func give(
        _ order: WorkerOrder, confirm: @escaping @Sendable ([WorkerEntry]) throws -> Void = { _ in }
    ) async throws {
        let (names, ids, isAll) = (try Self.queues(queue, of: shared), ids, all)
        let told = try await RedisConnection.with(url: try shared.redisURL()) { redis in
            let known = try await Self.entries(of: names, redis)
            let chosen = isAll ? known : known.filter { ids.contains($0.id) }
            let missing = ids.filter { id in !known.contains { $0.id == id } }
            guard missing.isEmpty, !chosen.isEmpty else {
                throw CommandFailure(
                    isAll
                        ? "No worker of \(names[0]) lives." : "No worker \(missing.joined(separator: ", ")) is known.",
                    nextStep: "See who lives: muster workers ls. For a queue that is not of the house, add --queue.")
            }
            try confirm(chosen)
            var told: [Told] = []
            for (name, entries) in Dictionary(grouping: chosen, by: \.queue).sorted(by: { $0.key < $1.key }) {
                let workers = JobWorkers(queue: JobQueue(name: name, redis: redis))
                let replies = try await workers.order(ids: entries.map(\.id), order)
                told += zip(entries, replies).map { Told(id: $0.id, queue: name, order: order, reply: $1) }
            }
            return told
        }
        print(json ? try Self.json(told) : told.map(Self.line).joined(separator: "\n"))
        if !told.allSatisfy({ $0.reply == .told }) { throw ExitCode.failure }
    }

    private static func line(_ told: Told) -> String {
        let name = "\(told.id) of \(told.queue)"
        return switch told.reply {
        case .told: "\(name): told to \(told.order.rawValue)"
        case .unknown: "\(name): has ended meanwhile"
        case .stopping: "\(name): was told to stop before, which is not taken back"
        }
    }

    static func validate(_ queue: String?) throws {
        if let queue, QueueName(rawValue: queue) == nil {
            throw ValidationError("'\(queue)' is no name of a queue: 1 to 64 of a-z, 0-9, ':', '-', '.' and '_'.")
        }
    }

    /// The one that was named, else those of the house.
    static func queues(_ name: String?, of shared: SharedOptions) throws -> [QueueName] {
        try name.map { [QueueName($0)] } ?? shared.queues()
    }

    static func entries(of queues: [QueueName], _ redis: RedisClient) async throws -> [WorkerEntry] {
        var entries: [WorkerEntry] = []
        for name in queues {
            entries += try await JobWorkers(queue: JobQueue(name: name, redis: redis)).list(includingSilent: true)
        }
        return entries
    }

    static func json(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }
}

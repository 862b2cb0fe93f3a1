import GameModel
import Logging
import Records
import Redis
import ServiceLifecycle

/// Gives the jobs that a database owes to their queues, and gives them again if Redis lost them.
///
/// An entry stays open until the job's effect is committed (`Outbox.settle`). Until then it is offered every 5 s
/// anew: the queue answers `.duplicate` while it still has the job. So even an emptied Redis only delays a job by
/// some seconds.
public final class OutboxRelay: Sendable, Service {
    private let database: RecordsDatabase
    private let redis: RedisClient
    private let logger: Logger
    private let options: [String: JobOptions]
    private let nudged = Signal()

    /// How often the table is looked at without a nudge.
    private static let sweepInterval = Duration.seconds(1)
    /// How long a relayed entry is left alone.
    private static let offerInterval = Duration.seconds(5)
    private static let batchMax = 500
    /// How often applied jobs are forgotten, and how long they are remembered: far past any time in which a queue could
    /// still run one again.
    private static let pruneInterval = Duration.seconds(60)
    private static let appliedKept = Duration.seconds(30 * 86_400)

    /// - Parameter kinds: the jobs that this database may owe; their options hold for what is relayed. One of another
    ///   kind is relayed with the standard options.
    public init(database: RecordsDatabase, redis: RedisClient, kinds: [any Job.Type], logger: Logger) {
        self.database = database
        self.redis = redis
        self.logger = logger
        options = Dictionary(kinds.map { ($0.kind, $0.options) }, uniquingKeysWith: { first, _ in first })
    }

    /// Says that an entry was committed, so that it is relayed now rather than at the next sweep.
    public func nudge() { nudged.raise() }

    /// Relays until graceful shutdown or cancellation.
    public func run() async throws {
        await cancelWhenGracefulShutdown { await self.relayUntilCancelled() }
    }

    private func relayUntilCancelled() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                while !Task.isCancelled {
                    do {
                        try await Task.sleep(for: Self.sweepInterval)
                    } catch {
                        return  // Stopping.
                    }
                    self.nudge()
                }
            }
            group.addTask { await self.pruneUntilCancelled() }
            var failures = 0
            while !Task.isCancelled {
                do {
                    while try await relayDue() == Self.batchMax {}
                    if failures > 0 { logger.info("the outbox is relayed again") }
                    failures = 0
                } catch {
                    failures += 1
                    if failures == 1, !Task.isCancelled { logger.warning("the outbox waits: \(error)") }
                }
                await nudged.wait()
            }
            group.cancelAll()
        }
    }

    /// Forgets jobs that were applied long ago, so that the inbox does not grow for ever.
    private func pruneUntilCancelled() async {
        while !Task.isCancelled {
            do {
                try await Task.sleep(for: Self.pruneInterval)
                let before = (Instant.now - Self.appliedKept).milliseconds
                _ = try await database.write { db in
                    try Inbox.prune(appliedBefore: before, limit: Self.batchMax, in: db)
                }
            } catch {
                if !Task.isCancelled { logger.warning("applied jobs could not be pruned: \(error)") }
            }
        }
    }

    /// Relays one batch; returns how many entries it had.
    @discardableResult
    func relayDue() async throws -> Int {
        let now = Instant.now
        let before = (now - Self.offerInterval).milliseconds
        let entries = try await database.read { db in
            try Outbox.due(in: db, relayedBefore: before, limit: Self.batchMax)
        }
        guard !entries.isEmpty else { return 0 }
        for (queue, owed) in Dictionary(grouping: entries, by: \.queue) {
            guard let name = QueueName(rawValue: queue) else {
                logger.error("an outbox entry names no queue: \"\(queue)\"", metadata: ["job": "\(owed[0].jobId)"])
                continue
            }
            try await enqueue(owed, on: JobQueue(name: name, redis: redis))
        }
        // Marked after the queues have them: a crash in between only offers them once more.
        let ids = entries.map(\.jobId)
        try await database.write { db in try Outbox.markRelayed(jobIds: ids, at: now.milliseconds, in: db) }
        return entries.count
    }

    private func enqueue(_ entries: [OutboxEntry], on queue: JobQueue) async throws {
        var jobs: [EncodedJob] = []
        var offeredBefore: [Bool] = []
        for entry in entries {
            let job = EncodedJob(
                id: JobID(entry.jobId), kind: entry.kind, payload: entry.payload,
                options: options[entry.kind] ?? JobOptions())
            do {
                try job.validate()
                jobs.append(job)
                offeredBefore.append(entry.relayedAt != nil)
            } catch {
                // One bad entry must not hold the others up; it stays open, and audits show it.
                logger.error("an outbox entry cannot be enqueued: \(error)", metadata: ["job": "\(entry.jobId)"])
            }
        }
        let replies = try await queue.enqueue(encoded: jobs)
        let lost = zip(offeredBefore, replies).count { offered, reply in offered && reply.isAdded }
        let refused = replies.count { !$0.isInQueue }
        if refused > 0 {
            logger.warning("\(refused) owed jobs were refused: the queue is full or drained; they are offered again")
        }
        if lost > 0 {
            logger.warning("\(lost) jobs had left Redis before their effect was committed; enqueued again")
        }
    }
}

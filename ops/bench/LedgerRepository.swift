import Foundation
import GRDB
import GameModel
import Jobs
import Logging
import Records
import Redis

/// What the jobs of a trial did, in one SQLite file that all its worker processes write to: a row for each attempt that
/// began, each effect, and each write that was refused.
///
/// An effect is written in one transaction with the inbox, as that of any job should be. Nothing else keeps a second
/// effect of one job out of the table, so that doubled effects can be counted.
public struct LedgerRepository: Sendable {
    /// One start of a job's handler.
    public struct Attempt: Sendable, Hashable {
        public let jobId: JobID
        public let token: Int64
        /// The process id of the worker.
        public let worker: Int32
        /// By the worker's clock.
        public let beganAt: Instant
    }

    /// What an attempt finds before its work.
    enum Claim: Sendable { case fresh, applied, stale }

    private let database: RecordsDatabase

    /// Opens the file and makes its tables where they are missing.
    public static func open(path: String, logger: Logger) throws -> LedgerRepository {
        LedgerRepository(
            database: try RecordsDatabase.open(
                path: path, durability: .normal, schemas: [Outbox.schema, schema], logger: logger))
    }

    public func close() throws { try database.close() }

    private static let schema = RecordsSchema(
        name: "ledger",
        migrations: [
            (
                id: "1-ledger",
                body: { db in
                    try db.execute(
                        sql: """
                            CREATE TABLE attempts (
                                job_id TEXT NOT NULL, token BIGINT NOT NULL, worker INTEGER NOT NULL,
                                began_at_ms BIGINT NOT NULL);
                            CREATE TABLE effects (
                                job_id TEXT NOT NULL, token BIGINT NOT NULL, worker INTEGER NOT NULL);
                            CREATE TABLE refusals (
                                job_id TEXT NOT NULL, token BIGINT NOT NULL, worker INTEGER NOT NULL);
                            """)
                }
            )
        ])

    // MARK: The worker's side

    /// Notes that an attempt begins, and claims the job for it, so that earlier attempts can't write any more.
    func begin(_ context: JobContext) async throws -> Claim {
        let began = Instant.now.milliseconds
        return try await database.write { db in
            try Self.insert(into: "attempts (job_id, token, worker, began_at_ms)", context, [began], db)
            do {
                let fresh = try Inbox.claim(jobId: context.id.rawValue, token: context.token, in: db)
                return fresh ? .fresh : .applied
            } catch RecordsError.staleToken {
                return .stale
            }
        }
    }

    /// Writes the effect of an attempt, and closes the debt that the job may come from.
    /// - Returns: false where it was refused, because another attempt has the job or has applied it.
    func apply(_ context: JobContext) async throws -> Bool {
        try await database.write { db in
            do {
                if try Inbox.apply(jobId: context.id.rawValue, token: context.token, in: db) {
                    try Self.insert(into: "effects (job_id, token, worker)", context, [], db)
                    try Outbox.settle(jobId: context.id.rawValue, in: db)
                    return true
                }
            } catch RecordsError.staleToken {
                // Noted below, as one that finds the effect there already.
            }
            try Self.insert(into: "refusals (job_id, token, worker)", context, [], db)
            return false
        }
    }

    private static func insert(
        into columns: String, _ context: JobContext, _ more: [Int64], _ db: GRDB.Database
    ) throws {
        let marks = Array(repeating: "?", count: 3 + more.count).joined(separator: ", ")
        var arguments: StatementArguments = [
            context.id.rawValue, Int64(clamping: context.token), ProcessInfo.processInfo.processIdentifier,
        ]
        arguments += StatementArguments(more)
        try db.cachedStatement(sql: "INSERT INTO \(columns) VALUES (\(marks))").execute(arguments: arguments)
    }

    // MARK: The judge's side

    /// Owes jobs to a queue: one transaction of outbox rows. A relay gives them to the queue.
    public func owe(_ jobs: [EncodedJob], to queue: QueueName) async throws {
        let now = Instant.now.milliseconds
        try await database.write { db in
            for job in jobs {
                try Outbox.insert(
                    OutboxEntry(
                        jobId: job.id.rawValue, queue: queue.rawValue, kind: job.kind, payload: job.payload,
                        createdAt: now), in: db)
            }
        }
    }

    /// The relay of what this file owes.
    public func relay(to redis: RedisClient, logger: Logger) -> OutboxRelay {
        OutboxRelay(database: database, redis: redis, kinds: [LedgerJob.self], logger: logger)
    }

    /// How many jobs are owed and have no effect yet.
    public func openDebts() async throws -> Int { try await database.read { try Outbox.openCount(in: $0) } }

    /// How many effects were written.
    public func effectCount() async throws -> Int {
        try await database.read { try Int.fetchOne($0, sql: "SELECT COUNT(*) FROM effects") ?? 0 }
    }

    /// How many effects each job has: one, if all is well.
    public func effects() async throws -> [JobID: Int] {
        try await database.read { db in
            var counts: [JobID: Int] = [:]
            for id in try String.fetchAll(db, sql: "SELECT job_id FROM effects") { counts[JobID(id), default: 0] += 1 }
            return counts
        }
    }

    /// How many effects each worker wrote, by process id.
    public func effectsByWorker() async throws -> [Int32: Int] { try await countByWorker("effects") }

    /// How many writes of each worker were refused, by process id.
    public func refusalsByWorker() async throws -> [Int32: Int] { try await countByWorker("refusals") }

    /// All attempts, in the order in which they began.
    public func attempts() async throws -> [Attempt] {
        try await database.read { db in
            let sql = "SELECT job_id, token, worker, began_at_ms FROM attempts ORDER BY rowid"
            return try Row.fetchAll(db, sql: sql).map { row in
                Attempt(
                    jobId: JobID(row["job_id"] as String), token: row["token"], worker: row["worker"],
                    beganAt: Instant(milliseconds: row["began_at_ms"]))
            }
        }
    }

    private func countByWorker(_ table: String) async throws -> [Int32: Int] {
        try await database.read { db in
            var counts: [Int32: Int] = [:]
            for row in try Row.fetchAll(db, sql: "SELECT worker, COUNT(*) FROM \(table) GROUP BY worker") {
                counts[row[0]] = row[1]
            }
            return counts
        }
    }
}

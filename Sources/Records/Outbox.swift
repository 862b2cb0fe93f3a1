import Foundation
import GRDB

/// A job that was promised in a transaction: it goes to Redis after the commit, again and again until its effect is
/// committed.
public struct OutboxEntry: Sendable, Hashable {
    /// The order of insertion; 0 before the entry is stored.
    public let sequence: Int64
    /// The job's own id: the queue refuses a second one while the first lives.
    public let jobId: String
    /// The queue's name.
    public let queue: String
    /// The job's kind: the stable name of its type.
    public let kind: String
    /// The job as it is written to the queue (JSON).
    public let payload: [UInt8]
    /// Unix ms.
    public let createdAt: Int64
    /// When it was last given to the queue, in Unix ms; `nil` where it never was.
    public let relayedAt: Int64?

    public init(
        jobId: String, queue: String, kind: String, payload: [UInt8], createdAt: Int64, sequence: Int64 = 0,
        relayedAt: Int64? = nil
    ) {
        self.sequence = sequence
        self.jobId = jobId
        self.queue = queue
        self.kind = kind
        self.payload = payload
        self.createdAt = createdAt
        self.relayedAt = relayedAt
    }

    init(row: Row) {
        sequence = row["seq"]
        jobId = row["job_id"]
        queue = row["queue"]
        kind = row["kind"]
        payload = Array(row["payload"] as Data)
        createdAt = row["created_at_ms"]
        relayedAt = row["relayed_at_ms"]
    }
}

/// The jobs that a file owes to the queues. An entry is written in the transaction of the row it is about, and stays
/// open until the transaction that applies its effect settles it, so that nothing Redis forgets is lost.
public enum Outbox {
    /// The tables `outbox` and `applied_jobs`; every file that uses ``Outbox`` or ``Inbox`` includes it.
    public static let schema = RecordsSchema(
        name: "outbox",
        migrations: [
            (
                id: "1-outbox",
                body: { db in
                    try db.execute(
                        sql: """
                            CREATE TABLE outbox (
                                seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
                                job_id TEXT NOT NULL UNIQUE,
                                queue TEXT NOT NULL,
                                kind TEXT NOT NULL,
                                payload BLOB NOT NULL,
                                created_at_ms BIGINT NOT NULL,
                                relayed_at_ms BIGINT
                            );
                            CREATE INDEX outbox_by_relay ON outbox (relayed_at_ms, seq);
                            """)
                }
            ),
            (
                id: "2-applied-jobs",
                body: { db in
                    try db.execute(
                        sql: """
                            CREATE TABLE applied_jobs (
                                job_id TEXT NOT NULL PRIMARY KEY,
                                token BIGINT NOT NULL,
                                applied_at_ms BIGINT
                            );
                            CREATE INDEX applied_jobs_by_time ON applied_jobs (applied_at_ms);
                            """)
                }
            ),
        ])

    /// Owes a job. An entry of that id which is still open stays as it is.
    /// - Returns: whether the entry is new.
    @discardableResult
    public static func insert(_ entry: OutboxEntry, in db: GRDB.Database) throws -> Bool {
        let statement = try db.cachedStatement(
            sql: """
                INSERT INTO outbox (job_id, queue, kind, payload, created_at_ms) VALUES (?, ?, ?, ?, ?)
                ON CONFLICT (job_id) DO NOTHING
                """)
        try statement.execute(
            arguments: [entry.jobId, entry.queue, entry.kind, Data(entry.payload), entry.createdAt])
        return db.changesCount > 0
    }

    /// Closes an entry, in the transaction that applies the job's effect. One that is not there is no error.
    public static func settle(jobId: String, in db: GRDB.Database) throws {
        try db.cachedStatement(sql: "DELETE FROM outbox WHERE job_id = ?").execute(arguments: [jobId])
    }

    /// The open entries that were never given to their queue, or last before a moment (Unix ms), oldest first.
    public static func due(
        in db: GRDB.Database, relayedBefore milliseconds: Int64, limit: Int
    ) throws -> [OutboxEntry] {
        let statement = try db.cachedStatement(
            sql: """
                SELECT seq, job_id, queue, kind, payload, created_at_ms, relayed_at_ms FROM outbox
                WHERE relayed_at_ms IS NULL OR relayed_at_ms < ? ORDER BY seq LIMIT ?
                """)
        return try Row.fetchAll(statement, arguments: [milliseconds, limit]).map { OutboxEntry(row: $0) }
    }

    /// Notes that entries were given to their queues at a moment (Unix ms). Ids that were settled meanwhile are no
    /// error.
    public static func markRelayed(jobIds: [String], at milliseconds: Int64, in db: GRDB.Database) throws {
        let statement = try db.cachedStatement(sql: "UPDATE outbox SET relayed_at_ms = ? WHERE job_id = ?")
        for jobId in jobIds { try statement.execute(arguments: [milliseconds, jobId]) }
    }

    /// The entry of a job while it is open.
    public static func entry(jobId: String, in db: GRDB.Database) throws -> OutboxEntry? {
        try Row.fetchOne(db, sql: "SELECT * FROM outbox WHERE job_id = ?", arguments: [jobId])
            .map { OutboxEntry(row: $0) }
    }

    /// How many entries are open.
    public static func openCount(in db: GRDB.Database) throws -> Int {
        try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM outbox") ?? 0
    }

    /// When the oldest open entry was written, in Unix ms; `nil` where none is open.
    public static func oldestOpen(in db: GRDB.Database) throws -> Int64? {
        try Int64.fetchOne(db, sql: "SELECT MIN(created_at_ms) FROM outbox")
    }
}

import Foundation
import GRDB

/// The jobs whose effect a file holds, so that an effect happens once however often its job runs.
///
/// Each attempt of a job carries a rising token. The file remembers the highest that claimed or applied the job; an
/// attempt with a lower one lost its lease, and is refused. The tables come with ``Outbox/schema``.
public enum Inbox {
    /// Records an attempt's token before its effect is known, so that earlier attempts can't write any more. Commit
    /// it before the work that it protects.
    /// - Returns: false where the job's effect is committed already.
    /// - Throws: ``RecordsError/staleToken(jobId:token:claimed:)`` where a later attempt claimed the job.
    @discardableResult
    public static func claim(jobId: String, token: UInt64, in db: GRDB.Database) throws -> Bool {
        guard try isFresh(jobId: jobId, token: token, in: db) else { return false }
        try db.cachedStatement(
            sql: """
                INSERT INTO applied_jobs (job_id, token, applied_at_ms) VALUES (?, ?, NULL)
                ON CONFLICT (job_id) DO UPDATE SET token = excluded.token
                """
        ).execute(arguments: [jobId, Int64(clamping: token)])
        return true
    }

    /// Records that the transaction it is called in holds the job's effect.
    /// - Parameter milliseconds: when, in Unix ms; for ``prune(appliedBefore:limit:in:)``.
    /// - Returns: false where an earlier transaction did: do nothing, and complete the job.
    /// - Throws: ``RecordsError/staleToken(jobId:token:claimed:)`` where a later attempt claimed the job.
    public static func apply(
        jobId: String, token: UInt64, at milliseconds: Int64 = Inbox.now, in db: GRDB.Database
    ) throws -> Bool {
        guard try isFresh(jobId: jobId, token: token, in: db) else { return false }
        try db.cachedStatement(
            sql: """
                INSERT INTO applied_jobs (job_id, token, applied_at_ms) VALUES (?, ?, ?)
                ON CONFLICT (job_id) DO UPDATE SET token = excluded.token, applied_at_ms = excluded.applied_at_ms
                """
        ).execute(arguments: [jobId, Int64(clamping: token), milliseconds])
        return true
    }

    /// Whether the job's effect is committed.
    public static func isApplied(jobId: String, in db: GRDB.Database) throws -> Bool {
        try Bool.fetchOne(
            db, sql: "SELECT applied_at_ms IS NOT NULL FROM applied_jobs WHERE job_id = ?", arguments: [jobId]) ?? false
    }

    /// Forgets jobs that were applied before a moment (Unix ms), so that the table stays small; at most `limit` of
    /// them. Choose a moment past which no queue still holds them.
    /// - Returns: how many.
    public static func prune(appliedBefore milliseconds: Int64, limit: Int, in db: GRDB.Database) throws -> Int {
        try db.execute(
            sql: """
                DELETE FROM applied_jobs WHERE job_id IN (
                    SELECT job_id FROM applied_jobs WHERE applied_at_ms < ? ORDER BY applied_at_ms LIMIT ?)
                """, arguments: [milliseconds, limit])
        return db.changesCount
    }

    /// This machine's clock, in Unix ms.
    public static var now: Int64 { Int64((Date().timeIntervalSince1970 * 1000).rounded()) }

    /// False where the effect is committed; throws where the token is lower than one seen before.
    private static func isFresh(jobId: String, token: UInt64, in db: GRDB.Database) throws -> Bool {
        let statement = try db.cachedStatement(sql: "SELECT token, applied_at_ms FROM applied_jobs WHERE job_id = ?")
        guard let row = try Row.fetchOne(statement, arguments: [jobId]) else { return true }
        guard (row["applied_at_ms"] as Int64?) == nil else { return false }
        let claimed = UInt64(clamping: row["token"] as Int64)
        guard token >= claimed else { throw RecordsError.staleToken(jobId: jobId, token: token, claimed: claimed) }
        return true
    }
}

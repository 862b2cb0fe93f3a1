import Foundation
import GRDB
import Logging

/// One SQLite file, open in this process: many readers at once, and one writer that all callers share.
///
/// Promises: a write that returned is committed (with ``Durability/full``: on the disk); a write that threw left
/// nothing behind; concurrent writes of this process share one transaction, so that they share its flush. Several
/// processes may have the file open: transactions take the write lock at their start and wait for it, up to the limit
/// given on opening.
public final class RecordsDatabase: Sendable {
    /// What a commit waits for (`PRAGMA synchronous`).
    public enum Durability: Sendable {
        /// The disk has it: a power cut loses nothing that was committed.
        case full
        /// The operating system has it: a killed process loses nothing, a power cut may lose the last commits.
        case normal
    }

    /// Where the file is.
    public let path: String
    let pool: DatabasePool
    private let commits: GroupCommit

    init(path: String, pool: DatabasePool, logger: Logger, limits: GroupCommitLimits = GroupCommitLimits()) {
        self.path = path
        self.pool = pool
        commits = GroupCommit(pool: pool, limits: limits, file: path.lastPathComponent, logger: logger)
    }

    /// Reads a consistent snapshot of the file; writers are not held up.
    /// - Throws: ``RecordsError`` for failures of the file, and whatever `body` throws.
    public func read<T: Sendable>(_ body: @escaping @Sendable (GRDB.Database) throws -> T) async throws -> T {
        do {
            return try await pool.read(body)
        } catch {
            throw RecordsError.mapped(error)
        }
    }

    /// Runs a body in a transaction and returns once that is committed.
    ///
    /// Concurrent callers share one transaction, each in a savepoint of its own: a body that throws is rolled back
    /// alone, and its error reaches its own caller only; a commit that fails reaches every caller that shared it.
    /// Keep bodies short and free of waiting: all writers of the process queue behind them.
    /// - Throws: ``RecordsError`` for failures of the file (``RecordsError/busy``,
    ///   ``RecordsError/overloaded(waiting:)`` and ``RecordsError/rolledBack(_:)`` are safe to retry),
    ///   `CancellationError` where the caller was cancelled before the write was queued, and whatever `body` throws.
    @discardableResult
    public func write<T: Sendable>(_ body: @escaping @Sendable (GRDB.Database) throws -> T) async throws -> T {
        try Task.checkCancellation()
        return try await withCheckedThrowingContinuation { continuation in
            commits.submit(
                run: { db in
                    let value = try body(db)
                    return { continuation.resume(returning: value) }
                },
                fail: { continuation.resume(throwing: $0) })
        }
    }

    /// Commits what is queued, then closes the file; later calls throw.
    public func close() throws {
        commits.refuseMore()
        do {
            try pool.close()
        } catch {
            throw RecordsError.mapped(error)
        }
    }
}

extension String {
    var lastPathComponent: String { URL(fileURLWithPath: self).lastPathComponent }
}

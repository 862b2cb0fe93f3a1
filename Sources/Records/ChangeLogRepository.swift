/// Reads a file's ``ChangeLog``. Edits write it themselves, in their own transactions.
public struct ChangeLogRepository: Sendable {
    private let database: RecordsDatabase

    public init(database: RecordsDatabase) { self.database = database }

    /// Edits, newest first.
    ///
    /// - Parameters:
    ///   - subject: only edits of this; `nil`: of anything.
    ///   - before: only those written before this one; `nil`: the newest.
    /// - Throws: ``RecordsError``.
    public func changes(
        subject: String? = nil, before: Int64? = nil, limit: Int
    ) async throws -> [ChangeLog.Change] {
        try await database.read { try ChangeLog.changes(subject: subject, before: before, limit: limit, in: $0) }
    }
}

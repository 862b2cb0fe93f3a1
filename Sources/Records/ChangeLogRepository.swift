/// Reads a file's ``ChangeLog``. Edits write it themselves, in their own transactions.
public struct ChangeLogRepository: Sendable {
    private let database: RecordsDatabase

    public init(database: RecordsDatabase) { self.database = database }

    /// Edits, newest first.
    ///
    /// - Parameters:
    ///   - subject: only edits of this; `nil`: of anything.
    ///   - kinds: only edits of subjects that begin with one of these words: `product`; `nil`: of any.
    ///   - before: only those written before this one; `nil`: the newest.
    /// - Throws: ``RecordsError``.
    public func changes(
        subject: String? = nil, kinds: [String]? = nil, before: Int64? = nil, limit: Int
    ) async throws -> [ChangeLog.Change] {
        try await database.read { db in
            try ChangeLog.changes(subject: subject, kinds: kinds, before: before, limit: limit, in: db)
        }
    }
}

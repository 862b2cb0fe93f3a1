import GRDB

/// The names of the charges that a provider listed, in a scratch database of its own: on disk once it is big, and gone
/// with the last reference to it. So a comparison of a million charges takes no more memory than one of a thousand.
struct ChargeSheetRepository: Sendable {
    private let scratch: DatabaseQueue

    init() throws {
        // SQLite's name for a private database in a temporary file.
        scratch = try DatabaseQueue(path: "")
        try scratch.write { db in
            try db.execute(sql: "CREATE TABLE seen (reference TEXT PRIMARY KEY NOT NULL) WITHOUT ROWID")
        }
    }

    /// - Returns: how many of them are new.
    func add(_ references: [String]) async throws -> Int {
        try await scratch.write { db in
            let statement = try db.cachedStatement(sql: "INSERT OR IGNORE INTO seen (reference) VALUES (?)")
            var added = 0
            for reference in references {
                try statement.execute(arguments: [reference])
                added += db.changesCount
            }
            return added
        }
    }

    func contains(_ reference: String) async throws -> Bool {
        try await scratch.read { db in
            let statement = try db.cachedStatement(sql: "SELECT EXISTS (SELECT 1 FROM seen WHERE reference = ?)")
            return try Bool.fetchOne(statement, arguments: [reference]) ?? false
        }
    }
}

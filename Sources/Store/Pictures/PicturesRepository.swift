import GRDB
import GameModel

/// Which pictures were begun and which were confirmed, in the table `pictures`.
struct PicturesRepository: Sendable {
    let file: StoreFile

    /// Whether a picture was confirmed.
    func isStored(_ key: String) async throws(StoreError) -> Bool {
        try await file.read { try Self.isStored(key, in: $0) }
    }

    // MARK: Inside a transaction

    static func isStored(_ key: String, in db: Database) throws -> Bool {
        try Bool.fetchOne(db, sql: "SELECT is_stored FROM pictures WHERE picture_key = ?", arguments: [key]) ?? false
    }
}

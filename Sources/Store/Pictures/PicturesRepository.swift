import GRDB
import GameModel
import Records

/// Which pictures were begun and which were confirmed, in the table `pictures`.
struct PicturesRepository: Sendable {
    /// Uploads that were begun and never confirmed are forgotten after this long.
    static let beginningsLifetime = Duration.seconds(86_400)
    /// The most of them that one beginning removes.
    static let forgottenMax = 100

    struct Entry: Sendable {
        let picture: StoredPicture
        let isStored: Bool
    }

    let file: StoreFile

    /// Writes a picture down that is about to be uploaded; one that is confirmed already stays as it is.
    func begin(_ picture: PictureName, bytes: Int, by editor: String, at now: Instant) async throws(StoreError) {
        try await file.write { db in
            try db.execute(
                sql: """
                    DELETE FROM pictures WHERE picture_key IN (
                        SELECT picture_key FROM pictures WHERE is_stored = 0 AND created_at < ? LIMIT ?)
                    """, arguments: [(now - Self.beginningsLifetime).milliseconds, Self.forgottenMax])
            try db.execute(
                sql: """
                    INSERT INTO pictures (picture_key, content_type, bytes, is_stored, created_by, created_at)
                    VALUES (?, ?, ?, 0, ?, ?)
                    ON CONFLICT (picture_key) DO UPDATE SET bytes = excluded.bytes, created_by = excluded.created_by,
                        created_at = excluded.created_at WHERE pictures.is_stored = 0
                    """,
                arguments: [picture.key, picture.format.contentType, bytes, editor, now.milliseconds])
        }
    }

    func picture(_ name: PictureName) async throws(StoreError) -> Entry? {
        try await file.read { db in
            try Row.fetchOne(db, sql: "SELECT * FROM pictures WHERE picture_key = ?", arguments: [name.key]).map {
                Entry(
                    picture: StoredPicture(contentType: $0["content_type"], bytes: $0["bytes"]),
                    isStored: $0["is_stored"])
            }
        }
    }

    /// Lets products name a picture from now on; the edit of who began it is logged once.
    func confirm(_ picture: PictureName, at now: Instant) async throws(StoreError) {
        try await file.write { db in
            let editor = try String.fetchOne(
                db,
                sql: "UPDATE pictures SET is_stored = 1 WHERE picture_key = ? AND is_stored = 0 RETURNING created_by",
                arguments: [picture.key])
            guard let editor else { return }
            try ChangeLog.append(
                .init(at: now.milliseconds, by: editor, action: "picture.add", subject: "picture \(picture.key)"),
                in: db)
        }
    }

    /// Whether a picture was confirmed.
    func isStored(_ key: String) async throws(StoreError) -> Bool {
        try await file.read { try Self.isStored(key, in: $0) }
    }

    // MARK: Inside a transaction

    static func isStored(_ key: String, in db: Database) throws -> Bool {
        try Bool.fetchOne(db, sql: "SELECT is_stored FROM pictures WHERE picture_key = ?", arguments: [key]) ?? false
    }
}

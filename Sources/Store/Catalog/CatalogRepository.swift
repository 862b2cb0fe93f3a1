import Crypto
import Foundation
import GRDB
import GameModel
import Records

/// The draft and the published versions of the catalog in SQLite.
struct CatalogRepository: Sendable {
    let file: StoreFile
    /// What this process shows players; shared by all copies of this repository.
    let shelf = CatalogShelf()

    /// The published version, and which of its promotions without a code that hold are used up in all.
    func published(at now: Instant) async throws(StoreError) -> (version: CatalogVersion, usedUp: Set<String>) {
        try await file.read { db in
            let version = try Self.published(in: db)
            var usedUp: Set<String> = []
            for promotion in version.document.promotions where promotion.code == nil && promotion.holds(at: now) {
                guard let limit = promotion.limitTotal else { continue }
                if try Self.totalUses(of: promotion.promotionId, in: db) >= limit {
                    usedUp.insert(promotion.promotionId)
                }
            }
            return (version, usedUp)
        }
    }

    func publishedWithUses(
        for wish: Wish, by player: PlayerID
    ) async throws(StoreError) -> (version: CatalogVersion, uses: PromotionUses) {
        try await file.read { db in
            let version = try Self.published(in: db)
            return (version, try Self.uses(for: wish, by: player, in: version.document, db: db))
        }
    }

    // MARK: Published versions, inside a transaction

    /// The version that players see and orders are priced by; an empty version 0 before the first.
    ///
    /// Cheap: it reads one small row, the document is decoded once per process.
    static func published(in db: Database) throws -> CatalogVersion {
        let statement = try db.cachedStatement(
            sql: """
                SELECT version, note, published_by, published_at, digest FROM catalog_versions
                ORDER BY version DESC LIMIT 1
                """)
        return try Row.fetchOne(statement).map { try version($0, in: db) }
            ?? CatalogVersion(
                version: 0, publishedAt: Instant(milliseconds: 0), publishedBy: "", note: "",
                document: CatalogDocument())
    }

    /// A version by its number, such as that of an order's quote; `nil` where there is none. As cheap as
    /// ``published(in:)``.
    static func version(_ number: Int, in db: Database) throws -> CatalogVersion? {
        let statement = try db.cachedStatement(
            sql: "SELECT version, note, published_by, published_at, digest FROM catalog_versions WHERE version = ?")
        return try Row.fetchOne(statement, arguments: [number]).map { try version($0, in: db) }
    }

    /// Newest first.
    static func versions(limit: Int, in db: Database) throws -> [CatalogVersion] {
        try Row.fetchAll(
            db,
            sql: """
                SELECT version, note, published_by, published_at, digest FROM catalog_versions
                ORDER BY version DESC LIMIT ?
                """, arguments: [limit]
        ).map { try version($0, in: db) }
    }

    static func insertVersion(_ version: CatalogVersion, in db: Database) throws {
        let document = try encode(version.document)
        try db.execute(
            sql: """
                INSERT INTO catalog_versions (version, document, digest, note, published_by, published_at)
                VALUES (?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                version.version, document, digest(of: document), version.note, version.publishedBy,
                version.publishedAt.milliseconds,
            ])
    }

    private static func version(_ row: Row, in db: Database) throws -> CatalogVersion {
        let number: Int = row["version"]
        return CatalogVersion(
            version: number, publishedAt: Instant(milliseconds: row["published_at"]),
            publishedBy: row["published_by"], note: row["note"],
            document: try DecodedDocuments.shared.document(digest: row["digest"]) {
                let statement = try db.cachedStatement(sql: "SELECT document FROM catalog_versions WHERE version = ?")
                let text = try String.fetchOne(statement, arguments: [number]) ?? ""
                guard digest(of: text) == row["digest"] else {
                    throw RecordsError.corrupt("catalog version \(number) is not what was published")
                }
                return try decode(CatalogDocument.self, text)
            })
    }

    // MARK: What a quote needs, inside a transaction

    /// How often the promotions that may matter to a wish were used, by this player and in all.
    static func uses(
        for wish: Wish, by player: PlayerID, in document: CatalogDocument, db: Database
    ) throws -> PromotionUses {
        var (byPlayer, total): ([String: Int], [String: Int]) = ([:], [:])
        for promotion in Pricing.candidates(for: wish, in: document) {
            if promotion.limitPerPlayer != nil {
                let statement = try db.cachedStatement(
                    sql: """
                        SELECT COUNT(*) FROM promotion_uses
                        WHERE promotion_id = ? AND is_void = 0 AND player_id = ?
                        """)
                byPlayer[promotion.promotionId] = try Int.fetchOne(
                    statement, arguments: [promotion.promotionId, player.rawValue])
            }
            if promotion.limitTotal != nil {
                total[promotion.promotionId] = try totalUses(of: promotion.promotionId, in: db)
            }
        }
        return PromotionUses(byPlayer: byPlayer, total: total)
    }

    static func totalUses(of promotion: String, in db: Database) throws -> Int {
        let statement = try db.cachedStatement(
            sql: "SELECT COUNT(*) FROM promotion_uses WHERE promotion_id = ? AND is_void = 0")
        return try Int.fetchOne(statement, arguments: [promotion]) ?? 0
    }

    // MARK: JSON columns

    static func encode(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    static func decode<T: Decodable>(_ type: T.Type, _ text: String) throws -> T {
        do {
            return try JSONDecoder().decode(type, from: Data(text.utf8))
        } catch {
            throw RecordsError.corrupt("a stored \(type) can't be read: \(error)")
        }
    }

    private static func digest(of document: String) -> String {
        SHA256.hash(data: Data(document.utf8)).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }
}

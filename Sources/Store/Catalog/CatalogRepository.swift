import Foundation
import GRDB
import GameModel
import Records

/// The draft and the published versions of the catalog in SQLite.
struct CatalogRepository: Sendable {
    let file: StoreFile

    /// The newest published version; `nil` before the first.
    func newest() async throws(StoreError) -> CatalogVersion? {
        try await file.read { try Self.newestVersion(in: $0) }
    }

    // MARK: Inside a transaction

    /// The draft, by id.
    static func draft(in db: Database) throws -> CatalogDocument {
        CatalogDocument(
            products: try String.fetchAll(
                db, sql: "SELECT document FROM draft_products ORDER BY product_id"
            )
            .map { try decode(Product.self, $0) },
            promotions: try String.fetchAll(
                db, sql: "SELECT document FROM draft_promotions ORDER BY promotion_id"
            )
            .map { try decode(Promotion.self, $0) })
    }

    static func upsertDraft(_ product: Product, by editor: String, at now: Instant, in db: Database)
        throws
    {
        try db.execute(
            sql: """
                INSERT INTO draft_products (product_id, document, updated_by, updated_at) VALUES (?, ?, ?, ?)
                ON CONFLICT (product_id) DO UPDATE SET document = excluded.document,
                    updated_by = excluded.updated_by, updated_at = excluded.updated_at
                """,
            arguments: [product.productId.rawValue, try encode(product), editor, now.milliseconds])
    }

    static func upsertDraft(
        _ promotion: Promotion, by editor: String, at now: Instant, in db: Database
    ) throws {
        try db.execute(
            sql: """
                INSERT INTO draft_promotions (promotion_id, document, updated_by, updated_at) VALUES (?, ?, ?, ?)
                ON CONFLICT (promotion_id) DO UPDATE SET document = excluded.document,
                    updated_by = excluded.updated_by, updated_at = excluded.updated_at
                """,
            arguments: [promotion.promotionId, try encode(promotion), editor, now.milliseconds])
    }

    static func insertVersion(_ version: CatalogVersion, in db: Database) throws {
        try db.execute(
            sql: """
                INSERT INTO catalog_versions (version, document, note, published_by, published_at)
                VALUES (?, ?, ?, ?, ?)
                """,
            arguments: [
                version.version, try encode(version.document), version.note, version.publishedBy,
                version.publishedAt.milliseconds,
            ])
    }

    static func newestVersion(in db: Database) throws -> CatalogVersion? {
        try Row.fetchOne(db, sql: "SELECT * FROM catalog_versions ORDER BY version DESC LIMIT 1").map(
            version)
    }

    static func version(_ row: Row) throws -> CatalogVersion {
        CatalogVersion(
            version: row["version"], publishedAt: Instant(milliseconds: row["published_at"]),
            publishedBy: row["published_by"], note: row["note"],
            document: try decode(CatalogDocument.self, row["document"]))
    }

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
}

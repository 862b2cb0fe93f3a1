import GRDB
import GameModel

/// The draft of the catalog in SQLite, inside a transaction.
enum DraftRepository {
    /// All of it, by id.
    static func draft(in db: Database) throws -> CatalogDocument {
        CatalogDocument(
            products: try String.fetchAll(db, sql: "SELECT document FROM draft_products ORDER BY product_id")
                .map { try CatalogRepository.decode(Product.self, $0) },
            promotions: try String.fetchAll(db, sql: "SELECT document FROM draft_promotions ORDER BY promotion_id")
                .map { try CatalogRepository.decode(Promotion.self, $0) })
    }

    static func upsert(_ product: Product, by editor: String, at now: Instant, in db: Database) throws {
        try db.execute(
            sql: """
                INSERT INTO draft_products (product_id, document, updated_by, updated_at) VALUES (?, ?, ?, ?)
                ON CONFLICT (product_id) DO UPDATE SET document = excluded.document,
                    updated_by = excluded.updated_by, updated_at = excluded.updated_at
                """,
            arguments: [
                product.productId.rawValue, try CatalogRepository.encode(product), editor, now.milliseconds,
            ])
    }

    static func upsert(_ promotion: Promotion, by editor: String, at now: Instant, in db: Database) throws {
        try db.execute(
            sql: """
                INSERT INTO draft_promotions (promotion_id, document, updated_by, updated_at) VALUES (?, ?, ?, ?)
                ON CONFLICT (promotion_id) DO UPDATE SET document = excluded.document,
                    updated_by = excluded.updated_by, updated_at = excluded.updated_at
                """,
            arguments: [promotion.promotionId, try CatalogRepository.encode(promotion), editor, now.milliseconds])
    }

    static func delete(product: ProductID, in db: Database) throws {
        try db.execute(sql: "DELETE FROM draft_products WHERE product_id = ?", arguments: [product.rawValue])
    }

    static func delete(promotion: String, in db: Database) throws {
        try db.execute(sql: "DELETE FROM draft_promotions WHERE promotion_id = ?", arguments: [promotion])
    }

    /// Whether a picture was uploaded and found to be what was promised.
    static func isStored(picture key: String, in db: Database) throws -> Bool {
        try Bool.fetchOne(db, sql: "SELECT is_stored FROM pictures WHERE picture_key = ?", arguments: [key]) ?? false
    }
}

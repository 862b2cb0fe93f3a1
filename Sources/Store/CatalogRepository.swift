import GRDB
import GameModel

/// Products and promotions in SQLite.
struct CatalogRepository: Sendable {
    let file: StoreFile

    /// The products for sale by name, and the promotions that have not ended.
    func load(at now: Instant) async throws(StoreError) -> (products: [Product], promotions: [Promotion]) {
        try await file.read { db in
            let products = try Row.fetchAll(db, sql: "SELECT * FROM products WHERE is_active <> 0 ORDER BY product_id")
                .compactMap(Self.product)
            return (products, try Self.promotions(endingAfter: now, in: db))
        }
    }

    /// Stores a product, new or changed; `true` where it is new. Orders keep the price they were placed at.
    func save(_ product: Product, at now: Instant) async throws(StoreError) -> Bool {
        try await file.write { db in
            let isKnown = try Self.product(product.productId, in: db) != nil
            try Self.upsert(product, at: now, in: db)
            return !isKnown
        }
    }

    /// Stores a promotion, new or changed; `true` where it is new.
    func save(_ promotion: Promotion, at now: Instant) async throws(StoreError) -> Bool {
        try await file.write { db in
            if let product = promotion.productId, try Self.product(product, in: db) == nil {
                throw StoreError.invalidField(name: "productId", reason: "there is no product \(product)")
            }
            let isKnown =
                try Bool.fetchOne(
                    db, sql: "SELECT 1 FROM promotions WHERE promotion_id = ?", arguments: [promotion.promotionId])
                ?? false
            try Self.upsert(promotion, at: now, in: db)
            return !isKnown
        }
    }

    static func product(_ id: ProductID, in db: Database) throws -> Product? {
        let statement = try db.cachedStatement(sql: "SELECT * FROM products WHERE product_id = ?")
        return try Row.fetchOne(statement, arguments: [id.rawValue]).flatMap(product)
    }

    static func promotions(endingAfter now: Instant, in db: Database) throws -> [Promotion] {
        let statement = try db.cachedStatement(sql: "SELECT * FROM promotions WHERE ends_at > ?")
        return try Row.fetchAll(statement, arguments: [now.milliseconds]).map { row in
            Promotion(
                promotionId: row["promotion_id"], productId: (row["product_id"] as String?).map { ProductID($0) },
                percentOff: row["percent_off"], startsAt: Instant(milliseconds: row["starts_at"]),
                endsAt: Instant(milliseconds: row["ends_at"]))
        }
    }

    static func upsert(_ product: Product, at now: Instant, in db: Database) throws {
        try db.execute(
            sql: """
                INSERT INTO products (product_id, name, kind, price, currency, is_active, updated_at)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (product_id) DO UPDATE SET name = excluded.name, kind = excluded.kind,
                    price = excluded.price, currency = excluded.currency,
                    is_active = excluded.is_active, updated_at = excluded.updated_at
                """,
            arguments: [
                product.productId.rawValue, product.name, product.kind.rawValue, product.price.minorUnits,
                product.price.currency.rawValue, product.isActive ? 1 : 0, now.milliseconds,
            ])
    }

    static func upsert(_ promotion: Promotion, at now: Instant, in db: Database) throws {
        try db.execute(
            sql: """
                INSERT INTO promotions (promotion_id, product_id, percent_off, starts_at, ends_at, updated_at)
                VALUES (?, ?, ?, ?, ?, ?)
                ON CONFLICT (promotion_id) DO UPDATE SET product_id = excluded.product_id,
                    percent_off = excluded.percent_off, starts_at = excluded.starts_at,
                    ends_at = excluded.ends_at, updated_at = excluded.updated_at
                """,
            arguments: [
                promotion.promotionId, promotion.productId?.rawValue, promotion.percentOff,
                promotion.startsAt.milliseconds, promotion.endsAt.milliseconds, now.milliseconds,
            ])
    }

    /// `nil` for a kind or currency that a later version wrote: this one can't sell it.
    private static func product(_ row: Row) -> Product? {
        guard let kind = ProductKind(rawValue: row["kind"]), let currency = Currency(rawValue: row["currency"]) else {
            return nil
        }
        return Product(
            productId: ProductID(row["product_id"]), name: row["name"], kind: kind,
            price: Money(minorUnits: row["price"], currency: currency),
            isActive: row["is_active"] as Int != 0)
    }
}

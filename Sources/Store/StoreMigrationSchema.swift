import Foundation
import GRDB
import GameModel
import Records

/// Moves what the first release's tables hold into those that took their place, and drops them.
enum FirstTables {
    static func move(in db: Database) throws {
        try moveCatalog(in: db)
        try db.execute(sql: books)
        for row in try Row.fetchAll(db, sql: "SELECT * FROM purchases WHERE quote = ''") {
            let (list, total, unit): (Int64, Int64, String) = (
                row["refunded"], row["amount"], row["unit"]
            )
            var lines = [QuoteLine(kind: .list, text: "list price", amount: list)]
            if let promotion = row["flag"] as String? {
                lines.append(
                    QuoteLine(kind: .promotion, text: promotion, amount: total - list, promotionId: promotion)
                )
            }
            let quote = Quote(
                productId: ProductID(row["product_id"]), quantity: 1, unit: unit, list: list, total: total,
                lines: lines, catalogVersion: 1)
            try db.execute(
                sql: "UPDATE purchases SET quote = ?, refunded = 0, flag = NULL WHERE order_id = ?",
                arguments: [
                    String(decoding: try JSONEncoder().encode(quote), as: UTF8.self), row["order_id"],
                ])
        }
        try db.execute(
            sql: """
                DROP TABLE ledger; DROP TABLE entitlements; DROP TABLE orders; DROP TABLE promotions;
                DROP TABLE products;
                DROP TABLE webhook_events;
                """)
    }

    private static func moveCatalog(in db: Database) throws {
        for row in try Row.fetchAll(db, sql: "SELECT * FROM products") {
            guard let kind = ProductKind(rawValue: row["kind"]),
                let currency = Currency(rawValue: row["currency"])
            else {
                throw RecordsError.corrupt(
                    "product \(row["product_id"] as String) of kind '\(row["kind"] as String)', in currency "
                        + "'\(row["currency"] as String)'")
            }
            let product = Product(
                productId: ProductID(row["product_id"]), name: row["name"], kind: kind,
                prices: [Money(minorUnits: row["price"], currency: currency)], isActive: row["is_active"])
            try DraftRepository.upsert(
                product, by: "migration", at: Instant(milliseconds: row["updated_at"]), in: db)
        }
        for row in try Row.fetchAll(db, sql: "SELECT * FROM promotions") {
            let id: String = row["promotion_id"]
            let promotion = Promotion(
                promotionId: id, name: id,
                productIds: (row["product_id"] as String?).map { [ProductID($0)] } ?? [],
                percentOff: row["percent_off"], startsAt: Instant(milliseconds: row["starts_at"]),
                endsAt: Instant(milliseconds: row["ends_at"]))
            try DraftRepository.upsert(
                promotion, by: "migration", at: Instant(milliseconds: row["updated_at"]), in: db)
        }
        let draft = try DraftRepository.draft(in: db)
        guard !draft.products.isEmpty else { return }
        try CatalogRepository.insertVersion(
            CatalogVersion(
                version: 1, publishedAt: .now, publishedBy: "migration", note: "as it was before versions",
                document: draft), in: db)
    }

    /// The list price and the promotion wait in two other columns until the quotes are written.
    private static let books = """
        INSERT INTO purchases (order_id, player_id, owner_id, product_id, quantity, state, amount, unit, quote,
            provider, payment_method, provider_reference, refunded, reason, flag, idempotency_key, body_digest,
            created_at, updated_at)
        SELECT order_id, player_id, player_id, product_id, 1, state, amount, currency, '', 'stripe', payment_method,
            provider_reference, list_price, reason, promotion_id, idempotency_key, body_digest, created_at, updated_at
        FROM orders;
        INSERT INTO purchase_parts (order_id, kind, item, quantity) SELECT order_id, 'skin', product_id, 1 FROM orders;
        INSERT INTO transfers (transfer_id, order_id, kind, from_account, to_account, amount, unit, reference,
            created_at)
        SELECT transfer_id, order_id, kind, credit, debit, amount, currency, provider_reference, created_at FROM ledger;
        INSERT INTO balances (account, unit, amount)
        SELECT account, unit, SUM(amount) FROM (
            SELECT to_account AS account, unit, amount FROM transfers
            UNION ALL SELECT from_account, unit, -amount FROM transfers) GROUP BY account, unit;
        INSERT INTO grants (entitlement_id, player_id, product_id, order_id, source, quantity, remaining, granted_at)
        SELECT order_id, player_id, product_id, order_id, 'purchase', 1, 1, granted_at FROM entitlements;
        INSERT INTO grant_events (entitlement_id, player_id, product_id, kind, change, reference, at)
        SELECT entitlement_id, player_id, product_id, 'granted', 1, order_id, granted_at FROM grants;
        INSERT INTO promotion_uses (order_id, promotion_id, player_id, is_void)
        SELECT order_id, promotion_id, player_id, CASE state WHEN 'declined' THEN 1 ELSE 0 END FROM orders
        WHERE promotion_id IS NOT NULL;
        INSERT INTO provider_events (event_id, provider, type, order_id, body, received_at)
        SELECT event_id, 'stripe', type, order_id, '', received_at FROM webhook_events;
        """
}

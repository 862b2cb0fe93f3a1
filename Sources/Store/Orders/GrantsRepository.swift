import GRDB
import GameModel
import Records

/// A right that is about to be given.
struct Grant: Sendable {
    let entitlementId: String
    let player: PlayerID
    let product: ProductID
    let order: OrderID?
    let source: Entitlement.Source
    let kind: OrderParts.Kind
    let quantity: Int64
    /// The order, or what a person called it.
    let reference: String
    let at: Instant
}

/// Entitlements in SQLite, inside a transaction: the table `grants` with its history `grant_events`.
enum GrantsRepository {
    static func insert(_ grant: Grant, in db: Database) throws {
        // A skin is owned once, whatever an order says.
        let quantity = grant.kind == .skin ? 1 : grant.quantity
        let statement = try db.cachedStatement(
            sql: """
                INSERT INTO grants (entitlement_id, player_id, product_id, order_id, source, kind, quantity, remaining,
                    granted_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                """)
        try statement.execute(arguments: [
            grant.entitlementId, grant.player.rawValue, grant.product.rawValue, grant.order?.rawValue,
            grant.source.rawValue, grant.kind.rawValue, quantity, quantity, grant.at.milliseconds,
        ])
        try append(
            .granted, quantity, entitlement: grant.entitlementId, of: grant.product, of: grant.player,
            reference: grant.reference, at: grant.at, in: db)
    }

    /// The order or grant by which a player has a product at the moment; `nil` where they have none of it.
    static func origin(of product: ProductID, of player: PlayerID, in db: Database) throws -> String? {
        let statement = try db.cachedStatement(
            sql: """
                SELECT COALESCE(order_id, entitlement_id) FROM grants
                WHERE player_id = ? AND product_id = ? AND remaining > 0 LIMIT 1
                """)
        return try String.fetchOne(statement, arguments: [player.rawValue, product.rawValue])
    }

    /// Takes back what is left of an order's entitlements.
    ///
    /// - Returns: what they were before; without those that were taken back already.
    static func revoke(
        order: OrderID, at now: Instant, in db: Database
    ) throws -> [(product: ProductID, quantity: Int64, remaining: Int64)] {
        let rows = try Row.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT entitlement_id, player_id, product_id, quantity, remaining FROM grants
                    WHERE order_id = ? AND revoked_at IS NULL ORDER BY product_id
                    """), arguments: [order.rawValue])
        let update = try db.cachedStatement(
            sql: "UPDATE grants SET remaining = 0, revoked_at = ? WHERE entitlement_id = ?")
        return try rows.map { row in
            let (id, remaining): (String, Int64) = (row["entitlement_id"], row["remaining"])
            let product = ProductID(row["product_id"])
            try update.execute(arguments: [now.milliseconds, id])
            try append(
                .revoked, -remaining, entitlement: id, of: product, of: PlayerID(row["player_id"]),
                reference: order.rawValue, at: now, in: db)
            return (product, row["quantity"], remaining)
        }
    }

    static func append(
        _ kind: EntitlementEvent.Kind, _ change: Int64, entitlement: String, of product: ProductID,
        of player: PlayerID, reference: String, at now: Instant, in db: Database
    ) throws {
        let statement = try db.cachedStatement(
            sql: """
                INSERT INTO grant_events (entitlement_id, player_id, product_id, kind, change, reference, at)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """)
        try statement.execute(arguments: [
            entitlement, player.rawValue, product.rawValue, kind.rawValue, change, reference, now.milliseconds,
        ])
    }
}

import Foundation
import GRDB
import GameModel
import Records

/// Orders in SQLite: one row each, in the table `purchases`.
struct OrdersRepository: Sendable {
    let file: StoreFile

    func order(_ id: OrderID) async throws(StoreError) -> Order? {
        try await file.read { try Self.order(id, in: $0) }
    }

    // MARK: Inside a transaction

    static func order(_ id: OrderID, in db: Database) throws -> Order? {
        let statement = try db.cachedStatement(sql: "SELECT * FROM purchases WHERE order_id = ?")
        return try Row.fetchOne(statement, arguments: [id.rawValue]).map(order)
    }

    /// Writes all that may change of an order: its state, reference, refund, reason and flag.
    ///
    /// - Parameter before: as it was read in the same transaction; a state that may not follow is a programmer's error.
    static func update(_ order: Order, from before: Order, in db: Database) throws {
        precondition(
            order.state == before.state || before.state.next.contains(order.state),
            "an order can't go from \(before.state) to \(order.state)")
        let statement = try db.cachedStatement(
            sql: """
                UPDATE purchases SET state = ?, provider_reference = ?, refunded = ?, reason = ?, flag = ?,
                    refund_requested_at = ?, updated_at = ? WHERE order_id = ?
                """)
        try statement.execute(arguments: [
            order.state.rawValue, order.providerReference, order.refunded, order.reason, order.flag,
            order.refundRequestedAt?.milliseconds, order.updatedAt.milliseconds, order.orderId.rawValue,
        ])
    }

    static func order(_ row: Row) throws -> Order {
        guard let state = OrderState(rawValue: row["state"]) else {
            throw RecordsError.corrupt("an order of state '\(row["state"] as String)'")
        }
        return Order(
            orderId: OrderID(row["order_id"]), playerId: PlayerID(row["player_id"]),
            recipient: (row["recipient_id"] as String?).map { PlayerID($0) },
            productId: ProductID(row["product_id"]), quantity: row["quantity"], state: state,
            quote: try CatalogRepository.decode(Quote.self, row["quote"]), provider: row["provider"],
            paymentMethod: row["payment_method"], providerReference: row["provider_reference"],
            refunded: row["refunded"], reason: row["reason"], flag: row["flag"],
            refundRequestedAt: (row["refund_requested_at"] as Int64?).map { Instant(milliseconds: $0) },
            createdAt: Instant(milliseconds: row["created_at"]),
            updatedAt: Instant(milliseconds: row["updated_at"]))
    }
}

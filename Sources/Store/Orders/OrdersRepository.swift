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

    /// Newest first: an order's id begins with its time.
    func orders(_ filter: OrderFilter) async throws(StoreError) -> [Order] {
        try await file.read { db in
            // A query per state: each ends after a page, where one for all of them would sort every order there is.
            let states = filter.states.map { $0.map(Optional.some) } ?? [nil]
            let orders = try states.flatMap { try Self.orders(filter, in: $0, in: db) }
            return Array(orders.sorted { $0.orderId > $1.orderId }.prefix(filter.limit))
        }
    }

    private static func orders(_ filter: OrderFilter, in state: OrderState?, in db: Database) throws -> [Order] {
        // A player's orders are few: the empty text keeps the other indexes out, by which there are many.
        let narrowed = filter.player == nil ? "" : " || ''"
        let conditions: [(column: String, value: String?)] = [
            ("state\(narrowed) = ?", state?.rawValue), ("player_id = ?", filter.player?.rawValue),
            ("product_id\(narrowed) = ?", filter.productId?.rawValue), ("order_id < ?", filter.before?.rawValue),
        ]
        let given = conditions.filter { $0.value != nil }
        let condition = given.isEmpty ? "" : "WHERE " + given.map(\.column).joined(separator: " AND ")
        return try Row.fetchAll(
            db, sql: "SELECT * FROM purchases \(condition) ORDER BY order_id DESC LIMIT ?",
            arguments: StatementArguments(given.map(\.value)) + [filter.limit]
        ).map(order)
    }

    func transfers(of order: OrderID) async throws(StoreError) -> [Transfer] {
        try await file.read { try LedgerRepository.transfers(of: order, in: $0) }
    }

    /// Takes the names out of a player's orders, and the bodies of what the providers told of them: addresses, cards.
    /// An empty digest marks an order whose player asked for that, so that ``update(_:from:in:)`` takes the means of
    /// payment out of one that still needs them, when it is settled, and later events are kept without their bodies.
    func anonymise(_ player: PlayerID) async throws(StoreError) {
        try await file.write { db in
            try db.execute(
                sql: """
                    UPDATE purchases SET idempotency_key = 'anonymous ' || order_id, body_digest = '',
                        payment_method = CASE WHEN state IN ('pending', 'verifying', 'review') THEN payment_method
                            ELSE '' END
                    WHERE player_id = ?
                    """, arguments: [player.rawValue])
            // By time alone there is an index: the table is walked once, for one of a few deletions a day.
            try db.execute(
                sql: """
                    UPDATE provider_events SET body = ''
                    WHERE order_id IN (SELECT order_id FROM purchases WHERE player_id = ?)
                    """, arguments: [player.rawValue])
        }
    }

    // MARK: Inside a transaction

    /// Whether an order's player asked for what names them to be taken out.
    static func isAnonymous(_ id: OrderID, in db: Database) throws -> Bool {
        let statement = try db.cachedStatement(sql: "SELECT body_digest = '' FROM purchases WHERE order_id = ?")
        return try Bool.fetchOne(statement, arguments: [id.rawValue]) ?? false
    }

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
                    refund_requested_at = ?, updated_at = ?,
                    payment_method = CASE WHEN body_digest = '' AND ? THEN '' ELSE payment_method END
                WHERE order_id = ?
                """)
        try statement.execute(arguments: [
            order.state.rawValue, order.providerReference, order.refunded, order.reason, order.flag,
            order.refundRequestedAt?.milliseconds, order.updatedAt.milliseconds, order.state.isSettled,
            order.orderId.rawValue,
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

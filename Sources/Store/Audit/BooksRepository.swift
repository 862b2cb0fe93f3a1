import GRDB
import GameModel

/// What an audit reads: counts, and the orders that break a rule.
struct BooksRepository: Sendable {
    let file: StoreFile

    /// How many rows a rule looked at, and what breaks it.
    struct Reading: Sendable {
        let checked: Int
        let broken: [String]
    }

    /// An order as the provider's charges are held against it.
    struct Entry: Sendable {
        let state: OrderState?
        let provider: String?
        let reference: String?
        /// What was given back, in minor units.
        let refunded: Int64
        /// The charge in the ledger; `nil` before it is there.
        let booked: Int64?
        let bookedUnit: String?
        let isFlagged: Bool
        /// Whether a job will ask the provider about it.
        let isOwed: Bool
        let updatedAt: Instant
    }

    /// - Parameters:
    ///   - counting: a query that answers the number of rows that the rule is about.
    ///   - breaking: a query that answers the names of what breaks it.
    func reading(counting: String, breaking: String) async throws(StoreError) -> Reading {
        try await file.read { db in
            Reading(
                checked: try Int.fetchOne(db, sql: counting) ?? 0,
                broken: try String.fetchAll(db, sql: breaking))
        }
    }

    /// The paid orders that a provider charged, with its names for the charges.
    func paidOrders(of provider: String) async throws(StoreError) -> [OrderID: String?] {
        try await file.read { db in
            let rows = try Row.fetchCursor(
                db, sql: "SELECT order_id, provider_reference FROM purchases WHERE state = 'paid' AND provider = ?",
                arguments: [provider])
            var orders: [OrderID: String?] = [:]
            while let row = try rows.next() {
                orders.updateValue(row["provider_reference"], forKey: OrderID(row["order_id"]))
            }
            return orders
        }
    }

    /// At most a few hundred at once: a page of the provider's list.
    func entries(_ orders: Set<OrderID>) async throws(StoreError) -> [OrderID: Entry] {
        guard !orders.isEmpty else { return [:] }
        return try await file.read { db in
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT o.*, t.amount AS booked, t.unit AS booked_unit, EXISTS (
                        SELECT 1 FROM outbox b WHERE b.job_id > 'settle-order.' || o.order_id || '.'
                            AND b.job_id < 'settle-order.' || o.order_id || '/') AS is_owed
                    FROM purchases o LEFT JOIN transfers t ON t.order_id = o.order_id AND t.kind = 'charge'
                    WHERE o.order_id IN (\(databaseQuestionMarks(count: orders.count)))
                    """, arguments: StatementArguments(orders.map(\.rawValue)))
            return Dictionary(
                rows.map { (OrderID($0["order_id"]), Self.entry($0)) }, uniquingKeysWith: { first, _ in first })
        }
    }

    private static func entry(_ row: Row) -> Entry {
        Entry(
            state: OrderState(rawValue: row["state"]), provider: row["provider"],
            reference: row["provider_reference"], refunded: row["refunded"], booked: row["booked"],
            bookedUnit: row["booked_unit"], isFlagged: (row["flag"] as String?) != nil, isOwed: row["is_owed"],
            updatedAt: Instant(milliseconds: row["updated_at"]))
    }
}

import GRDB
import GameModel

/// What an audit reads: counts, and the orders that break a rule.
struct BooksRepository: Sendable {
    let file: StoreFile

    /// How many rows a rule looked at, and the orders that break it.
    struct Reading: Sendable {
        let checked: Int
        let broken: [String]
    }

    /// An order as the provider's charges are held against it.
    struct Entry: Sendable {
        let state: OrderState?
        let minorUnits: Int64
        let currency: String
    }

    /// - Parameters:
    ///   - counting: a query that answers the number of rows that the rule is about.
    ///   - breaking: a query that answers the ids of the orders that break it.
    func reading(counting: String, breaking: String) async throws(StoreError) -> Reading {
        try await file.read { db in
            Reading(
                checked: try Int.fetchOne(db, sql: counting) ?? 0,
                broken: try String.fetchAll(db, sql: breaking))
        }
    }

    /// The ids of all orders in a state.
    func orders(in state: OrderState) async throws(StoreError) -> Set<String> {
        try await file.read { db in
            try String.fetchSet(
                db, sql: "SELECT order_id FROM purchases WHERE state = ?", arguments: [state.rawValue])
        }
    }

    func entry(_ id: OrderID) async throws(StoreError) -> Entry? {
        try await file.read { db in
            let statement = try db.cachedStatement(
                sql: "SELECT state, amount, unit FROM purchases WHERE order_id = ?")
            return try Row.fetchOne(statement, arguments: [id.rawValue]).map { row in
                Entry(
                    state: OrderState(rawValue: row["state"]), minorUnits: row["amount"],
                    currency: row["unit"])
            }
        }
    }
}

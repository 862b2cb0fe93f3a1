import GRDB
import GameModel
import Records

/// The ledger in SQLite: transfers, and the balances that they add up to.
enum LedgerRepository {
    /// Writes a transfer and moves its amount between the two balances, inside the transaction of what it is for.
    ///
    /// A second transfer of the same kind and reference between the same accounts breaks a constraint, and so does a
    /// wallet that would go below zero: callers check before.
    static func book(
        _ kind: Transfer.Kind, _ amount: Int64, _ unit: String, from: LedgerAccount, to: LedgerAccount,
        order: OrderID?, reference: String, at now: Instant, in db: Database
    ) throws {
        var random = SystemRandomNumberGenerator()
        let statement = try db.cachedStatement(
            sql: """
                INSERT INTO transfers (transfer_id, order_id, kind, from_account, to_account, amount, unit, reference,
                    created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                """)
        try statement.execute(arguments: [
            ULID(at: now, using: &random).description, order?.rawValue, kind.rawValue, from.description,
            to.description, amount, unit, reference, now.milliseconds,
        ])
        try move(-amount, unit, account: from, in: db)
        try move(amount, unit, account: to, in: db)
    }

    static func balance(of account: LedgerAccount, unit: String, in db: Database) throws -> Int64 {
        let statement = try db.cachedStatement(sql: "SELECT amount FROM balances WHERE account = ? AND unit = ?")
        return try Int64.fetchOne(statement, arguments: [account.description, unit]) ?? 0
    }

    /// All balances of an account that are not zero, by unit.
    static func balances(of account: LedgerAccount, in db: Database) throws -> [(unit: String, amount: Int64)] {
        let statement = try db.cachedStatement(
            sql: "SELECT unit, amount FROM balances WHERE account = ? AND amount <> 0 ORDER BY unit")
        return try Row.fetchAll(statement, arguments: [account.description]).map { ($0["unit"], $0["amount"]) }
    }

    /// An order's transfers, oldest first.
    static func transfers(of order: OrderID, in db: Database) throws -> [Transfer] {
        let statement = try db.cachedStatement(
            sql: "SELECT * FROM transfers WHERE order_id = ? ORDER BY created_at, kind, transfer_id")
        return try Row.fetchAll(statement, arguments: [order.rawValue]).map(transfer)
    }

    /// An account's transfers, newest first.
    static func transfers(of account: LedgerAccount, limit: Int, in db: Database) throws -> [Transfer] {
        let name = account.description
        return try Row.fetchAll(
            db,
            sql: """
                SELECT * FROM (
                    SELECT * FROM (SELECT * FROM transfers WHERE from_account = ?
                        ORDER BY created_at DESC, transfer_id DESC LIMIT ?) AS sent
                    UNION ALL
                    SELECT * FROM (SELECT * FROM transfers WHERE to_account = ?
                        ORDER BY created_at DESC, transfer_id DESC LIMIT ?) AS received) AS moved
                ORDER BY created_at DESC, transfer_id DESC LIMIT ?
                """, arguments: [name, limit, name, limit, limit]
        ).map(transfer)
    }

    /// What an order's transfers of some kinds come to, by unit.
    static func sums(
        of kinds: Set<Transfer.Kind>, order: OrderID, in db: Database
    ) throws -> [(unit: String, amount: Int64)] {
        var sums: [String: Int64] = [:]
        for transfer in try transfers(of: order, in: db) where kinds.contains(transfer.kind) {
            sums[transfer.unit, default: 0] += transfer.amount
        }
        return sums.map { (unit: $0, amount: $1) }.sorted { $0.unit < $1.unit }
    }

    /// Not an upsert: SQLite would hold the wallet's floor against the row that is not inserted in the end.
    private static func move(_ amount: Int64, _ unit: String, account: LedgerAccount, in db: Database) throws {
        let update = try db.cachedStatement(
            sql: "UPDATE balances SET amount = amount + ? WHERE account = ? AND unit = ?")
        try update.execute(arguments: [amount, account.description, unit])
        guard db.changesCount == 0 else { return }
        try db.cachedStatement(sql: "INSERT INTO balances (account, unit, amount) VALUES (?, ?, ?)")
            .execute(arguments: [account.description, unit, amount])
    }

    private static func transfer(_ row: Row) throws -> Transfer {
        guard let kind = Transfer.Kind(rawValue: row["kind"]) else {
            throw RecordsError.corrupt("a transfer of kind '\(row["kind"] as String)'")
        }
        return Transfer(
            transferId: row["transfer_id"], orderId: (row["order_id"] as String?).map { OrderID($0) }, kind: kind,
            from: row["from_account"], to: row["to_account"], amount: row["amount"], unit: row["unit"],
            reference: row["reference"], createdAt: Instant(milliseconds: row["created_at"]))
    }
}

import Foundation
import GRDB
import GameModel
import Records

/// What a reconciliation reads of the orders, and the reports that it leaves.
struct ReconciliationsRepository: Sendable {
    typealias Entry = ReconciliationRules.Entry

    /// How many reports are kept: years of daily ones.
    static let reportsMax = 1_000

    let file: StoreFile

    /// Orders with what the ledger holds of them; ids that are none of ours are left out.
    func entries(of ids: [OrderID]) async throws(StoreError) -> [OrderID: Entry] {
        guard !ids.isEmpty else { return [:] }
        let places = Array(repeating: "?", count: ids.count).joined(separator: ", ")
        return try await file.read { db in
            let rows = try Row.fetchAll(
                db, sql: "\(Self.columns) WHERE p.order_id IN (\(places))",
                arguments: StatementArguments(ids.map(\.rawValue)))
            return Dictionary(
                try rows.map(Self.entry).map { ($0.orderId, $0) }, uniquingKeysWith: { first, _ in first })
        }
    }

    /// The next orders of a provider that the ledger holds a charge of, by their ids, which rise with time.
    func charged(
        by provider: String, since: Instant, until: Instant, after: OrderID?, limit: Int
    ) async throws(StoreError) -> [Entry] {
        try await file.read { db in
            try Row.fetchAll(
                db,
                sql: """
                    \(Self.columns) WHERE p.order_id > ? AND p.provider = ? AND p.created_at >= ? AND p.created_at <= ?
                        AND p.state IN ('paid', 'refunded', 'charged_back') ORDER BY p.order_id LIMIT ?
                    """,
                arguments: [
                    after?.rawValue ?? Self.timePart(of: since), provider, since.milliseconds, until.milliseconds,
                    limit,
                ]
            ).map(Self.entry)
        }
    }

    /// The orders of a provider that were placed before a moment and have no verdict yet, oldest first.
    func open(at provider: String, placedBefore moment: Instant, limit: Int) async throws(StoreError) -> [Entry] {
        try await file.read { db in
            try Row.fetchAll(
                db,
                sql: """
                    \(Self.columns) WHERE p.state IN ('pending', 'verifying') AND p.provider = ? AND p.created_at < ?
                    ORDER BY p.order_id LIMIT ?
                    """, arguments: [provider, moment.milliseconds, limit]
            ).map(Self.entry)
        }
    }

    /// Keeps a report, and owes the jobs that settle its differences.
    func keep(_ report: ReconciliationReport, run: String, owing jobs: [OutboxEntry]) async throws(StoreError) {
        try await file.write { db in
            try db.execute(
                sql: """
                    INSERT INTO reconciliations (run_id, provider, since, started_at, ended_at, checked, differences,
                        report) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    run, report.provider, report.since.milliseconds, report.startedAt.milliseconds,
                    report.endedAt.milliseconds, report.charges + report.orders, report.found,
                    try CatalogRepository.encode(report),
                ])
            try db.execute(
                sql: """
                    DELETE FROM reconciliations WHERE run_id NOT IN (
                        SELECT run_id FROM reconciliations ORDER BY run_id DESC LIMIT ?)
                    """, arguments: [Self.reportsMax])
            for job in jobs { try Outbox.insert(job, in: db) }
        }
    }

    /// The newest reports first.
    func reports(limit: Int) async throws(StoreError) -> [ReconciliationReport] {
        try await file.read { db in
            try String.fetchAll(
                db, sql: "SELECT report FROM reconciliations ORDER BY run_id DESC LIMIT ?", arguments: [limit]
            ).map { try CatalogRepository.decode(ReconciliationReport.self, $0) }
        }
    }

    // MARK: Rows

    /// A job that settles an order is owed where the outbox has one whose id begins `settle-order.<order>.`; `/` is the
    /// character after `.`.
    private static let columns = """
        SELECT p.order_id, p.provider, p.state, p.provider_reference, p.created_at, p.unit,
            (SELECT SUM(t.amount) FROM transfers t WHERE t.order_id = p.order_id AND t.kind = 'charge') AS charged,
            (SELECT MAX(t.unit) FROM transfers t WHERE t.order_id = p.order_id AND t.kind = 'charge') AS charged_unit,
            (SELECT SUM(CASE t.kind WHEN 'reversal' THEN -t.amount ELSE t.amount END) FROM transfers t
                WHERE t.order_id = p.order_id AND t.kind IN ('refund', 'chargeback', 'reversal')) AS returned,
            EXISTS (SELECT 1 FROM outbox o WHERE o.job_id >= 'settle-order.' || p.order_id || '.'
                AND o.job_id < 'settle-order.' || p.order_id || '/') AS is_under_way
        FROM purchases p
        """

    private static func entry(_ row: Row) throws -> Entry {
        guard let state = OrderState(rawValue: row["state"]) else {
            throw RecordsError.corrupt("an order of state '\(row["state"] as String)'")
        }
        return Entry(
            orderId: OrderID(row["order_id"]), provider: row["provider"], state: state,
            reference: row["provider_reference"], createdAt: Instant(milliseconds: row["created_at"]),
            charged: row["charged"] ?? 0, unit: row["charged_unit"] ?? row["unit"], returned: row["returned"] ?? 0,
            isUnderWay: row["is_under_way"])
    }

    /// What the ids of orders from a moment on are not before: a ULID's first ten characters are its time.
    private static func timePart(of moment: Instant) -> String {
        var random = SystemRandomNumberGenerator()
        return String(ULID(at: max(moment, Instant(milliseconds: 0)), using: &random).description.prefix(10))
    }
}

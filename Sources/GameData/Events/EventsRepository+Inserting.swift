import Foundation
import GRDB
import GRDBSQLite
import GameModel
import Records

/// How a batch becomes rows, within its transaction.
extension EventsRepository {
    static func insert(
        _ batch: EventBatch, at instant: Instant, in db: Database
    ) throws -> (Stored, EventTotals) {
        var stored = Stored()
        var totals = EventTotals()
        var finished = batch.finished[...]
        let rows = try BatchStatement(EventsSchema.insertRow, in: db)
        let players = try BatchStatement(EventsSchema.insertFinishedPlayer, in: db)
        defer {
            rows.end()
            players.end()
        }
        for entry in batch.entries {
            let before = stored.events + stored.quarantined
            try entry.bytes.withUnsafeBytes { bytes in
                // Never nil where there are rows: an event has at least its tabs.
                guard let bytes = bytes.baseAddress?.assumingMemoryBound(to: CChar.self) else { return }
                for index in entry.rows {
                    let row = batch.rows[index]
                    guard try rows.insert(row, bytes) else { continue }
                    stored.events += 1
                    if row.flag != .known { stored.raw += 1 }
                    while let next = finished.first, next.row < index { finished.removeFirst() }
                    guard let next = finished.first, next.row == index, try players.insert(next) else { continue }
                    totals.add(next.how, of: next.player)
                }
            }
            for poison in batch.poison[entry.poison] {
                if try insert(poison, at: instant, in: db) { stored.quarantined += 1 }
            }
            // What an entry holds is stored at once, so that it is new as a whole or not at all.
            let new = stored.events + stored.quarantined - before
            if new == entry.rows.count + entry.poison.count { stored.entries += 1 }
        }
        stored.repeated = batch.count - stored.events - stored.quarantined
        return (stored, totals)
    }

    /// Whether it was not there.
    private static func insert(_ poison: EventBatch.Poison, at instant: Instant, in db: Database) throws -> Bool {
        try db.cachedStatement(
            sql: """
                INSERT INTO quarantined_events (entry_id, reason, fields, quarantined_at)
                VALUES (?, ?, ?, ?) ON CONFLICT (entry_id) DO NOTHING
                """
        ).execute(arguments: [poison.id.description, poison.reason, poison.fields, instant.milliseconds])
        return db.changesCount == 1
    }
}

extension BatchStatement {
    /// Inserts a row whose parts lie among the bytes of its entry.
    /// - Returns: whether the row was not there.
    fileprivate func insert(_ row: EventBatch.Row, _ bytes: UnsafePointer<CChar>) throws -> Bool {
        let event = row.event
        bind(1, row.number)
        bind(2, event.kind, of: bytes)
        bind(3, event.version)
        bind(4, row.flag.rawValue)
        bind(5, event.at)
        bind(6, event.match, of: bytes)
        bind(7, event.player, of: bytes)
        bind(8, event.json, of: bytes)
        return try step()
    }

    /// - Returns: whether the player's match was not told before.
    fileprivate func insert(_ finished: EventBatch.Finished) throws -> Bool {
        let how = finished.how
        bind(1, finished.match)
        bind(2, finished.player)
        bind(3, how.character)
        bind(4, how.mode.rawValue)
        bind(5, how.region.rawValue)
        bind(6, how.patch.number)
        bind(7, how.outcome.rawValue)
        bind(8, how.left ? 1 : 0)
        bind(9, how.kills)
        bind(10, how.deaths)
        bind(11, how.damage)
        bind(12, how.durationMs)
        bind(13, how.latencyMs)
        return try step()
    }
}

/// A statement that a batch runs for many rows, through the C API: GRDB's own machinery for values costs as much as the
/// row. Columns are numbered from 1.
struct BatchStatement {
    private let connection: OpaquePointer
    private let statement: OpaquePointer
    private let sql: String

    init(_ sql: String, in db: Database) throws {
        guard let connection = db.sqliteConnection else { throw RecordsError.closed }
        self.connection = connection
        self.sql = sql
        statement = try db.cachedStatement(sql: sql).sqliteStatement
    }

    /// Leaves nothing of the last row in the statement, which others use after this one.
    func end() {
        sqlite3_reset(statement)
        sqlite3_clear_bindings(statement)
    }

    func bind(_ column: Int32, _ number: some BinaryInteger) {
        sqlite3_bind_int64(statement, column, Int64(clamping: number))
    }

    func bind(_ column: Int32, _ number: Double?) {
        if let number { sqlite3_bind_double(statement, column, number) } else { sqlite3_bind_null(statement, column) }
    }

    /// Binds a copy.
    func bind(_ column: Int32, _ text: String) {
        var text = text
        text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { bytes -> Void in
                // An empty text may have no address, and without one it would be NULL.
                let base = bytes.baseAddress
                let code =
                    base == nil
                    ? sqlite3_bind_text(statement, column, "", 0, Self.copied)
                    : sqlite3_bind_text(statement, column, base, Int32(bytes.count), Self.copied)
                assert(code == SQLITE_OK, "column \(column) can't be bound: \(code)")
            }
        }
    }

    func bind(_ column: Int32, _ value: DatabaseValue) {
        switch value.storage {
        case .null: sqlite3_bind_null(statement, column)
        case .int64(let number): bind(column, number)
        case .double(let number): bind(column, number)
        case .string(let text): bind(column, text)
        case .blob(let data):
            data.withUnsafeBytes { bytes -> Void in
                sqlite3_bind_blob(statement, column, bytes.baseAddress, Int32(bytes.count), Self.copied)
            }
        }
    }

    /// Binds text where it lies: it must outlive the step. Nothing is NULL.
    func bind(_ column: Int32, _ range: Range<Int>, of bytes: UnsafePointer<CChar>) {
        if range.isEmpty {
            sqlite3_bind_null(statement, column)
        } else {
            // Without a destructor SQLite makes no copy.
            sqlite3_bind_text(statement, column, bytes + range.lowerBound, Int32(range.count), nil)
        }
    }

    /// Runs the statement with what is bound.
    /// - Returns: whether it changed a row.
    @discardableResult
    func step() throws -> Bool {
        let code = sqlite3_step(statement)
        guard code == SQLITE_DONE else {
            throw DatabaseError(
                resultCode: ResultCode(rawValue: code), message: String(cString: sqlite3_errmsg(connection)),
                sql: sql)
        }
        let isChanged = sqlite3_changes(connection) == 1
        sqlite3_reset(statement)
        return isChanged
    }

    /// What `SQLITE_TRANSIENT` is in C: SQLite is to copy the bytes.
    private static var copied: sqlite3_destructor_type { unsafeBitCast(-1, to: sqlite3_destructor_type.self) }
}

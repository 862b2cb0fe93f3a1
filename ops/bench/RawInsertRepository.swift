import Foundation
import GRDB
import GRDBSQLite
import GameModel

/// The most that SQLite can do with the rows that an ingest has stored: the same rows, into a table of the same shape
/// with the same indexes, by one prepared statement in one transaction through the C API.
struct RawInsertRepository: Sendable {
    /// The fullest table of a file with its rows, in the order of its storing.
    fileprivate struct Rows: Sendable {
        enum Cell: Sendable {
            case null
            case integer(Int64)
            case real(Double)
            /// A piece of `bytes`.
            case text(offset: Int, count: Int32)
            case blob(offset: Int, count: Int32)
        }

        var table = ""
        var columns: [String] = []
        /// What makes the table and its indexes.
        var schema: [String] = []
        var cells: [Cell] = []
        var bytes: [UInt8] = []
    }

    private let rows: Rows

    /// Reads the rows of the fullest table.
    init(of path: String) throws {
        let queue = try DatabaseQueue(path: path)
        rows = try queue.read { db in try Self.rows(of: Self.fullestTable(in: db), in: db) }
        try queue.close()
    }

    var count: Int { rows.columns.isEmpty ? 0 : rows.cells.count / rows.columns.count }

    /// Inserts all rows into a new file, opened as the events' file is: WAL, `synchronous=NORMAL`, the same cache.
    /// - Returns: the seconds from BEGIN to the end of COMMIT, and the CPU time in µs.
    func insert(into path: String) throws -> (seconds: Double, cpu: Double) {
        var configuration = Configuration()
        configuration.prepareDatabase { db in
            try db.execute(sql: "PRAGMA temp_store = MEMORY")
            try db.execute(sql: "PRAGMA cache_size = -16000")
        }
        let pool = try DatabasePool(path: path, configuration: configuration)
        let took = try pool.writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA synchronous = NORMAL")
            for statement in rows.schema { try db.execute(sql: statement) }
            guard let connection = db.sqliteConnection else { throw BenchError("\(path) is closed") }
            let (begin, cpu) = (ContinuousClock.now, CPUMeter.ownMicros())
            try db.execute(sql: "BEGIN IMMEDIATE")
            try insert(through: connection)
            try db.execute(sql: "COMMIT")
            return ((ContinuousClock.now - begin).inSeconds, CPUMeter.ownMicros() - cpu)
        }
        try pool.close()
        return took
    }

    private func insert(through connection: OpaquePointer) throws {
        let marks = Array(repeating: "?", count: rows.columns.count).joined(separator: ", ")
        let names = rows.columns.map { "\"\($0)\"" }.joined(separator: ", ")
        let sql = "INSERT INTO \"\(rows.table)\" (\(names)) VALUES (\(marks))"
        var prepared: OpaquePointer?
        guard sqlite3_prepare_v2(connection, sql, -1, &prepared, nil) == SQLITE_OK, let statement = prepared else {
            throw BenchError("can't prepare '\(sql)'")
        }
        defer { sqlite3_finalize(statement) }
        try rows.bytes.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { throw BenchError("the rows hold no text") }
            for row in 0..<count {
                for column in 0..<rows.columns.count {
                    Self.bind(rows.cells[row * rows.columns.count + column], to: statement, Int32(column + 1), base)
                }
                guard sqlite3_step(statement) == SQLITE_DONE else { throw BenchError("row \(row) can't be inserted") }
                sqlite3_reset(statement)
            }
        }
    }

    private static func bind(_ cell: Rows.Cell, to statement: OpaquePointer, _ index: Int32, _ base: UnsafeRawPointer) {
        // Without a destructor SQLite takes the bytes where they are: they outlive the step.
        switch cell {
        case .null: sqlite3_bind_null(statement, index)
        case .integer(let value): sqlite3_bind_int64(statement, index, value)
        case .real(let value): sqlite3_bind_double(statement, index, value)
        case .text(let offset, let count):
            sqlite3_bind_text(statement, index, (base + offset).assumingMemoryBound(to: CChar.self), count, nil)
        case .blob(let offset, let count): sqlite3_bind_blob(statement, index, base + offset, count, nil)
        }
    }

    // MARK: Reading

    private static func fullestTable(in db: GRDB.Database) throws -> String {
        let tables = try String.fetchAll(
            db, sql: "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        let counted = try tables.map { table in
            (table, try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM \"\(table)\"") ?? 0)
        }
        guard let fullest = counted.max(by: { $0.1 < $1.1 }), fullest.1 > 0 else {
            throw BenchError("no table has rows")
        }
        return fullest.0
    }

    private static func rows(of table: String, in db: GRDB.Database) throws -> Rows {
        var rows = Rows()
        rows.table = table
        rows.columns = try db.columns(in: table).map(\.name)
        // The table before its indexes.
        rows.schema = try String.fetchAll(
            db,
            sql: "SELECT sql FROM sqlite_master WHERE tbl_name = ? AND type IN ('table', 'index') AND sql <> '' "
                + "ORDER BY type DESC", arguments: [table])
        let cursor = try Row.fetchCursor(db, sql: "SELECT * FROM \"\(table)\"")
        while let row = try cursor.next() {
            for value in row.databaseValues { rows.append(value) }
        }
        return rows
    }
}

extension RawInsertRepository.Rows {
    mutating func append(_ value: DatabaseValue) {
        switch value.storage {
        case .null: cells.append(.null)
        case .int64(let number): cells.append(.integer(number))
        case .double(let number): cells.append(.real(number))
        case .string(let text):
            let offset = bytes.count
            bytes.append(contentsOf: text.utf8)
            cells.append(.text(offset: offset, count: Int32(bytes.count - offset)))
        case .blob(let data):
            cells.append(.blob(offset: bytes.count, count: Int32(data.count)))
            bytes.append(contentsOf: data)
        }
    }
}

import Foundation
import GRDB
import GRDBSQLite
import GameModel
import Logging
import Records
import Synchronization

/// Stored events: a file for each day and shard, and `events.sqlite` with what outlives the days. A row is named by its
/// stream and entry id, so storing an entry again changes nothing.
public final class EventsRepository: Sendable {
    /// What `store` wrote.
    public struct Stored: Sendable, Hashable {
        /// New rows of events.
        public var events = 0
        /// New rows of entries that can't be read.
        public var quarantined = 0
        /// Entries that were there already.
        public var repeated = 0
        /// New rows of events that are kept and not understood.
        public var raw = 0
    }

    let files: EventFiles
    /// `events.sqlite`.
    let totals: RecordsDatabase
    let kinds: EventKinds
    let logger: Logger
    /// The files in which something was stored that is not copied yet.
    let touched = Mutex<Set<EventFile>>([])

    init(files: EventFiles, totals: RecordsDatabase, kinds: EventKinds, logger: Logger) {
        self.files = files
        self.totals = totals
        self.kinds = kinds
        self.logger = logger
    }

    /// Opens the events of a data folder: `events.sqlite` and, when they are needed, the files in `events`.
    /// - Parameter kinds: the kinds whose data is understood.
    /// - Throws: ``RecordsError``.
    public static func open(
        folder: String, kinds: EventKinds = .known, logger: Logger
    ) throws -> EventsRepository {
        let totals = try RecordsDatabase.open(
            path: "\(folder)/events.sqlite", durability: .normal, schemas: [EventsSchema.schema], logger: logger)
        return EventsRepository(
            files: EventFiles(folder: "\(folder)/events", logger: logger), totals: totals, kinds: kinds,
            logger: logger)
    }

    public func close() throws {
        try files.close()
        try totals.close()
    }

    /// Stores a batch of one shard's entries: a transaction for each day that they are of, most often one.
    ///
    /// The rows, what they add to the totals of the day and the count of entries are one transaction, and only rows
    /// that are new add anything. This is the path that every event takes: entries are read before the file is locked,
    /// and bound to the one prepared statement where they lie, without a string or a value made of them.
    /// - Parameter life: the life of the stream that the entries were read from.
    public func store(
        _ entries: [EventEntry], shard: Int, life: StreamLife = StreamLife(""), at instant: Instant = .now
    ) async throws -> Stored {
        guard let first = entries.first, let last = entries.last else { return Stored() }
        // Ids only rise within a read; a claim may hold entries of any days.
        if first.id.day == last.id.day, entries.allSatisfy({ $0.id.day == first.id.day }) {
            return try await store(entries, EventFile(day: first.id.day, shard: shard), life, instant)
        }
        var stored = Stored()
        let days = Dictionary(grouping: entries) { $0.id.day }
        for (day, entries) in days.sorted(by: { $0.key < $1.key }) {
            let part = try await store(entries, EventFile(day: day, shard: shard), life, instant)
            stored.events += part.events
            stored.quarantined += part.quarantined
            stored.repeated += part.repeated
            stored.raw += part.raw
        }
        return stored
    }

    private func store(
        _ entries: [EventEntry], _ file: EventFile, _ life: StreamLife, _ instant: Instant
    ) async throws -> Stored {
        var batch = EventBatch(entries, kinds: kinds)
        try await leaveOutToldBefore(&batch, on: file)
        let database = try files.database(of: file)
        // After the commit, or it may be copied before there is anything; and where the reply was lost as well.
        defer { _ = touched.withLock { $0.insert(file) } }
        let stored = try await database.write { [batch] db in
            let number = try Int.fetchOne(
                db.cachedStatement(sql: "UPDATE batches SET number = number + 1 RETURNING number"))
            let (stored, totals) = try Self.insert(batch, at: instant, in: db)
            try Self.add(totals, batch: number ?? 0, in: db)
            try db.cachedStatement(
                sql: """
                    INSERT INTO stream_totals (life, entries, batch) VALUES (?, ?, ?) ON CONFLICT (life) DO UPDATE
                    SET entries = stream_totals.entries + excluded.entries, batch = excluded.batch
                    """
            ).execute(arguments: [life.name, stored.events + stored.quarantined, number])
            return stored
        }
        return stored
    }

    /// Leaves out of the totals what was told of a player's match on the day before or after: who tells a result again,
    /// because its reply was lost, may do so after midnight. Told again later than that, or on both days at the same
    /// moment by two processes, it counts twice: to look through all days at every batch would cost more than it saves.
    private func leaveOutToldBefore(_ batch: inout EventBatch, on file: EventFile) async throws {
        for day in [file.day.number - 1, file.day.number + 1] where !batch.finished.isEmpty {
            let neighbour = try files.existing(EventFile(day: EventDay(number: day), shard: file.shard))
            guard let neighbour else { continue }
            batch.finished = try await neighbour.read { [finished = batch.finished] db in
                let statement = try db.cachedStatement(
                    sql: "SELECT 1 FROM finished_players WHERE match_id = ? AND player_id = ?")
                return try finished.filter { one in
                    try Int.fetchOne(statement, arguments: [one.match.rawValue, one.player.rawValue]) == nil
                }
            }
        }
    }

    private static func insert(
        _ batch: EventBatch, at instant: Instant, in db: Database
    ) throws -> (Stored, EventTotals) {
        var stored = Stored()
        var totals = EventTotals()
        var nextFinished = 0
        try insertRows(batch.rows, in: db) { index in
            stored.events += 1
            if batch.rows[index].flag != .known { stored.raw += 1 }
            while nextFinished < batch.finished.count, batch.finished[nextFinished].row < index { nextFinished += 1 }
            guard nextFinished < batch.finished.count, batch.finished[nextFinished].row == index else { return }
            let finished = batch.finished[nextFinished]
            if try insert(finished, in: db) { totals.add(finished.how, of: finished.player) }
        }
        for poison in batch.poison {
            try db.cachedStatement(
                sql: """
                    INSERT INTO quarantined_events (entry_id, reason, fields, quarantined_at)
                    VALUES (?, ?, ?, ?) ON CONFLICT (entry_id) DO NOTHING
                    """
            ).execute(arguments: [
                poison.entry.id.description, poison.reason, poison.entry.text, instant.milliseconds,
            ])
            stored.quarantined += db.changesCount
        }
        stored.repeated = batch.rows.count + batch.poison.count - stored.events - stored.quarantined
        return (stored, totals)
    }

    /// Inserts rows through the C API: the statement's own machinery for values costs as much as the row.
    /// - Parameter isNew: told of each row that was not there, by its place in the batch.
    private static func insertRows(
        _ rows: [EventBatch.Row], in db: Database, isNew: (Int) throws -> Void
    ) throws {
        guard !rows.isEmpty else { return }
        guard let connection = db.sqliteConnection else { throw RecordsError.closed }
        let statement = try db.cachedStatement(sql: EventsSchema.insertRow).sqliteStatement
        defer {
            sqlite3_reset(statement)
            sqlite3_clear_bindings(statement)
        }
        for (index, row) in rows.enumerated() {
            let code = row.step(statement)
            guard code == SQLITE_DONE else {
                throw DatabaseError(
                    resultCode: ResultCode(rawValue: code), message: String(cString: sqlite3_errmsg(connection)),
                    sql: EventsSchema.insertRow)
            }
            if sqlite3_changes(connection) == 1 { try isNew(index) }
            sqlite3_reset(statement)
        }
    }

    /// Whether the player's match was not told before.
    private static func insert(_ finished: EventBatch.Finished, in db: Database) throws -> Bool {
        let how = finished.how
        try db.cachedStatement(
            sql: """
                INSERT INTO finished_players (match_id, player_id, character, mode, region, patch, outcome, quit,
                    kills, deaths, damage, duration_ms, latency_ms)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (match_id, player_id) DO NOTHING
                """
        ).execute(arguments: [
            finished.match.rawValue, finished.player.rawValue, how.character, how.mode.rawValue, how.region.rawValue,
            how.patch.number, how.outcome.rawValue, how.left ? 1 : 0, how.kills, how.deaths, how.damage,
            how.durationMs, how.latencyMs,
        ])
        return db.changesCount == 1
    }
}

extension EventBatch.Row {
    /// Binds the row's parts where they lie, and runs the statement.
    fileprivate func step(_ statement: OpaquePointer) -> Int32 {
        event.bytes.withUnsafeBytes { bytes in
            // Never nil: an event has at least its tabs.
            guard let base = bytes.baseAddress?.assumingMemoryBound(to: CChar.self) else { return SQLITE_MISUSE }
            // Without a destructor SQLite takes the bytes where they are: they outlive the step.
            func bind(_ column: Int32, _ range: Range<Int>) {
                if range.isEmpty {
                    sqlite3_bind_null(statement, column)
                } else {
                    sqlite3_bind_text(statement, column, base + range.lowerBound, Int32(range.count), nil)
                }
            }
            sqlite3_bind_int64(statement, 1, number)
            bind(2, 0..<event.kindEnd)
            sqlite3_bind_int64(statement, 3, event.version)
            sqlite3_bind_int(statement, 4, Int32(flag.rawValue))
            sqlite3_bind_int64(statement, 5, event.at)
            bind(6, event.match)
            bind(7, event.player)
            bind(8, event.json)
            return sqlite3_step(statement)
        }
    }
}

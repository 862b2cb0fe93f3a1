import Foundation
import GRDB
import GameModel
import Logging
import Records
import Synchronization

/// Stored events: a file for each day and shard, and `events.sqlite` with what outlives the days. A row is named by its
/// stream, its entry's id and its place in the entry, so storing an entry again changes nothing.
public final class EventsRepository: Sendable {
    /// What `store` wrote.
    public struct Stored: Sendable, Hashable {
        /// New rows of events.
        public var events = 0
        /// New rows of events, and of entries, that can't be read.
        public var quarantined = 0
        /// Events that were there already, those that can't be read among them.
        public var repeated = 0
        /// New rows of events that are kept and not understood.
        public var raw = 0
        /// Entries of which nothing was there.
        public var entries = 0

        /// All that the entries held, new or not.
        public var total: Int { events + quarantined + repeated }

        mutating func add(_ other: Stored) {
            events += other.events
            quarantined += other.quarantined
            repeated += other.repeated
            raw += other.raw
            entries += other.entries
        }
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

    /// Stores one shard's entries: most often in one transaction, else in one for each day and each `rowsMax` rows.
    ///
    /// All that an entry holds is one transaction: its rows, what it has of poison, what the rows add to the totals of
    /// the day and the count of entries; and only rows that are new add anything. This is the path that every event
    /// takes: entries are read before the file is locked, and bound to the one prepared statement where they lie,
    /// without a string or a value made of them.
    /// - Parameters:
    ///   - life: the life of the stream that the entries were read from.
    ///   - rowsMax: once a transaction has so many rows, the next entry begins another.
    public func store(
        _ entries: [EventEntry], shard: Int, life: StreamLife = StreamLife(""), at instant: Instant = .now,
        rowsMax: Int = 5_000
    ) async throws -> Stored {
        var stored = Stored()
        var batch = EventBatch(kinds: kinds)
        for (index, entry) in entries.enumerated() {
            batch.add(entry)
            // Ids only rise within a read, and so do days.
            let next = index + 1 < entries.count ? entries[index + 1] : nil
            guard batch.count >= rowsMax || next?.id.day != entry.id.day else { continue }
            stored.add(try await store(batch, EventFile(day: entry.id.day, shard: shard), life, instant))
            batch = EventBatch(kinds: kinds)
        }
        return stored
    }

    private func store(
        _ read: EventBatch, _ file: EventFile, _ life: StreamLife, _ instant: Instant
    ) async throws -> Stored {
        var batch = read
        try await leaveOutToldBefore(&batch, on: file)
        let database = try files.database(of: file)
        // After the commit, or it may be copied before there is anything; and where the reply was lost as well.
        defer { _ = touched.withLock { $0.insert(file) } }
        return try await database.write { [batch] db in
            _ = try Int.fetchOne(db.cachedStatement(sql: EventsSchema.checkpointRarely))
            let number = try Int.fetchOne(
                db.cachedStatement(sql: "UPDATE batches SET number = number + 1 RETURNING number"))
            let (stored, totals) = try Self.insert(batch, at: instant, in: db)
            try Self.add(totals, batch: number ?? 0, in: db)
            try db.cachedStatement(
                sql: """
                    INSERT INTO stream_totals (life, entries, events, batch) VALUES (?, ?, ?, ?)
                    ON CONFLICT (life) DO UPDATE SET entries = stream_totals.entries + excluded.entries,
                        events = stream_totals.events + excluded.events, batch = excluded.batch
                    """
            ).execute(arguments: [life.name, stored.entries, stored.events, number])
            return stored
        }
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
                    try Int.fetchOne(statement, arguments: [one.match, one.player]) == nil
                }
            }
        }
    }
}

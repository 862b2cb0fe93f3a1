import GRDB
import GameModel
import Records

/// Stored events in `events.sqlite`. A row is named by its stream and entry id, so storing an entry again changes
/// nothing.
public struct EventsRepository: Sendable {
    /// What `store` wrote.
    public struct Stored: Sendable, Hashable {
        /// New rows of events.
        public var events: Int
        /// New rows of entries that can't be read.
        public var quarantined: Int
        /// Entries that were there already.
        public var repeated: Int
    }

    /// An entry that was set apart.
    public struct Quarantined: Sendable, Hashable {
        public var shard: Int
        public var entryId: String
        public var reason: String
        /// The entry's fields, `name=value` on a line each.
        public var fields: String
    }

    private let database: RecordsDatabase

    public init(database: RecordsDatabase) { self.database = database }

    /// Stores a batch of one shard's entries in one transaction. What can't be read goes to the quarantine, so that
    /// one poison entry never holds up those behind it.
    public func store(_ entries: [EventEntry], shard: Int, at instant: Instant = .now) async throws -> Stored {
        // Decoded outside the transaction: the file has one writer at a time, across all processes.
        var events: [(id: String, event: EncodedEvent)] = []
        var poison: [(entry: EventEntry, reason: String)] = []
        events.reserveCapacity(entries.count)
        for entry in entries {
            do throws(EventEntry.Undecodable) {
                events.append((entry.id, try entry.event()))
            } catch {
                poison.append((entry, error.description))
            }
        }
        return try await database.write { [events, poison] db in
            let before = db.totalChangesCount
            try Self.insert(events, shard: shard, in: db)
            let between = db.totalChangesCount
            for (entry, reason) in poison {
                try db.execute(
                    sql: """
                        INSERT INTO quarantined_events (stream, entry_id, reason, fields, quarantined_at)
                        VALUES (?, ?, ?, ?, ?) ON CONFLICT (stream, entry_id) DO NOTHING
                        """, arguments: [shard, entry.id, reason, entry.text, instant.milliseconds])
            }
            let after = db.totalChangesCount
            return Stored(
                events: between - before, quarantined: after - between, repeated: entries.count - (after - before))
        }
    }

    /// How many events are stored.
    public func count() async throws -> Int {
        try await database.read { db in try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM events") ?? 0 }
    }

    /// The events of a match by time.
    /// - Parameter limit: 1 to 10,000; more is cut to that.
    public func events(of match: MatchID, limit: Int = limitMax) async throws -> [EncodedEvent] {
        let limit = min(max(limit, 1), Self.limitMax)
        return try await database.read { db in
            try Row.fetchAll(
                db, sql: "SELECT * FROM events WHERE match_id = ? ORDER BY at, entry_id LIMIT ?",
                arguments: [match.rawValue, limit]
            ).map { row in
                EncodedEvent(
                    kind: row["kind"], at: Instant(milliseconds: row["at"]), matchId: match,
                    playerId: (row["player_id"] as String?).map { PlayerID($0) }, json: row["json"])
            }
        }
    }

    /// The entries set apart, oldest first.
    /// - Parameter limit: 1 to 10,000; more is cut to that.
    public func quarantined(limit: Int = limitMax) async throws -> [Quarantined] {
        let limit = min(max(limit, 1), Self.limitMax)
        return try await database.read { db in
            try Row.fetchAll(
                db, sql: "SELECT * FROM quarantined_events ORDER BY quarantined_at, stream, entry_id LIMIT ?",
                arguments: [limit]
            ).map { row in
                Quarantined(
                    shard: row["stream"], entryId: row["entry_id"], reason: row["reason"], fields: row["fields"])
            }
        }
    }

    public static let limitMax = 10_000

    private static func insert(
        _ events: [(id: String, event: EncodedEvent)], shard: Int, in db: Database
    ) throws {
        guard !events.isEmpty else { return }
        let statement = try db.cachedStatement(
            sql: """
                INSERT INTO events (stream, entry_id, kind, at, match_id, player_id, json)
                VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (stream, entry_id) DO NOTHING
                """)
        for (id, event) in events {
            try statement.execute(arguments: [
                shard, id, event.kind, event.at.milliseconds, event.matchId?.rawValue, event.playerId?.rawValue,
                event.json,
            ])
        }
    }
}

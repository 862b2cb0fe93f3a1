import GRDB
import Records

/// The tables of the events' files.
///
/// Each day and shard has a file of its own, `events/2026-11-26.3.sqlite`: what is too old goes with its file, at once
/// and whole, and those who write two shards don't wait for each other. `events.sqlite` beside them holds what outlives
/// the days: the totals of each, copied from its file, and what was lost.
public enum EventsSchema {
    /// The tables of `events.sqlite`.
    public static let schema = RecordsSchema(
        name: "events",
        migrations: [
            (id: "1-events", body: { db in try db.execute(sql: events) }),
            (
                id: "2-days",
                body: { db in
                    try keepFirstForm(in: db)
                    try db.execute(sql: totalsOfDays)
                }
            ),
            (id: "3-order-of-lives", body: { db in try db.execute(sql: orderOfLives) }),
            (id: "4-events-of-entries", body: { db in try db.execute(sql: eventsOfEntries) }),
        ])

    /// The tables of a day's file.
    public static let daySchema = RecordsSchema(
        name: "events-of-a-day",
        migrations: [
            (id: "1-day", body: { db in try db.execute(sql: day) }),
            (id: "2-events-of-entries", body: { db in try db.execute(sql: dayOfEntries) }),
        ])

    /// What ingest runs for each row: the row's number, then the columns in their order.
    public static let insertRow = """
        INSERT INTO events (id, kind, version, flag, at, match_id, player_id, json)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING
        """

    /// What ingest says before it writes to a day's file: the pages that each batch changes again (of the indexes, of
    /// the totals) are then copied from the log into the file after dozens of batches, and not after each few. Pages
    /// are of 4 KiB, so the log grows to 32 MiB.
    static let checkpointRarely = "PRAGMA wal_autocheckpoint = 8192"

    /// What ingest runs for each player of a match that ended: the columns in their order.
    static let insertFinishedPlayer = """
        INSERT INTO finished_players (match_id, player_id, character, mode, region, patch, outcome, quit, kills, deaths,
            damage, duration_ms, latency_ms)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (match_id, player_id) DO NOTHING
        """

    private static let events = """
        CREATE TABLE events (
            stream BIGINT NOT NULL,
            entry_id TEXT NOT NULL,
            kind TEXT NOT NULL,
            at BIGINT NOT NULL,
            match_id TEXT,
            player_id TEXT,
            json TEXT NOT NULL,
            PRIMARY KEY (stream, entry_id)
        );
        CREATE INDEX events_by_match ON events (match_id, at);
        CREATE TABLE quarantined_events (
            stream BIGINT NOT NULL,
            entry_id TEXT NOT NULL,
            reason TEXT NOT NULL,
            fields TEXT NOT NULL,
            quarantined_at BIGINT NOT NULL,
            PRIMARY KEY (stream, entry_id)
        );
        """

    /// Where events and quarantine of the time before days had files are.
    static let firstEvents = "events_v1"
    static let firstQuarantine = "quarantined_v1"

    /// Keeps what was stored before days had files, under other names; a file without any has no such tables.
    private static func keepFirstForm(in db: Database) throws {
        for (table, kept) in [("events", firstEvents), ("quarantined_events", firstQuarantine)] {
            let isEmpty = try Int.fetchOne(db, sql: "SELECT 1 FROM \(table) LIMIT 1") == nil
            try db.execute(sql: isEmpty ? "DROP TABLE \(table)" : "ALTER TABLE \(table) RENAME TO \(kept)")
        }
    }

    // `batch` is the number of the batch, in the day's file, that changed a row last: an older copy never replaces a
    // newer one.
    private static let totalsOfDays = """
        CREATE TABLE copied_days (
            day BIGINT NOT NULL,
            shard BIGINT NOT NULL,
            batch BIGINT NOT NULL,
            PRIMARY KEY (day, shard)
        );
        CREATE TABLE character_days (
            day BIGINT NOT NULL,
            shard BIGINT NOT NULL,
            patch BIGINT NOT NULL,
            mode TEXT NOT NULL,
            character TEXT NOT NULL,
            picks BIGINT NOT NULL,
            wins BIGINT NOT NULL,
            draws BIGINT NOT NULL,
            leaves BIGINT NOT NULL,
            kills BIGINT NOT NULL,
            deaths BIGINT NOT NULL,
            damage BIGINT NOT NULL,
            duration_ms BIGINT NOT NULL,
            batch BIGINT NOT NULL,
            PRIMARY KEY (day, shard, patch, mode, character)
        );
        CREATE INDEX character_days_by_patch ON character_days (patch, mode);
        CREATE TABLE player_days (
            player_id TEXT NOT NULL,
            region TEXT NOT NULL,
            day BIGINT NOT NULL,
            shard BIGINT NOT NULL,
            matches BIGINT NOT NULL,
            leaves BIGINT NOT NULL,
            latency_ms DOUBLE PRECISION NOT NULL,
            latencies BIGINT NOT NULL,
            batch BIGINT NOT NULL,
            PRIMARY KEY (player_id, region, day, shard)
        );
        CREATE INDEX player_days_by_day ON player_days (day);
        CREATE TABLE stream_days (
            day BIGINT NOT NULL,
            shard BIGINT NOT NULL,
            life TEXT NOT NULL,
            entries BIGINT NOT NULL,
            batch BIGINT NOT NULL,
            PRIMARY KEY (shard, life, day)
        );
        CREATE TABLE event_losses (
            shard BIGINT NOT NULL,
            life TEXT NOT NULL,
            added BIGINT NOT NULL,
            trimmed BIGINT NOT NULL,
            rewound BIGINT NOT NULL,
            first_seen_at BIGINT NOT NULL,
            seen_at BIGINT NOT NULL,
            PRIMARY KEY (shard, life)
        );
        """

    // Until now the lives of a stream were in the order of their rows. `told_us`: when Redis gave the account that was
    // noted last, by its clock.
    private static let orderOfLives = """
        ALTER TABLE event_losses ADD COLUMN number BIGINT NOT NULL DEFAULT 0;
        ALTER TABLE event_losses ADD COLUMN told_us BIGINT NOT NULL DEFAULT 0;
        UPDATE event_losses SET number = rowid;
        """

    // Until now an entry was one event.
    private static let eventsOfEntries = """
        ALTER TABLE stream_days ADD COLUMN events BIGINT NOT NULL DEFAULT 0;
        UPDATE stream_days SET events = entries;
        """

    // Until now an entry was one event, and its sequence had the lower 36 bits of the row's number; it moves up by the
    // 12 bits of the place. By way of negative numbers, which nobody has, for a new number may be the old one of
    // another row.
    private static let dayOfEntries = """
        ALTER TABLE stream_totals ADD COLUMN events BIGINT NOT NULL DEFAULT 0;
        UPDATE stream_totals SET events = entries;
        UPDATE events SET id = -1 - ((id & ~68719476735) | ((id & 68719476735) << 12));
        UPDATE events SET id = -1 - id;
        """

    // The row's number is the event's id, see EventID. `flag` is an EventFlag. Every match and player has one row
    // of `finished_players`, however often it is told, and each such row counts once in the totals.
    private static let day = """
        CREATE TABLE events (
            id INTEGER NOT NULL PRIMARY KEY,
            kind TEXT NOT NULL,
            version BIGINT NOT NULL,
            flag BIGINT NOT NULL,
            at BIGINT NOT NULL,
            match_id TEXT,
            player_id TEXT,
            json TEXT NOT NULL
        );
        CREATE INDEX events_by_match ON events (match_id) WHERE match_id IS NOT NULL;
        CREATE TABLE quarantined_events (
            entry_id TEXT NOT NULL PRIMARY KEY,
            reason TEXT NOT NULL,
            fields TEXT NOT NULL,
            quarantined_at BIGINT NOT NULL
        );
        CREATE TABLE finished_players (
            match_id TEXT NOT NULL,
            player_id TEXT NOT NULL,
            character TEXT NOT NULL,
            mode TEXT NOT NULL,
            region TEXT NOT NULL,
            patch BIGINT NOT NULL,
            outcome TEXT NOT NULL,
            quit BIGINT NOT NULL,
            kills BIGINT NOT NULL,
            deaths BIGINT NOT NULL,
            damage BIGINT NOT NULL,
            duration_ms BIGINT NOT NULL,
            latency_ms DOUBLE PRECISION,
            PRIMARY KEY (match_id, player_id)
        );
        CREATE TABLE character_totals (
            patch BIGINT NOT NULL,
            mode TEXT NOT NULL,
            character TEXT NOT NULL,
            picks BIGINT NOT NULL,
            wins BIGINT NOT NULL,
            draws BIGINT NOT NULL,
            leaves BIGINT NOT NULL,
            kills BIGINT NOT NULL,
            deaths BIGINT NOT NULL,
            damage BIGINT NOT NULL,
            duration_ms BIGINT NOT NULL,
            batch BIGINT NOT NULL,
            PRIMARY KEY (patch, mode, character)
        );
        CREATE TABLE player_totals (
            player_id TEXT NOT NULL,
            region TEXT NOT NULL,
            matches BIGINT NOT NULL,
            leaves BIGINT NOT NULL,
            latency_ms DOUBLE PRECISION NOT NULL,
            latencies BIGINT NOT NULL,
            batch BIGINT NOT NULL,
            PRIMARY KEY (player_id, region)
        );
        CREATE INDEX player_totals_by_batch ON player_totals (batch);
        CREATE TABLE stream_totals (
            life TEXT NOT NULL PRIMARY KEY,
            entries BIGINT NOT NULL,
            batch BIGINT NOT NULL
        );
        CREATE TABLE batches (number BIGINT NOT NULL);
        INSERT INTO batches (number) VALUES (0);
        """
}

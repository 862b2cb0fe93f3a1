import GRDB
import Records

/// The tables of `events.sqlite`: what the event streams held, one row per entry, and the entries nobody could read.
public enum EventsSchema {
    public static let schema = RecordsSchema(
        name: "events",
        migrations: [(id: "1-events", body: { db in try db.execute(sql: events) })])

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
}

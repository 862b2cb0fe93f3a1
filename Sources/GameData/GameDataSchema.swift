import GRDB
import GameModel
import Records

/// The tables of `data.sqlite`: players, ratings, matches, results and the balance patches. Only types and clauses
/// that other SQL engines know, so that the file can be moved to one.
public enum GameDataSchema {
    /// Open `data.sqlite` with all of these: the outbox, the inbox and the log of edits live in the same file.
    public static let schemas: [RecordsSchema] = [schema, Outbox.schema, ChangeLog.schema]

    public static let schema = RecordsSchema(
        name: "game-data",
        migrations: [
            (id: "1-players", body: { db in try db.execute(sql: players) }),
            (id: "2-patches", body: { db in try createPatches(in: db) }),
            (id: "3-matches", body: { db in try db.execute(sql: matches) }),
            (id: "4-parties-and-seasons", body: { db in try db.execute(sql: partiesAndSeasons) }),
            (id: "5-roles", body: { db in try db.execute(sql: "ALTER TABLE match_players ADD COLUMN role TEXT") }),
            (id: "6-boards-and-loadouts", body: { db in try db.execute(sql: PlayersSchema.boardsAndLoadouts) }),
            (id: "7-balance-documents", body: { db in try BalanceTablesSchema.moveToDocuments(in: db) }),
        ])

    private static let players = """
        CREATE TABLE players (
            player_id TEXT NOT NULL PRIMARY KEY,
            display_name TEXT NOT NULL,
            created_at BIGINT NOT NULL
        );
        CREATE TABLE ratings (
            player_id TEXT NOT NULL,
            mode TEXT NOT NULL,
            rating DOUBLE PRECISION NOT NULL,
            deviation DOUBLE PRECISION NOT NULL,
            volatility DOUBLE PRECISION NOT NULL,
            games BIGINT NOT NULL,
            wins BIGINT NOT NULL,
            draws BIGINT NOT NULL,
            kills BIGINT NOT NULL,
            deaths BIGINT NOT NULL,
            damage BIGINT NOT NULL,
            updated_at BIGINT NOT NULL,
            PRIMARY KEY (player_id, mode)
        );
        CREATE INDEX ratings_by_mode ON ratings (mode, rating DESC, player_id);
        """

    private static let patches = """
        CREATE TABLE patches (
            patch BIGINT NOT NULL PRIMARY KEY,
            published_at BIGINT NOT NULL
        );
        CREATE TABLE characters (
            patch BIGINT NOT NULL REFERENCES patches (patch),
            character_id TEXT NOT NULL,
            position BIGINT NOT NULL,
            name TEXT NOT NULL,
            health BIGINT NOT NULL CHECK (health BETWEEN 1 AND 10000),
            damage BIGINT NOT NULL CHECK (damage BETWEEN 0 AND 1000),
            weapon_id TEXT NOT NULL,
            PRIMARY KEY (patch, character_id)
        );
        CREATE TABLE weapons (
            patch BIGINT NOT NULL REFERENCES patches (patch),
            weapon_id TEXT NOT NULL,
            position BIGINT NOT NULL,
            name TEXT NOT NULL,
            damage BIGINT NOT NULL,
            cooldown_ms BIGINT NOT NULL,
            PRIMARY KEY (patch, weapon_id)
        );
        """

    // A ticket is in one match at most, apart from abandoned ones: players whose match could not be placed go back to
    // the queue with the ticket that they had.
    private static let matches = """
        CREATE TABLE matches (
            match_id TEXT NOT NULL PRIMARY KEY,
            mode TEXT NOT NULL,
            region TEXT NOT NULL,
            instance_id TEXT NOT NULL,
            patch BIGINT NOT NULL REFERENCES patches (patch),
            state TEXT NOT NULL CHECK (state IN ('placed', 'reported', 'finished', 'abandoned')),
            placed_at BIGINT NOT NULL,
            ended_at BIGINT,
            reason TEXT
        );
        CREATE INDEX matches_by_time ON matches (placed_at, match_id);
        CREATE INDEX matches_by_instance ON matches (instance_id, state);
        CREATE TABLE match_players (
            match_id TEXT NOT NULL REFERENCES matches (match_id),
            player_id TEXT NOT NULL,
            ticket_id TEXT NOT NULL,
            team BIGINT NOT NULL,
            seat BIGINT NOT NULL,
            character TEXT NOT NULL,
            rating DOUBLE PRECISION NOT NULL,
            placed_at BIGINT NOT NULL,
            kills BIGINT,
            deaths BIGINT,
            damage BIGINT,
            abandoned BIGINT NOT NULL DEFAULT 0,
            PRIMARY KEY (match_id, player_id)
        );
        CREATE UNIQUE INDEX match_players_by_ticket ON match_players (ticket_id) WHERE abandoned = 0;
        CREATE INDEX match_players_by_player ON match_players (player_id, placed_at, match_id);
        CREATE TABLE match_results (
            match_id TEXT NOT NULL PRIMARY KEY REFERENCES matches (match_id),
            winner BIGINT,
            body TEXT NOT NULL,
            reported_at BIGINT NOT NULL
        );
        CREATE TABLE rating_changes (
            match_id TEXT NOT NULL REFERENCES matches (match_id),
            player_id TEXT NOT NULL,
            mode TEXT NOT NULL,
            rating_before DOUBLE PRECISION NOT NULL,
            deviation_before DOUBLE PRECISION NOT NULL,
            volatility_before DOUBLE PRECISION NOT NULL,
            rating_after DOUBLE PRECISION NOT NULL,
            deviation_after DOUBLE PRECISION NOT NULL,
            volatility_after DOUBLE PRECISION NOT NULL,
            changed_at BIGINT NOT NULL,
            PRIMARY KEY (match_id, player_id)
        );
        """

    // `bots` are counts by team, like `0,3`; empty where none plays. A seat that is `late` was taken while the match
    // was under way. The mode is with each seat, so that a player's last matches of one mode are read from one index.
    // The season of a rating is the one that it was reset for.
    private static let partiesAndSeasons = """
        ALTER TABLE ratings ADD COLUMN leaves BIGINT NOT NULL DEFAULT 0;
        ALTER TABLE ratings ADD COLUMN season BIGINT NOT NULL DEFAULT 0;
        ALTER TABLE matches ADD COLUMN rules TEXT NOT NULL DEFAULT 'standard';
        ALTER TABLE matches ADD COLUMN bots TEXT NOT NULL DEFAULT '';
        ALTER TABLE match_players ADD COLUMN mode TEXT NOT NULL DEFAULT '';
        ALTER TABLE match_players ADD COLUMN outcome TEXT CHECK (outcome IN ('won', 'lost', 'drawn'));
        ALTER TABLE match_players ADD COLUMN quit BIGINT NOT NULL DEFAULT 0;
        ALTER TABLE match_players ADD COLUMN late BIGINT NOT NULL DEFAULT 0;
        UPDATE match_players SET mode = (SELECT m.mode FROM matches m WHERE m.match_id = match_players.match_id);
        UPDATE match_players SET outcome = (
            SELECT CASE WHEN r.winner IS NULL THEN 'drawn' WHEN r.winner = match_players.team THEN 'won' ELSE 'lost' END
            FROM match_results r WHERE r.match_id = match_players.match_id)
        WHERE EXISTS (
            SELECT 1 FROM matches m WHERE m.match_id = match_players.match_id AND m.state = 'finished');
        DROP INDEX match_players_by_ticket;
        CREATE UNIQUE INDEX match_players_by_ticket ON match_players (ticket_id, player_id) WHERE abandoned = 0;
        CREATE INDEX match_players_by_mode ON match_players (player_id, mode, placed_at, match_id);
        CREATE TABLE seasons (
            season BIGINT NOT NULL PRIMARY KEY,
            name TEXT NOT NULL UNIQUE,
            carry DOUBLE PRECISION NOT NULL CHECK (carry BETWEEN 0 AND 1),
            started_at BIGINT NOT NULL
        );
        INSERT INTO seasons (season, name, carry, started_at) VALUES (0, 'preseason', 1, 0);
        CREATE TABLE season_ratings (
            season BIGINT NOT NULL REFERENCES seasons (season),
            player_id TEXT NOT NULL,
            mode TEXT NOT NULL,
            rating DOUBLE PRECISION NOT NULL,
            deviation DOUBLE PRECISION NOT NULL,
            volatility DOUBLE PRECISION NOT NULL,
            games BIGINT NOT NULL,
            wins BIGINT NOT NULL,
            draws BIGINT NOT NULL,
            leaves BIGINT NOT NULL,
            PRIMARY KEY (player_id, mode, season)
        );
        CREATE INDEX season_ratings_by_mode ON season_ratings (season, mode, rating DESC, player_id);
        """

    private static func createPatches(in db: Database) throws {
        try db.execute(sql: patches)
        try BalanceTablesSchema.insertFirstPatch(in: db)
    }
}

import GRDB
import Records

/// The tables of accounts and their sessions, in `accounts.sqlite`. Times are Unix milliseconds.
public enum AccountsSchema {
    /// All that the accounts need in their file.
    public static let schemas: [RecordsSchema] = [schema, ChangeLog.schema]

    public static let schema = RecordsSchema(
        name: "accounts",
        migrations: [
            (
                id: "1-accounts",
                body: { db in
                    try db.execute(
                        sql: """
                            CREATE TABLE accounts (
                                player_id TEXT PRIMARY KEY NOT NULL,
                                email TEXT NOT NULL UNIQUE,
                                display_name TEXT NOT NULL,
                                password_hash TEXT NOT NULL,
                                role TEXT NOT NULL,
                                created_at BIGINT NOT NULL
                            );
                            CREATE TABLE refresh_sessions (
                                token_hash TEXT PRIMARY KEY NOT NULL,
                                family TEXT NOT NULL,
                                player_id TEXT NOT NULL REFERENCES accounts (player_id),
                                issued_at BIGINT NOT NULL,
                                expires_at BIGINT NOT NULL,
                                used_at BIGINT
                            );
                            CREATE INDEX refresh_sessions_by_family ON refresh_sessions (family);
                            CREATE INDEX refresh_sessions_by_player ON refresh_sessions (player_id);
                            CREATE INDEX refresh_sessions_by_expiry ON refresh_sessions (expires_at);
                            """)
                }
            ),
            // SQLite can't drop a NOT NULL, so the table is built anew; foreign keys are off while migrations run.
            (id: "2-guests", body: { db in try db.execute(sql: guests) }),
            (id: "3-sessions", body: { db in try db.execute(sql: sessions) }),
            (id: "4-attempts", body: { db in try db.execute(sql: attempts) }),
        ])

    /// Accounts without an e-mail address: guests, which a device logs in to, and deleted ones.
    private static let guests = """
        CREATE TABLE accounts_anew (
            player_id TEXT PRIMARY KEY NOT NULL,
            email TEXT UNIQUE,
            display_name TEXT NOT NULL,
            password_hash TEXT,
            role TEXT NOT NULL,
            created_at BIGINT NOT NULL,
            locked_reason TEXT,
            deleted_at BIGINT,
            CHECK ((email IS NULL) = (password_hash IS NULL)),
            CHECK (deleted_at IS NULL OR email IS NULL)
        );
        INSERT INTO accounts_anew (player_id, email, display_name, password_hash, role, created_at)
            SELECT player_id, email, display_name, password_hash, role, created_at FROM accounts;
        DROP TABLE accounts;
        ALTER TABLE accounts_anew RENAME TO accounts;
        CREATE INDEX accounts_by_creation ON accounts (created_at);
        CREATE TABLE devices (
            device_hash TEXT PRIMARY KEY NOT NULL,
            player_id TEXT NOT NULL REFERENCES accounts (player_id),
            created_at BIGINT NOT NULL,
            last_used_at BIGINT NOT NULL
        );
        CREATE INDEX devices_by_player ON devices (player_id);
        """

    /// A session is a row of its own; its refresh tokens are numbered from 1, the last one unused.
    private static let sessions = """
        CREATE TABLE sessions (
            session_id TEXT PRIMARY KEY NOT NULL,
            player_id TEXT NOT NULL REFERENCES accounts (player_id),
            created_at BIGINT NOT NULL,
            last_used_at BIGINT NOT NULL,
            expires_at BIGINT NOT NULL,
            address TEXT NOT NULL,
            agent TEXT
        );
        CREATE INDEX sessions_by_player ON sessions (player_id, last_used_at);
        CREATE INDEX sessions_by_expiry ON sessions (expires_at);
        CREATE TABLE refresh_tokens (
            token_hash TEXT PRIMARY KEY NOT NULL,
            session_id TEXT NOT NULL REFERENCES sessions (session_id) ON DELETE CASCADE,
            generation INTEGER NOT NULL,
            issued_at BIGINT NOT NULL,
            used_at BIGINT
        );
        CREATE UNIQUE INDEX refresh_tokens_by_session ON refresh_tokens (session_id, generation);
        INSERT INTO sessions (session_id, player_id, created_at, last_used_at, expires_at, address)
            SELECT family, player_id, MIN(issued_at), MAX(issued_at), MAX(expires_at), '' FROM refresh_sessions
            GROUP BY family HAVING SUM(used_at IS NULL) = 1;
        INSERT INTO refresh_tokens (token_hash, session_id, generation, issued_at, used_at)
            SELECT token_hash, family, ROW_NUMBER() OVER (PARTITION BY family ORDER BY used_at IS NULL, issued_at),
                issued_at, used_at
            FROM refresh_sessions WHERE family IN (SELECT session_id FROM sessions);
        DROP TABLE refresh_sessions;
        """

    /// Failed log-ins by e-mail address (its SHA-256) and by network address, and accounts made by network address.
    private static let attempts = """
        CREATE TABLE attempts (
            key TEXT PRIMARY KEY NOT NULL,
            count INTEGER NOT NULL,
            counted_at BIGINT NOT NULL,
            locked_until BIGINT NOT NULL,
            expires_at BIGINT NOT NULL
        ) WITHOUT ROWID;
        CREATE INDEX attempts_by_expiry ON attempts (expires_at);
        """
}

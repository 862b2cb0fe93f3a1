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
            )
        ])
}

import GRDB
import GameModel
import Records

/// Accounts and refresh sessions in `accounts.sqlite`: every statement about them is here.
public struct AccountsRepository: Sendable {
    /// Expired sessions removed per new one, so that the table stays as small as what is alive.
    static let expiredRemovedMax = 10

    private let database: RecordsDatabase

    public init(database: RecordsDatabase) { self.database = database }

    /// One refresh token as it is stored: by its SHA-256, never itself.
    struct RefreshToken: Sendable {
        let hash: String
        let family: String
        let issuedAt: Instant
        let expiresAt: Instant
    }

    enum Rotation: Sendable {
        case rotated(Account)
        case unknown
        /// The token had been used; its family is gone now.
        case reused
    }

    /// Stores a new account; `false` where the e-mail address is taken.
    func insert(_ account: Account, passwordHash: String) async throws(AccountsError) -> Bool {
        try await write { db in
            try db.execute(
                sql: """
                    INSERT INTO accounts (player_id, email, display_name, password_hash, role, created_at)
                    VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (email) DO NOTHING
                    """,
                arguments: [
                    account.playerId.rawValue, account.email, account.displayName, passwordHash,
                    account.role.rawValue, account.createdAt.milliseconds,
                ])
            return db.changesCount == 1
        }
    }

    func account(_ id: PlayerID) async throws(AccountsError) -> Account? {
        try await read { db in
            try Row.fetchOne(db, sql: "SELECT * FROM accounts WHERE player_id = ?", arguments: [id.rawValue])
                .map(Self.account)
        }
    }

    func account(email: String) async throws(AccountsError) -> (account: Account, passwordHash: String)? {
        try await read { db in
            try Row.fetchOne(db, sql: "SELECT * FROM accounts WHERE email = ?", arguments: [email])
                .map { (Self.account($0), $0["password_hash"]) }
        }
    }

    /// The names that players show each other; those unknown are left out.
    public func displayNames(of ids: [PlayerID]) async throws(AccountsError) -> [PlayerID: String] {
        try await read { db in
            var names: [PlayerID: String] = [:]
            for id in ids {
                names[id] = try String.fetchOne(
                    db, sql: "SELECT display_name FROM accounts WHERE player_id = ?", arguments: [id.rawValue])
            }
            return names
        }
    }

    /// Stores the first token of a session.
    func open(_ token: RefreshToken, of player: PlayerID) async throws(AccountsError) {
        try await write { db in
            try Self.removeExpired(at: token.issuedAt, in: db)
            try Self.insert(token, of: player.rawValue, in: db)
        }
    }

    /// Uses a token up and stores the one that follows it, which inherits its family; a used one takes its family down.
    func rotate(
        hash: String, to next: @escaping @Sendable (_ family: String) -> RefreshToken, at now: Instant
    ) async throws(AccountsError) -> Rotation {
        try await write { db in
            let found = try Row.fetchOne(
                db,
                sql: """
                    SELECT s.family, s.expires_at, s.used_at, a.* FROM refresh_sessions s
                    JOIN accounts a ON a.player_id = s.player_id WHERE s.token_hash = ?
                    """,
                arguments: [hash])
            guard let found else { return .unknown }
            let (family, expiresAt, usedAt): (String, Int64, Int64?) = (
                found["family"], found["expires_at"], found["used_at"]
            )
            guard usedAt == nil else {
                try db.execute(sql: "DELETE FROM refresh_sessions WHERE family = ?", arguments: [family])
                return .reused
            }
            guard now.milliseconds < expiresAt else { return .unknown }
            try db.execute(
                sql: "UPDATE refresh_sessions SET used_at = ? WHERE token_hash = ?",
                arguments: [now.milliseconds, hash])
            let account = Self.account(found)
            try Self.removeExpired(at: now, in: db)
            try Self.insert(next(family), of: account.playerId.rawValue, in: db)
            return .rotated(account)
        }
    }

    /// Ends the session that a token belongs to, if it is this player's.
    func close(hash: String, of player: PlayerID) async throws(AccountsError) {
        try await write { db in
            try db.execute(
                sql: """
                    DELETE FROM refresh_sessions WHERE player_id = ? AND family =
                        (SELECT family FROM refresh_sessions WHERE token_hash = ?)
                    """,
                arguments: [player.rawValue, hash])
        }
    }

    private static func insert(_ token: RefreshToken, of player: String, in db: Database) throws {
        try db.execute(
            sql: """
                INSERT INTO refresh_sessions (token_hash, family, player_id, issued_at, expires_at)
                VALUES (?, ?, ?, ?, ?)
                """,
            arguments: [
                token.hash, token.family, player, token.issuedAt.milliseconds, token.expiresAt.milliseconds,
            ])
    }

    private static func removeExpired(at now: Instant, in db: Database) throws {
        try db.execute(
            sql: """
                DELETE FROM refresh_sessions WHERE token_hash IN
                    (SELECT token_hash FROM refresh_sessions WHERE expires_at < ? ORDER BY expires_at LIMIT ?)
                """,
            arguments: [now.milliseconds, expiredRemovedMax])
    }

    private static func account(_ row: Row) -> Account {
        Account(
            playerId: PlayerID(row["player_id"]), email: row["email"], displayName: row["display_name"],
            role: Role(rawValue: row["role"]) ?? .player,
            createdAt: Instant(milliseconds: row["created_at"]))
    }

    private func read<T: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> T
    ) async throws(AccountsError) -> T {
        do { return try await database.read(body) } catch { throw .unavailable("\(error)") }
    }

    private func write<T: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> T
    ) async throws(AccountsError) -> T {
        do { return try await database.write(body) } catch { throw .unavailable("\(error)") }
    }
}

import GRDB
import GameModel

/// Log-ins, the sessions they open, and the refresh tokens that follow each other in one.
extension AccountsRepository {
    /// Expired sessions removed per new one, so that the table stays as small as what is alive.
    static let expiredRemovedMax = 10
    /// Used tokens of a session that are still known as such: a copy of an older one is refused, but ends nothing.
    static let usedTokensMax = 1000

    /// A session that is about to be opened, with its first token: stored by its SHA-256, never itself.
    struct NewSession: Sendable {
        let id: SessionID
        let tokenHash: String
        let openedAt: Instant
        let expiresAt: Instant
        let client: ClientDetails
        /// How many open sessions the player may have with it.
        let sessionsMax: Int
    }

    /// What a log-in came to.
    enum LogIn: Sendable {
        case opened(Account)
        case wrong
        case wait(Duration)
        case locked(String)
    }

    /// Ends a log-in by password in one step: counts its failure, or opens the session and forgets earlier failures.
    ///
    /// Looks for a lock once more: of many guesses made at once, those past the limit learn nothing.
    /// - Parameter player: whose password it was; `nil`: it was nobody's.
    func settle(
        _ attempt: Attempt, player: PlayerID?, opening session: NewSession
    ) async throws(AccountsError) -> LogIn {
        try await write { db in
            let now = session.openedAt
            if let wait = try Self.wait(before: attempt, at: now, in: db) { return .wait(wait) }
            guard let player, let account = try Self.account(player, in: db), account.deletedAt == nil else {
                try Self.fail(attempt, at: now, in: db)
                return .wrong
            }
            try Self.forget(email: attempt.email, in: db)
            if let reason = account.lockedReason { return .locked(reason) }
            try Self.open(session, of: player, in: db)
            return .opened(account)
        }
    }

    /// Ends the check of a password that opens no session: counts its failure, or forgets earlier ones. The answer is
    /// how long to wait where a lock came meanwhile.
    func settle(_ attempt: Attempt, isRight: Bool, at now: Instant) async throws(AccountsError) -> Duration? {
        try await write { db in
            if let wait = try Self.wait(before: attempt, at: now, in: db) { return wait }
            if isRight {
                try Self.forget(email: attempt.email, in: db)
            } else {
                try Self.fail(attempt, at: now, in: db)
            }
            return nil
        }
    }

    /// Opens a session for a device, with a new guest where the device is seen for the first time.
    func logIn(
        device hash: String, guest: Account, creation: Creation, opening session: NewSession
    ) async throws(AccountsError) -> LogIn {
        try await write { db in
            let now = session.openedAt
            let known = try Row.fetchOne(
                db,
                sql: """
                    SELECT a.* FROM devices d JOIN accounts a ON a.player_id = d.player_id WHERE d.device_hash = ?
                    """, arguments: [hash]
            ).map(Self.account)
            let account: Account
            if let known {
                if let reason = known.lockedReason { return .locked(reason) }
                try db.execute(
                    sql: "UPDATE devices SET last_used_at = ? WHERE device_hash = ?",
                    arguments: [now.milliseconds, hash])
                account = known
            } else {
                if let wait = try Self.count(creation, at: now, in: db) { return .wait(wait) }
                try Self.insert(guest, passwordHash: nil, in: db)
                try db.execute(
                    sql: "INSERT INTO devices (device_hash, player_id, created_at, last_used_at) VALUES (?, ?, ?, ?)",
                    arguments: [hash, guest.playerId.rawValue, now.milliseconds, now.milliseconds])
                account = guest
            }
            try Self.open(session, of: account.playerId, in: db)
            return .opened(account)
        }
    }

    enum Rotation: Sendable {
        case rotated(Account, SessionID)
        case unknown
        /// The token had been used; its session is gone now.
        case reused
    }

    /// Uses a token up and stores the one that follows it; a used one takes its session down.
    func rotate(
        hash: String, to next: String, at now: Instant, expiresAt: Instant, client: ClientDetails
    ) async throws(AccountsError) -> Rotation {
        try await write { db in
            let statement = try db.cachedStatement(
                sql: """
                    SELECT t.session_id, t.generation, t.used_at, s.expires_at, a.* FROM refresh_tokens t
                    JOIN sessions s ON s.session_id = t.session_id
                    JOIN accounts a ON a.player_id = s.player_id WHERE t.token_hash = ?
                    """)
            guard let found = try Row.fetchOne(statement, arguments: [hash]) else { return .unknown }
            let id: String = found["session_id"]
            guard (found["used_at"] as Int64?) == nil else {
                try db.execute(sql: "DELETE FROM sessions WHERE session_id = ?", arguments: [id])
                return .reused
            }
            let account = Self.account(found)
            guard now.milliseconds < (found["expires_at"] as Int64), account.lockedReason == nil,
                account.deletedAt == nil
            else {
                return .unknown
            }
            let generation: Int = found["generation"]
            try db.cachedStatement(sql: "UPDATE refresh_tokens SET used_at = ? WHERE token_hash = ?")
                .execute(arguments: [now.milliseconds, hash])
            try Self.insertToken(next, session: id, generation: generation + 1, at: now, in: db)
            try db.cachedStatement(sql: "DELETE FROM refresh_tokens WHERE session_id = ? AND generation <= ?")
                .execute(arguments: [id, generation - Self.usedTokensMax])
            try db.cachedStatement(
                sql: """
                    UPDATE sessions SET last_used_at = ?, expires_at = ?, address = ?, agent = ? WHERE session_id = ?
                    """
            ).execute(arguments: [now.milliseconds, expiresAt.milliseconds, client.address, client.agent, id])
            return .rotated(account, SessionID(id))
        }
    }

    /// The sessions that have not expired, the last used first.
    func sessions(of player: PlayerID, at now: Instant) async throws(AccountsError) -> [OpenSession] {
        try await read { db in try Self.sessions(of: player, at: now, in: db) }
    }

    static func sessions(of player: PlayerID, at now: Instant, in db: Database) throws -> [OpenSession] {
        try Row.fetchAll(
            db,
            sql: """
                SELECT * FROM sessions WHERE player_id = ? AND expires_at > ? ORDER BY last_used_at DESC, session_id
                """, arguments: [player.rawValue, now.milliseconds]
        ).map { row in
            OpenSession(
                id: SessionID(row["session_id"]), createdAt: Instant(milliseconds: row["created_at"]),
                lastUsedAt: Instant(milliseconds: row["last_used_at"]),
                expiresAt: Instant(milliseconds: row["expires_at"]), address: row["address"], agent: row["agent"])
        }
    }

    /// Ends the session that a token belongs to, if it is this player's.
    func close(hash: String, of player: PlayerID) async throws(AccountsError) {
        try await write { db in
            try db.execute(
                sql: """
                    DELETE FROM sessions WHERE player_id = ? AND session_id =
                        (SELECT session_id FROM refresh_tokens WHERE token_hash = ?)
                    """,
                arguments: [player.rawValue, hash])
        }
    }

    /// Ends one session, if it is this player's; an editor's doing is written down.
    func close(
        _ session: SessionID, of player: PlayerID, by editor: String?, at now: Instant
    ) async throws(AccountsError) {
        try await write { db in
            try db.execute(
                sql: "DELETE FROM sessions WHERE session_id = ? AND player_id = ?",
                arguments: [session.rawValue, player.rawValue])
            guard let editor, db.changesCount > 0 else { return }
            try Self.log(
                "account.end-session", of: player, by: editor, at: now, before: "session \(session)", in: db)
        }
    }

    /// Ends all sessions of a player; answers how many there were. Where the account has a password, its devices go as
    /// well: a secret that was stolen logs in no more. A guest's stays, for it is the only way in.
    @discardableResult
    func closeAll(of player: PlayerID, by editor: String?, at now: Instant) async throws(AccountsError) -> Int {
        try await write { db in
            let count = try Self.closeAll(of: player, in: db)
            try db.execute(
                sql: """
                    DELETE FROM devices WHERE player_id = ?1 AND EXISTS
                        (SELECT 1 FROM accounts WHERE player_id = ?1 AND password_hash IS NOT NULL)
                    """, arguments: [player.rawValue])
            if let editor, count > 0 {
                try Self.log(
                    "account.end-sessions", of: player, by: editor, at: now, before: "\(count) sessions", in: db)
            }
            return count
        }
    }

    @discardableResult
    static func closeAll(of player: PlayerID, in db: Database) throws -> Int {
        try db.execute(sql: "DELETE FROM sessions WHERE player_id = ?", arguments: [player.rawValue])
        return db.changesCount
    }

    private static func open(_ session: NewSession, of player: PlayerID, in db: Database) throws {
        let now = session.openedAt.milliseconds
        try db.cachedStatement(
            sql: """
                DELETE FROM sessions WHERE session_id IN
                    (SELECT session_id FROM sessions WHERE expires_at < ? ORDER BY expires_at LIMIT ?)
                """
        ).execute(arguments: [now, expiredRemovedMax])
        try db.cachedStatement(
            sql: """
                DELETE FROM sessions WHERE session_id IN (SELECT session_id FROM sessions WHERE player_id = ?
                    ORDER BY last_used_at DESC, session_id DESC LIMIT -1 OFFSET ?)
                """
        ).execute(arguments: [player.rawValue, session.sessionsMax - 1])
        try db.cachedStatement(
            sql: """
                INSERT INTO sessions (session_id, player_id, created_at, last_used_at, expires_at, address, agent)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """
        ).execute(arguments: [
            session.id.rawValue, player.rawValue, now, now, session.expiresAt.milliseconds, session.client.address,
            session.client.agent,
        ])
        try insertToken(session.tokenHash, session: session.id.rawValue, generation: 1, at: session.openedAt, in: db)
    }

    private static func insertToken(
        _ hash: String, session: String, generation: Int, at now: Instant, in db: Database
    ) throws {
        try db.cachedStatement(
            sql: "INSERT INTO refresh_tokens (token_hash, session_id, generation, issued_at) VALUES (?, ?, ?, ?)"
        ).execute(arguments: [hash, session, generation, now.milliseconds])
    }
}

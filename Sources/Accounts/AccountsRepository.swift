import GRDB
import GameModel
import Records

/// Accounts, devices, sessions and failed attempts in `accounts.sqlite`: every statement about them is in this type.
public struct AccountsRepository: Sendable {
    private let database: RecordsDatabase

    public init(database: RecordsDatabase) { self.database = database }

    /// An account, and what its password is checked against; `nil` for a guest.
    struct Credentials: Sendable {
        let account: Account
        let passwordHash: String?
    }

    /// Stores a new account unless its e-mail address has one, and counts it for its maker's network either way.
    ///
    /// The answer is how long to wait where too many were made; `nil`: done, and nobody learns which of the two.
    func register(
        _ account: Account, passwordHash: String, creation: Creation
    ) async throws(AccountsError) -> Duration? {
        try await write { db in
            if let wait = try Self.count(creation, at: account.createdAt, in: db) { return wait }
            try Self.insert(account, passwordHash: passwordHash, in: db)
            return nil
        }
    }

    static func insert(_ account: Account, passwordHash: String?, in db: Database) throws {
        try db.execute(
            sql: """
                INSERT INTO accounts (player_id, email, display_name, password_hash, role, created_at)
                VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (email) DO NOTHING
                """,
            arguments: [
                account.playerId.rawValue, account.email, account.displayName, passwordHash,
                account.role.rawValue, account.createdAt.milliseconds,
            ])
    }

    /// What an upgrade came to.
    enum Upgrade: Sendable {
        /// The account has the address now, or another one had it already.
        case done
        case wait(Duration)
        case unknown
        case notGuest
        case locked(String)
    }

    /// Gives a guest an e-mail address and a password, unless the address has an account.
    func upgrade(
        _ player: PlayerID, email: String, passwordHash: String, creation: Creation, at now: Instant
    ) async throws(AccountsError) -> Upgrade {
        try await write { db in
            if let wait = try Self.count(creation, at: now, in: db) { return .wait(wait) }
            guard let account = try Self.account(player, in: db), account.deletedAt == nil else { return .unknown }
            if let reason = account.lockedReason { return .locked(reason) }
            guard account.isGuest else { return .notGuest }
            try db.execute(
                sql: """
                    UPDATE accounts SET email = ?1, password_hash = ?2 WHERE player_id = ?3
                        AND NOT EXISTS (SELECT 1 FROM accounts WHERE email = ?1)
                    """, arguments: [email, passwordHash, player.rawValue])
            if db.changesCount == 1 {
                try Self.log("account.upgrade", of: player, by: player.rawValue, at: now, in: db)
            }
            return .done
        }
    }

    /// Deleted accounts too.
    public func account(_ id: PlayerID) async throws(AccountsError) -> Account? {
        try await read { db in try Self.account(id, in: db) }
    }

    static func account(_ id: PlayerID, in db: Database) throws -> Account? {
        let statement = try db.cachedStatement(sql: "SELECT * FROM accounts WHERE player_id = ?")
        return try Row.fetchOne(statement, arguments: [id.rawValue]).map(Self.account)
    }

    func credentials(email: String) async throws(AccountsError) -> Credentials? {
        try await read { db in
            let statement = try db.cachedStatement(sql: "SELECT * FROM accounts WHERE email = ?")
            return try Row.fetchOne(statement, arguments: [email])
                .map { Credentials(account: Self.account($0), passwordHash: $0["password_hash"]) }
        }
    }

    /// `nil` where there is no such account any more.
    func credentials(of player: PlayerID) async throws(AccountsError) -> Credentials? {
        try await read { db in
            try Row.fetchOne(
                db, sql: "SELECT * FROM accounts WHERE player_id = ? AND deleted_at IS NULL",
                arguments: [player.rawValue]
            ).map { Credentials(account: Self.account($0), passwordHash: $0["password_hash"]) }
        }
    }

    /// Stores a password's new hash, unless it was changed meanwhile.
    func replaceHash(_ old: String, by new: String, of player: PlayerID) async throws(AccountsError) {
        try await write { db in
            try db.execute(
                sql: "UPDATE accounts SET password_hash = ? WHERE player_id = ? AND password_hash = ?",
                arguments: [new, player.rawValue, old])
        }
    }

    /// Stores another password's hash and ends the other sessions; `false` where the old one was replaced meanwhile.
    func changePassword(
        _ old: String, to new: String, of player: PlayerID, keeping session: SessionID?, at now: Instant
    ) async throws(AccountsError) -> Bool {
        try await write { db in
            try db.execute(
                sql: "UPDATE accounts SET password_hash = ? WHERE player_id = ? AND password_hash = ?",
                arguments: [new, player.rawValue, old])
            guard db.changesCount == 1 else { return false }
            try db.execute(
                sql: "DELETE FROM sessions WHERE player_id = ? AND session_id IS NOT ?",
                arguments: [player.rawValue, session?.rawValue])
            try Self.log("account.password", of: player, by: player.rawValue, at: now, in: db)
            return true
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

    static func account(_ row: Row) -> Account {
        Account(
            playerId: PlayerID(row["player_id"]), email: row["email"], displayName: row["display_name"],
            role: Role(rawValue: row["role"]) ?? .player,
            createdAt: Instant(milliseconds: row["created_at"]), lockedReason: row["locked_reason"],
            deletedAt: (row["deleted_at"] as Int64?).map { Instant(milliseconds: $0) })
    }

    /// Writes an edit of an account down, in its transaction.
    static func log(
        _ action: String, of player: PlayerID, by editor: String, at now: Instant, before: String? = nil,
        after: String? = nil, in db: Database
    ) throws {
        try ChangeLog.append(
            .init(
                at: now.milliseconds, by: editor, action: action, subject: changeSubject(player), before: before,
                after: after), in: db)
    }

    /// What an account is called in the log of changes.
    static func changeSubject(_ player: PlayerID) -> String { "account \(player)" }

    func read<T: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> T
    ) async throws(AccountsError) -> T {
        do { return try await database.read(body) } catch { throw .unavailable("\(error)") }
    }

    func write<T: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> T
    ) async throws(AccountsError) -> T {
        do { return try await database.write(body) } catch { throw .unavailable("\(error)") }
    }
}

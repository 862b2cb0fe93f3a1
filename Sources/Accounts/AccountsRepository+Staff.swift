import GRDB
import GameModel
import Records

/// What operators do with accounts, what their owners take along, and their deletion.
extension AccountsRepository {
    /// Edits of one account that its owner's export has at most.
    static let exportedChangesMax = 10_000

    /// Accounts whose id, e-mail address or name hold the text, newest first.
    func accounts(matching text: String, limit: Int) async throws(AccountsError) -> [Account] {
        let escaped = text.replacing("\\", with: "\\\\").replacing("%", with: "\\%").replacing("_", with: "\\_")
        return try await read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT * FROM accounts WHERE player_id LIKE ?1 ESCAPE '\\' OR email LIKE ?1 ESCAPE '\\'
                        OR display_name LIKE ?1 ESCAPE '\\' ORDER BY created_at DESC, player_id DESC LIMIT ?2
                    """, arguments: ["%\(escaped)%", limit]
            ).map(Self.account)
        }
    }

    /// Gives an account another role; `nil` where there is no such account.
    func setRole(
        _ role: Role, of player: PlayerID, by editor: String, at now: Instant
    ) async throws(AccountsError) -> Account? {
        try await write { db in
            guard let account = try Self.account(player, in: db), account.deletedAt == nil else { return nil }
            guard account.role != role else { return account }
            try db.execute(
                sql: "UPDATE accounts SET role = ? WHERE player_id = ?", arguments: [role.rawValue, player.rawValue])
            try Self.log(
                "account.role", of: player, by: editor, at: now, before: account.role.rawValue, after: role.rawValue,
                in: db)
            return try Self.account(player, in: db)
        }
    }

    /// Locks an account and ends its sessions, or unlocks it (`nil`); `nil` where there is no such account.
    func setLock(
        _ reason: String?, of player: PlayerID, by editor: String, at now: Instant
    ) async throws(AccountsError) -> Account? {
        try await write { db in
            guard let account = try Self.account(player, in: db), account.deletedAt == nil else { return nil }
            guard account.lockedReason != reason else { return account }
            try db.execute(
                sql: "UPDATE accounts SET locked_reason = ? WHERE player_id = ?", arguments: [reason, player.rawValue])
            if reason != nil { try Self.closeAll(of: player, in: db) }
            try Self.log(
                reason == nil ? "account.unlock" : "account.lock", of: player, by: editor, at: now,
                before: account.lockedReason, after: reason, in: db)
            return try Self.account(player, in: db)
        }
    }

    /// Everything about an account as of one moment; `nil` where there is no such account.
    func export(_ player: PlayerID, at now: Instant) async throws(AccountsError) -> AccountExport? {
        try await read { db in
            guard let account = try Self.account(player, in: db), account.deletedAt == nil else { return nil }
            let devices = try Row.fetchAll(
                db, sql: "SELECT created_at, last_used_at FROM devices WHERE player_id = ? ORDER BY created_at",
                arguments: [player.rawValue])
            return AccountExport(
                account: account, sessions: try Self.sessions(of: player, at: now, in: db),
                devices: devices.map { row in
                    .init(
                        createdAt: Instant(milliseconds: row["created_at"]),
                        lastUsedAt: Instant(milliseconds: row["last_used_at"]))
                },
                changes: try ChangeLog.changes(
                    subject: Self.changeSubject(player), limit: Self.exportedChangesMax, in: db))
        }
    }

    /// Deletes a person's data; `false` where there is no such account.
    func erase(_ player: PlayerID, by editor: String, at now: Instant) async throws(AccountsError) -> Bool {
        try await write { db in
            guard let account = try Self.account(player, in: db), account.deletedAt == nil else { return false }
            if let email = account.email { try Self.forget(email: email, in: db) }
            try Self.closeAll(of: player, in: db)
            try db.execute(sql: "DELETE FROM devices WHERE player_id = ?", arguments: [player.rawValue])
            try db.execute(
                sql: """
                    UPDATE accounts SET email = NULL, password_hash = NULL, display_name = ?, role = ?,
                        locked_reason = NULL, deleted_at = ? WHERE player_id = ?
                    """,
                arguments: [Account.deletedName, Role.player.rawValue, now.milliseconds, player.rawValue])
            try Self.log("account.delete", of: player, by: editor, at: now, in: db)
            return true
        }
    }

    /// What a rule of the audit is held against, and what breaks it.
    func audited(counting: String, breaking: String) async throws(AccountsError) -> (checked: Int, broken: [String]) {
        try await read { db in
            (try Int.fetchOne(db, sql: counting) ?? 0, try String.fetchAll(db, sql: breaking))
        }
    }
}

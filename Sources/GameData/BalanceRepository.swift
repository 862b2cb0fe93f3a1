import GRDB
import GameModel
import Records

/// The balance patches in `data.sqlite`. A change writes a whole new patch beside the old ones, which never change: a
/// match is played to its end with the patch it was placed with.
public struct BalanceRepository: Sendable {
    private let database: RecordsDatabase

    public init(database: RecordsDatabase) { self.database = database }

    /// The patch that new matches are played with.
    public func current() async throws -> Patch {
        try await database.read { db in try Self.current(in: db) }
    }

    /// A patch by number; `nil` where there is none.
    public func patch(_ version: PatchVersion) async throws -> Patch? {
        try await database.read { db in try Self.patch(version, in: db) }
    }

    /// The newest patches, newest first.
    public func patches(limit: Int) async throws -> [Patch] {
        try await database.read { db in
            try Int.fetchAll(db, sql: "SELECT patch FROM patches ORDER BY patch DESC LIMIT ?", arguments: [limit])
                .compactMap { try Self.patch(PatchVersion($0), in: db) }
        }
    }

    /// Publishes the current patch with one character changed, as a new patch for matches placed from now on, and
    /// writes down in the same transaction who did. Where the values are those it has already, nothing is written and
    /// the current patch is the answer.
    /// - Parameter editor: a player's id, or `cli:user@host`.
    /// - Throws: `GameDataError.unknownCharacter`; `.invalid` naming `health` (1 to 10,000) or `damage` (0 to 1,000).
    @discardableResult
    public func editCharacter(
        _ id: String, health: Int? = nil, damage: Int? = nil, by editor: String, at instant: Instant = .now
    ) async throws -> BalanceEdit {
        try await database.write { db in
            let current = try Self.current(in: db)
            let next = try current.edited(character: id, health: health, damage: damage, at: instant)
            guard next.characters != current.characters else { return BalanceEdit(patch: current, isNew: false) }
            try Self.insert(next, in: db)
            try ChangeLog.append(
                ChangeLog.Change(
                    at: instant.milliseconds, by: editor, action: "balance.edit", subject: "character \(id)",
                    before: Self.words(for: id, in: current), after: Self.words(for: id, in: next)), in: db)
            return BalanceEdit(patch: next, isNew: true)
        }
    }

    private static func words(for id: String, in patch: Patch) -> String? {
        patch.characters.first { $0.id == id }
            .map { "patch \(patch.patch): health \($0.health), damage \($0.damage)" }
    }

    static func currentVersion(in db: Database) throws -> PatchVersion {
        // Migration 2 wrote patch 1 and nothing deletes a patch.
        PatchVersion(try Int.fetchOne(db, sql: "SELECT MAX(patch) FROM patches") ?? 1)
    }

    static func current(in db: Database) throws -> Patch {
        let version = try currentVersion(in: db)
        guard let patch = try patch(version, in: db) else { throw GameDataError.unknownPatch(version) }
        return patch
    }

    static func patch(_ version: PatchVersion, in db: Database) throws -> Patch? {
        let published = try Int64.fetchOne(
            db, sql: "SELECT published_at FROM patches WHERE patch = ?", arguments: [version.number])
        guard let published else { return nil }
        let characters = try Row.fetchAll(
            db,
            sql: """
                SELECT character_id, name, health, damage, weapon_id FROM characters WHERE patch = ? ORDER BY position
                """, arguments: [version.number]
        ).map { row in
            Patch.Character(
                id: row["character_id"], name: row["name"], health: row["health"], damage: row["damage"],
                weapon: row["weapon_id"])
        }
        let weapons = try Row.fetchAll(
            db,
            sql: "SELECT weapon_id, name, damage, cooldown_ms FROM weapons WHERE patch = ? ORDER BY position",
            arguments: [version.number]
        ).map { row in
            Patch.Weapon(
                id: row["weapon_id"], name: row["name"], damage: row["damage"], cooldownMs: row["cooldown_ms"])
        }
        return Patch(
            patch: version, publishedAt: Instant(milliseconds: published), characters: characters, weapons: weapons)
    }

    static func insert(_ patch: Patch, in db: Database) throws {
        let number = patch.patch.number
        try db.execute(
            sql: "INSERT INTO patches (patch, published_at) VALUES (?, ?)",
            arguments: [number, patch.publishedAt.milliseconds])
        for (position, character) in patch.characters.enumerated() {
            try db.execute(
                sql: """
                    INSERT INTO characters (patch, character_id, position, name, health, damage, weapon_id)
                    VALUES (?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    number, character.id, position, character.name, character.health, character.damage,
                    character.weapon,
                ])
        }
        for (position, weapon) in patch.weapons.enumerated() {
            try db.execute(
                sql: """
                    INSERT INTO weapons (patch, weapon_id, position, name, damage, cooldown_ms)
                    VALUES (?, ?, ?, ?, ?, ?)
                    """,
                arguments: [number, weapon.id, position, weapon.name, weapon.damage, weapon.cooldownMs])
        }
    }
}

/// What an edit of the balance led to.
public struct BalanceEdit: Sendable, Hashable {
    /// The patch that is current now.
    public var patch: Patch
    /// Whether the edit published it; false where the values were those already.
    public var isNew: Bool
}

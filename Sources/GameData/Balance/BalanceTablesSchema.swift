import Foundation
import GRDB
import GameModel

/// How the balance got into documents: at first, a patch was rows of characters and weapons.
enum BalanceTablesSchema {
    /// Of migration 2, in the tables of that time: the patch that a house began with. Not to be changed any more.
    static func insertFirstPatch(in db: Database) throws {
        try db.execute(
            sql: "INSERT INTO patches (patch, published_at) VALUES (1, ?)", arguments: [Instant.now.milliseconds])
        try db.execute(
            sql: """
                INSERT INTO characters (patch, character_id, position, name, health, damage, weapon_id) VALUES
                    (1, 'warden', 0, 'Warden', 1400, 20, 'hammer'), (1, 'ranger', 1, 'Ranger', 1000, 30, 'bow'),
                    (1, 'shade', 2, 'Shade', 850, 35, 'daggers'), (1, 'oracle', 3, 'Oracle', 950, 25, 'staff');
                INSERT INTO weapons (patch, weapon_id, position, name, damage, cooldown_ms) VALUES
                    (1, 'hammer', 0, 'Hammer', 90, 1200), (1, 'bow', 1, 'Bow', 70, 900),
                    (1, 'daggers', 2, 'Daggers', 40, 500), (1, 'staff', 3, 'Staff', 80, 1000);
                """)
    }

    /// Writes each patch's rows as its document and drops them. Patches that matches were played with have what they
    /// had, and so no items and modes; a house without a match begins with those of the reference game.
    static func moveToDocuments(in db: Database) throws {
        try db.execute(sql: columns)
        let isNew = try Bool.fetchOne(db, sql: "SELECT NOT EXISTS (SELECT 1 FROM matches)") ?? false
        let numbers = try Int.fetchAll(db, sql: "SELECT patch FROM patches ORDER BY patch")
        for number in numbers {
            var document = try document(ofRows: number, in: db)
            if isNew, numbers == [1], document.characters == BalanceDocument.first.characters {
                document = .first
            }
            try db.execute(
                sql: "UPDATE patches SET document = ? WHERE patch = ?",
                arguments: [try BalanceRepository.text(of: document), number])
        }
        try db.execute(sql: "DROP TABLE characters; DROP TABLE weapons;")
    }

    // The draft is one row at most: where nobody has edited, there is none.
    private static let columns = """
        ALTER TABLE patches ADD COLUMN published_by TEXT NOT NULL DEFAULT '';
        ALTER TABLE patches ADD COLUMN note TEXT NOT NULL DEFAULT '';
        ALTER TABLE patches ADD COLUMN rolled_back_to BIGINT;
        ALTER TABLE patches ADD COLUMN document TEXT NOT NULL DEFAULT '';
        CREATE TABLE balance_draft (
            draft BIGINT NOT NULL PRIMARY KEY CHECK (draft = 1),
            patch BIGINT NOT NULL REFERENCES patches (patch),
            document TEXT NOT NULL,
            edited_by TEXT NOT NULL,
            edited_at BIGINT NOT NULL
        );
        """

    private static func document(ofRows patch: Int, in db: Database) throws -> BalanceDocument {
        let characters = try Row.fetchAll(
            db,
            sql: """
                SELECT character_id, name, health, damage, weapon_id FROM characters WHERE patch = ? ORDER BY position
                """, arguments: [patch]
        ).map { row in
            BalanceDocument.Character(
                id: row["character_id"], name: row["name"], health: row["health"], damage: row["damage"],
                weapon: row["weapon_id"])
        }
        let weapons = try Row.fetchAll(
            db,
            sql: "SELECT weapon_id, name, damage, cooldown_ms FROM weapons WHERE patch = ? ORDER BY position",
            arguments: [patch]
        ).map { row in
            BalanceDocument.Weapon(
                id: row["weapon_id"], name: row["name"], damage: row["damage"], cooldownMs: row["cooldown_ms"])
        }
        return BalanceDocument(characters: characters, weapons: weapons)
    }
}

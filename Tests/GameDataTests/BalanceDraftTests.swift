import GameData
import GameModel
import Records
import TestSupport
import Testing

/// From a draft to a patch, and back.
@Suite("The balance's draft and its patches")
struct BalanceDraftTests {
    private static func set(_ texts: String...) throws -> [BalanceAssignment] {
        try texts.map { try BalanceAssignment(parsing: $0) }
    }

    @Test("an edit is in the draft alone until it is published, then in the next patch, with note and log")
    func publish() async throws {
        try await withData { database in
            let balance = BalanceRepository(database: database)
            let draft = try await balance.edit(
                try Self.set("characters.shade.damage=55", "weapons.bow.cooldownMs=800"), by: "ada",
                at: Instant(milliseconds: 5))
            #expect(draft.changes.map(\.path) == ["characters.shade", "weapons.bow"])
            #expect(draft.editedBy == "ada" && draft.editedAt == Instant(milliseconds: 5))
            #expect(try await balance.current().patch == PatchVersion(1))
            #expect(try await balance.current().document == .first)

            let edit = try await balance.publish(note: "why not", by: "bob", at: Instant(milliseconds: 9))
            #expect(edit.isNew && edit.patch.patch == PatchVersion(2))
            #expect(edit.patch.note == "why not" && edit.patch.publishedBy == "bob")
            #expect(try await balance.current() == edit.patch)
            #expect(edit.patch.characters[2].damage == 55)
            #expect(try await balance.draft().changes.isEmpty)
            let log = try await ChangeLogRepository(database: database).changes(limit: 9)
            #expect(log.map(\.action) == ["balance.publish", "balance.draft"])
            #expect(log[0].subject == "patch 2" && log[0].by == "bob" && log[0].before == "patch 1")
            #expect(log[0].after?.contains("characters.shade (damage: 35 → 55)") == true)
            let again = try await balance.publish(note: "", by: "bob")
            #expect(!again.isNew && again.patch.patch == PatchVersion(2))
        }
    }

    @Test("edits are made whole or not at all, and each value that is not right is named")
    func whole() async throws {
        try await withData { database in
            let balance = BalanceRepository(database: database)
            let wrong = try Self.set(
                "characters.shade.damage=55", "weapons.bow.damage=0", "modes.duel.score=luck", "items.aegis.health=x")
            await #expect(
                throws: GameDataError.invalidBalance([
                    .init(path: "weapons.bow.damage", reason: "expected a whole number of 1 to 10000, got 0"),
                    .init(
                        path: "items.aegis.health", reason: "expected a whole number of -10000 to 10000, got 'x'"),
                    .init(path: "modes.duel.score", reason: "expected one of survival, kills, damage, got 'luck'"),
                ])
            ) { try await balance.edit(wrong, by: "ada") }
            await #expect(throws: GameDataError.unknownThing("characters.shde")) {
                try await balance.edit(try Self.set("characters.shde.damage=5"), by: "ada")
            }
            #expect(try await balance.draft().changes.isEmpty)
            #expect(try await ChangeLogRepository(database: database).changes(limit: 9).isEmpty)
        }
    }

    @Test("a thing can be added and taken out; a draft that names what is not there is not published")
    func things() async throws {
        try await withData { database in
            let balance = BalanceRepository(database: database)
            let partly = try Self.set("weapons.axe.name=Axe", "weapons.axe.damage=99")
            await #expect(throws: GameDataError.self) { try await balance.edit(partly, allowsNew: true, by: "ada") }
            let axe = try Self.set("weapons.axe.cooldownMs=900", "characters.warden.weapon=axe")
            let draft = try await balance.edit(
                partly + axe, removing: [try BalancePath(parsing: "weapons.bow")], allowsNew: true, by: "ada")
            #expect(draft.faults.map(\.path) == ["characters.ranger.weapon"])
            await #expect(throws: GameDataError.invalidBalance(draft.faults)) {
                try await balance.publish(note: "", by: "ada")
            }
            try await balance.edit(try Self.set("characters.ranger.weapon=staff"), by: "ada")
            let edit = try await balance.publish(note: "", by: "ada")
            #expect(edit.patch.weapons.map(\.id) == ["hammer", "daggers", "staff", "axe"])
        }
    }

    @Test("a roll back publishes the old content as a new patch, and the draft keeps its own edits")
    func rollBack() async throws {
        try await withData { database in
            let balance = BalanceRepository(database: database)
            try await balance.edit(try Self.set("characters.shade.damage=55"), by: "ada")
            try await balance.publish(note: "", by: "ada")
            try await balance.edit(try Self.set("characters.warden.health=1500"), by: "ada")
            let edit = try await balance.rollBack(to: PatchVersion(1), note: "too strong", by: "bob")
            #expect(edit.isNew && edit.patch.patch == PatchVersion(3))
            #expect(edit.patch.rolledBackTo == PatchVersion(1) && edit.patch.document == .first)
            #expect(try await balance.patch(PatchVersion(2))?.characters[2].damage == 55)
            let draft = try await balance.draft()
            #expect(draft.current == PatchVersion(3))
            #expect(draft.changes.map(\.words) == ["characters.warden (health: 1400 → 1500)"])
            let again = try await balance.rollBack(to: PatchVersion(1), note: "", by: "bob")
            #expect(!again.isNew && again.patch.patch == PatchVersion(3))
            await #expect(throws: GameDataError.unknownPatch(PatchVersion(9))) {
                try await balance.rollBack(to: PatchVersion(9), note: "", by: "bob")
            }
            #expect(
                try await ChangeLogRepository(database: database).changes(limit: 1).map(\.action) == [
                    "balance.rollback"
                ])
        }
    }

    @Test("what is published past the draft is taken into it, field by field; what the draft did itself stays")
    func rebase() async throws {
        try await withData { database in
            let balance = BalanceRepository(database: database)
            try await balance.edit(
                try Self.set(
                    "characters.shade.damage=55", "weapons.axe.name=Axe", "weapons.axe.damage=9",
                    "weapons.axe.cooldownMs=500"),
                removing: [BalancePath(.items, "aegis")], allowsNew: true, by: "ada")
            try await balance.editCharacter("shade", health: 700, damage: 40, by: "bob")
            let draft = try await balance.draft()
            #expect(draft.document.characters[2].health == 700 && draft.document.characters[2].damage == 55)
            #expect(draft.changes.map(\.path) == ["characters.shade", "weapons.axe", "items.aegis"])
            try await balance.discardDraft(by: "ada")
            #expect(try await balance.draft().changes.isEmpty)
        }
    }

    @Test("a draft is replaced by an import as a whole; edited back to what is published, it is no draft")
    func replace() async throws {
        try await withData { database in
            let balance = BalanceRepository(database: database)
            var other = BalanceDocument.first
            other.items = []
            let emptied = try await balance.replaceDraft(with: other, by: "ada")
            #expect(emptied.changes.count == 3)
            other.characters[0].health = 0
            await #expect(throws: GameDataError.self) { try await balance.replaceDraft(with: other, by: "ada") }
            let first = try await balance.replaceDraft(with: .first, by: "ada")
            #expect(first.changes.isEmpty && first.editedBy == nil)
        }
    }

    @Test("edits of the draft at the same time are all in it")
    func concurrent() async throws {
        try await withData { database in
            let balance = BalanceRepository(database: database)
            let edits = try Self.set(
                "characters.shade.health=10", "characters.shade.damage=11", "weapons.bow.damage=12",
                "weapons.hammer.damage=13", "modes.duel.durationSeconds=14", "modes.duel.itemSlots=2")
            try await withThrowingTaskGroup { group in
                for edit in edits { group.addTask { _ = try await balance.edit([edit], by: "tester") } }
                try await group.waitForAll()
            }
            var expected = BalanceDocument.first
            expected.characters[2].health = 10
            expected.characters[2].damage = 11
            expected.weapons[1].damage = 12
            expected.weapons[0].damage = 13
            expected.modes[0].durationSeconds = 14
            expected.modes[0].itemSlots = 2
            #expect(try await balance.draft().document == expected)
        }
    }

    @Test("a match that runs keeps its patch when another is published, and its result is taken under it")
    func pinned() async throws {
        try await withData { database in
            let balance = BalanceRepository(database: database)
            let matches = MatchesRepository(database: database)
            let running = MatchPlacement.of(["ada", "bob"], patch: try await balance.current().patch.number)
            try await matches.place(running)
            try await balance.edit(try Self.set("characters.ranger.damage=500"), by: "ada")
            try await balance.publish(note: "", by: "ada")
            let pinned = try #require(try await matches.match(running.matchId)?.patch)
            #expect(pinned == PatchVersion(1))
            #expect(try await balance.patch(pinned)?.characters[1].damage == 30)
            #expect(try await matches.recordResult(running.matchId, running.result()) == .recorded)
            #expect(try await matches.match(running.matchId)?.patch == PatchVersion(1))
        }
    }
}

import GameData
import GameModel
import Records
import Testing

@Suite("Balance patches")
struct BalanceTests {
    @Test("a new house has patch 1, with characters whose weapons exist")
    func seed() async throws {
        try await withData { database in
            let patch = try await BalanceRepository(database: database).current()
            #expect(patch.patch == PatchVersion(1))
            #expect(patch.characters.count == 4)
            #expect(Set(patch.characters.map(\.weapon)).isSubset(of: patch.weapons.map(\.id)))
            #expect(patch.document == .first)
            #expect(patch.document.faults.isEmpty)
        }
    }

    @Test("an edit is a new patch, and the old one stays as it was")
    func copyOnWrite() async throws {
        try await withData { database in
            let balance = BalanceRepository(database: database)
            let first = try await balance.current()
            let instant = Instant(milliseconds: 5_000)
            let edit = try await balance.editCharacter("ranger", health: 1_111, by: "tester", at: instant)
            #expect(edit.isNew)
            #expect(edit.patch.patch == PatchVersion(2))
            #expect(edit.patch.publishedAt == instant)
            var expected = first.characters
            expected[1].health = 1_111
            #expect(edit.patch.characters == expected)
            #expect(edit.patch.weapons == first.weapons)
            #expect(try await balance.current() == edit.patch)
            #expect(try await balance.patch(PatchVersion(1)) == first)
            #expect(try await balance.patch(PatchVersion(3)) == nil)
        }
    }

    @Test("an edit is in the change log with who made it and what was before")
    func changeLog() async throws {
        try await withData { database in
            let balance = BalanceRepository(database: database)
            try await balance.editCharacter("ranger", health: 1_111, by: "ada", at: Instant(milliseconds: 5_000))
            let log = ChangeLogRepository(database: database)
            let change = try #require(try await log.changes(limit: 10).first)
            #expect(change.by == "ada")
            #expect(change.at == 5_000)
            #expect(change.action == "balance.edit")
            #expect(change.before == "patch 1")
            #expect(change.after == "patch 2: characters.ranger (health: 1000 → 1111)")
            #expect(try await log.changes(subject: "character ranger", limit: 10).map(\.sequence) == [change.sequence])
            #expect(try await log.changes(before: change.sequence, limit: 10).isEmpty)
            #expect(try await balance.patches(limit: 10).map(\.patch.number) == [2, 1])
        }
    }

    @Test("an edit that changes nothing publishes nothing")
    func noChange() async throws {
        try await withData { database in
            let balance = BalanceRepository(database: database)
            let edit = try await balance.editCharacter("ranger", health: 1_000, damage: 30, by: "tester")
            #expect(!edit.isNew)
            #expect(edit.patch.patch == PatchVersion(1))
            #expect(try await ChangeLogRepository(database: database).changes(limit: 10).isEmpty)
        }
    }

    @Test("edits at the same time each get a patch, and none is lost")
    func concurrentEdits() async throws {
        try await withData { database in
            let balance = BalanceRepository(database: database)
            try await withThrowingTaskGroup { group in
                for damage in 100..<120 {
                    group.addTask { _ = try await balance.editCharacter("shade", damage: damage, by: "tester") }
                }
                for health in 200..<220 {
                    group.addTask { _ = try await balance.editCharacter("oracle", health: health, by: "tester") }
                }
                try await group.waitForAll()
            }
            let current = try await balance.current()
            #expect(current.patch == PatchVersion(41))
            #expect((100..<120).contains(current.characters[2].damage))
            #expect((200..<220).contains(current.characters[3].health))
        }
    }

    @Test(
        "an edit out of range is refused, naming the field",
        arguments: [
            (0, nil, "health"), (10_001, nil, "health"), (-5, 7, "health"), (nil, -1, "damage"),
            (100, 1_001, "damage"), (nil, nil, "health"),
        ] as [(Int?, Int?, String)])
    func ranges(_ health: Int?, _ damage: Int?, _ field: String) async throws {
        try await withData { database in
            let balance = BalanceRepository(database: database)
            let error = await #expect(throws: GameDataError.self) {
                try await balance.editCharacter("ranger", health: health, damage: damage, by: "tester")
            }
            guard case .invalid(field, _) = error else {
                Issue.record("wanted \(field), got \(String(describing: error))")
                return
            }
            let current = try await balance.current()
            #expect(current.patch == PatchVersion(1))
        }
    }

    @Test("an unknown character is refused")
    func unknown() async throws {
        try await withData { database in
            await #expect(throws: GameDataError.unknownCharacter("nobody")) {
                try await BalanceRepository(database: database).editCharacter("nobody", health: 5, by: "tester")
            }
        }
    }
}

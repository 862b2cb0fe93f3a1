import Foundation
import GameData
import GameModel
import Logging
import Records
import TestSupport
import Testing

/// `muster balance` as a developer uses it, on a data folder without anything running.
@Suite struct BalanceCommandTests {
    private struct House {
        let folder: TemporaryFolder

        /// A command that has to succeed; its output.
        @discardableResult
        func say(_ words: String...) async throws -> String {
            let ending = try await MusterUp.run(["balance"] + words + ["--data", folder.path])
            try #require(ending.status == 0, "\(words): \(ending.errors)")
            return ending.output
        }

        /// A command that has to fail: nothing on its output, and these words on standard error.
        func refuses(_ words: [String], saying parts: String...) async throws {
            let ending = try await MusterUp.run(["balance"] + words + ["--data", folder.path])
            #expect(ending.status != 0 && ending.output.isEmpty, "\(words): \(ending.status) \(ending.output)")
            for part in parts { #expect(ending.errors.contains(part), "\(words): \(ending.errors)") }
        }
    }

    private func withHouse(_ body: (House) async throws -> Void) async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let quiet = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        let database = try RecordsDatabase.open(
            path: folder.file("data.sqlite"), durability: .normal, schemas: GameDataSchema.schemas, logger: quiet)
        try database.close()
        try await body(House(folder: folder))
    }

    @Test("fields are set in the draft, shown as a difference, published with a note, and rolled back")
    func life() async throws {
        try await withHouse { house in
            #expect(try await house.say("show").contains("shade"))
            let set = try await house.say("set", "characters.shade.damage=55", "weapons.bow.cooldownMs=800")
            #expect(set.contains("~ characters.shade") && set.contains("damage: 35 → 55"))
            #expect(try await house.say("show", "characters.shade", "--draft").contains("55"))
            #expect(try await house.say("diff").contains("cooldownMs: 900 → 800"))
            try await house.refuses(["publish", "--note", "x"], saying: "--yes")
            #expect(try await house.say("publish", "--note", "Sharper", "--yes").contains("patch 2 is in force"))
            #expect(try await house.say("ls").contains("Sharper"))
            #expect(try await house.say("diff", "1", "2").contains("damage: 35 → 55"))
            let line = try await house.say("rollback", "1", "--note", "Too sharp", "--yes", "--json")
            let patch = try JSONDecoder().decode(PatchLine.self, from: Data(line.utf8))
            #expect(patch.patch == PatchVersion(3) && patch.rolledBackTo == PatchVersion(1))
            #expect(patch.note == "Too sharp" && patch.publishedBy.hasPrefix("cli:"))
            #expect(try await house.say("diff", "1", "3").contains("are the same"))
        }
    }

    @Test("what is exported is imported the same; a file that is not right is refused with all that is wrong")
    func files() async throws {
        try await withHouse { house in
            let exported = try await house.say("export")
            #expect(try BalanceDocument(json: Array(exported.utf8)) == .first)
            var other = BalanceDocument.first
            other.items.removeAll()
            other.characters[2].damage = 55
            let file = house.folder.file("balance.json")
            try Data(try other.json).write(to: URL(filePath: file))
            #expect(try await house.say("import", file, "--yes").contains("- items.aegis"))
            #expect(try await house.say("export") == String(decoding: try other.json, as: UTF8.self))
            #expect(try await house.say("export", "--published") == exported)
            #expect(try await house.say("set", "--discard").contains("the draft is what is published"))

            let wrong = exported.replacing("850", with: "0").replacing("survival", with: "luck")
            try Data(wrong.utf8).write(to: URL(filePath: file))
            try await house.refuses(
                ["import", file, "--yes"], saying: "characters[2].health", "1 to 10000, got 0", "modes[0].score")
            let schema = try await MusterUp.run(["balance", "schema"])
            #expect(schema.output.contains("json-schema.org"))
        }
    }

    @Test("slips of the pen are refused in words that say what there is")
    func refusals() async throws {
        try await withHouse { house in
            try await house.refuses(
                ["set", "characters.shade.damage=1001"], saying: "characters.shade.damage", "0 to 1000, got 1001")
            try await house.refuses(["set", "characters.shde.damage=5"], saying: "characters.shde", "--new")
            try await house.refuses(["set", "characters.shade.dmg=5"], saying: "has no field 'dmg'")
            try await house.refuses(["show", "--patch", "9"], saying: "no patch 9", "muster balance ls")
            try await house.refuses(["set", "--remove", "weapons.axe"], saying: "weapons.axe")
            #expect(try await house.say("set", "--remove", "weapons.bow").contains("it can't be published"))
            try await house.refuses(
                ["publish", "--note", "x", "--yes"], saying: "characters.ranger.weapon", "no such weapon")
            let nowhere = try await MusterUp.run(["balance", "ls", "--data", "/nowhere"])
            #expect(nowhere.status != 0 && nowhere.errors.contains("data.sqlite"))
        }
    }
}

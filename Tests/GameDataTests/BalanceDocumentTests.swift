import Foundation
import GameData
import GameModel
import Records
import TestSupport
import Testing

/// What a document may hold, and what is said of one that is not right.
@Suite("Balance documents")
struct BalanceDocumentTests {
    @Test("what is exported is imported the same, sorted and ending with a line break")
    func roundTrip() throws {
        let json = try BalanceDocument.first.json
        #expect(try BalanceDocument(json: json) == .first)
        #expect(json.last == UInt8(ascii: "\n"))
        #expect(try BalanceDocument(json: json).json == json)
    }

    /// A document with one thing of each list, and a word changed in it.
    static func sample(_ old: String = "", _ new: String = "") -> String {
        """
        {"characters": [{"id": "shade", "name": "Shade", "health": 850, "damage": 35, "weapon": "daggers"}],
         "weapons": [{"id": "daggers", "name": "Daggers", "damage": 40, "cooldownMs": 500}],
         "items": [{"id": "boots", "name": "Boots", "characters": ["shade"]}],
         "modes": [{"id": "duel", "name": "Duel", "durationSeconds": 180, "score": "survival"}]}
        """.replacing(old, with: new)
    }

    @Test("fields that may be left out are what the table says of them")
    func fallbacks() throws {
        let document = try BalanceDocument(json: Array(Self.sample().utf8))
        #expect(document.items[0] == .init(id: "boots", name: "Boots", characters: ["shade"]))
        #expect(document.modes[0].itemSlots == 0)
        #expect(document.faults.isEmpty)
    }

    static let wrong: [(old: String, new: String, path: String, words: String)] = [
        ("850", "0", "characters[0].health", "expected a whole number of 1 to 10000, got 0"),
        ("850", "10001", "characters[0].health", "got 10001"),
        ("850", "1.5", "characters[0].health", "got 1.5"),
        ("850", "\"850\"", "characters[0].health", "got '850'"),
        ("850", "true", "characters[0].health", "got true"),
        ("\"damage\": 40", "\"damage\": 0", "weapons[0].damage", "expected a whole number of 1 to 10000, got 0"),
        ("500}", "99}", "weapons[0].cooldownMs", "expected a whole number of 100 to 60000, got 99"),
        (", \"cooldownMs\": 500", "", "weapons[0].cooldownMs", "is missing"),
        ("\"cooldownMs\"", "\"cooldown\"", "weapons[0].cooldown", "is no field of a balance"),
        ("\"Boots\"", "\"\"", "items[0].name", "expected 1 to 80 visible characters, got ''"),
        ("\"Boots\"", "\"Bo\\u0007ots\"", "items[0].name", "expected 1 to 80 visible characters"),
        ("[\"shade\"]", "[\"shade\", \"shade\"]", "items[0].characters", "each once, got ['shade', 'shade']"),
        ("\"survival\"", "\"luck\"", "modes[0].score", "expected one of survival, kills, damage, got 'luck'"),
        ("180", "9", "modes[0].durationSeconds", "expected a whole number of 10 to 7200, got 9"),
        ("\"id\": \"boots\"", "\"id\": \"Boots\"", "items[0].id", "expected 1 to 32 of a-z, 0-9 and '-', got 'Boots'"),
        ("\"modes\"", "\"moods\"", "modes", "is missing"),
        ("\"modes\"", "\"moods\"", "moods", "is no field of a balance"),
    ]

    @Test("a fault of form is refused with its path, the value and what would be right", arguments: wrong)
    func faultsOfForm(_ old: String, _ new: String, _ path: String, _ words: String) throws {
        let error = #expect(throws: GameDataError.self) {
            try BalanceDocument(json: Array(Self.sample(old, new).utf8))
        }
        guard case .invalidBalance(let faults) = error else {
            Issue.record("got \(String(describing: error))")
            return
        }
        #expect(faults.contains { $0.path == path && $0.reason.contains(words) }, "\(faults)")
    }

    @Test("all faults are told at once; what is no JSON, or no object, is told as such")
    func many() throws {
        let text = Self.sample("850", "0").replacing("180", with: "9").replacing("Boots", with: "")
        #expect(Self.faults(text).count == 3)
        #expect(Self.faults("[]").map(\.path) == ["document"])
        #expect(Self.faults("{").first?.reason.contains("JSON") == true)
    }

    @Test("an id that comes twice is refused")
    func duplicates() throws {
        var document = BalanceDocument.first
        document.weapons.append(document.weapons[0])
        let faults = Self.faults(String(decoding: try document.json, as: UTF8.self))
        #expect(faults.map(\.path) == ["weapons[4].id"])
        #expect(faults.first?.reason.contains("'hammer' again") == true)
    }

    @Test("what is named and is not there is told with the thing that names it")
    func references() throws {
        var document = BalanceDocument.first
        document.characters[2].weapon = "axe"
        document.items[1].characters = ["warden", "nobody"]
        #expect(document.faults.map(\.path) == ["characters.shade.weapon", "items.whetstone.characters"])
        #expect(document.faults[0].reason == "names 'axe', and there is no such weapon")
        #expect(document.faults[1].reason == "names 'nobody', and there is no such character")
    }

    @Test("a difference is told field by field, with what was added, removed and put in another order")
    func changes() throws {
        var after = BalanceDocument.first
        after.characters[2].damage = 55
        after.characters[2].health = 800
        after.weapons.swapAt(0, 1)
        after.items.removeLast()
        after.modes.append(.init(id: "royale", name: "Royale", durationSeconds: 900, score: .kills))
        let changes = BalanceChange.between(.first, after)
        #expect(changes.map(\.path) == ["characters.shade", "weapons", "items.quickstring", "modes.royale"])
        #expect(changes.map(\.kind) == [.changed, .moved, .removed, .added])
        #expect(changes[0].fields.map(\.words) == ["health: 850 → 800", "damage: 35 → 55"])
        #expect(changes[3].fields.first { $0.name == "score" }?.words == "score: — → 'kills'")
        #expect(BalanceChange.between(after, after).isEmpty)
    }

    static let assignments: [(text: String, words: String)] = [
        ("characters.shade.damage", "expected PATH=VALUE"), ("shade.damage=5", "expected LIST.ID.FIELD"),
        ("heroes.shade.damage=5", "there is no list 'heroes', but characters, weapons, items, modes"),
        ("characters.shade.dmg=5", "a character has no field 'dmg', but name, health, damage, weapon"),
        ("characters..damage=5", "expected LIST.ID.FIELD"), ("characters.shade.id=x", "has no field 'id'"),
    ]

    @Test("an assignment that leads nowhere is refused, saying what there is", arguments: assignments)
    func assignment(_ text: String, _ words: String) {
        let error = #expect(throws: GameDataError.self) { try BalanceAssignment(parsing: text) }
        #expect("\(error.map { "\($0)" } ?? "")".contains(words))
    }

    @Test("values are read by their field's form: numbers, texts with '=' in them, and lists")
    func values() throws {
        #expect(try BalanceAssignment(parsing: "characters.shade.damage=55").value == .integer(55))
        #expect(try BalanceAssignment(parsing: "characters.shade.name=A=B").value == .string("A=B"))
        #expect(
            try BalanceAssignment(parsing: "items.boots.characters=a, b").value == .array([.string("a"), .string("b")]))
        #expect(try BalanceAssignment(parsing: "items.boots.characters=").value == .array([]))
    }

    static func faults(_ json: String) -> [BalanceFault] {
        do {
            _ = try BalanceDocument(json: Array(json.utf8))
            return []
        } catch {
            guard case .invalidBalance(let faults) = error else { return [] }
            return faults
        }
    }
}

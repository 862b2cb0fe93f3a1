import APIWorker
import Accounts
import Foundation
import GameData
import GameModel
import NIOHTTP1
import TestSupport
import Testing

@testable import API

@Suite("The balance in the console")
struct ConsoleBalanceTests {
    private static let shade = ["name": "Shade", "health": "900", "damage": "35", "weapon": "daggers"]

    @Test("an edit goes to the draft, is published with a note as a patch, and is in the log with its editor")
    func publish() async throws {
        try await withAPI { api in
            try await api.withStaff(.developer) { browser, _ in
                #expect(try await browser.get("/console/balance").text.contains("Patch 1 is what new matches"))
                let wrong = Self.shade.merging(["health": "0", "damage": "ten"]) { $1 }
                let refused = try await browser.post("/console/balance/characters/shade", wrong)
                #expect(refused.status == 422)
                #expect(
                    refused.text.contains("id=\"damage-problem\"") && refused.text.contains("id=\"health-problem\""))
                #expect(refused.text.contains("1 to 10000, got 0") && refused.text.contains("value=\"ten\""))
                let edited = try await browser.post("/console/balance/characters/shade", Self.shade)
                #expect(edited.headers["Location"] == ["/console/balance?done=saved"])
                let again = try await browser.post("/console/balance/characters/shade", Self.shade)
                #expect(again.headers["Location"] == ["/console/balance?done=unchanged"])
                #expect(try await browser.get("/console/balance").text.contains("Patch 1 is what new matches"))

                #expect(try await browser.get("/console/balance/draft").text.contains("health: 850 → 900"))
                let long = try await browser.post(
                    "/console/balance/draft", ["note": String(repeating: "x", count: 501)])
                #expect(long.status == 422 && long.text.contains("id=\"note-problem\""))
                let published = try await browser.post("/console/balance/draft", ["note": "Sturdier"])
                #expect(published.headers["Location"] == ["/console/balance?done=balance-published"])
                let page = try await browser.get("/console/balance").text
                #expect(page.contains("Patch 2 is what new matches") && page.contains("Sturdier"))
                #expect(page.contains("characters.shade (health: 850 → 900)"))
                #expect(try await browser.get("/console/balance/patches/1").text.contains("850"))
                #expect(try await browser.get("/console/balance/patches/9").status == 404)
                #expect(try await browser.get("/console/balance/characters/nobody").status == 404)
                let log = try await browser.get("/console/changes?of=balance")
                #expect(log.text.contains("patch 2") && log.text.contains("Grace"))
            }
        }
    }

    @Test("a patch is rolled back to by a new one; a draft is discarded; each is asked first")
    func rollBack() async throws {
        try await withAPI { api in
            try await api.withStaff(.developer) { browser, _ in
                _ = try await browser.post("/console/balance/characters/shade", Self.shade)
                _ = try await browser.post("/console/balance/draft", ["note": ""])
                let asked = try await browser.get("/console/balance/patches/1/rollback")
                #expect(asked.text.contains("health: 900 → 850"))
                let done = try await browser.post("/console/balance/patches/1/rollback", ["note": "Too sturdy"])
                #expect(done.headers["Location"] == ["/console/balance?done=balance-published"])
                let page = try await browser.get("/console/balance/patches/3").text
                #expect(page.contains("Too sturdy") && page.contains("Patch 1") && page.contains("900 → 850"))

                _ = try await browser.post("/console/balance/characters/shade", Self.shade)
                #expect(try await browser.get("/console/balance/draft/discard").text.contains("850 → 900"))
                let discarded = try await browser.post("/console/balance/draft/discard")
                #expect(discarded.headers["Location"] == ["/console/balance?done=draft-discarded"])
                #expect(try await browser.get("/console/balance/draft").text.contains("nothing to publish"))
            }
        }
    }

    @Test("things are made and removed; a draft that names what is not there says so, and offers no button")
    func things() async throws {
        try await withAPI { api in
            try await api.withStaff(.developer) { browser, _ in
                #expect(try await browser.get("/console/balance/new/items").status == 200)
                let boots = ["id": "boots", "name": "Boots", "health": "40", "characters": "ranger, shade"]
                let made = try await browser.post("/console/balance/new/items", boots)
                #expect(made.status == 303, "\(made.text)")
                let taken = try await browser.post("/console/balance/new/items", boots)
                #expect(taken.status == 422 && taken.text.contains("id=\"id-problem\""))
                let bad = try await browser.post("/console/balance/new/items", ["id": "A b", "name": "B"])
                #expect(bad.status == 422 && bad.text.contains("id=\"id-problem\""))
                #expect(try await browser.get("/console/balance/items/boots").text.contains("value=\"ranger, shade\""))
                #expect(try await browser.get("/console/balance/weapons/bow/remove").status == 200)
                _ = try await browser.post("/console/balance/weapons/bow/remove")
                let page = try await browser.get("/console/balance/draft").text
                #expect(page.contains("In the way") && page.contains("characters.ranger.weapon"))
                #expect(!page.contains("action=\"/console/balance/draft\""))
                #expect(try await browser.post("/console/balance/draft", ["note": ""]).status == 422)
            }
        }
    }
}

import Accounts
import Foundation
import GameModel
import NIOHTTP1
import Records
import TestSupport
import Testing

@testable import API

@Suite("The console's pages for operators")
struct ConsoleOperatorTests {
    @Test("an order shows its price, transfers and entitlements, and is refunded once asked with a reason")
    func refund() async throws {
        try await withAPI { api in
            let player = try await api.player("Zoë <b>'x'</b>")
            let order = try await api.paidOrder(of: player)
            try await api.withStaff(.operator) { browser, operating in
                let list = try await browser.get("/console/orders?state=paid")
                #expect(list.text.contains(order))
                #expect(list.text.contains("Zoë &lt;b&gt;&#39;x&#39;&lt;/b&gt;"))
                #expect(!(try await browser.get("/console/orders?state=declined").text.contains(order)))
                #expect(try await browser.get("/console/orders?player=\(player.playerId)").text.contains(order))
                let page = try await browser.get("/console/orders/\(order)")
                for text in ["500 gems", "wallet:\(player.playerId)", "granted", "How the total came about"] {
                    #expect(page.text.contains(text), "\(text)")
                }
                #expect(try await browser.get("/console/orders/\(order)/refund").text.contains("500 gems go back"))
                let without = try await browser.post("/console/orders/\(order)/refund", ["reason": " "])
                #expect(without.status == 422)
                #expect(without.text.contains("Enter a reason."))
                let refunded = try await browser.post("/console/orders/\(order)/refund", ["reason": "a mistake"])
                #expect(refunded.headers["Location"] == ["/console/orders/\(order)?done=refund-asked"])
                let after = try await browser.get("/console/orders/\(order)?done=refund-asked")
                #expect(after.text.contains("refunded") && after.text.contains("unspend"))
                #expect(after.text.contains("revoked"))
                let again = try await browser.post("/console/orders/\(order)/refund", ["reason": "once more"])
                #expect(again.status == 303 || again.status == 422)
                let changes = try await api.changes(of: "order \(order)")
                #expect(changes.count == 1)
                #expect(changes.first?.by == operating.playerId)
                #expect(try await browser.get("/console/orders/01UNKNOWN").status == 404)
            }
        }
    }

    @Test("an order that is not in review can't be resolved, and the page says so")
    func resolve() async throws {
        try await withAPI { api in
            let order = try await api.paidOrder(of: try await api.player())
            try await api.withStaff(.operator) { browser, _ in
                #expect(try await browser.get("/console/orders/\(order)/resolve").status == 200)
                let wrong = try await browser.post(
                    "/console/orders/\(order)/resolve", ["state": "king", "reason": ""])
                #expect(wrong.status == 422)
                #expect(wrong.text.contains("id=\"state-problem\"") && wrong.text.contains("id=\"reason-problem\""))
                let refused = try await browser.post(
                    "/console/orders/\(order)/resolve", ["state": "declined", "reason": "looked at it"])
                #expect(refused.status == 422)
                #expect(refused.text.contains("Nothing was decided"))
            }
        }
    }

    @Test("a player is found by address, name and id, locked, unlocked and logged out")
    func players() async throws {
        try await withAPI { api in
            let player = try await api.player("Hedy")
            try await api.withStaff(.operator) { browser, operating in
                for text in [player.email ?? "", "Hedy", player.playerId] {
                    let found = try await browser.get("/console/players?q=\(text)")
                    #expect(found.text.contains("/console/players/\(player.playerId)"), "\(text)")
                }
                #expect(
                    try await browser.get("/console/players?q=nobody-there").text.contains("No account is like that."))
                let path = "/console/players/\(player.playerId)"
                let page = try await browser.get(path)
                #expect(page.text.contains(player.email ?? "?") && page.text.contains("Where the player is logged in"))

                let session = try #require(page.text.firstMatch(of: /href="([^"]*\/sessions\/[^"\/]+\/end)"/))
                #expect(try await browser.get(String(session.1)).status == 200)
                let ended = try await browser.post(String(session.1))
                #expect(ended.headers["Location"] == ["\(path)?done=session-ended"])
                #expect(try await browser.get(path).text.contains("Logged in nowhere."))
                let change = try #require(try await api.changes(of: "account \(player.playerId)").first)
                #expect(change.action == "account.end-session" && change.by == operating.playerId)
                #expect(try await browser.get("\(path)/sessions/end").status == 200)
                #expect(try await browser.post("\(path)/sessions/end").status == 303)

                #expect(try await browser.post("\(path)/lock", ["reason": ""]).status == 422)
                #expect(try await browser.post("\(path)/lock", ["reason": "cheated"]).status == 303)
                #expect(try await browser.get(path).text.contains("cheated"))
                #expect(try await browser.get("\(path)/unlock").status == 200)
                #expect(try await browser.post("\(path)/unlock").status == 303)
                let own = try await browser.post("/console/players/\(operating.playerId)/lock", ["reason": "x"])
                #expect(own.status == 422)
                #expect(own.text.contains("This is your own account."))
                #expect(try await browser.get("/console/players/01UNKNOWN").status == 404)
            }
        }
    }

    @Test("a product is given once, however often its form is sent")
    func grant() async throws {
        try await withAPI { api in
            let player = try await api.player()
            try await api.save(
                "potion",
                #"{"name":"Potion","kind":"item","prices":[{"minorUnits":99,"currency":"EUR"}],"quantity":1}"#)
            try await api.publish()
            try await api.withStaff(.operator) { browser, _ in
                let path = "/console/players/\(player.playerId)"
                let form = try await browser.get("\(path)/grant")
                let reference = try #require(form.text.firstMatch(of: /name="reference" value="([^"]+)"/))
                var fields = ["productId": "nothing", "quantity": "x", "reference": String(reference.1)]
                let wrong = try await browser.post("\(path)/grant", fields)
                #expect(wrong.status == 422)
                #expect(wrong.text.contains("id=\"quantity-problem\""))
                fields["quantity"] = "2"
                let unknown = try await browser.post("\(path)/grant", fields)
                #expect(unknown.status == 422)
                #expect(unknown.text.contains("There is no product nothing."))
                fields["productId"] = "potion"
                for _ in 0..<3 {
                    let given = try await browser.post("\(path)/grant", fields)
                    #expect(given.headers["Location"] == ["\(path)?done=granted"], "\(given.text)")
                }
                #expect(try await browser.get(path).text.contains("2 of 2"))
            }
        }
    }
}

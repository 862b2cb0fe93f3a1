import Accounts
import GameModel
import NIOHTTP1
import TestSupport
import Testing

@testable import API

@Suite("Developers' and operators' routes of the store")
struct DevRoutesTests {
    private static let skin = #"{"name":"Glass","kind":"skin","prices":[{"minorUnits":499,"currency":"EUR"}]}"#

    @Test("a draft is seen by nobody else until it is published; what was published stays to be read")
    func publishing() async throws {
        try await withAPI { api in
            let developer = try await api.token(.developer)
            let player = try await api.player()
            let path = "/v1/dev/products/skin-glass"
            #expect(try await api.client.send(.PUT, path, token: developer, body: Self.skin).status == 201)
            #expect(try await api.client.send(.PUT, path, token: developer, body: Self.skin).status == 200)
            #expect(try await api.client.send(.GET, path, token: developer).text.contains("Glass"))
            let changes = try await api.client.send(.GET, "/v1/dev/catalog/changes", token: developer)
            #expect(changes.text.contains("product skin-glass"))
            #expect(changes.text.contains(#""problems":[]"#))
            func shop() async throws -> String {
                try await api.client.send(.GET, "/v1/store/products", token: player.accessToken).text
            }
            #expect(try await shop().contains("skin-glass") == false)
            let version = try await api.publish()
            #expect(try await shop().contains("skin-glass"))

            #expect(try await api.client.send(.DELETE, path, token: developer).status == 204)
            #expect(try await api.client.send(.GET, path, token: developer).status == 404)
            try await api.publish()
            #expect(try await shop().contains("skin-glass") == false)
            let old = try await api.client.send(.GET, "/v1/dev/catalog/versions/\(version)", token: developer)
            #expect(old.text.contains("skin-glass"))
            let versions = try await api.client.send(.GET, "/v1/dev/catalog/versions?limit=1", token: developer)
            #expect(versions.text.contains(#""version":\#(version + 1)}"#))
            #expect(!versions.text.contains("document"))
        }
    }

    @Test("a draft goes out and comes in as one document, whole or not at all")
    func importing() async throws {
        try await withAPI { api in
            let developer = try await api.token(.developer)
            let path = "/v1/dev/catalog"
            let before = try await api.client.send(.GET, path, token: developer)
            #expect(before.status == 200)
            let slip = before.text.replacing(#""name":"#, with: #""nmae":0,"name":"#)
            for body in [slip, #"{"products":[]}"#, "{", #"{"products":[{}],"promotions":[]}"#] {
                let refused = try await api.client.send(.PUT, path, token: developer, body: body)
                #expect((400..<500).contains(refused.status), "\(body.prefix(40)): \(refused.text)")
            }
            #expect(try await api.client.send(.GET, path, token: developer).text == before.text)
            let again = try await api.client.send(.PUT, path, token: developer, body: before.text)
            #expect(again.status == 200, "\(again.text)")
            let empty = #"{"products":[],"promotions":[]}"#
            #expect(try await api.client.send(.PUT, path, token: developer, body: empty).status == 200)
            #expect(try await api.client.send(.GET, path, token: developer).text == empty)
        }
    }

    @Test("a promotion is made, read, changed and taken away; a wrong one is refused with its field")
    func promotions() async throws {
        try await withAPI { api in
            let developer = try await api.token(.developer)
            let path = "/v1/dev/promotions/spring"
            let good = #"{"percentOff":20,"startsAt":0,"endsAt":4102444800000,"code":"SPRING-20"}"#
            #expect(try await api.client.send(.PUT, path, token: developer, body: good).status == 201)
            let wrong = try await api.client.send(
                .PUT, path, token: developer, body: #"{"percentOff":95,"startsAt":0,"endsAt":4102444800000}"#)
            #expect(wrong.status == 422)
            #expect(try wrong.problem().field == "percentOff")
            #expect(try await api.client.send(.GET, path, token: developer).text.contains("SPRING-20"))
            #expect(try await api.client.send(.DELETE, path, token: developer).status == 204)
            #expect(try await api.client.send(.DELETE, path, token: developer).status == 404)
        }
    }

    @Test("orders are the operators', and so are refunds: an order without a charge can't be given back")
    func orders() async throws {
        try await withAPI { api in
            let product = try await api.anyProduct()
            let player = try await api.player()
            let token = try await api.token(.operator)
            let placed = try await api.client.send(
                .POST, "/v1/store/orders", token: player.accessToken,
                body: #"{"productId":"\#(product)","paymentMethod":"pm_secret_token"}"#,
                headers: [("Idempotency-Key", "k")])
            struct Order: Decodable { var orderId: String }
            let order = try placed.decode(Order.self).orderId

            let list = try await api.client.send(
                .GET, "/v1/dev/orders?state=pending,verifying&product=\(product)", token: token)
            #expect(list.text.contains(order) && list.text.contains(player.playerId))
            #expect(!list.text.contains("pm_secret_token"))
            let paid = try await api.client.send(.GET, "/v1/dev/orders?state=paid", token: token)
            #expect(!paid.text.contains(order))
            #expect(try await api.client.send(.GET, "/v1/dev/orders?state=lost", token: token).status == 422)
            let path = "/v1/dev/orders/\(order)/refund"
            let early = try await api.client.send(.POST, path, token: token, body: #"{"reason":"asked"}"#)
            #expect(early.status == 409, "\(early.text)")
            #expect(try await api.client.send(.POST, path, token: token, body: #"{"reason":""}"#).status == 422)
            for other in [try await api.token(.developer), player.accessToken] {
                #expect(try await api.client.send(.GET, "/v1/dev/orders", token: other).status == 403)
                let refused = try await api.client.send(.POST, path, token: other, body: #"{"reason":"mine"}"#)
                #expect(refused.status == 403)
            }
        }
    }

    @Test("an order that the wallet paid is given back at once: the money is there again, the skin is not")
    func refund() async throws {
        try await withAPI { api in
            let product = try await api.anyProduct()
            try await api.save(
                "gems-500b",
                #"{"name":"Gems","kind":"currency_pack","prices":[{"minorUnits":499,"currency":"EUR"}],"#
                    + #""credit":{"amount":500,"currency":"gems"}}"#)
            try await api.publish()
            let player = try await api.player()
            try await api.grant("gems-500b", to: player)
            let placed = try await api.client.send(
                .POST, "/v1/store/orders", token: player.accessToken,
                body: #"{"productId":"\#(product)","unit":"gems","wallet":true}"#,
                headers: [("Idempotency-Key", "k")])
            struct Order: Decodable { var orderId: String }
            let order = try placed.decode(Order.self).orderId
            let token = try await api.token(.operator)
            let refund = try await api.client.send(
                .POST, "/v1/dev/orders/\(order)/refund", token: token, body: #"{"reason":"bought by mistake"}"#)
            #expect(refund.status == 202, "\(refund.text)")
            #expect(refund.text.contains(#""state":"refunded""#))
            let wallet = try await api.client.send(.GET, "/v1/store/wallet", token: player.accessToken).text
            #expect(wallet == #"{"balances":[{"amount":500,"currency":"gems"}]}"#)
            let inventory = try await api.client.send(.GET, "/v1/store/inventory", token: player.accessToken).text
            #expect(!inventory.contains(product))
            let log = try await api.client.send(.GET, "/v1/dev/changes?subject=order%20\(order)", token: token).text
            #expect(log.contains("bought by mistake") && log.contains(#""by":"test""#), "\(log)")
        }
    }

    @Test("who changed what is told, of the store and of the game, in pages")
    func changes() async throws {
        try await withAPI { api in
            let alice = try await api.token(.developer, subject: "alice")
            for name in ["a", "b", "c"] {
                let path = "/v1/dev/products/skin-\(name)"
                #expect(try await api.client.send(.PUT, path, token: alice, body: Self.skin).status == 201)
            }
            let balance = try await api.client.send(
                .PATCH, "/v1/dev/characters/shade", token: alice, body: #"{"damage":31}"#)
            #expect(balance.status == 201)
            let newest = try await api.changes("?limit=2", alice)
            #expect(newest.map(\.subject) == ["product skin-c", "product skin-b"])
            #expect(newest.allSatisfy { $0.by == "alice" })
            let older = try await api.changes("?limit=1&before=\(newest.last?.sequence ?? 0)", alice)
            #expect(older.map(\.subject) == ["product skin-a"])
            #expect(try await api.changes("?subject=product%20skin-b", alice).map(\.subject) == ["product skin-b"])
            #expect(try await api.changes("?log=game", alice).count == 1)
            let player = try await api.player()
            #expect(try await api.client.send(.GET, "/v1/dev/changes", token: player.accessToken).status == 403)

            try await api.onAccounts { _ = try await $0.lock(PlayerID(player.playerId), reason: "cheated", by: "test") }
            #expect(try await api.changes("?limit=1", alice).map(\.subject) == ["product skin-c"])
            let subject = try await api.changes("?limit=1", try await api.token(.operator)).first?.subject ?? ""
            #expect(subject.contains(player.playerId), "what was done to people is for operators")
            let asked = subject.replacing(" ", with: "%20")
            #expect(try await api.changes("?subject=\(asked)", alice).isEmpty)
        }
    }
}

private struct Log: Decodable {
    struct Change: Decodable {
        var sequence: Int
        var by: String
        var subject: String
    }

    var changes: [Change]
}

extension WholeAPI {
    fileprivate func changes(_ query: String, _ token: String) async throws -> [Log.Change] {
        try await client.send(.GET, "/v1/dev/changes\(query)", token: token).decode(Log.self).changes
    }
}

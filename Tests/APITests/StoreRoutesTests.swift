import Accounts
import GameData
import GameModel
import Logging
import NIOHTTP1
import Records
import TestSupport
import Testing

@testable import API

@Suite("The store over HTTP")
struct StoreRoutesTests {
    @Test("a client that has the catalog is told so without it; after another was published it gets that")
    func catalogTag() async throws {
        try await withAPI { api in
            _ = try await api.anyProduct()
            let player = try await api.player()
            let first = try await api.client.send(.GET, "/v1/store/products", token: player.accessToken)
            #expect(first.headers["Cache-Control"] == ["private, no-cache"])
            let tag = try #require(first.headers["ETag"].first)
            for known in [tag, "W/\(tag)", "\"other\", \(tag)", "*"] {
                let same = try await api.client.send(
                    .GET, "/v1/store/products", token: player.accessToken, headers: [("If-None-Match", known)])
                #expect(same.status == 304, "\(known)")
                #expect(same.body.isEmpty)
            }
            _ = try await api.anyProduct("skin-other")
            let changed = try await api.client.send(
                .GET, "/v1/store/products", token: player.accessToken, headers: [("If-None-Match", tag)])
            #expect(changed.status == 200)
            #expect(changed.text.contains("skin-other"))
        }
    }

    @Test("a quote's lines add up to its total, and a code that doesn't hold has a line that says so")
    func quotes() async throws {
        struct Quote: Decodable {
            struct Line: Decodable {
                var kind: String
                var amount: Int
            }
            var total: Int
            var unit: String
            var lines: [Line]
        }
        try await withAPI { api in
            let product = try await api.anyProduct()
            let player = try await api.player()
            let reply = try await api.client.send(
                .POST, "/v1/store/quotes", token: player.accessToken,
                body: #"{"productId":"\#(product)","codes":["nope-1"]}"#)
            #expect(reply.status == 200, "\(reply.text)")
            let quote: Quote = try reply.decode()
            #expect(quote.total == 499 && quote.unit == "EUR")
            #expect(quote.lines.map(\.amount).reduce(0, +) == quote.total)
            #expect(quote.lines.contains { $0.kind == "refused" && $0.amount == 0 })
            #expect(reply.text.contains("NOPE-1"))
        }
    }

    @Test(
        "a wish that can't be is refused with the field that is wrong",
        arguments: [
            (#"{"productId":"skin-test","quantity":0,"paymentMethod":"pm"}"#, 422, "quantity"),
            (#"{"productId":"skin-test","quantity":9223372036854775807,"paymentMethod":"pm"}"#, 422, "quantity"),
            (#"{"productId":"skin-test","codes":["A","B","C","D","E","F"],"paymentMethod":"pm"}"#, 422, "codes"),
            (#"{"productId":"skin-test","codes":["NOPE-1"],"paymentMethod":"pm"}"#, 422, "codes"),
            (#"{"productId":"skin-test","unit":"CHF","paymentMethod":"pm"}"#, 422, "unit"),
            (#"{"productId":"skin-test"}"#, 422, "paymentMethod"),
            (#"{"productId":"skin-test","paymentMethod":"4242424242424242"}"#, 422, "paymentMethod"),
            (#"{"productId":"skin-test","paymentMethod":"pm","provider":"acme"}"#, 422, "provider"),
            (#"{"productId":"skin-test","paymentMethod":"pm","wallet":true}"#, 422, "wallet"),
            (#"{"productId":"skin-test","paymentMethod":"pm","recipient":"nobody"}"#, 422, "recipient"),
            (#"{"productId":"nothing","paymentMethod":"pm"}"#, 404, nil),
        ] as [(String, Int, String?)])
    func wishes(body: String, status: Int, field: String?) async throws {
        try await withAPI { api in
            _ = try await api.anyProduct()
            let player = try await api.player()
            let reply = try await api.order(body, by: player)
            #expect(reply.status == status, "\(reply.text)")
            #expect(try reply.problem().field == field)
        }
    }

    @Test("at another price than the player saw, an order is refused with the quote of now")
    func priceChanged() async throws {
        try await withAPI { api in
            let product = try await api.anyProduct()
            let player = try await api.player()
            func order(_ total: Int, _ key: String) async throws -> TestReply {
                try await api.order(
                    #"{"productId":"\#(product)","paymentMethod":"pm_card_visa","expectedTotal":\#(total)}"#,
                    by: player, key: key)
            }
            let refused = try await order(399, "a")
            #expect(refused.status == 409)
            #expect(try refused.problem().code == "price-changed")
            #expect(refused.text.contains(#""total":499"#))
            #expect(try await order(499, "b").status == 202)
        }
    }

    @Test(
        "the wallet pays at once: what was bought is there, the balance is less, and the line is in the wallet's list")
    func wallet() async throws {
        try await withAPI { api in
            let product = try await api.anyProduct()
            try await api.save(
                "gems-600",
                #"{"name":"600 gems","kind":"currency_pack","prices":[{"minorUnits":499,"currency":"EUR"}],"#
                    + #""credit":{"amount":600,"currency":"gems"}}"#)
            try await api.publish()
            let player = try await api.player()
            let body = #"{"productId":"\#(product)","unit":"gems","wallet":true}"#
            #expect(try await api.order(body, by: player, key: "poor").status == 409)
            try await api.grant("gems-600", to: player)

            let bought = try await api.order(body, by: player, key: "rich")
            #expect(bought.status == 201, "\(bought.text)")
            #expect(bought.text.contains(#""state":"paid""#))
            #expect(try await api.order(body, by: player, key: "rich").text == bought.text)
            let get = { @Sendable (path: String) in
                try await api.client.send(.GET, path, token: player.accessToken).text
            }
            #expect(try await get("/v1/store/inventory").contains(product))
            #expect(try await get("/v1/store/inventory/history").contains(#""kind":"granted""#))
            #expect(try await get("/v1/store/wallet") == #"{"balances":[{"amount":100,"currency":"gems"}]}"#)
            let transfers = try await get("/v1/store/wallet/transfers")
            #expect(transfers.contains(#""change":-500"#) && transfers.contains(#""change":600"#))
        }
    }

    @Test("a gift is for somebody that there is")
    func gifts() async throws {
        try await withAPI { api in
            let product = try await api.anyProduct()
            let (giver, friend) = (try await api.player(), try await api.player())
            let reply = try await api.order(
                #"{"productId":"\#(product)","paymentMethod":"pm_card_visa","recipient":"\#(friend.playerId)"}"#,
                by: giver)
            #expect(reply.status == 202, "\(reply.text)")
            #expect(reply.text.contains(friend.playerId))
        }
    }

    @Test("orders come in pages, newest first, each once")
    func pages() async throws {
        struct Page: Decodable {
            struct Order: Decodable { var orderId: String }
            var orders: [Order]
            var next: String?
        }
        try await withAPI { api in
            let player = try await api.player()
            var placed: [String] = []
            for number in 0..<5 {
                let product = try await api.anyProduct("skin-\(number)")
                let reply = try await api.order(
                    #"{"productId":"\#(product)","paymentMethod":"pm_card_visa"}"#, by: player, key: "k\(number)")
                placed.append(try reply.decode(Page.Order.self).orderId)
            }
            var (seen, next): ([String], String?) = ([], nil)
            repeat {
                let query = next.map { "&before=\($0)" } ?? ""
                let page: Page = try await api.client.send(
                    .GET, "/v1/store/orders?limit=2\(query)", token: player.accessToken
                ).decode()
                seen += page.orders.map(\.orderId)
                next = page.next
            } while next != nil
            #expect(seen == placed.reversed())
        }
    }

    @Test("items are used up by their player, and by the instance of a match for those who play in it, once per use")
    func consumption() async throws {
        try await withAPI { api in
            let (player, stranger) = (try await api.player(), try await api.player())
            try await api.grant("potion-healing", quantity: 2, to: player)
            let path = "/v1/store/inventory/potion-healing/consume"
            let own = #"{"reference":"before the match"}"#
            for _ in 0..<2 {
                let reply = try await api.client.send(.POST, path, token: player.accessToken, body: own)
                #expect(reply.status == 200, "\(reply.text)")
                #expect(reply.text.contains(#""remaining":5"#))
            }
            let match = try await api.placedMatch(of: player, on: "eu.x")
            let body = #"{"reference":"round 1","playerId":"\#(player.playerId)","matchId":"\#(match)","quantity":2}"#
            let instance = try await api.token(.instance, subject: "eu.x")
            for _ in 0..<2 {
                let reply = try await api.client.send(.POST, path, token: instance, body: body)
                #expect(reply.text.contains(#""remaining":3"#), "\(reply.text)")
            }
            let foreign = try await api.token(.instance, subject: "eu.y")
            #expect(try await api.client.send(.POST, path, token: foreign, body: body).status == 403)
            let outsider = body.replacing(player.playerId, with: stranger.playerId)
            let refused = try await api.client.send(.POST, path, token: instance, body: outsider)
            #expect(refused.status == 422)
            #expect(try refused.problem().field == "playerId")
            let tooMany = try await api.client.send(
                .POST, path, token: player.accessToken, body: #"{"reference":"feast","quantity":4}"#)
            #expect(tooMany.status == 409)
        }
    }

    @Test("webhooks are taken in under a provider's name; a provider that is not set up has no such route")
    func webhookNames() async throws {
        try await withAPI { api in
            for (name, status) in [("stripe", 401), ("payments", 401), ("paypal", 404), ("acme", 404)] {
                let reply = try await api.client.send(.POST, "/v1/store/webhooks/\(name)", body: "{}")
                #expect(reply.status == status, "\(name): \(reply.text)")
            }
        }
    }
}

extension WholeAPI {
    fileprivate func order(_ body: String, by player: TestPlayer, key: String = "key") async throws -> TestReply {
        try await client.send(
            .POST, "/v1/store/orders", token: player.accessToken, body: body, headers: [("Idempotency-Key", key)])
    }

    /// A match that a player plays on an instance.
    fileprivate func placedMatch(of player: TestPlayer, on instance: String) async throws -> MatchID {
        let database = try RecordsDatabase.open(
            path: "\(folder)/data.sqlite", durability: .full, schemas: GameDataSchema.schemas,
            logger: Logger(label: "test.match"))
        let match = MatchID("duel.eu.\(ULID())")
        _ = try await MatchesRepository(database: database).place(
            MatchPlacement(
                matchId: match, mode: Mode("duel"), region: Region("eu"), instanceId: InstanceID(instance),
                patch: PatchVersion(1),
                roster: [player.playerId, "somebody"].enumerated().map { team, player in
                    MatchSeat(
                        team: team, ticketId: TicketID("duel.eu.\(ULID())"), playerId: PlayerID(player),
                        character: "warden", rating: 1_500)
                }))
        try database.close()
        return match
    }
}

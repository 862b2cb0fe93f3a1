import Foundation
import GameModel
import Records
import TestSupport
import Testing

@testable import Store

@Suite("Catalog")
struct CatalogTests {
    @Test("a new store sells something of each kind, one of it at a promotion's price, and could publish it again")
    func seeded() async throws {
        try await withRecords(schemas: CatalogHouse.schemas) { database in
            let store = StoreService(repository: StoreRepository(database: database))
            let catalog = try await store.catalog.catalog()
            let shown = try JSONDecoder().decode(Shown.self, from: Data(catalog.json))
            #expect(shown.version == 1 && shown.products.count == FirstProducts.all.count)
            #expect(Set(shown.products.map(\.kind)) == Set(ProductKind.allCases.map(\.rawValue)))
            let promoted = shown.products.filter { $0.promotion != nil }
            #expect(promoted.map(\.productId) == ["skin-gilded-oracle"])
            #expect(promoted.first?.prices.first?.finalMinorUnits == 699)
            #expect(try await store.editor.problems() == [])
            #expect(try await store.editor.publish(note: "again", by: "x").version == 1)
        }
    }

    @Test("players see what is sold, with the price that anyone pays now and the address of its picture")
    func shape() async throws {
        try await CatalogHouse.open { house in
            try await house.storePicture("ab12/potion.png")
            try await house.publish(
                [CatalogHouse.potion(picture: "ab12/potion.png"), CatalogHouse.potion("elixir", price: 500)],
                [CatalogHouse.sale("potion-sale", 25, on: ["potion"])])
            let shown = try await house.shown()
            let potion = try #require(shown["potion"])
            #expect(potion.quantity == 3 && potion.picture == "https://cdn.example/ab12/potion.png")
            #expect(potion.prices.map(\.minorUnits) == [999] && potion.prices.map(\.finalMinorUnits) == [749])
            #expect(potion.virtualPrices.map(\.amount) == [900] && potion.virtualPrices.map(\.finalAmount) == [675])
            #expect(potion.promotion?.id == "potion-sale" && potion.promotion?.name == "potion-sale")
            #expect(potion.promotion?.endsAt == (CatalogHouse.start + .seconds(60)).milliseconds)
            let elixir = try #require(shown["elixir"])
            #expect(elixir.promotion == nil && elixir.prices.map(\.finalMinorUnits) == [500])
        }
    }

    @Test("no code, nor a promotion that needs one, is ever shown")
    func noCodes() async throws {
        try await CatalogHouse.open { house in
            try await house.publish([CatalogHouse.potion()], [CatalogHouse.sale("hidden", 50, code: "FROST-50")])
            let json = String(decoding: try await house.store.catalog.catalog().json, as: UTF8.self)
            #expect(!json.contains("FROST-50") && !json.contains("hidden") && json.contains("\"finalMinorUnits\":999"))
        }
    }

    @Test("what is inactive, too early or too late is neither shown nor sold, and comes and goes by itself")
    func windows() async throws {
        try await CatalogHouse.open { house in
            let (from, until) = (CatalogHouse.start + .seconds(10), CatalogHouse.start + .seconds(20))
            let event = Product(
                productId: ProductID("event"), name: "E", kind: .item,
                prices: [Money(minorUnits: 99, currency: .eur)], availableFrom: from, availableUntil: until)
            let gone = Product(
                productId: ProductID("gone"), name: "G", kind: .item,
                prices: [Money(minorUnits: 99, currency: .eur)], isActive: false)
            try await house.publish([event, gone])
            let store = house.store
            let before = try await store.catalog.catalog()
            #expect(try await house.shown().products.isEmpty)
            house.clock.advance(.seconds(10))
            #expect(try await house.shown().products.map(\.productId) == ["event"])
            #expect(try await store.catalog.catalog().tag != before.tag)
            _ = try await store.catalog.quote(Wish(productId: event.productId), player: CatalogHouse.player)
            house.clock.advance(.seconds(10))
            #expect(try await house.shown().products.isEmpty)
            #expect(try await store.catalog.catalog().tag == before.tag)
            await #expect(throws: StoreError.notSold(event.productId, reason: "it was sold until 2027-01-15")) {
                try await store.catalog.quote(Wish(productId: event.productId), player: CatalogHouse.player)
            }
        }
    }

    @Test("a publication is seen at once here, within a second elsewhere; until then the same bytes are shown")
    func publication() async throws {
        try await CatalogHouse.open { house in
            try await house.publish([CatalogHouse.potion()])
            let other = house.another()
            #expect(try await house.shown(by: other).version == 2)
            let first = try await other.catalog.catalog()
            house.clock.advance(.seconds(5))
            #expect(try await other.catalog.catalog().tag == first.tag)
            try await house.publish([CatalogHouse.potion(price: 500)])
            #expect(try await house.shown().version == 3)
            #expect(try await other.catalog.catalog().version == 2)
            house.clock.advance(.seconds(1))
            #expect(try await house.shown(by: other).version == 3)
            #expect(try await other.catalog.catalog().tag != first.tag)
        }
    }

    @Test("a promotion that is used up in all is no longer shown, and the quote says why")
    func usedUp() async throws {
        try await CatalogHouse.open { house in
            try await house.publish([CatalogHouse.potion()], [CatalogHouse.sale("first-two", 50, limitTotal: 2)])
            try await house.order()
            #expect(try await house.shown()["potion"]?.prices.first?.finalMinorUnits == 499)
            try await house.order()
            house.clock.advance(.seconds(1))
            #expect(try await house.shown()["potion"]?.prices.first?.finalMinorUnits == 999)
            let quote = try await house.store.catalog.quote(
                Wish(productId: ProductID("potion")), player: CatalogHouse.player)
            #expect(quote.lines.last?.text == "first-two: is used up" && quote.total == 999)
        }
    }

    @Test("a quote is of this moment and this player, and an order charges it")
    func quote() async throws {
        try await CatalogHouse.open { house in
            let welcome = Promotion(
                promotionId: "welcome", name: "Welcome", percentOff: 50, code: "WELCOME", startsAt: CatalogHouse.start,
                endsAt: CatalogHouse.start + .seconds(60), limitPerPlayer: 1)
            try await house.publish([CatalogHouse.potion()], [welcome])
            let wish = Wish(productId: ProductID("potion"), codes: ["WELCOME"])
            let quote = try await house.store.catalog.quote(wish, player: CatalogHouse.player)
            #expect(quote.total == 499 && quote.catalogVersion == 2)
            let placed = try await house.store.orders.place(
                wish, player: CatalogHouse.player, payment: .provider(nil, method: "pm_card_visa"),
                expected: quote.total, idempotencyKey: "key")
            #expect(placed.order.quote == quote)
            let again = try await house.store.catalog.quote(wish, player: CatalogHouse.player)
            #expect(again.lines.last?.text == "code WELCOME was used by you already")
            let other = try await house.store.catalog.quote(wish, player: PlayerID("01OTHER"))
            #expect(other.total == 499)
        }
    }

    @Test("a promotion for five orders, two of one player, is used no more often, however many order at once")
    func limits() async throws {
        try await CatalogHouse.open { house in
            let few = Promotion(
                promotionId: "few", name: "Few", percentOff: 50, code: "FEW-ONLY", startsAt: CatalogHouse.start,
                endsAt: CatalogHouse.start + .seconds(60), limitPerPlayer: 2, limitTotal: 5)
            try await house.publish([CatalogHouse.potion()], [few])
            let processes = [house.store, house.another()]
            let outcomes = try await withThrowingTaskGroup(of: String.self) { group in
                for index in 0..<20 {
                    // Five orders of each of four players.
                    group.addTask {
                        do {
                            let placed = try await processes[index % 2].orders.place(
                                Wish(productId: ProductID("potion"), codes: ["FEW-ONLY"]),
                                player: PlayerID("player-\(index % 4)"), payment: .provider(nil, method: "pm"),
                                expected: nil, idempotencyKey: "key-\(index)")
                            return "\(placed.order.playerId)"
                        } catch StoreError.codeRefused(let code, let reason) {
                            return "\(code) \(reason)"
                        }
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            let counts = Dictionary(grouping: outcomes) { $0 }.mapValues(\.count)
            let players = counts.filter { $0.key.hasPrefix("player-") }
            #expect(players.values.reduce(0, +) == 5 && players.values.allSatisfy { $0 <= 2 }, "\(counts)")
            let reasons = Set(["FEW-ONLY is used up", "FEW-ONLY was used by you 2 times already"])
            #expect(Set(counts.keys).subtracting(players.keys).isSubset(of: reasons), "\(counts)")
        }
    }

    @Test("a version that was tampered with in the file is not shown")
    func tampered() async throws {
        try await CatalogHouse.open { house in
            try await house.publish([CatalogHouse.potion(price: 777)])
            try await house.execute("UPDATE catalog_versions SET document = replace(document, '777', '111')")
            try await house.execute("UPDATE catalog_versions SET digest = 'another'")
            let error = await #expect(throws: StoreError.self) { try await house.another().catalog.catalog() }
            #expect("\(try #require(error))".contains("catalog version 2 is not what was published"))
        }
    }
}

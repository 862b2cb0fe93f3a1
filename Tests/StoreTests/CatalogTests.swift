import GameModel
import Records
import TestSupport
import Testing

@testable import Store

@Suite("Catalog")
struct CatalogTests {
    private func withStore(_ body: (StoreService) async throws -> Void) async throws {
        try await withRecords(schemas: [StoreSchema.schema, Outbox.schema]) { database in
            try await body(StoreService(repository: StoreRepository(database: database)))
        }
    }

    @Test("a new store sells something, one of it at a promotion's price")
    func seeded() async throws {
        try await withStore { store in
            let catalog = try await store.catalog()
            #expect(catalog.products.count == FirstProducts.all.count)
            let promoted = catalog.products.filter { $0.promotion != nil }
            #expect(promoted.map(\.productId) == [ProductID("skin-gilded-oracle")])
            #expect(promoted.first?.finalPrice == Money(minorUnits: 699, currency: .eur))
        }
    }

    @Test("an edit is seen at once, changes the version, and an order is charged the price of its moment")
    func edits() async throws {
        try await withStore { store in
            let before = try await store.catalog()
            #expect(try await store.catalog().version == before.version)
            let lamp = Product(
                productId: ProductID("skin-lamp"), name: "Lamp", kind: .skin,
                price: Money(minorUnits: 1000, currency: .usd))
            #expect(try await store.save(lamp))
            #expect(try await !store.save(lamp))
            let sale = Promotion(
                promotionId: "sale", productId: lamp.productId, percentOff: 25, startsAt: .now - .seconds(1),
                endsAt: .now + .seconds(60))
            #expect(try await store.save(sale))
            let after = try await store.catalog()
            #expect(after.version != before.version)
            let entry = try #require(after.products.first { $0.productId == lamp.productId })
            #expect(entry.finalPrice == Money(minorUnits: 750, currency: .usd))
            let placed = try await store.placeOrder(
                player: StoreHouse.player, product: lamp.productId, paymentMethod: "pm", idempotencyKey: "k")
            #expect(placed.order.amount == entry.finalPrice && placed.order.promotionId == "sale")
        }
    }

    @Test("what is no longer active is neither shown nor sold")
    func inactive() async throws {
        try await withStore { store in
            let old = try #require(FirstProducts.all.first)
            _ = try await store.save(
                Product(productId: old.productId, name: old.name, kind: old.kind, price: old.price, isActive: false))
            #expect(try await !store.catalog().products.contains { $0.productId == old.productId })
            await #expect(throws: StoreError.unknownProduct(old.productId)) {
                try await store.placeOrder(
                    player: StoreHouse.player, product: old.productId, paymentMethod: "pm", idempotencyKey: "k")
            }
        }
    }

    @Test("a promotion of an unknown product is refused")
    func unknownProduct() async throws {
        try await withStore { store in
            await #expect(throws: StoreError.self) {
                try await store.save(
                    Promotion(
                        promotionId: "p", productId: ProductID("nope"), percentOff: 10, startsAt: .now,
                        endsAt: .now + .seconds(1)))
            }
        }
    }
}

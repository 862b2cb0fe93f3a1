import GameModel
import Records
import TestSupport
import Testing

@testable import Store

@Suite("Catalog's draft")
struct CatalogEditorTests {
    private static let by = CatalogHouse.developer

    @Test("an edit is in the draft and in the log, and nowhere else until it is published")
    func draft() async throws {
        try await CatalogHouse.open { house in
            let editor = house.store.editor
            let lamp = CatalogHouse.potion("lamp")
            #expect(try await editor.save(lamp, by: Self.by))
            #expect(try await !editor.save(lamp, by: Self.by))
            #expect(try await editor.save(CatalogHouse.sale("lamp-sale", on: ["lamp"]), by: "cli:me@here"))
            #expect(try await editor.draft().products.contains(lamp))
            #expect(try await house.shown()["lamp"] == nil)
            #expect(
                try await editor.changes() == [
                    CatalogChange(kind: .added, subject: "product lamp"),
                    CatalogChange(kind: .added, subject: "promotion lamp-sale"),
                ])
            let version = try await editor.publish(note: "Let there be light", by: Self.by)
            #expect(version.version == 2 && version.publishedBy == Self.by && version.note == "Let there be light")
            #expect(version.publishedAt == CatalogHouse.start)
            #expect(try await house.shown()["lamp"]?.prices.first?.finalMinorUnits == 749)
            #expect(try await editor.changes().isEmpty)
            let log = try await house.changes()
            #expect(log.map(\.action) == ["product.save", "promotion.save", "catalog.publish"])
            #expect(log.map(\.subject) == ["product lamp", "promotion lamp-sale", "catalog"])
            #expect(log.map(\.by) == [Self.by, "cli:me@here", Self.by])
            #expect(log.last?.before == "version 1" && log.last?.after == "version 2, 2 changes: Let there be light")
            #expect(log.first?.before == nil && log.first?.after?.contains("\"productId\":\"lamp\"") == true)
        }
    }

    @Test("a change keeps what was before, and is told field by field")
    func fields() async throws {
        try await CatalogHouse.open { house in
            let editor = house.store.editor
            let old = CatalogHouse.potion("lamp")
            try await house.publish([old], [CatalogHouse.sale()])
            let new = Product(
                productId: old.productId, name: "Lantern", kind: .item,
                prices: [Money(minorUnits: 899, currency: .eur), Money(minorUnits: 950, currency: .usd)], quantity: 3,
                limitPerPlayer: 2, availableFrom: Instant(milliseconds: 1_800_000_000_500))
            #expect(try await !editor.save(new, by: Self.by))
            let longer = Promotion(
                promotionId: "sale", name: "sale", percentOff: 25, startsAt: CatalogHouse.start,
                endsAt: CatalogHouse.start + .milliseconds(60_001))
            #expect(try await !editor.save(longer, by: Self.by))
            let changes = try await editor.changes()
            #expect(changes.map(\.subject) == ["product lamp", "promotion sale"])
            #expect(
                changes.first?.fields == [
                    "name: Lamp → Lantern", "prices: 9.99 EUR → 8.99 EUR, 9.50 USD", "virtualPrices: 900 gems → none",
                    "limitPerPlayer: none → 2", "availableFrom: none → 2027-01-15T08:00:00Z and 500 ms",
                ])
            #expect(changes.last?.fields == ["endsAt: 2027-01-15T08:01:00Z → 2027-01-15T08:01:00Z and 1 ms"])
            let log = try await house.changes().filter { $0.subject == "product lamp" }
            #expect(log.last?.before == log.first?.after && log.last?.before != nil)
        }
    }

    @Test("what is wrong is refused at once, and neither drafted nor logged")
    func refused() async throws {
        try await CatalogHouse.open { house in
            let editor = house.store.editor
            func field(_ body: () async throws -> Bool) async -> String? {
                let error = await #expect(throws: StoreError.self) { _ = try await body() }
                if case .invalidField(let name, _)? = error { return name }
                return nil
            }
            let bundle = Product(
                productId: ProductID("b"), name: "B", kind: .bundle, prices: [Money(minorUnits: 99, currency: .eur)],
                parts: [Product.Part(productId: ProductID("nothing"))])
            #expect(await field { try await editor.save(bundle, by: Self.by) } == "parts[0].productId")
            #expect(
                await field { try await editor.save(CatalogHouse.potion(price: 9), by: Self.by) }
                    == "prices[0].minorUnits")
            #expect(
                await field { try await editor.save(CatalogHouse.potion(picture: "ab/x.png"), by: Self.by) }
                    == "picture")
            try await house.storePicture("ab/x.png", isStored: false)
            #expect(
                await field { try await editor.save(CatalogHouse.potion(picture: "ab/x.png"), by: Self.by) }
                    == "picture")
            let foreign = CatalogHouse.sale("p", on: ["nothing"])
            #expect(await field { try await editor.save(foreign, by: Self.by) } == "productIds[0]")
            #expect(try await editor.save(CatalogHouse.sale("one", code: "CODE"), by: Self.by))
            let second = CatalogHouse.sale("two", code: "CODE")
            #expect(await field { try await editor.save(second, by: Self.by) } == "code")
            #expect(await field { try await editor.save(CatalogHouse.sale("three", 91), by: Self.by) } == "percentOff")
            #expect(try await house.changes().map(\.subject) == ["promotion one"])
        }
    }

    @Test("a product that others name can be removed, and keeps the draft from being published until they let go of it")
    func removal() async throws {
        try await CatalogHouse.open { house in
            let editor = house.store.editor
            try await house.publish(
                [CatalogHouse.potion(), CatalogHouse.potion("lamp")], [CatalogHouse.sale(on: ["lamp"])])
            try await editor.remove(product: ProductID("lamp"), by: Self.by)
            let problem = "promotion sale: productIds[0]: expected a product of this catalog, got lamp"
            #expect(try await editor.problems() == [problem])
            await #expect(throws: StoreError.invalidDraft([problem])) {
                try await editor.publish(note: "", by: Self.by)
            }
            #expect(try await house.shown().version == 2)
            try await editor.remove(promotion: "sale", by: Self.by)
            #expect(try await editor.publish(note: "", by: Self.by).version == 3)
            #expect(try await house.shown()["lamp"] == nil)
            await #expect(throws: StoreError.unknownProduct(ProductID("lamp"))) {
                try await editor.remove(product: ProductID("lamp"), by: Self.by)
            }
            await #expect(throws: StoreError.unknownPromotion("sale")) {
                try await editor.remove(promotion: "sale", by: Self.by)
            }
            #expect(
                try await house.changes().suffix(3).map(\.action) == [
                    "product.remove", "promotion.remove", "catalog.publish",
                ])
        }
    }

    @Test("an import takes the draft's place as a whole, or not at all")
    func replacement() async throws {
        try await CatalogHouse.open { house in
            let editor = house.store.editor
            try await house.publish([CatalogHouse.potion(), CatalogHouse.potion("lamp")])
            let (draft, logged) = (try await editor.draft(), try await house.changes().count)
            let wrong = CatalogDocument(products: [CatalogHouse.potion("new"), CatalogHouse.potion("bad", price: 1)])
            await #expect(
                throws: StoreError.invalidDraft([
                    "product bad: prices[0].minorUnits: expected 50 to 99999999 (EUR), got 1"
                ])
            ) { try await editor.replaceDraft(with: wrong, by: Self.by) }
            #expect(try await editor.draft() == draft)
            #expect(try await house.changes().count == logged)
            let right = CatalogDocument(products: [CatalogHouse.potion("new"), CatalogHouse.potion()])
            try await editor.replaceDraft(with: right, by: Self.by)
            #expect(try await editor.draft().products.map(\.productId.rawValue) == ["new", "potion"])
            let log = try await house.changes().dropFirst(logged)
            #expect(
                log.map { "\($0.action) \($0.subject)" } == ["product.save product new", "product.remove product lamp"])
        }
    }

    @Test("versions stay as they were, newest first, and an old one can be brought back as a new one")
    func versions() async throws {
        try await CatalogHouse.open { house in
            let editor = house.store.editor
            let first = try await house.publish([CatalogHouse.potion()])
            house.clock.advance(.seconds(1))
            try await house.publish([CatalogHouse.potion(price: 500), CatalogHouse.potion("lamp")])
            #expect(try await editor.versions(limit: 2).map(\.version) == [3, 2])
            #expect(try await editor.versions(limit: 0).count == 1)
            #expect(try await editor.version(2) == first)
            await #expect(throws: StoreError.unknownVersion(9)) { try await editor.version(9) }
            try await editor.replaceDraft(with: try await editor.version(2).document, by: Self.by)
            let reverted = try await editor.publish(note: "as in version 2", by: Self.by)
            #expect(reverted.version == 4 && reverted.document == first.document)
            #expect(try await house.shown()["lamp"] == nil)
        }
    }

    @Test("of two who publish at once, each version holds all edits before it, and none is published twice")
    func together() async throws {
        try await CatalogHouse.open { house in
            try await house.publish([CatalogHouse.potion()])
            let editors = [house.store.editor, house.another().editor]
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<20 {
                    group.addTask {
                        let editor = editors[index % 2]
                        _ = try await editor.save(CatalogHouse.potion("lamp-\(index)"), by: "editor-\(index % 2)")
                        let version = try await editor.publish(note: "", by: "editor-\(index % 2)")
                        #expect(version.document.products.contains { $0.productId.rawValue == "lamp-\(index)" })
                    }
                }
                try await group.waitForAll()
            }
            let versions = try await house.store.editor.versions(limit: 100)
            #expect(Set(versions.map(\.document)).count == versions.count)
            #expect(versions.map(\.version) == Array((1...versions.count).reversed()))
            for (newer, older) in zip(versions, versions.dropFirst()).dropLast() {
                #expect(Set(newer.document.products).isSuperset(of: older.document.products))
            }
            #expect(versions.first?.document.products.count == 21)
        }
    }

    @Test("a note is short and visible")
    func note() async throws {
        try await CatalogHouse.open { house in
            for note in [String(repeating: "a", count: 501), "a\u{0}"] {
                let error = await #expect(throws: StoreError.self) {
                    try await house.store.editor.publish(note: note, by: Self.by)
                }
                guard case .invalidField("note", _)? = error else {
                    Issue.record("\(String(describing: error))")
                    continue
                }
            }
        }
    }
}

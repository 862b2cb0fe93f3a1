import GameModel
import Testing

@testable import Store

@Suite("Catalog as a file")
struct CatalogFileTests {
    private func reading(_ json: String) throws -> CatalogDocument { try CatalogDocument(json: Array(json.utf8)) }

    private static let everything = CatalogDocument(
        products: FirstProducts.all + [
            Product(
                productId: ProductID("all"), name: "Größe \"quoted\" / 中", description: "Two\nlines", kind: .item,
                prices: Currency.allCases.map { Money(minorUnits: 20_000, currency: $0) },
                virtualPrices: [VirtualMoney(amount: 5, currency: "gems")], quantity: 3, limitPerPlayer: 4,
                availableFrom: Instant(milliseconds: 1), availableUntil: Instant(milliseconds: 2_000_000_000_001),
                picture: "ab/c.png", isActive: false)
        ],
        promotions: [
            Promotion(
                promotionId: "s", name: "Sale", productIds: [ProductID("all")],
                amountsOff: [Money(minorUnits: 100, currency: .eur)], code: "FROST-10",
                startsAt: Instant(milliseconds: 5), endsAt: Instant(milliseconds: 6), limitPerPlayer: 1, limitTotal: 2,
                stacking: .stackable),
            Promotion(
                promotionId: "t", name: "T", percentOff: 5, startsAt: Instant(milliseconds: 5),
                endsAt: Instant(milliseconds: 6)),
        ])

    @Test("what is exported and imported is the same, and exports again to the same bytes")
    func roundTrip() throws {
        let json = try Self.everything.json
        let read = try CatalogDocument(json: json)
        #expect(read == Self.everything)
        #expect(try read.json == json)
        #expect(String(decoding: json, as: UTF8.self).contains("\n      \"name\" : \"Moss Giant\""))
    }

    @Test("only ids, names, kinds, times and a discount must be there")
    func short() throws {
        let document = try reading(
            """
            {"products":[{"productId":"a","name":"A","kind":"bundle","parts":[{"productId":"b"}]}],
             "promotions":[{"promotionId":"p","percentOff":5,"startsAt":1,"endsAt":2}]}
            """)
        #expect(document.products.first?.parts == [Product.Part(productId: ProductID("b"), quantity: 1)])
        #expect(document.products.first?.isActive == true && document.promotions.first?.name == "p")
    }

    @Test(
        "what is wrong in a file is named by its path, with what was expected and what came",
        arguments: [
            ("", "document", "expected JSON"), ("[]", "document", "expected an object, got a list"),
            ("{\"products\":[]}", "promotions", "is missing"),
            (
                product("\"prices\":[{\"minorUnits\":5,\"currency\":\"EURO\"}]"), "products[1].prices[0].currency",
                "got 'EURO'"
            ),
            (
                product("\"prices\":[{\"minorUnits\":4.99,\"currency\":\"EUR\"}]"), "products[1].prices[0].minorUnits",
                "4.99"
            ),
            (
                product("\"prices\":[{\"minorUnits\":\"5\",\"currency\":\"EUR\"}]"), "products[1].prices[0].minorUnits",
                "expected a whole number, got '5'"
            ),
            (product("\"prices\":[{\"currency\":\"EUR\"}]"), "products[1].prices[0].minorUnits", "is missing"),
            (product("\"prices\":{}"), "products[1].prices", "expected a list, got an object"),
            (product("\"active\":\"yes\""), "products[1].active", "expected true or false, got 'yes'"),
            (
                product("\"kind\":\"hat\""), "products[1].kind",
                "expected one of skin, item, currency_pack, bundle, got 'hat'"
            ),
            (product("\"productId\":\"a b\""), "products[1].productId", "got 'a b'"),
            (product("\"limtPerPlayer\":5"), "products[1].limtPerPlayer", "check its spelling"),
            (
                product("\"credit\":{\"amount\":5,\"currency\":\"gems\",\"bonus\":1}"), "products[1].credit.bonus",
                "check its spelling"
            ),
            (
                product("\"prices\":[{\"minorUnits\":50,\"currency\":\"EUR\",\"vat\":1}]"), "products[1].prices[0].vat",
                "is no field"
            ),
            ("{\"products\":[],\"promotions\":[],\"version\":3}", "version", "is no field"),
            ("{\"products\":[],\"promotions\":[{\"promotionId\":\"p\"}]}", "promotions[0].startsAt", "is missing"),
            (
                "{\"products\":[],\"promotions\":[{\"promotionId\":\"p\",\"startsAt\":1,\"endsAt\":null}]}",
                "promotions[0].endsAt", "got null"
            ),
        ])
    func paths(json: String, path: String, reason: String) {
        let error = #expect(throws: StoreError.self) { try reading(json) }
        guard case .invalidField(let name, let words)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(name == path)
        #expect(words.contains(reason), "\(words)")
    }

    /// A file whose second product has a field more.
    private static func product(_ field: String) -> String {
        let good = "{\"productId\":\"a\",\"name\":\"A\",\"kind\":\"item\"}"
        let base = ["productId": "\"b\"", "name": "\"B\"", "kind": "\"item\""]
        let name = field.split(separator: "\"").first.map(String.init) ?? ""
        let others = base.filter { $0.key != name }.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\($0.value)" }
        return "{\"products\":[\(good),{\((others + [field]).joined(separator: ","))}],\"promotions\":[]}"
    }

    @Test("a file that is too large is not read")
    func large() {
        let bytes = [UInt8](repeating: UInt8(ascii: " "), count: CatalogDocument.fileBytesMax + 1)
        #expect(throws: StoreError.self) { try CatalogDocument(json: bytes) }
    }
}

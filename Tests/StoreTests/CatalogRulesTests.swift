import GameModel
import Testing

@testable import Store

@Suite("Catalog's rules")
struct CatalogRulesTests {
    private static let euro = [Money(minorUnits: 499, currency: .eur)]

    private static func money(_ minorUnits: Int64, _ currency: Currency = .eur) -> [Money] {
        [Money(minorUnits: minorUnits, currency: currency)]
    }

    private static func gems(_ amount: Int64, _ currency: String = "gems") -> VirtualMoney {
        VirtualMoney(amount: amount, currency: currency)
    }

    private static func product(
        _ id: String = "p", name: String = "P", description: String = "", kind: ProductKind = .item,
        prices: [Money] = euro, virtualPrices: [VirtualMoney] = [], quantity: Int = 1, credit: VirtualMoney? = nil,
        parts: [String] = [], limit: Int? = nil, from: Int64? = nil, until: Int64? = nil, picture: String? = nil,
        isActive: Bool = true
    ) -> Product {
        Product(
            productId: ProductID(id), name: name, description: description, kind: kind, prices: prices,
            virtualPrices: virtualPrices, quantity: quantity, credit: credit,
            parts: parts.map { Product.Part(productId: ProductID($0)) }, limitPerPlayer: limit,
            availableFrom: from.map { Instant(milliseconds: $0) },
            availableUntil: until.map { Instant(milliseconds: $0) }, picture: picture, isActive: isActive)
    }

    private static func promotion(
        _ id: String = "s", name: String = "S", on products: [String] = [], percent: Int? = 10,
        amounts: [Money] = [], code: String? = nil, from: Int64 = 0, to: Int64 = 1, perPlayer: Int? = nil,
        total: Int? = nil
    ) -> Promotion {
        Promotion(
            promotionId: id, name: name, productIds: products.map { ProductID($0) }, percentOff: percent,
            amountsOff: amounts, code: code, startsAt: Instant(milliseconds: from), endsAt: Instant(milliseconds: to),
            limitPerPlayer: perPlayer, limitTotal: total)
    }

    @Test("what is right has no fault")
    func right() {
        let products = [
            Self.product(
                description: "Two\nlines", virtualPrices: [Self.gems(1), Self.gems(1, "gold")], quantity: 1_000),
            Self.product(kind: .skin, limit: 1), Self.product(kind: .currencyPack, credit: Self.gems(1_000_000_000)),
            Self.product(kind: .bundle, parts: ["a", "b"], limit: 1_000_000), Self.product(from: 0, until: 1),
            Self.product(prices: [], virtualPrices: [Self.gems(1_000_000_000)]),
            Self.product(prices: [], isActive: false), Self.product(prices: Self.money(99_999_999)),
            Self.product(name: "Ω 🗡 " + String(repeating: "a", count: 76)),
        ]
        for product in products { #expect(product.faults() == [], "\(product)") }
        let promotions = [
            Self.promotion(on: ["a", "b"], code: "FROST-10"), Self.promotion(percent: 1, perPlayer: 1, total: 1),
            Self.promotion(percent: nil, amounts: Self.money(1) + Self.money(10, .kwd)),
        ]
        for promotion in promotions { #expect(promotion.faults() == [], "\(promotion)") }
    }

    @Test("what is wrong with a product names the field, what was expected and what came")
    func products() {
        let wrong: [(Product, String, String)] = [
            (Self.product("Skin A"), "productId", "got 'Skin A'"), (Self.product(name: ""), "name", "got ''"),
            (Self.product(name: "   "), "name", "expected 1 to 80 visible characters"),
            (Self.product(name: "a\u{202E}b"), "name", "got '"),
            (Self.product(name: String(repeating: "a", count: 81)), "name", "1 to 80"),
            (Self.product(description: "a\u{7}"), "description", "up to 2000 visible characters"),
            (Self.product(description: String(repeating: "a", count: 2_001)), "description", "got 2001"),
            (Self.product(prices: Self.money(49)), "prices[0].minorUnits", "expected 50 to 99999999 (EUR), got 49"),
            (Self.product(prices: Self.money(-1)), "prices[0].minorUnits", "got -1"),
            (Self.product(prices: Self.money(100_000_000)), "prices[0].minorUnits", "got 100000000"),
            (
                Self.product(prices: Self.euro + Self.money(29, .gbp)), "prices[1].minorUnits",
                "expected 30 to 99999999 (GBP)"
            ),
            (Self.product(prices: Self.money(49, .jpy)), "prices[0].minorUnits", "expected 50 to 99999999 (JPY)"),
            (Self.product(prices: Self.money(17_499, .huf)), "prices[0].minorUnits", "expected 17500 to"),
            (
                Self.product(prices: Self.money(1_005, .kwd)), "prices[0].minorUnits",
                "expected a multiple of 10 (KWD), got 1005"
            ),
            (Self.product(prices: Self.euro + Self.euro), "prices[1].currency", "got EUR again"),
            (Self.product(prices: []), "prices", "expected a price in prices or virtualPrices, or active: false"),
            (Self.product(virtualPrices: [Self.gems(0)]), "virtualPrices[0].amount", "expected 1 to 1000000000, got 0"),
            (Self.product(virtualPrices: [Self.gems(1_000_000_001)]), "virtualPrices[0].amount", "got 1000000001"),
            (
                Self.product(virtualPrices: [Self.gems(1, "EUR")]), "virtualPrices[0].currency",
                "expected 1 to 16 of a-z, got 'EUR'"
            ),
            (Self.product(virtualPrices: [Self.gems(1, "")]), "virtualPrices[0].currency", "got ''"),
            (Self.product(virtualPrices: [Self.gems(1), Self.gems(2)]), "virtualPrices[1].currency", "got gems again"),
            (
                Self.product(virtualPrices: "abcdefghi".map { Self.gems(1, String($0)) }), "virtualPrices",
                "expected at most 8, got 9"
            ),
            (Self.product(quantity: 0), "quantity", "expected 1 to 1000 for an item, got 0"),
            (Self.product(quantity: 1_001), "quantity", "got 1001"),
            (Self.product(kind: .skin, quantity: 2), "quantity", "expected 1 for a skin, got 2"),
            (
                Self.product(kind: .skin, limit: 2), "limitPerPlayer",
                "expected 1 or none, because a skin is owned once, got 2"
            ),
            (Self.product(kind: .currencyPack), "credit", "expected what the pack puts into the wallet, got none"),
            (Self.product(kind: .currencyPack, credit: Self.gems(0)), "credit.amount", "got 0"),
            (Self.product(kind: .currencyPack, credit: Self.gems(5, "Gems")), "credit.currency", "got 'Gems'"),
            (Self.product(credit: Self.gems(5)), "credit", "expected none for an item, got 5 gems"),
            (
                Self.product(kind: .currencyPack, virtualPrices: [Self.gems(4)], credit: Self.gems(5)),
                "virtualPrices[0].currency", "gems can't be bought with itself"
            ),
            (Self.product(kind: .bundle), "parts", "expected 1 to 20 for a bundle, got 0"),
            (Self.product(kind: .bundle, parts: (0..<21).map { "p\($0)" }), "parts", "got 21"),
            (Self.product(parts: ["a"]), "parts", "expected none for an item, got 1"),
            (Self.product(kind: .bundle, parts: ["a", "a"]), "parts[1].productId", "got a again: raise its quantity"),
            (Self.product(limit: 0), "limitPerPlayer", "expected 1 to 1000000, or none, got 0"),
            (Self.product(from: 5, until: 5), "availableUntil", "expected a time after availableFrom (5), got 5"),
            (Self.product(from: -1), "availableFrom", "expected Unix milliseconds up to the year 9999, got -1"),
            (Self.product(until: .max), "availableUntil", "up to the year 9999"),
        ]
        for (product, field, reason) in wrong { expect(product.faults(), field, reason) }
    }

    @Test("what is wrong with a promotion names the field, what was expected and what came")
    func promotions() {
        let wrong: [(Promotion, String, String)] = [
            (Self.promotion("p p"), "promotionId", "got 'p p'"), (Self.promotion(name: "\n"), "name", "1 to 80"),
            (
                Self.promotion(percent: nil), "percentOff",
                "expected a percentage, or amounts in amountsOff, got neither"
            ),
            (Self.promotion(amounts: Self.money(1)), "amountsOff", "expected none beside percentOff"),
            (Self.promotion(percent: 0), "percentOff", "expected 1 to 90 percent, got 0"),
            (Self.promotion(percent: 91), "percentOff", "got 91"),
            (
                Self.promotion(percent: nil, amounts: Self.money(0)), "amountsOff[0].minorUnits",
                "expected 1 to 99999999 (EUR)"
            ),
            (Self.promotion(percent: nil, amounts: Self.money(15, .kwd)), "amountsOff[0].minorUnits", "multiple of 10"),
            (
                Self.promotion(percent: nil, amounts: Self.money(1) + Self.money(2)), "amountsOff[1].currency",
                "EUR again"
            ),
            (Self.promotion(code: "abcd"), "code", "expected 4 to 32 of A-Z, 0-9 and '-', or none, got 'abcd'"),
            (Self.promotion(code: "ABC"), "code", "got 'ABC'"),
            (Self.promotion(code: String(repeating: "A", count: 33)), "code", "4 to 32"),
            (Self.promotion(from: 5, to: 5), "endsAt", "expected a time after startsAt (5), got 5"),
            (Self.promotion(from: -1), "startsAt", "got -1"), (Self.promotion(perPlayer: 0), "limitPerPlayer", "got 0"),
            (Self.promotion(total: 1_000_001), "limitTotal", "got 1000001"),
            (Self.promotion(on: ["a", "a"]), "productIds[1]", "got a again"),
            (Self.promotion(on: (0..<201).map { "p\($0)" }), "productIds", "expected at most 200"),
        ]
        for (promotion, field, reason) in wrong { expect(promotion.faults(), field, reason) }
    }

    private func expect(
        _ faults: [CatalogFault], _ field: String, _ reason: String, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(faults.map(\.field) == [field], "\(reason)", sourceLocation: sourceLocation)
        #expect(
            faults.first?.reason.contains(reason) == true, "\(faults) should say: \(reason)",
            sourceLocation: sourceLocation)
    }

    @Test("what products and promotions say about each other must be so, a line for each that is not")
    func together() {
        let bundle = Self.product(
            "bundle", kind: .bundle, virtualPrices: [Self.gems(400)], parts: ["skin", "pack", "other-bundle", "none"])
        let twoSkins = Product(
            productId: ProductID("other-bundle"), name: "B", kind: .bundle, prices: Self.euro,
            parts: [Product.Part(productId: ProductID("skin"), quantity: 2)])
        let document = CatalogDocument(
            products: [
                bundle, twoSkins, Self.product("skin", kind: .skin, picture: "known"),
                Self.product("pack", kind: .currencyPack, credit: Self.gems(500)),
                Self.product("item", picture: "lost"),
                Self.product("item"),
            ],
            promotions: [
                Self.promotion("a", on: ["skin", "gone"], code: "SAME"), Self.promotion("b", code: "SAME"),
                Self.promotion("b"),
            ])
        #expect(
            document.problems { $0 == "known" } == [
                "product bundle: virtualPrices[0].currency: "
                    + "expected another currency than that of pack in it, got gems",
                "product bundle: parts[2].productId: expected no bundle, got other-bundle: name its parts instead",
                "product bundle: parts[3].productId: expected a product of this catalog, got none",
                "product other-bundle: parts[0].quantity: expected 1, because a skin is owned once, got 2",
                "product item: picture: expected the key of an uploaded picture, got 'lost'",
                "product item: productId: expected each id once",
                "promotion a: productIds[1]: expected a product of this catalog, got gone",
                "promotion a: code: expected a code of its own, got SAME, which promotion b has",
                "promotion b: code: expected a code of its own, got SAME, which promotion a has",
                "promotion b: promotionId: expected each id once",
            ])
    }

    @Test("a catalog has its limits")
    func limits() {
        let products = (0...CatalogDocument.productsMax).map { Self.product("p\($0)") }
        let promotions = (0...CatalogDocument.promotionsMax).map { Self.promotion("s\($0)") }
        #expect(
            CatalogDocument(products: products, promotions: promotions).problems { _ in true } == [
                "products: expected at most 1000, got 1001", "promotions: expected at most 500, got 501",
            ])
        let full = CatalogDocument(products: products.dropLast(), promotions: promotions.dropLast())
        #expect(full.problems { _ in true } == [])
    }

    @Test("the lowest charges are those of the card schemes, and no currency's is forgotten")
    func minimumCharges() {
        #expect(
            Currency.eur.minimumCharge == 50 && Currency.gbp.minimumCharge == 30 && Currency.jpy.minimumCharge == 50)
        for currency in Currency.allCases {
            #expect(currency.minimumCharge >= 30 && currency.minimumCharge.isMultiple(of: currency.chargeStep))
        }
    }
}

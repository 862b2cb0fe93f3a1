import GameModel
import Testing

@testable import Store

@Suite("Prices")
struct PricingTests {
    static let now = Instant(milliseconds: 1_800_000_000_000)

    private func lines(_ quote: Quote, _ kind: QuoteLine.Kind) -> [QuoteLine] { quote.lines.filter { $0.kind == kind } }

    @Test("without a promotion the price is the list price, of the first unit where none is named")
    func plain() throws {
        let quote = try Shop().quote()
        #expect(quote.list == 999 && quote.total == 999 && quote.unit == "EUR" && quote.catalogVersion == 7)
        #expect(quote.lines == [QuoteLine(kind: .list, text: "Potion", amount: 999)])
        #expect(try Shop().quote(unit: "USD").money == Money(minorUnits: 1099, currency: .usd))
        let gems = try Shop().quote(unit: "gems")
        #expect(gems.total == 900 && gems.money == nil)
        let shop = Shop(product: Shop.potion(prices: []))
        #expect(try shop.quote().unit == "gems")
    }

    @Test("several pieces are a line that says the price of one, and a percentage is rounded once, for the player")
    func quantity() throws {
        let shop = Shop(Shop.percent("p", 33))
        let quote = try shop.quote(quantity: 3)
        #expect(quote.lines.first?.text == "3 × Potion at 9.99 EUR")
        #expect(quote.list == 2997 && quote.total == 2007)
        #expect(lines(quote, .promotion).map(\.text) == ["33 % off: p"])
        #expect(lines(quote, .promotion).map(\.amount) == [-990])
    }

    @Test("a promotion holds from its start up to its end, the end not included")
    func window() throws {
        let shop = Shop(Shop.percent("p", 50, from: 0, to: 5))
        #expect(try shop.quote(at: Self.now - .milliseconds(1)).promotionIds == [])
        #expect(try shop.quote(at: Self.now).promotionIds == ["p"])
        #expect(try shop.quote(at: Self.now + .milliseconds(4)).promotionIds == ["p"])
        #expect(try shop.quote(at: Self.now + .milliseconds(5)).promotionIds == [])
    }

    @Test("of exclusive promotions the best one holds, whatever their order, and each other one's line says so")
    func exclusive() throws {
        let promotions = [
            Shop.percent("all-20", 20), Shop.percent("potion-30", 30, on: "potion"), Shop.percent("b-30", 30),
            Shop.percent("a-30", 30), Shop.percent("other", 90, on: "sword"),
        ]
        for shop in [Shop(promotions), Shop(promotions.reversed())] {
            let quote = try shop.quote()
            #expect(quote.promotionIds == ["a-30"] && quote.total == 699)
            #expect(
                Set(lines(quote, .refused).map(\.text))
                    == Set(
                        ["all-20", "potion-30", "b-30"].map {
                            "\($0): gives way to a-30"
                        }))
        }
    }

    @Test("stackable promotions go together, percentages of the list price first, amounts after them")
    func stacking() throws {
        let stack = [
            Shop.amount("five", 500, .eur, stacking: .stackable), Shop.percent("ten", 10, stacking: .stackable),
            Shop.percent("twenty", 20, stacking: .stackable),
        ]
        let quote = try Shop(stack).quote()
        #expect(lines(quote, .promotion).map(\.promotionId) == ["ten", "twenty", "five"])
        #expect(lines(quote, .promotion).map(\.amount) == [-100, -200, -500])
        #expect(quote.total == 199)
        let better = try Shop(stack + [Shop.percent("eighty-five", 85)]).quote()
        #expect(better.promotionIds == ["eighty-five"] && better.total == 149)
        let worse = try Shop(stack + [Shop.percent("seventy", 70)]).quote()
        #expect(worse.promotionIds == ["ten", "twenty", "five"])
        #expect(lines(worse, .refused).map(\.text) == ["seventy: gives way to ten, twenty, five"])
    }

    @Test("an amount is taken off its own currency only; a percentage off a virtual price, too")
    func currencies() throws {
        let shop = Shop(Shop.amount("off", 200, .usd))
        #expect(try shop.quote(unit: "USD").total == 899)
        let euro = try shop.quote(unit: "EUR")
        #expect(euro.total == 999)
        #expect(lines(euro, .refused).map(\.text) == ["off: is for prices in USD, not in EUR"])
        #expect(try shop.quote(unit: "gems").total == 900)
        #expect(try Shop(Shop.percent("half", 50)).quote(unit: "gems").total == 450)
    }

    @Test("what is left is what can be charged at least, with a line that makes the sum right")
    func minimum() throws {
        let quote = try Shop(Shop.amount("off", 10_000, .eur)).quote()
        #expect(quote.lines.map(\.amount) == [999, -999, 50] && quote.total == 50)
        #expect(lines(quote, .minimum).map(\.text) == ["at least 0.50 EUR is charged"])
        let cheap = Shop(
            product: Shop.potion(prices: [Money(minorUnits: 50, currency: .eur)]), [Shop.percent("half", 50)])
        #expect(try cheap.quote().promotionIds == [])
        #expect(lines(try cheap.quote(), .refused).map(\.text) == ["half: does not apply: the price can't be lower"])
        let gem = Shop(
            product: Shop.potion(virtualPrices: [VirtualMoney(amount: 1, currency: "gems")]),
            [Shop.percent("half", 50)])
        #expect(try gem.quote(unit: "gems").total == 1)
    }

    @Test("dinars are charged in steps of ten fils")
    func steps() throws {
        let shop = Shop(
            product: Shop.potion(prices: [Money(minorUnits: 4_990, currency: .kwd)]), [Shop.percent("third", 33)])
        #expect(try shop.quote().total == 3_340)
    }

    @Test("a price that is right to the last digit fits, whatever the percentage", arguments: Promotion.percentOffRange)
    func rounding(percent: Int) throws {
        for price in [51, 99, 999, Product.priceMax] {
            let product = Shop.potion(
                prices: [Money(minorUnits: price, currency: .eur)],
                virtualPrices: [VirtualMoney(amount: price, currency: "gems")])
            let total = try Shop(product: product, [Shop.percent("p", percent)]).quote(unit: "gems").total
            #expect(total * 100 <= price * Int64(100 - percent) || total == 1)
            #expect((total + 1) * 100 > price * Int64(100 - percent))
        }
    }

    // MARK: What can't be priced

    @Test("what is not sold at the moment says why; what is unknown, so")
    func notSold() throws {
        let late = Self.now + .seconds(86_400)
        let closed = [
            Shop.potion(isActive: false): "it was taken out of the shop",
            Shop.potion(availableFrom: late): "it is sold from 2027-01-16 on",
            Shop.potion(availableUntil: Self.now): "it was sold until 2027-01-15",
            Shop.potion(prices: [], virtualPrices: []): "it has no price",
        ]
        for (product, reason) in closed {
            #expect(throws: StoreError.notSold(product.productId, reason: reason)) {
                try Shop(product: product).quote()
            }
        }
        #expect(try Shop(product: Shop.potion(availableFrom: Self.now, availableUntil: late)).quote().total == 999)
        #expect(throws: StoreError.unknownProduct(ProductID("lamp"))) {
            let wish = Wish(productId: ProductID("lamp"))
            return try Pricing.quote(
                wish, in: CatalogDocument(), version: 1, uses: PromotionUses(), at: Self.now)
        }
    }

    @Test("a wish that can't be met names its field and what would be right")
    func wishes() throws {
        func reason(_ field: String, _ body: () throws -> Quote) -> String? {
            guard case .invalidField(field, let reason)? = #expect(throws: StoreError.self, performing: body) else {
                return nil
            }
            return reason
        }
        #expect(reason("unit") { try Shop().quote(unit: "GBP") } == "expected EUR or USD or gems, got 'GBP'")
        #expect(reason("quantity") { try Shop().quote(quantity: 0) } == "expected 1 to 100, got 0")
        #expect(reason("quantity") { try Shop().quote(quantity: 101) } == "expected 1 to 100, got 101")
        let dear = Shop(product: Shop.potion(prices: [Money(minorUnits: Product.priceMax / 2, currency: .eur)]))
        #expect(try dear.quote(quantity: 2).total == Product.priceMax - 1)
        #expect(reason("quantity") { try dear.quote(quantity: 3) } == "expected at most 2 at this price, got 3")
        let skin = Product(productId: Shop.id, name: "S", kind: .skin, prices: [Money(minorUnits: 99, currency: .eur)])
        #expect(
            reason("quantity") { try Shop(product: skin).quote(quantity: 2) }
                == "expected 1, because a skin is owned once, got 2")
        let codes = ["AAAA", "BBBB", "CCCC", "DDDD", "EEEE", "FFFF"]
        #expect(reason("codes") { try Shop().quote(codes: codes) } == "expected at most 5, got 6")
        #expect(
            reason("codes[1]") { try Shop().quote(codes: ["GOOD", "no\u{7}"]) }?
                .hasPrefix("expected 4 to 32 of A-Z, 0-9 and '-'") == true)
    }

    // MARK: Codes and limits

    @Test("a promotion with a code holds for those who give it, and is not told of to others")
    func codes() throws {
        let shop = Shop(Shop.percent("secret", 50, code: "FROST-50"))
        #expect(try shop.quote().lines.count == 1)
        let quote = try shop.quote(codes: ["frost-50", "FROST-50"])
        #expect(quote.promotionIds == ["secret"] && quote.lines.count == 2)
    }

    @Test("a code that doesn't hold always gets a line with its reason, and the order would be refused")
    func refusedCodes() throws {
        let shop = Shop([
            Shop.percent("a", 50, code: "LATER", from: 86_400_000, to: 90_000_000),
            Shop.percent("b", 50, code: "EARLIER", from: -10, to: 0), Shop.percent("c", 50, on: "sword", code: "SWORD"),
            Shop.amount("d", 100, .usd, code: "DOLLARS"), Shop.percent("e", 50, code: "MINE", limitPerPlayer: 1),
            Shop.percent("f", 50, code: "OURS", limitTotal: 10),
            Shop.percent("g", 50, code: "TWICE", limitPerPlayer: 2),
        ])
        let uses = PromotionUses(byPlayer: ["e": 1, "g": 2], total: ["f": 10])
        let reasons = [
            "LATER": "begins on 2027-01-16", "EARLIER": "ended on 2027-01-15", "SWORD": "is not for this product",
            "DOLLARS": "is for prices in USD, not in EUR", "MINE": "was used by you already", "OURS": "is used up",
            "TWICE": "was used by you 2 times already", "NOBODY": "is not known",
        ]
        for (code, reason) in reasons {
            let quote = try shop.quote(codes: [code], uses: uses)
            #expect(lines(quote, .refused).map(\.text) == ["code \(code) \(reason)"])
            #expect(quote.total == 999)
            let refused = try Pricing.refusedCodes(
                of: Wish(productId: Shop.id, codes: [code]), in: shop.document, uses: uses, at: Self.now)
            #expect(refused.map(\.code) == [code] && refused.map(\.reason) == [reason])
        }
        let fewer = PromotionUses(byPlayer: ["e": 0, "g": 1], total: ["f": 9])
        for code in ["MINE", "OURS", "TWICE"] {
            #expect(try shop.quote(codes: [code], uses: fewer).total == 499)
        }
    }

    @Test("a code that loses against a better promotion gets a line, and is no reason to refuse the order")
    func beatenCode() throws {
        let shop = Shop([Shop.percent("sale", 50), Shop.percent("coupon", 10, code: "COUPON")])
        let quote = try shop.quote(codes: ["COUPON"])
        #expect(quote.total == 499)
        #expect(lines(quote, .refused).map(\.text) == ["code COUPON gives way to sale"])
        let refused = try Pricing.refusedCodes(
            of: Wish(productId: Shop.id, codes: ["COUPON"]), in: shop.document, uses: PromotionUses(), at: Self.now)
        #expect(refused.isEmpty)
    }

    @Test("a promotion that is used up says so, and the next best holds")
    func usedUp() throws {
        let shop = Shop([Shop.percent("first", 50, limitTotal: 100), Shop.percent("second", 20)])
        let quote = try shop.quote(uses: PromotionUses(total: ["first": 100]))
        #expect(quote.promotionIds == ["second"])
        #expect(lines(quote, .refused).map(\.text) == ["first: is used up"])
    }
}

/// One product with its promotions.
struct Shop {
    static let id = ProductID("potion")
    let document: CatalogDocument

    init(product: Product = Self.potion(), _ promotions: [Promotion] = []) {
        document = CatalogDocument(products: [product], promotions: promotions)
    }

    init(_ promotions: [Promotion]) { self.init(product: Self.potion(), promotions) }

    init(_ promotion: Promotion) { self.init([promotion]) }

    func quote(
        quantity: Int = 1, unit: String? = nil, codes: [String] = [], uses: PromotionUses = PromotionUses(),
        at now: Instant = PricingTests.now
    ) throws -> Quote {
        let wish = Wish(productId: Self.id, quantity: quantity, unit: unit, codes: codes)
        return try Pricing.quote(wish, in: document, version: 7, uses: uses, at: now)
    }

    static func potion(
        prices: [Money] = [
            Money(minorUnits: 999, currency: .eur), Money(minorUnits: 1099, currency: .usd),
        ],
        virtualPrices: [VirtualMoney] = [VirtualMoney(amount: 900, currency: "gems")],
        availableFrom: Instant? = nil, availableUntil: Instant? = nil, isActive: Bool = true
    ) -> Product {
        Product(
            productId: id, name: "Potion", kind: .item, prices: prices, virtualPrices: virtualPrices,
            availableFrom: availableFrom, availableUntil: availableUntil, isActive: isActive)
    }

    static func percent(
        _ id: String, _ percent: Int, on product: String? = nil, code: String? = nil, from: Int64 = -10,
        to: Int64 = 10, limitPerPlayer: Int? = nil, limitTotal: Int? = nil,
        stacking: Promotion.Stacking = .exclusive
    ) -> Promotion {
        Promotion(
            promotionId: id, name: id, productIds: product.map { [ProductID($0)] } ?? [], percentOff: percent,
            code: code, startsAt: PricingTests.now + .milliseconds(from), endsAt: PricingTests.now + .milliseconds(to),
            limitPerPlayer: limitPerPlayer, limitTotal: limitTotal, stacking: stacking)
    }

    static func amount(
        _ id: String, _ amount: Int64, _ currency: Currency, code: String? = nil,
        stacking: Promotion.Stacking = .exclusive
    ) -> Promotion {
        Promotion(
            promotionId: id, name: id, amountsOff: [Money(minorUnits: amount, currency: currency)], code: code,
            startsAt: PricingTests.now - .milliseconds(10), endsAt: PricingTests.now + .milliseconds(10),
            stacking: stacking)
    }
}

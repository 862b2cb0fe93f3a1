import GameModel
import Testing

@testable import Store

@Suite("Prices")
struct PricingTests {
    static let skin = Product(
        productId: ProductID("skin-a"), name: "A", kind: .skin, price: Money(minorUnits: 999, currency: .eur))
    static let now = Instant(milliseconds: 1_000_000)

    static func promotion(
        _ id: String, _ percent: Int, on product: String? = nil, from: Int64 = -10, to: Int64 = 10
    ) -> Promotion {
        Promotion(
            promotionId: id, productId: product.map { ProductID($0) }, percentOff: percent,
            startsAt: now + .milliseconds(from), endsAt: now + .milliseconds(to))
    }

    private func quote(_ promotions: [Promotion], at now: Instant = Self.now) -> Quote {
        Pricing.quote(Self.skin, promotions: promotions, at: now)
    }

    @Test("without a promotion the price is the list price")
    func plain() {
        #expect(quote([]).finalPrice == Self.skin.price)
        #expect(quote([Self.promotion("other", 50, on: "skin-b")]).promotion == nil)
    }

    @Test("a promotion holds from its start up to its end, the end not included")
    func window() {
        let promotions = [Self.promotion("p", 50, from: 0, to: 5)]
        #expect(quote(promotions, at: Self.now - .milliseconds(1)).promotion == nil)
        #expect(quote(promotions).promotion?.promotionId == "p")
        #expect(quote(promotions, at: Self.now + .milliseconds(4)).promotion?.promotionId == "p")
        #expect(quote(promotions, at: Self.now + .milliseconds(5)).promotion == nil)
    }

    @Test("of several the best one wins, whatever their order, and they don't add up")
    func best() {
        let promotions = [
            Self.promotion("all-20", 20), Self.promotion("skin-30", 30, on: "skin-a"),
            Self.promotion("b-30", 30, to: 9), Self.promotion("a-30", 30, to: 9),
        ]
        #expect(quote(promotions).promotion?.promotionId == "a-30")
        #expect(quote(promotions.reversed()).promotion?.promotionId == "a-30")
        #expect(quote(promotions).finalPrice == Money(minorUnits: 699, currency: .eur))
    }

    @Test("the final price is rounded down and never nothing", arguments: Promotion.percentOffRange)
    func rounding(percent: Int) throws {
        for price in [50, 51, 99, 999, 99_999_999] as [Int64] {
            let product = Product(
                productId: ProductID("p"), name: "P", kind: .skin, price: Money(minorUnits: price, currency: .usd))
            let final = Pricing.quote(product, promotions: [Self.promotion("p", percent)], at: Self.now)
                .finalPrice.minorUnits
            #expect(final >= 1)
            #expect(final * 100 <= price * Int64(100 - percent))
            #expect((final + 1) * 100 > price * Int64(100 - percent))
        }
    }

    @Test("what can't be sold is refused, naming the field")
    func validation() {
        func product(_ id: String = "skin-a", name: String = "A", price: Int64 = 100) -> Product {
            Product(
                productId: ProductID(id), name: name, kind: .skin, price: Money(minorUnits: price, currency: .eur))
        }
        func field(_ body: () throws(StoreError) -> Void) -> String? {
            do throws(StoreError) { try body() } catch {
                if case .invalidField(let name, _) = error { return name }
            }
            return nil
        }
        #expect(field { () throws(StoreError) in try product().validate() } == nil)
        #expect(field { () throws(StoreError) in try product("Skin A").validate() } == "productId")
        #expect(field { () throws(StoreError) in try product(name: "").validate() } == "name")
        #expect(field { () throws(StoreError) in try product(name: "a\u{0}").validate() } == "name")
        #expect(field { () throws(StoreError) in try product(price: 49).validate() } == "price.minorUnits")
        #expect(field { () throws(StoreError) in try product(price: -1).validate() } == "price.minorUnits")
        let promotions = [
            Self.promotion("p", 0): "percentOff", Self.promotion("p", 91): "percentOff",
            Self.promotion("p p", 10): "promotionId", Self.promotion("p", 10, from: 5, to: 5): "endsAt",
        ]
        for (promotion, name) in promotions {
            #expect(field { () throws(StoreError) in try promotion.validate() } == name)
        }
    }

    @Test("every state of an order can be reached, and the last ones lead nowhere")
    func states() {
        var reached: Set<OrderState> = [.pending]
        while true {
            let next = reached.union(reached.flatMap(\.next))
            if next == reached { break }
            reached = next
        }
        #expect(reached == Set(OrderState.allCases))
        #expect(OrderState.allCases.filter { $0.next.isEmpty } == [.declined, .refunded, .chargedBack])
        #expect(OrderState.allCases.filter(\.isOpen).allSatisfy { !$0.next.isEmpty })
    }
}

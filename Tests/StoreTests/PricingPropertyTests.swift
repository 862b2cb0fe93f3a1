import GameModel
import Testing

@testable import Store

/// What must hold of every quote, tried on random catalogs against a second, plainer way to price them.
@Suite("Prices, at random")
struct PricingPropertyTests {
    @Test(
        "lines add up, the lower alternative is charged, never below the minimum nor above the list", arguments: 1...8)
    func properties(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        for trial in 0..<2_500 {
            let shop = Shop(product: product(&random), promotions(&random))
            let unit = ["EUR", "JPY", "KWD", "gems"].randomElement(using: &random)
            let quantity = Int.random(in: 1...20, using: &random)
            let codes = Array(["CODE-0", "CODE-2", "CODE-4"].shuffled(using: &random).prefix(2))
            let uses = PromotionUses(byPlayer: ["p1": 1, "p3": 2], total: ["p2": 5, "p5": 3])
            let quote = try shop.quote(quantity: quantity, unit: unit, codes: codes, uses: uses)
            let words = "seed \(seed), trial \(trial): \(quote)"
            #expect(quote.lines.map(\.amount).reduce(0, +) == quote.total, "\(words)")
            #expect(quote.lines.first.map { $0.kind == .list && $0.amount == quote.list } == true, "\(words)")
            let oracle = Self.total(quote, in: shop.document, codes: codes, uses: uses)
            #expect(quote.total == oracle, "\(words)")
            #expect(quote.total <= quote.list, "\(words)")
            #expect(quote.total >= min(quote.list, quote.money?.currency.minimumCharge ?? 1), "\(words)")
            #expect(quote.total.isMultiple(of: quote.money?.currency.chargeStep ?? 1), "\(words)")
            for line in quote.lines {
                switch line.kind {
                case .list, .minimum: #expect(line.amount > 0 && line.promotionId == nil, "\(words)")
                case .promotion: #expect(line.amount < 0 && line.promotionId != nil, "\(words)")
                case .refused: #expect(line.amount == 0, "\(words)")
                }
            }
            #expect(quote.promotionIds.isEmpty == (quote.total == quote.list), "\(words)")
            let kinds = Set(
                shop.document.promotions.filter { quote.promotionIds.contains($0.promotionId) }.map(\.stacking))
            #expect(kinds.count <= 1 && (kinds != [.exclusive] || quote.promotionIds.count == 1), "\(words)")
        }
    }

    /// The price by trying each exclusive promotion and all stackable ones: no lines, no reasons.
    private static func total(
        _ quote: Quote, in document: CatalogDocument, codes: [String], uses: PromotionUses
    ) -> Int64 {
        let currency = Currency(rawValue: quote.unit)
        let usable = document.promotions.filter { promotion in
            let id = promotion.promotionId
            return promotion.startsAt <= PricingTests.now && PricingTests.now < promotion.endsAt
                && (promotion.productIds.isEmpty || promotion.productIds.contains(Shop.id))
                && (promotion.code == nil || codes.contains(promotion.code ?? ""))
                && (promotion.limitPerPlayer ?? .max) > (uses.byPlayer[id] ?? 0)
                && (promotion.limitTotal ?? .max) > (uses.total[id] ?? 0)
        }
        func price(_ promotions: [Promotion]) -> Int64 {
            let step = currency?.chargeStep ?? 1
            var price = quote.list
            for promotion in promotions {
                let percents = (quote.list * Int64(promotion.percentOff ?? 0) + 99) / 100
                let amount = promotion.amountsOff.first { $0.currency == currency }?.minorUnits ?? 0
                price -= (percents + amount + step - 1) / step * step
            }
            return max(price, min(quote.list, currency?.minimumCharge ?? 1))
        }
        let alone = usable.filter { $0.stacking == .exclusive }.map { price([$0]) }
        return (alone + [price(usable.filter { $0.stacking == .stackable }), quote.list]).min() ?? quote.list
    }

    private func product(_ random: inout SplitMix64) -> Product {
        Shop.potion(
            prices: [Currency.eur, .jpy, .kwd].map { currency in
                let most: Int64 = [60, 5_000, 400_000][Int.random(in: 0...2, using: &random)]
                let units = Int64.random(in: 50...most, using: &random)
                return Money(minorUnits: units * currency.chargeStep, currency: currency)
            },
            virtualPrices: [VirtualMoney(amount: .random(in: 1...1_000, using: &random), currency: "gems")])
    }

    private func promotions(_ random: inout SplitMix64) -> [Promotion] {
        (0..<Int.random(in: 0...7, using: &random)).map { index in
            let isPercentage = Bool.random(using: &random)
            let from = Int64.random(in: -20...3, using: &random)
            return Promotion(
                promotionId: "p\(index)", name: "p\(index)",
                productIds: [[], [Shop.id], [ProductID("sword")]].randomElement(using: &random) ?? [],
                percentOff: isPercentage ? .random(in: Promotion.percentOffRange, using: &random) : nil,
                amountsOff: isPercentage
                    ? []
                    : [
                        Money(minorUnits: .random(in: 1...6_000, using: &random), currency: .eur),
                        Money(minorUnits: 10 * .random(in: 1...600, using: &random), currency: .kwd),
                    ],
                code: index.isMultiple(of: 2) ? "CODE-\(index)" : nil, startsAt: PricingTests.now + .milliseconds(from),
                endsAt: PricingTests.now + .milliseconds(from + .random(in: 1...30, using: &random)),
                limitPerPlayer: Bool.random(using: &random) ? .random(in: 1...3, using: &random) : nil,
                limitTotal: Bool.random(using: &random) ? .random(in: 1...6, using: &random) : nil,
                stacking: Bool.random(using: &random) ? .exclusive : .stackable)
        }
    }
}

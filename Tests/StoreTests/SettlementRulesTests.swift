import GameModel
import Testing

@testable import Store

@Suite("What a charge means for its order")
struct SettlementRulesTests {
    private func order(
        _ state: OrderState = .paid, refunded: Int64 = 0, amount: Int64 = 499
    ) -> Order {
        Order(
            orderId: OrderID("o"), playerId: PlayerID("p"), recipient: nil, productId: ProductID("x"), quantity: 1,
            state: state,
            quote: Quote(
                productId: ProductID("x"), quantity: 1, unit: "EUR", list: amount, total: amount, lines: [],
                catalogVersion: 1),
            provider: "stripe", paymentMethod: "pm", refunded: refunded, createdAt: Instant(milliseconds: 0),
            updatedAt: Instant(milliseconds: 0))
    }

    private func charge(
        _ minorUnits: Int64 = 499, _ currency: String = "EUR", of id: String? = "o", back: Int64 = 0,
        isDisputed: Bool = false
    ) -> Charge {
        Charge(
            reference: "pi", orderId: id.map { OrderID($0) }, minorUnits: minorUnits, currency: currency,
            refundedMinorUnits: back, isDisputed: isDisputed)
    }

    @Test("only a charge of this order, of its amount and in its currency makes it paid")
    func verdict() {
        #expect(SettlementRules.verdict(on: order(.verifying), of: charge()) == .paid(charge()))
        for (wrong, words) in [
            (charge(500), "charged 5.00 EUR, not 4.99 EUR"), (charge(498), "charged 4.98 EUR, not 4.99 EUR"),
            (charge(499, "USD"), "charged 4.99 USD, not 4.99 EUR"),
            (charge(499, "XAU"), "charged 499 XAU (minor units), not 4.99 EUR"),
            (charge(of: "other"), "the charge is for another order: other"),
            (charge(of: nil), "the charge is for another order: none"),
        ] {
            #expect(
                SettlementRules.verdict(on: order(.verifying), of: wrong) == .review(reason: words, reference: "pi"))
        }
    }

    @Test("what is booked is the difference between what went back and what is booked of it")
    func aftermath() {
        typealias Aftermath = SettlementRules.Aftermath
        func after(_ charge: Charge, booked: Int64 = 0) -> Aftermath {
            SettlementRules.aftermath(of: charge, for: order(refunded: booked))
        }
        #expect(after(charge()) == Aftermath())
        #expect(after(charge(back: 100)) == Aftermath(refund: 100))
        #expect(after(charge(back: 100), booked: 100) == Aftermath())
        #expect(after(charge(back: 300), booked: 100) == Aftermath(refund: 200))
        #expect(after(charge(back: 499), booked: 100) == Aftermath(refund: 399, isTotal: true))
        #expect(after(charge(isDisputed: true)) == Aftermath(chargeback: 499, isTotal: true))
        #expect(after(charge(back: 99, isDisputed: true)) == Aftermath(refund: 99, chargeback: 400, isTotal: true))
        #expect(after(charge(back: 499, isDisputed: true)) == Aftermath(refund: 499, isTotal: true))
        // A provider that says more than it charged, or takes a refund back, books nothing by itself.
        #expect(after(charge(back: 900)) == Aftermath(refund: 499, isTotal: true))
        let less = after(charge(back: 50), booked: 100)
        #expect(less.refund == 0 && !less.isTotal && less.note?.contains("gave back 50, 100 EUR") == true)
    }

    @Test("whatever the provider says next, no more is booked than was charged, and never less than before")
    func bounds() {
        var random = SplitMix64(seed: 5)
        for _ in 0..<2_000 {
            var (booked, ended) = (Int64(0), false)
            for _ in 0..<6 where !ended {
                let now = charge(
                    back: .random(in: 0...600, using: &random), isDisputed: Int.random(in: 0..<5, using: &random) == 0)
                let after = SettlementRules.aftermath(of: now, for: order(refunded: booked))
                #expect(after.refund >= 0 && after.chargeback >= 0)
                booked += after.refund + after.chargeback
                ended = after.isTotal
                #expect(booked <= 499 && (booked == 499) == ended)
            }
        }
    }

    @Test("a flag keeps each note once, and does not grow for ever")
    func flags() {
        #expect(SettlementRules.flag(nil, adding: nil) == nil && SettlementRules.flag("a", adding: nil) == "a")
        #expect(SettlementRules.flag(nil, adding: "a") == "a" && SettlementRules.flag("a", adding: "b") == "a; b")
        #expect(SettlementRules.flag("a; b", adding: "b") == "a; b")
        let long = String(repeating: "x", count: 2_000)
        #expect(SettlementRules.flag("a", adding: long)?.count == SettlementRules.flagCharactersMax)
    }
}

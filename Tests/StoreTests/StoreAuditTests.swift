import GRDB
import GameModel
import Records
import TestSupport
import Testing

@testable import Store

@Suite("Audit of the store")
struct StoreAuditTests {
    private static let half = Promotion(
        promotionId: "half", name: "Half", percentOff: 50, code: "HALF-OFF", startsAt: Instant(milliseconds: 0),
        endsAt: Instant(milliseconds: .max), limitPerPlayer: 3, limitTotal: 5)

    /// A store with one of everything, and the provider that charged it.
    private func withBooks(_ body: (StoreDesk, FaultyProvider) async throws -> Void) async throws {
        try await StoreDesk.open(promotions: [Self.half]) { desk in
            let provider = FaultyProvider()
            func buy(_ product: ProductID, for recipient: PlayerID? = nil, codes: [String] = []) async throws -> Order {
                let order = try await desk.place(product, for: recipient, codes: codes)
                return try await charged(order, desk, provider)
            }
            let knight = try await buy(StoreDesk.knight, codes: ["HALF-OFF"])
            _ = try await buy(StoreDesk.bundle, for: StoreDesk.friend)
            let pack = try await buy(StoreDesk.gems)
            _ = try await desk.place(StoreDesk.potion, payment: .wallet)
            _ = try await desk.place(StoreDesk.giant, by: StoreDesk.friend, payment: .wallet)
            _ = try await desk.store.inventory.consume(
                StoreDesk.potion, quantity: 2, of: StoreDesk.player, reference: "round 1")
            try await desk.store.inventory.grant(
                StoreDesk.starter, quantity: 2, to: StoreDesk.player, reference: "sorry", by: "cli:me")
            provider.refundOutside("pi_\(pack.orderId)", pack.amount)
            try await desk.giveBack(pack)
            provider.refundOutside("pi_\(knight.orderId)", 100)
            try await desk.giveBack(knight, 100)
            try await desk.settle(try await desk.place(StoreDesk.starter, codes: ["HALF-OFF"]), as: .declined)
            let taken = try await buy(StoreDesk.potion)
            provider.dispute("pi_\(taken.orderId)")
            try await desk.giveBack(taken, as: .chargeback)
            _ = try await desk.place(StoreDesk.starter, codes: ["HALF-OFF"])
            desk.clock.advance(by: .seconds(60))
            try await body(desk, provider)
        }
    }

    private func charged(_ order: Order, _ desk: StoreDesk, _ provider: FaultyProvider) async throws -> Order {
        guard let amount = order.money else { return order }
        _ = try await provider.charge(
            ChargeRequest(orderId: order.orderId, playerId: order.playerId, amount: amount, paymentMethod: "pm"))
        return try await desk.settle(order, as: .paid)
    }

    private func findings(_ desk: StoreDesk, _ provider: FaultyProvider) async throws -> [AuditFinding] {
        let clock = desk.clock
        return try await StoreAudit(repository: desk.repository, providers: [provider], clock: { clock.now }).run()
    }

    private func broken(_ desk: StoreDesk, _ provider: FaultyProvider) async throws -> [String] {
        try await findings(desk, provider).filter { !$0.holds }.map(\.rule)
    }

    @Test("books with one of everything hold, and each rule has something to look at")
    func whole() async throws {
        try await withBooks { desk, provider in
            let findings = try await findings(desk, provider)
            for finding in findings where finding.rule != "each refund that was asked for is owed its settlement" {
                #expect(finding.holds && finding.checked > 0, "\(finding)")
            }
            #expect(findings.contains { $0.note == "1 without a verdict, 0 in review" })
            #expect(Set(findings.map(\.rule)).count == findings.count)
        }
    }

    /// What breaks each rule of the records: at least the rule that it is named with must find it.
    private static let damages: [(damage: String, rule: String)] = [
        (
            "UPDATE transfers SET amount = amount + 1 WHERE kind = 'spend'",
            "each paid order is booked once, with its amount"
        ),
        (
            "UPDATE transfers SET order_id = NULL WHERE kind = 'charge'",
            "each paid order is booked once, with its amount"
        ),
        (
            "DELETE FROM transfers WHERE kind = 'chargeback'",
            "each refunded or charged back order gave back all that it took"
        ),
        (
            "UPDATE purchases SET refunded = 99 WHERE state = 'paid' AND refunded > 0",
            "what an order says was given back is in the ledger, and a paid order keeps some of its price"
        ),
        (
            "UPDATE purchases SET state = 'review', reason = 'x' WHERE product_id = 'skin-knight'",
            "each transfer is of an order that was paid, or a grant's"
        ),
        (
            "UPDATE purchases SET provider_reference = NULL WHERE product_id = 'bundle'",
            "each order's fields fit its state"
        ),
        ("UPDATE purchases SET state = 'lost' WHERE product_id = 'bundle'", "each order's fields fit its state"),
        ("UPDATE purchases SET owner_id = 'x' WHERE product_id = 'bundle'", "each order's fields fit its state"),
        (
            "UPDATE grants SET product_id = 'x' WHERE product_id = 'potion'",
            "each paid order gave its owner all that it sells"
        ),
        (
            "UPDATE grants SET player_id = 'x' WHERE product_id = 'potion'",
            "each paid order gave its owner all that it sells"
        ),
        ("UPDATE transfers SET unit = 'x' WHERE kind = 'credit'", "each paid order gave its owner all that it sells"),
        (
            "DELETE FROM purchase_parts WHERE item = 'skin-giant'",
            "each entitlement comes from an order that was paid and sells it, or from a grant"
        ),
        (
            "UPDATE purchases SET state = 'declined', reason = 'x' WHERE product_id = 'bundle'",
            "each entitlement comes from an order that was paid and sells it, or from a grant"
        ),
        (
            "UPDATE grants SET order_id = NULL WHERE product_id = 'skin-giant'",
            "each entitlement comes from an order that was paid and sells it, or from a grant"
        ),
        (
            "UPDATE grants SET remaining = quantity, revoked_at = NULL",
            "nothing is left of what a refunded or charged back order gave"
        ),
        (
            "DELETE FROM transfers WHERE kind IN ('withdraw', 'loss')",
            "nothing is left of what a refunded or charged back order gave"
        ),
        (
            "UPDATE grants SET revoked_at = 1 WHERE product_id = 'skin-giant'",
            "entitlements = paid − refunded, in pieces of each product"
        ),
        (
            "UPDATE grants SET quantity = quantity + 1 WHERE product_id = 'potion'",
            "entitlements = paid − refunded, in pieces of each product"
        ),
        (
            "UPDATE grants SET remaining = 0 WHERE product_id = 'potion'",
            "what is left of each entitlement is what its history leaves"
        ),
        (
            "DELETE FROM grant_events WHERE kind = 'consumed'",
            "what is left of each entitlement is what its history leaves"
        ),
        (
            "UPDATE grants SET player_id = 'x', product_id = 'skin-giant' WHERE kind = 'skin'",
            "no player owns a skin twice"
        ),
        ("UPDATE balances SET amount = amount + 1 WHERE account = 'sales'", "each balance is the sum of its transfers"),
        ("DELETE FROM balances WHERE account = 'sales'", "each balance is the sum of its transfers"),
        (
            "UPDATE balances SET amount = amount + 1 WHERE account = 'issued'",
            "all balances of a unit add up to zero"
        ),
        (
            "PRAGMA ignore_check_constraints = 1; UPDATE balances SET amount = -1 WHERE account LIKE 'wallet:%'",
            "no wallet holds less than nothing"
        ),
        ("UPDATE promotion_uses SET limit_total = 1", "no promotion was used more often than its limits allow"),
        ("UPDATE promotion_uses SET limit_player = 1", "no promotion was used more often than its limits allow"),
        (
            "UPDATE promotion_uses SET is_void = 1",
            "a promotion's use counts for its payer, until its order is declined"
        ),
        (
            "UPDATE promotion_uses SET is_void = 0",
            "a promotion's use counts for its payer, until its order is declined"
        ),
        ("DELETE FROM outbox", "each order without a verdict is owed its verification"),
        (
            "UPDATE purchases SET body_digest = '' WHERE product_id = 'bundle'",
            "no order that ended keeps a means of payment of a player who was taken out"
        ),
        (
            "UPDATE purchases SET refund_requested_at = 1 WHERE product_id = 'bundle'",
            "each refund that was asked for is owed its settlement"
        ),
    ]

    @Test("each thing that can be wrong in the books is found by its rule", arguments: damages)
    func found(damage: String, rule: String) async throws {
        try await withBooks { desk, provider in
            try await desk.database.write { db in
                try db.execute(sql: damage)
                #expect(db.changesCount > 0)
            }
            let broken = try await broken(desk, provider)
            #expect(broken.contains(rule), "\(broken)")
        }
    }

    @Test("each rule of the records has a damage that it finds")
    func complete() {
        #expect(Set(StoreAuditRule.all.map(\.claim)) == Set(Self.damages.map(\.rule)))
    }

    @Test("what differs between the provider's charges and the orders is found")
    func provider() async throws {
        try await withBooks { desk, provider in
            let bundle = try await desk.store.orders.orders(OrderFilter(productId: StoreDesk.bundle))[0]
            let charge = Charge(
                reference: "pi_\(bundle.orderId)", orderId: bundle.orderId, minorUnits: bundle.amount, currency: "EUR")
            func breaks(_ rule: String, _ change: () -> Void, back: () -> Void) async throws {
                change()
                let broken = try await broken(desk, provider)
                #expect(broken == [rule])
                back()
            }
            let stranger = Charge(reference: "pi_x", orderId: OrderID("x"), minorUnits: 1, currency: "EUR")
            try await breaks("each charge of the provider has its order") {
                provider.chargeOutside(stranger)
            } back: {
                provider.forget("pi_x")
            }
            try await breaks("no order was charged twice") {
                provider.chargeOutside(
                    Charge(reference: "pi_y", orderId: bundle.orderId, minorUnits: bundle.amount, currency: "EUR"))
            } back: {
                provider.forget("pi_y")
            }
            try await breaks("what the provider gave back is booked") {
                provider.refundOutside("pi_\(bundle.orderId)", 1)
            } back: {
                provider.forget("pi_\(bundle.orderId)")
            }
            try await breaks("each paid order was charged") {
            } back: {
                provider.chargeOutside(charge)
            }
            try await breaks("what the provider gave back is booked") {
                provider.dispute("pi_\(bundle.orderId)")
            } back: {
                provider.forget("pi_\(bundle.orderId)")
            }
            try await breaks("each charge is booked with its amount, and its order is paid, under way or in review") {
                provider.chargeOutside(
                    Charge(
                        reference: charge.reference, orderId: bundle.orderId, minorUnits: bundle.amount + 1,
                        currency: "EUR"))
            } back: {
                provider.forget("pi_\(bundle.orderId)")
                provider.chargeOutside(charge)
            }
            #expect(try await broken(desk, provider).isEmpty)
        }
    }

    @Test("orders under way and in review break no rule, whatever was charged")
    func underWay() async throws {
        try await StoreDesk.open { desk in
            let provider = FaultyProvider()
            provider.plan(.wrongAmount)
            let order = try await desk.place(StoreDesk.knight)
            _ = try await provider.charge(
                ChargeRequest(
                    orderId: order.orderId, playerId: order.playerId, amount: Money(minorUnits: 499, currency: .eur),
                    paymentMethod: "pm"))
            #expect(try await broken(desk, provider).isEmpty)
            try await desk.settle(order, as: .review)
            #expect(try await broken(desk, provider).isEmpty)
            _ = try await desk.store.orders.requestRefund(order.orderId, reason: "wrong amount", by: "cli:me")
            #expect(try await broken(desk, provider).isEmpty)
        }
    }

    @Test("each of two providers is asked for its own orders, and named with what it found")
    func providers() async throws {
        try await StoreDesk.open { desk in
            let (stripe, paypal) = (FaultyProvider(), FaultyProvider(name: "paypal"))
            _ = try await charged(try await desk.place(StoreDesk.knight), desk, stripe)
            let other = try await desk.place(StoreDesk.giant, payment: .provider("paypal", method: "vault_1"))
            _ = try await charged(other, desk, paypal)
            func broken(_ providers: [FaultyProvider]) async throws -> [String] {
                try await StoreAudit(repository: desk.repository, providers: providers).run().filter { !$0.holds }
                    .map { "\($0.note ?? "-"): \($0.rule)" }
            }
            #expect(try await broken([stripe, paypal]).isEmpty)
            let transfers = try await desk.store.orders.transfers(of: other.orderId)
            #expect(transfers.map(\.to) == ["provider:paypal"])
            // An order of the one is unknown to the other, whatever it charged.
            _ = try await charged(try await desk.place(StoreDesk.potion), desk, paypal)
            let found = try await broken([stripe, paypal])
            #expect(
                found == ["stripe: each paid order was charged", "paypal: each charge of the provider has its order"])
        }
    }
}

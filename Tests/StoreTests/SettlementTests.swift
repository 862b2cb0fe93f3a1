import GameModel
import Jobs
import Records
import Testing

@testable import Store

/// One test per line of the settlement table's second half: what comes after an order's verdict.
@Suite("Refunds and chargebacks are booked as the provider tells them")
struct SettlementTests {
    private func refund(_ order: Order, _ verifiers: Verifiers) async throws {
        _ = try await verifiers.desk.store.orders.requestRefund(order.orderId, reason: "a mistake", by: "test")
    }

    // MARK: Refunds that were asked for here

    @Test("a refund that was asked for is made once, booked, and takes back what was bought")
    func asked() async throws {
        try await Verifiers.open { verifiers in
            let order = try await verifiers.buy(StoreDesk.bundle)
            try await refund(order, verifiers)
            try await verifiers.run()
            let now = try await verifiers.now(order)
            #expect(now.state == .refunded && now.refunded == 999 && now.refundRequestedAt == nil)
            #expect(now.reason == "a mistake" && now.flag == nil)
            #expect(verifiers.provider.charges.map(\.refundedMinorUnits) == [999])
            #expect(try await verifiers.desk.owned() == [:])
            #expect(try await verifiers.desk.gems() == 0)
            let refunds = try await verifiers.desk.store.orders.transfers(of: order.orderId)
                .filter { $0.kind == .refund }
            #expect(refunds.map(\.reference) == ["re_0_\(order.orderId)"])
            try await verifiers.expectSettled()
        }
    }

    @Test(
        "a refund whose answer is lost, or whose provider is away, is asked for again by the same key: given back once",
        arguments: [
            [FaultyProvider.RefundFault.lostAnswer], [.unreachable, .lostAnswer], [.unreachable, .unreachable],
        ])
    func refundFaults(faults: [FaultyProvider.RefundFault]) async throws {
        try await Verifiers.open { verifiers in
            let order = try await verifiers.buy()
            for fault in faults { verifiers.provider.planRefunds(fault) }
            try await refund(order, verifiers)
            try await verifiers.run()
            #expect(try await verifiers.now(order).state == .refunded)
            #expect(verifiers.provider.charges.map(\.refundedMinorUnits) == [499])
            try await verifiers.expectSettled()
        }
    }

    @Test("a refund that the provider refuses leaves the order paid, with the reason; it can be asked for again")
    func refused() async throws {
        try await Verifiers.open { verifiers in
            let order = try await verifiers.buy()
            verifiers.provider.planRefunds(.refuse)
            try await refund(order, verifiers)
            try await verifiers.run()
            let refused = try await verifiers.now(order)
            #expect(refused.state == .paid && refused.refundRequestedAt == nil)
            #expect(refused.flag == "refund refused: charge_not_refundable")
            #expect(try await verifiers.desk.owned() == [StoreDesk.knight: 1])
            try await verifiers.expectSettled()
            verifiers.desk.clock.advance(by: .seconds(60))
            try await refund(order, verifiers)
            try await verifiers.run()
            #expect(try await verifiers.now(order).state == .refunded)
            try await verifiers.expectSettled()
        }
    }

    @Test("a refund that the provider takes days for is waited for")
    func slow() async throws {
        try await Verifiers.open { verifiers in
            let order = try await verifiers.buy()
            verifiers.provider.planRefunds(.undecided)
            try await refund(order, verifiers)
            try await verifiers.run(atMost: .seconds(2 * 86_400))
            let waiting = try await verifiers.now(order)
            #expect(waiting.state == .paid && waiting.refundRequestedAt != nil)
            verifiers.provider.refundOutside(verifiers.reference(order), 499)
            try await verifiers.run()
            #expect(try await verifiers.now(order).state == .refunded)
            try await verifiers.expectSettled()
        }
    }

    @Test("a refund of what is left, where a part was given back at the provider before")
    func rest() async throws {
        try await Verifiers.open { verifiers in
            let order = try await verifiers.buy()
            verifiers.provider.refundOutside(verifiers.reference(order), 100)
            try await refund(order, verifiers)
            try await verifiers.run()
            let now = try await verifiers.now(order)
            #expect(now.state == .refunded && now.refunded == 499)
            #expect(verifiers.provider.charges.map(\.refundedMinorUnits) == [499])
            try await verifiers.expectSettled()
        }
    }

    @Test("an order in review that was charged is given back: the money came and went, and nothing was granted")
    func review() async throws {
        try await Verifiers.open { verifiers in
            verifiers.provider.plan(.wrongAmount)
            let order = try await verifiers.buy()
            #expect(order.state == .review)
            try await refund(order, verifiers)
            try await verifiers.run()
            let now = try await verifiers.now(order)
            #expect(now.state == .refunded && now.refunded == 500)
            #expect(verifiers.provider.charges.map(\.refundedMinorUnits) == [500])
            let transfers = try await verifiers.desk.store.orders.transfers(of: order.orderId)
            #expect(transfers.map(\.kind) == [.charge, .refund] && transfers.map(\.amount) == [500, 500])
            try await verifiers.expectSettled()
        }
    }

    @Test("a part that was given back during a review is booked once a person lets the order be paid")
    func partInReview() async throws {
        try await Verifiers.open { verifiers in
            verifiers.provider.plan(.wrongAmount)
            let order = try await verifiers.buy()
            verifiers.provider.refundOutside(verifiers.reference(order), 1)
            try await verifiers.hear("evt_1", of: order)
            try await verifiers.run()
            let waiting = try await verifiers.now(order)
            #expect(waiting.state == .review && waiting.flag == "given back in part while in review")
            _ = try await verifiers.desk.store.orders.resolve(
                order.orderId, as: .paid, reason: "fair", charged: Money(minorUnits: 500, currency: .eur), by: "test")
            try await verifiers.hear("evt_2", of: order)
            try await verifiers.run()
            let now = try await verifiers.now(order)
            #expect(now.state == .paid && now.refunded == 1)
            try await verifiers.expectSettled()
        }
    }

    @Test("a review's charge that is another order's is not given back")
    func reviewOfAnother() async throws {
        try await Verifiers.open { verifiers in
            verifiers.provider.plan(.wrongOrder)
            let order = try await verifiers.buy()
            try await refund(order, verifiers)
            try await verifiers.run()
            let now = try await verifiers.now(order)
            #expect(now.state == .review && now.refundRequestedAt == nil)
            #expect(now.flag?.contains("is not of this order") == true)
            #expect(verifiers.provider.charges.map(\.refundedMinorUnits) == [0])
            #expect(try await verifiers.owed() == [])
        }
    }

    // MARK: What happens at the provider

    @Test("a refund made at the provider, in two parts: the second one takes back what was bought")
    func madeOutside() async throws {
        try await Verifiers.open { verifiers in
            let order = try await verifiers.buy()
            verifiers.provider.refundOutside(verifiers.reference(order), 200)
            try await verifiers.hear("evt_1", of: order)
            try await verifiers.run()
            let part = try await verifiers.now(order)
            #expect(part.state == .paid && part.refunded == 200)
            #expect(try await verifiers.desk.owned() == [StoreDesk.knight: 1])
            try await verifiers.expectSettled()
            verifiers.provider.refundOutside(verifiers.reference(order), 299)
            try await verifiers.hear("evt_2", of: order)
            try await verifiers.run()
            let now = try await verifiers.now(order)
            #expect(now.state == .refunded && now.refunded == 499 && now.reason == "refunded at the provider")
            #expect(try await verifiers.desk.owned() == [:])
            try await verifiers.expectSettled()
        }
    }

    @Test("a chargeback takes back what was bought, and flags what was used up")
    func chargeback() async throws {
        try await Verifiers.open { verifiers in
            let order = try await verifiers.buy(StoreDesk.potion)
            _ = try await verifiers.desk.store.inventory.consume(
                StoreDesk.potion, quantity: 2, of: StoreDesk.player, reference: "match 1")
            verifiers.provider.dispute(verifiers.reference(order))
            try await verifiers.hear("evt_1", "charge.dispute.created", of: order)
            try await verifiers.run()
            let now = try await verifiers.now(order)
            #expect(now.state == .chargedBack && now.reason == "charged back")
            #expect(now.flag?.hasPrefix("2 of 3 pieces of potion were used up") == true)
            #expect(try await verifiers.desk.owned() == [:])
            let kinds = try await verifiers.desk.store.orders.transfers(of: order.orderId).map(\.kind)
            #expect(kinds == [.charge, .chargeback])
            try await verifiers.expectSettled()
            // Told again, and by another event: nothing more is booked.
            try await verifiers.hear("evt_2", "charge.dispute.funds_withdrawn", of: order)
            try await verifiers.run()
            #expect(try await verifiers.now(order) == now)
            try await verifiers.expectSettled()
        }
    }

    @Test("a chargeback of an order whose refund was asked for is not given back as well")
    func disputedAndAsked() async throws {
        try await Verifiers.open { verifiers in
            let order = try await verifiers.buy()
            verifiers.provider.dispute(verifiers.reference(order))
            try await refund(order, verifiers)
            try await verifiers.run()
            let now = try await verifiers.now(order)
            #expect(now.state == .chargedBack && now.refundRequestedAt == nil)
            #expect(verifiers.provider.charges.map(\.refundedMinorUnits) == [0])
            try await verifiers.expectSettled()
        }
    }

    @Test("a dispute that was won, and one after a refund, are flagged for a person")
    func flagged() async throws {
        try await Verifiers.open { verifiers in
            let won = try await verifiers.buy()
            verifiers.provider.dispute(verifiers.reference(won))
            try await verifiers.hear("evt_1", of: won)
            try await verifiers.run()
            verifiers.provider.dispute(verifiers.reference(won), isLost: false)
            try await verifiers.hear("evt_2", of: won)
            let twice = try await verifiers.buy(StoreDesk.giant)
            try await refund(twice, verifiers)
            try await verifiers.run()
            verifiers.provider.dispute(verifiers.reference(twice))
            try await verifiers.hear("evt_3", of: twice)
            try await verifiers.run()
            #expect(try await verifiers.now(won).flag == "the dispute was won: the money came back")
            #expect(try await verifiers.now(twice).flag == "disputed after it was refunded")
            #expect(try await verifiers.owed() == [])
            #expect(try await verifiers.desk.broken() == [])
            // Told once more: the money came back once.
            try await verifiers.hear("evt_4", of: won)
            try await verifiers.run()
            let transfers = try await verifiers.desk.store.orders.transfers(of: won.orderId)
            #expect(
                Set(transfers.map { "\($0.kind) \($0.amount) \($0.from) → \($0.to)" }) == [
                    "charge 499 sales → provider:stripe", "chargeback 499 provider:stripe → chargebacks",
                    "reversal 499 chargebacks → provider:stripe",
                ])
            #expect(transfers.count == 3)
            #expect(try await verifiers.desk.broken() == [])
        }
    }

    // MARK: At the same time

    @Test("an order that is changed while the provider is asked is asked about once more")
    func moved() async throws {
        try await Verifiers.open { verifiers in
            let order = try await verifiers.buy()
            let attempts = (1...2).map {
                SettlementsRepository.Attempt(
                    jobId: "job-\($0)", token: UInt64($0), at: verifiers.desk.clock.now)
            }
            let settlements = verifiers.desk.repository.settlements
            let seen = try #require(try await settlements.beginSettling(order.orderId, attempts[0]))
            let old = try #require(verifiers.provider.charges.first)
            // Meanwhile another job books a refund; what the first was told is older than that.
            let newer = SettlementsRepository.Finding(charge: old.giving(back: 200))
            guard case .done = try await settlements.settle(seen, with: newer, attempts[1]),
                case .moved = try await settlements.settle(seen, with: .init(charge: old), attempts[0])
            else {
                Issue.record("the older answer was written")
                return
            }
            let now = try await verifiers.now(order)
            #expect(now.refunded == 200 && now.flag == nil)
        }
    }

    @Test("a settlement waits for the order's verdict")
    func open() async throws {
        try await Verifiers.open { verifiers in
            let order = try await verifiers.place()
            verifiers.provider.isAway = true
            try await verifiers.hear("evt_1", of: order)
            let outcome = try await verifiers.run(
                SettleOrder.jobId(of: order.orderId, cause: "evt_1").rawValue)
            guard case .snoozed = outcome else {
                Issue.record("unexpected \(outcome)")
                return
            }
            verifiers.provider.isAway = false
            try await verifiers.run()
            #expect(try await verifiers.now(order).state == .paid)
            try await verifiers.expectSettled()
        }
    }

    @Test("a settlement that was given up flags its order, and closes the refund that it was to make")
    func givenUp() async throws {
        try await Verifiers.open { verifiers in
            let order = try await verifiers.buy()
            try await refund(order, verifiers)
            let job = try #require(try await verifiers.owed().first)
            let entry = try #require(try await verifiers.desk.database.read { try Outbox.entry(jobId: job, in: $0) })
            let handler = SettleOrderHandler(repository: verifiers.desk.repository, providers: [verifiers.provider])
            let input = Verifiers.input(entry, token: 9, at: verifiers.desk.clock.now)
            try await handler.handler.onBury?(input, Bury("the worker died", reason: .crashed))
            let now = try await verifiers.now(order)
            #expect(now.state == .paid && now.refundRequestedAt == nil)
            #expect(now.flag == "its settlement was given up: the worker died")
            try await verifiers.expectSettled()
        }
    }
}

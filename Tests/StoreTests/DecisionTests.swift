import GRDB
import GameModel
import Jobs
import Records
import Testing

@testable import Store

@Suite("What people decide about orders")
struct DecisionTests {
    private func changes(_ desk: StoreDesk, _ subject: String) async throws -> [ChangeLog.Change] {
        try await desk.database.read { try ChangeLog.changes(subject: subject, limit: 10, in: $0) }
    }

    private func owed(_ desk: StoreDesk) async throws -> [String] {
        try await desk.database.read { try String.fetchAll($0, sql: "SELECT job_id FROM outbox ORDER BY job_id") }
    }

    @Test("a refund that is asked for is on disk with the job that makes it and with who asked, once")
    func refund() async throws {
        try await StoreDesk.open { desk in
            let order = try await desk.buy(StoreDesk.knight)
            let asked = try await desk.store.orders.requestRefund(order.orderId, reason: "a mistake", by: "cli:me")
            #expect(asked.state == .paid && asked.refundRequestedAt == desk.clock.now && asked.reason == "a mistake")
            #expect(try await owed(desk) == ["settle-order.\(order.orderId).refund"])
            #expect(try await desk.broken().isEmpty)
            desk.clock.advance(by: .seconds(1))
            let again = try await desk.store.orders.requestRefund(order.orderId, reason: "again", by: "cli:other")
            #expect(again == asked)
            let changes = try await changes(desk, "order \(order.orderId)")
            #expect(changes.map(\.action) == ["order.refund"] && changes.first?.by == "cli:me")
            #expect(changes.first?.before == "paid" && changes.first?.after == "refund asked for: a mistake")

            let refunded = try await desk.giveBack(asked)
            #expect(refunded.state == .refunded && refunded.flag == nil)
            #expect(try await desk.store.orders.requestRefund(order.orderId, reason: "again", by: "cli:me") == refunded)
            #expect(try await desk.owned().isEmpty)
            #expect(try await desk.broken().isEmpty)
        }
    }

    @Test("a refund that was refused can be asked for again, by another job")
    func refundAgain() async throws {
        try await StoreDesk.open { desk in
            let order = try await desk.buy(StoreDesk.knight)
            let asked = try await desk.store.orders.requestRefund(order.orderId, reason: "a mistake", by: "cli:me")
            let first = SettleOrder.jobId(of: order.orderId, cause: "refund").rawValue
            try await desk.database.write { db in
                var refused = asked
                refused.refundRequestedAt = nil
                try OrdersRepository.update(refused, from: asked, in: db)
                _ = try Inbox.apply(jobId: first, token: 1, in: db)
                try Outbox.settle(jobId: first, in: db)
            }
            _ = try await desk.store.orders.requestRefund(order.orderId, reason: "again", by: "cli:me")
            #expect(try await owed(desk) == ["\(first)-\(desk.clock.now.milliseconds)"])
            #expect(try await desk.broken().isEmpty)
        }
    }

    @Test("only what was charged can be given back", arguments: [OrderState.declined, .review, .chargedBack])
    func refundRefused(state: OrderState) async throws {
        try await StoreDesk.open { desk in
            var order = try await desk.place(StoreDesk.knight)
            if state == .chargedBack {
                order = try await desk.giveBack(try await desk.settle(order, as: .paid), as: .chargeback)
            } else {
                order = try await desk.settle(order, as: state)
                try await desk.database.write { db in
                    try db.execute(sql: "UPDATE purchases SET provider_reference = NULL")
                }
            }
            let id = order.orderId
            let error = await #expect(throws: StoreError.self) {
                try await desk.store.orders.requestRefund(id, reason: "a mistake", by: "cli:me")
            }
            guard case .orderState(id, state, _) = error else {
                Issue.record("unexpected \(String(describing: error))")
                return
            }
            #expect(try await changes(desk, "order \(id)").isEmpty)
        }
        try await StoreDesk.open { desk in
            await #expect(throws: StoreError.unknownOrder(OrderID("none"))) {
                try await desk.store.orders.requestRefund(OrderID("none"), reason: "a mistake", by: "cli:me")
            }
        }
    }

    @Test("a refund takes back what is left, and says what was used up or spent; the rest is a loss in the ledger")
    func usedUp() async throws {
        try await StoreDesk.open { desk in
            let order = try await desk.buy(StoreDesk.bundle)
            #expect(try await desk.gems() == 1_000)
            #expect(try await desk.owned() == [StoreDesk.knight: 1, StoreDesk.potion: 6])
            _ = try await desk.store.inventory.consume(
                StoreDesk.potion, quantity: 2, of: StoreDesk.player, reference: "round 1")
            _ = try await desk.place(StoreDesk.giant, payment: .wallet)
            let refunded = try await desk.giveBack(order)
            #expect(
                refunded.flag
                    == "2 of 6 pieces of potion were used up, 400 of 1000 gems were spent before the refund")
            #expect(try await desk.owned() == [StoreDesk.giant: 1])
            #expect(try await desk.gems() == 0)
            let transfers = try await desk.store.orders.transfers(of: order.orderId)
            #expect(
                Set(transfers.map { "\($0.kind) \($0.amount) \($0.unit) \($0.from) → \($0.to)" }) == [
                    "charge 999 EUR sales → provider:stripe", "credit 1000 gems issued → wallet:01PLAYER",
                    "refund 999 EUR provider:stripe → refunds", "withdraw 600 gems wallet:01PLAYER → issued",
                    "loss 400 gems lost → issued",
                ])
            #expect(try await desk.broken().isEmpty)
        }
    }

    @Test("a chargeback after a partial refund takes the rest, and the entitlement")
    func chargeback() async throws {
        try await StoreDesk.open { desk in
            let order = try await desk.buy(StoreDesk.knight, for: StoreDesk.friend)
            let partly = try await desk.giveBack(order, 100)
            #expect(partly.state == .paid && partly.refunded == 100)
            #expect(try await desk.owned(StoreDesk.friend) == [StoreDesk.knight: 1])
            #expect(try await desk.broken().isEmpty)
            let taken = try await desk.giveBack(partly, as: .chargeback)
            #expect(taken.state == .chargedBack && taken.refunded == 499)
            #expect(try await desk.owned(StoreDesk.friend).isEmpty)
            #expect(try await desk.broken().isEmpty)
        }
    }

    @Test("a person's verdict on an order in review grants it with what was charged, or closes it")
    func resolved() async throws {
        try await StoreDesk.open { desk in
            let first = try await desk.settle(try await desk.place(StoreDesk.knight), as: .review)
            let money = Money(minorUnits: 500, currency: .eur)
            let paid = try await desk.store.orders.resolve(
                first.orderId, as: .paid, reason: "close enough", charged: money, by: "01OPERATOR")
            #expect(paid.state == .paid && paid.reason == "close enough")
            #expect(try await desk.owned() == [StoreDesk.knight: 1])
            let transfers = try await desk.store.orders.transfers(of: first.orderId)
            #expect(transfers.map(\.amount) == [500])
            let second = try await desk.settle(try await desk.place(StoreDesk.giant), as: .review)
            let declined = try await desk.store.orders.resolve(
                second.orderId, as: .declined, reason: "never charged", by: "01OPERATOR")
            #expect(declined.state == .declined)
            let change = try await changes(desk, "order \(second.orderId)").first
            #expect(change?.action == "order.resolve" && change?.after == "declined: never charged")
            #expect(change?.before == "review: the test says so")
            #expect(try await desk.broken().isEmpty)
        }
    }

    @Test("an order is not granted for its price where the review doesn't tell that the price was charged")
    func unknownAmount() async throws {
        try await StoreDesk.open { desk in
            let order = try await desk.settle(try await desk.place(StoreDesk.knight), as: .review)
            let error = await #expect(throws: StoreError.self) {
                try await desk.store.orders.resolve(order.orderId, as: .paid, reason: "so", by: "cli:me")
            }
            guard case .invalidField("charged", _) = error else {
                Issue.record("unexpected \(String(describing: error))")
                return
            }
            #expect(try await desk.order(order).state == .review)
        }
        #expect(SettlementRules.isPriceCharged("p owns skin-knight already, by 01ORDER"))
        #expect(SettlementRules.isPriceCharged("charge pi_1 is in the books already, for order 01ORDER"))
        for reason in ["charged 4.00 EUR, not 4.99 EUR", "parameter_invalid: no", nil] {
            #expect(!SettlementRules.isPriceCharged(reason))
        }
    }

    @Test("declining an order in review that was charged gives the money back")
    func declinedCharged() async throws {
        try await Verifiers.open { verifiers in
            verifiers.provider.plan(.wrongAmount)
            let order = try await verifiers.buy()
            #expect(order.state == .review)
            _ = try await verifiers.desk.store.orders.resolve(
                order.orderId, as: .declined, reason: "wrong amount", by: "cli:me")
            #expect(try await verifiers.owed() == ["settle-order.\(order.orderId).declined"])
            try await verifiers.run()
            #expect(verifiers.provider.charges.map(\.refundedMinorUnits) == [500])
            #expect(try await verifiers.now(order).state == .declined)
            try await verifiers.expectSettled()
        }
    }

    @Test("an order that is not in review, was not charged, or whose owner has it can't be granted by hand")
    func unresolved() async throws {
        try await StoreDesk.open { desk in
            func refuses(_ order: Order, as state: OrderState = .paid) async {
                let error = await #expect(throws: StoreError.self) {
                    try await desk.store.orders.resolve(
                        order.orderId, as: state, reason: "so", charged: order.money, by: "cli:me")
                }
                switch error {
                case .orderState, .invalidField: break
                default: Issue.record("unexpected \(String(describing: error))")
                }
            }
            let paid = try await desk.buy(StoreDesk.giant)
            await refuses(paid)
            await refuses(paid, as: .refunded)
            let review = try await desk.settle(try await desk.place(StoreDesk.knight), as: .review)
            try await desk.store.inventory.grant(
                StoreDesk.knight, quantity: 1, to: StoreDesk.player, reference: "sorry", by: "cli:me")
            await refuses(review)
            let uncharged = try await desk.settle(try await desk.place(StoreDesk.potion), as: .review)
            try await desk.database.write { db in
                try db.execute(
                    sql: "UPDATE purchases SET provider_reference = NULL WHERE order_id = ?",
                    arguments: [uncharged.orderId.rawValue])
            }
            await refuses(uncharged)
            #expect(try await desk.order(review).state == .review)
        }
    }

    @Test("a charge that is in the books for another order is an obstacle, and so is a skin that came meanwhile")
    func obstacles() async throws {
        try await StoreDesk.open { desk in
            let (first, second) = (try await desk.buy(StoreDesk.giant), try await desk.place(StoreDesk.bundle))
            let charge = Charge(
                reference: "pi_\(first.orderId)", orderId: second.orderId, minorUnits: 999, currency: "EUR")
            func obstacle(_ charge: Charge?) async throws -> String? {
                try await desk.database.read { try OrderBooks.obstacle(second, charge: charge, in: $0) }
            }
            #expect(try await obstacle(nil) == nil)
            #expect(try await obstacle(charge)?.contains(first.orderId.rawValue) == true)
            try await desk.store.inventory.grant(
                StoreDesk.knight, quantity: 1, to: StoreDesk.player, reference: "sorry", by: "cli:me")
            #expect(try await obstacle(nil)?.contains("skin-knight") == true)
        }
    }

    @Test("a forgotten player's orders name no means of payment: at once, or when they are settled")
    func anonymised() async throws {
        try await StoreDesk.open { desk in
            let (paid, open) = (
                try await desk.buy(StoreDesk.knight), try await desk.place(StoreDesk.giant, key: "mine")
            )
            let other = try await desk.place(StoreDesk.giant, by: StoreDesk.friend)
            try await desk.store.orders.anonymise(StoreDesk.player)
            #expect(try await desk.order(paid).paymentMethod == "")
            #expect(try await desk.order(open).paymentMethod == "pm_card_visa")
            #expect(try await desk.settle(open, as: .declined).paymentMethod == "")
            #expect(try await desk.order(other).paymentMethod == "pm_card_visa")
            let keys = try await desk.database.read { db in
                try String.fetchAll(
                    db,
                    sql: "SELECT idempotency_key || body_digest FROM purchases WHERE player_id = ? ORDER BY order_id",
                    arguments: [StoreDesk.player.rawValue])
            }
            #expect(keys == [paid, open].map { "anonymous \($0.orderId)" }.sorted())
            // The orders, the books and what was bought stay.
            #expect(try await desk.owned() == [StoreDesk.knight: 1])
            #expect(try await desk.broken().isEmpty)
        }
    }
}

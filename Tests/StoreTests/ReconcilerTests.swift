import GRDB
import GameModel
import Jobs
import Records
import Synchronization
import Testing

@testable import Store

@Suite("Reconciliation")
struct ReconcilerTests {
    private typealias Kind = ReconciliationDifference.Kind

    private func report(
        _ verifiers: Verifiers, settling: Bool = false, timeOut: Duration = VerifyPaymentHandler.timeOut
    ) async throws -> ReconciliationReport {
        let clock = verifiers.desk.clock
        return try await Reconciler(
            repository: verifiers.desk.repository, orderTimeOut: timeOut, clock: { clock.now }
        ).run(with: verifiers.provider, since: Instant(milliseconds: 0), settling: settling)
    }

    private func kinds(_ verifiers: Verifiers, settling: Bool = false) async throws -> [Kind] {
        try await report(verifiers, settling: settling).differences.map(\.kind)
    }

    @Test("orders of every end that agree with their charges differ in nothing, over many pages")
    func agreement() async throws {
        try await Verifiers.open { verifiers in
            var orders: [Order] = []
            for index in 0..<9 { orders.append(try await verifiers.buy(by: PlayerID("p-\(index)"))) }
            verifiers.provider.plan(.decline)
            _ = try await verifiers.buy(by: PlayerID("declined"))
            verifiers.provider.refundOutside(verifiers.reference(orders[0]), 499)
            verifiers.provider.refundOutside(verifiers.reference(orders[1]), 100)
            verifiers.provider.dispute(verifiers.reference(orders[2]))
            for index in 0..<3 { try await verifiers.hear("evt_\(index)", of: orders[index]) }
            try await verifiers.run()
            _ = try await verifiers.place(by: PlayerID("open"))
            let report = try await report(verifiers)
            #expect(report.differences == [] && report.found == 0)
            #expect(report.charges == 9 && report.orders == 9 && report.provider == "stripe")
        }
    }

    @Test("a charge without an order of ours")
    func chargeWithoutOrder() async throws {
        try await Verifiers.open { verifiers in
            for (name, order) in [("ch_1", OrderID("unknown")), ("ch_2", nil)] {
                verifiers.provider.chargeOutside(
                    Charge(reference: name, orderId: order, minorUnits: 700, currency: "EUR"))
            }
            let report = try await report(verifiers)
            #expect(report.differences.map(\.kind) == [.chargeWithoutOrder, .chargeWithoutOrder])
            #expect(report.differences.allSatisfy { $0.detail.hasPrefix("7.00 EUR charged for ") })
        }
    }

    @Test("a charge of another provider's order")
    func otherProvider() async throws {
        try await Verifiers.open { verifiers in
            let order = try await verifiers.desk.place(StoreDesk.knight, payment: .provider("paypal", method: "v"))
            verifiers.provider.chargeOutside(
                Charge(reference: "ch_1", orderId: order.orderId, minorUnits: 499, currency: "EUR"))
            let difference = try #require(try await report(verifiers).differences.first)
            #expect(difference.kind == .chargeWithoutOrder && difference.detail.contains("which paypal pays"))
        }
    }

    @Test("a charge of a declined order; settling gives it back")
    func chargedDeclined() async throws {
        try await Verifiers.open { verifiers in
            verifiers.provider.plan(.decline)
            let order = try await verifiers.buy()
            verifiers.provider.chargeOutside(
                Charge(reference: "ch_1", orderId: order.orderId, minorUnits: 499, currency: "EUR"))
            #expect(try await kinds(verifiers, settling: true) == [.chargeNotBooked])
            #expect(try await kinds(verifiers) == [], "it is under way")
            try await verifiers.run()
            #expect(verifiers.provider.charges.map(\.refundedMinorUnits) == [499])
            #expect(try await verifiers.now(order).state == .declined)
            try await verifiers.expectSettled()
        }
    }

    @Test("a charge of a declined order whose refund was refused is given back by a later comparison")
    func refusedOnce() async throws {
        try await Verifiers.open { verifiers in
            verifiers.provider.plan(.decline)
            let order = try await verifiers.buy()
            verifiers.provider.chargeOutside(
                Charge(reference: "ch_1", orderId: order.orderId, minorUnits: 499, currency: "EUR"))
            verifiers.provider.planRefunds(.refuse)
            for refunded in [Int64(0), 499] {
                #expect(try await kinds(verifiers, settling: true) == [.chargeNotBooked])
                try await verifiers.run()
                #expect(verifiers.provider.charges.map(\.refundedMinorUnits) == [refunded])
            }
            #expect(try await verifiers.now(order).state == .declined)
            try await verifiers.expectSettled()
        }
    }

    @Test("a charge of an order in review waits for a person, and settling does not decide for them")
    func review() async throws {
        try await Verifiers.open { verifiers in
            verifiers.provider.plan(.wrongAmount)
            _ = try await verifiers.buy()
            #expect(try await kinds(verifiers, settling: true) == [.chargeNotBooked])
            #expect(try await verifiers.owed() == [])
        }
    }

    @Test("a charge of an order in review that didn't know it; settling names it, so that a person can give it back")
    func reviewWithoutReference() async throws {
        try await Verifiers.open { verifiers in
            verifiers.provider.plan(.refuse)
            let order = try await verifiers.buy()
            #expect(order.state == .review && order.providerReference == nil)
            verifiers.provider.chargeOutside(
                Charge(reference: "ch_1", orderId: order.orderId, minorUnits: 499, currency: "EUR"))
            #expect(try await kinds(verifiers, settling: true) == [.chargeNotBooked])
            try await verifiers.run()
            #expect(try await verifiers.now(order).providerReference == "ch_1")
            _ = try await verifiers.desk.store.orders.requestRefund(order.orderId, reason: "late", by: "test")
            try await verifiers.run()
            #expect(try await verifiers.now(order).state == .refunded)
            try await verifiers.expectSettled()
        }
    }

    @Test("a paid order of which the provider knows no charge")
    func orderWithoutCharge() async throws {
        try await Verifiers.open { verifiers in
            let order = try await verifiers.buy()
            verifiers.provider.forget(verifiers.reference(order))
            let difference = try #require(try await report(verifiers).differences.first)
            #expect(difference.kind == .orderWithoutCharge && difference.orderId == order.orderId)
            #expect(difference.detail.contains("499 EUR"))
        }
    }

    @Test("an amount that is booked otherwise than it was charged")
    func amountDiffers() async throws {
        try await Verifiers.open { verifiers in
            let order = try await verifiers.buy()
            try await verifiers.desk.database.write { db in
                try db.execute(
                    sql: "UPDATE transfers SET amount = 400 WHERE order_id = ?", arguments: [order.orderId.rawValue])
            }
            let difference = try #require(try await report(verifiers).differences.first)
            #expect(difference.kind == .amountDiffers)
            #expect(difference.detail.hasPrefix("4.99 EUR charged, 400 EUR (minor units) booked."))
        }
    }

    @Test(
        "a refund or a chargeback of which no webhook told; settling books it",
        arguments: [OrderState.refunded, .chargedBack, .paid])
    func refundNotBooked(end: OrderState) async throws {
        try await Verifiers.open { verifiers in
            let order = try await verifiers.buy()
            switch end {
            case .refunded: verifiers.provider.refundOutside(verifiers.reference(order), 499)
            case .chargedBack: verifiers.provider.dispute(verifiers.reference(order))
            default: verifiers.provider.refundOutside(verifiers.reference(order), 1)
            }
            #expect(try await kinds(verifiers) == [.refundNotBooked])
            #expect(try await verifiers.owed() == [])
            #expect(try await kinds(verifiers, settling: true) == [.refundNotBooked])
            try await verifiers.run()
            #expect(try await verifiers.now(order).state == end)
            try await verifiers.expectSettled()
        }
    }

    @Test("a review whose charge was given back at the provider; settling closes it")
    func reviewGivenBack() async throws {
        try await Verifiers.open { verifiers in
            verifiers.provider.plan(.wrongAmount)
            let order = try await verifiers.buy()
            verifiers.provider.refundOutside(verifiers.reference(order), 500)
            #expect(try await kinds(verifiers, settling: true) == [.refundNotBooked])
            try await verifiers.run()
            #expect(try await verifiers.now(order).state == .refunded)
            try await verifiers.expectSettled()
        }
    }

    @Test("a refund that is booked, and that the provider took back")
    func refundNotMade() async throws {
        try await Verifiers.open { verifiers in
            let order = try await verifiers.buy()
            verifiers.provider.dispute(verifiers.reference(order))
            try await verifiers.hear("evt_1", of: order)
            try await verifiers.run()
            verifiers.provider.dispute(verifiers.reference(order), isLost: false)
            let difference = try #require(try await report(verifiers).differences.first)
            #expect(difference.kind == .refundNotMade && difference.detail.hasPrefix("0 EUR (minor units) went back"))
            #expect(try await kinds(verifiers, settling: true) == [.refundNotMade])
            try await verifiers.run()
            #expect(try await verifiers.now(order).flag == "the dispute was won: the money came back")
            try await verifiers.expectSettled()
        }
    }

    @Test("a second charge of one order")
    func chargedTwice() async throws {
        try await Verifiers.open { verifiers in
            let order = try await verifiers.buy()
            let second = Charge(reference: "ch_2", orderId: order.orderId, minorUnits: 499, currency: "EUR")
            verifiers.provider.chargeOutside(second)
            let difference = try #require(try await report(verifiers).differences.first)
            #expect(difference.kind == .chargedTwice && difference.reference == "ch_2")
            verifiers.provider.refundOutside("ch_2", 499)
            #expect(try await kinds(verifiers) == [], "given back, it is no difference any more")
        }
    }

    @Test("an order without a verdict past the time-out; settling owes its verification, if that was lost")
    func overdue() async throws {
        try await Verifiers.open { verifiers in
            let order = try await verifiers.place()
            try await verifiers.desk.database.write { try $0.execute(sql: "DELETE FROM outbox") }
            verifiers.desk.clock.advance(by: .seconds(3_600))
            #expect(try await kinds(verifiers) == [])
            verifiers.desk.clock.advance(by: .seconds(24 * 3_600))
            #expect(try await kinds(verifiers, settling: true) == [.orderOverdue])
            try await verifiers.run()
            #expect(try await verifiers.now(order).state == .declined)
            try await verifiers.expectSettled()
        }
    }

    @Test("an order is not overdue while a charge of it may be missing in the provider's late list")
    func overdueLater() async throws {
        try await Verifiers.open { verifiers in
            verifiers.provider.keysKept = .seconds(6 * 3_600)
            verifiers.provider.listingLag = .seconds(3 * 3_600)
            _ = try await verifiers.place()
            verifiers.desk.clock.advance(by: .seconds(8 * 3_600 + 599))
            #expect(try await kinds(verifiers) == [])
            verifiers.desk.clock.advance(by: .seconds(2))
            #expect(try await kinds(verifiers) == [.orderOverdue])
        }
    }

    @Test("an order is overdue by the time-out of its provider, where that is shorter")
    func overdueSooner() async throws {
        try await Verifiers.open { verifiers in
            verifiers.provider.keysKept = .seconds(6 * 3_600)
            _ = try await verifiers.place()
            verifiers.desk.clock.advance(by: .seconds(5 * 3_600 + 599))
            #expect(try await kinds(verifiers) == [])
            verifiers.desk.clock.advance(by: .seconds(2))
            #expect(try await kinds(verifiers) == [.orderOverdue])
        }
    }

    @Test("only orders and charges since a moment are compared")
    func window() async throws {
        try await Verifiers.open { verifiers in
            let order = try await verifiers.buy()
            verifiers.provider.forget(verifiers.reference(order))
            verifiers.desk.clock.advance(by: .seconds(86_400))
            let clock = verifiers.desk.clock
            let report = try await Reconciler(repository: verifiers.desk.repository, clock: { clock.now })
                .run(with: verifiers.provider, since: clock.now - .seconds(3_600), settling: false)
            #expect(report.orders == 0 && report.found == 0)
        }
    }

    @Test("more orders than one page holds")
    func pages() async throws {
        try await Verifiers.open { verifiers in
            for index in 0..<3 { _ = try await verifiers.buy(by: PlayerID("p-\(index)")) }
            let all = try await verifiers.desk.repository.reconciliations.charged(
                by: "stripe", since: Instant(milliseconds: 0), until: .now + .seconds(1 << 40), after: nil, limit: 100)
            var paged: [ReconciliationRules.Entry] = []
            while true {
                let page = try await verifiers.desk.repository.reconciliations.charged(
                    by: "stripe", since: Instant(milliseconds: 0), until: .now + .seconds(1 << 40),
                    after: paged.last?.orderId, limit: 2)
                paged += page
                if page.isEmpty { break }
            }
            #expect(all.count == 3 && paged == all)
        }
    }

    @Test("reports are kept, the newest first, with their differences; a fault of the provider's leaves none")
    func kept() async throws {
        try await Verifiers.open { verifiers in
            let first = try await report(verifiers)
            verifiers.desk.clock.advance(by: .seconds(60))
            verifiers.provider.chargeOutside(Charge(reference: "ch_1", orderId: nil, minorUnits: 1, currency: "EUR"))
            let second = try await report(verifiers)
            verifiers.provider.isAway = true
            await #expect(throws: PaymentError.self) { try await report(verifiers) }
            let reports = try await Reconciler(repository: verifiers.desk.repository).reports(limit: 10)
            #expect(reports == [second, first] && second.found == 1)
        }
    }

    @Test("the daily job compares every provider, settles, and fails if one is away, for its retry")
    func daily() async throws {
        try await StoreDesk.open { desk in
            let (stripe, payPal) = (FaultyProvider(), FaultyProvider(name: "paypal"))
            let verifiers = Verifiers(desk, stripe, others: [payPal])
            let order = try await verifiers.buy()
            stripe.refundOutside(verifiers.reference(order), 499)
            payPal.isAway = true
            let told = Told()
            let handler = ReconcilePaymentsHandler(
                reconciler: Reconciler(repository: desk.repository, clock: { desk.clock.now }),
                providers: [payPal, stripe], clock: { desk.clock.now }, onReport: { told.add($0) }
            ).handler
            let job = try EncodedJob(ReconcilePayments(days: 3), id: JobID("daily"))
            let entry = OutboxEntry(
                jobId: "daily", queue: "reconcile", kind: job.kind, payload: job.payload, createdAt: 0)
            let outcome = await handler.run([Verifiers.input(entry, token: 1, at: desk.clock.now)])[0]
            guard case .failed = outcome else {
                Issue.record("unexpected \(outcome)")
                return
            }
            #expect(told.reports.map(\.provider) == ["stripe"] && told.reports.map(\.found) == [1])
            payPal.isAway = false
            #expect(await handler.run([Verifiers.input(entry, token: 2, at: desk.clock.now)])[0] == .completed)
            try await verifiers.run()
            #expect(try await verifiers.now(order).state == .refunded)
        }
    }
}

/// Collects reports.
private final class Told: Sendable {
    private let all = Mutex<[ReconciliationReport]>([])

    func add(_ report: ReconciliationReport) { all.withLock { $0.append(report) } }
    var reports: [ReconciliationReport] { all.withLock { $0 } }
}

import GRDB
import GameModel
import Jobs
import Records
import Testing

@testable import Store

/// One test per line of the settlement table's first half: how an order comes to its verdict.
@Suite("Every uncertain charge comes to a verdict")
struct VerdictTests {
    @Test(
        "an answer lost after charging, by a time-out or an HTTP 500, is asked for again by the same key: paid, once",
        arguments: [1, 5])
    func lostAnswer(times: Int) async throws {
        try await Verifiers.open { verifiers in
            for _ in 0..<times { verifiers.provider.plan(.lostAnswer) }
            let order = try await verifiers.buy()
            #expect(order.state == .paid && order.providerReference == verifiers.reference(order))
            #expect(verifiers.provider.calls == times + 1 && verifiers.provider.charges.count == 1)
            try await verifiers.expectSettled()
        }
    }

    @Test(
        "a verifier that dies between charge and write leaves it to the next: paid, once, its own write refused"
    )
    func crash() async throws {
        try await Verifiers.open { verifiers in
            let order = try await verifiers.place()
            let job = VerifyPayment.jobId(of: order.orderId).rawValue
            let entry = try #require(try await verifiers.desk.database.read { try Outbox.entry(jobId: job, in: $0) })
            // While it waits for the answer, its lease runs out and another attempt begins.
            verifiers.provider.plan(.meanwhile { _ in await verifiers.takeOver(order) })
            let late = try await verifiers.attempt(entry)
            guard case .failed(let words) = late else {
                Issue.record("unexpected \(late)")
                return
            }
            #expect(words.contains("too old to write"))
            #expect(try await verifiers.now(order).state == .verifying)
            try await verifiers.run()
            #expect(try await verifiers.now(order).state == .paid)
            #expect(verifiers.provider.charges.count == 1)
            try await verifiers.expectSettled()
        }
    }

    @Test("a job that the queue runs again after the verdict changes nothing")
    func again() async throws {
        try await Verifiers.open { verifiers in
            let order = try await verifiers.place()
            let job = VerifyPayment.jobId(of: order.orderId).rawValue
            let entry = try #require(try await verifiers.desk.database.read { try Outbox.entry(jobId: job, in: $0) })
            try await verifiers.run()
            let paid = try await verifiers.now(order)
            #expect(try await verifiers.attempt(entry) == .completed)
            let now = try await verifiers.now(order)
            #expect(now == paid && verifiers.provider.calls == 1)
            try await verifiers.expectSettled()
        }
    }

    @Test("a provider that is away for an hour is asked until it is back: paid, once")
    func outage() async throws {
        try await Verifiers.open { verifiers in
            let order = try await verifiers.place()
            verifiers.provider.isAway = true
            try await verifiers.run(atMost: .seconds(3_600))
            #expect(try await verifiers.now(order).state == .verifying)
            // Not in a storm: pauses grow to 30 s.
            #expect((60...200).contains(verifiers.provider.calls))
            verifiers.provider.isAway = false
            try await verifiers.run()
            let now = try await verifiers.now(order)
            #expect(now.state == .paid && verifiers.provider.charges.count == 1)
            try await verifiers.expectSettled()
        }
    }

    @Test("a secret key that the provider refuses leaves orders waiting, not declined")
    func unauthorized() async throws {
        try await Verifiers.open { verifiers in
            verifiers.provider.plan(.unauthorized, .unauthorized)
            let order = try await verifiers.buy()
            #expect(order.state == .paid && verifiers.provider.calls == 3)
        }
    }

    @Test(
        "an amount or a currency that differs, and a charge of another order: review, never granted",
        arguments: [
            (FaultyProvider.Fault.wrongAmount, "charged 5.00 EUR, not 4.99 EUR"),
            (.wrongCurrency, "charged 499 XAU (minor units), not 4.99 EUR"),
            (.wrongOrder, "the charge is for another order: another"),
            (.refuse, "parameter_invalid: no"),
        ])
    func differs(fault: FaultyProvider.Fault, reason: String) async throws {
        try await Verifiers.open { verifiers in
            verifiers.provider.plan(fault)
            let order = try await verifiers.buy()
            #expect(order.state == .review && order.reason == reason)
            #expect(try await verifiers.desk.owned() == [:])
            #expect(try await verifiers.owed() == [])
            #expect(try await verifiers.desk.broken() == [])
        }
    }

    @Test("an order of a provider that is not configured is for a person")
    func unknownProvider() async throws {
        try await Verifiers.open { verifiers in
            let order = try await verifiers.desk.place(
                StoreDesk.knight, payment: .provider("paypal", method: "vault"))
            try await verifiers.run()
            let now = try await verifiers.now(order)
            #expect(now.state == .review && now.reason == "no provider named 'paypal' is configured")
            #expect(verifiers.provider.calls == 0)
        }
    }

    @Test("each order is charged by the provider that it names")
    func severalProviders() async throws {
        try await StoreDesk.open { desk in
            let (stripe, payPal) = (FaultyProvider(), FaultyProvider(name: "paypal"))
            let verifiers = Verifiers(desk, stripe, others: [payPal])
            let first = try await verifiers.place()
            let second = try await desk.place(StoreDesk.giant, payment: .provider("paypal", method: "vault"))
            try await verifiers.run()
            #expect(stripe.charges.map(\.orderId) == [first.orderId])
            #expect(payPal.charges.map(\.orderId) == [second.orderId])
            let transfers = try await desk.store.orders.transfers(of: second.orderId)
            #expect(transfers.map(\.to) == ["provider:paypal"])
            #expect(try await desk.broken() == [])
        }
    }

    @Test("a skin that its owner came to in another way while the card was charged: review")
    func ownedMeanwhile() async throws {
        try await Verifiers.open { verifiers in
            let order = try await verifiers.place()
            try await verifiers.desk.store.inventory.grant(
                StoreDesk.knight, quantity: 1, to: StoreDesk.player, reference: "prize", by: "test")
            try await verifiers.run()
            let now = try await verifiers.now(order)
            #expect(now.state == .review && now.reason?.contains("owns skin-knight already") == true)
            #expect(now.providerReference == verifiers.reference(order))
            #expect(try await verifiers.desk.owned() == [StoreDesk.knight: 1])
            #expect(try await verifiers.desk.broken() == [])
        }
    }

    @Test("a charge that was given back or disputed before our own answer is paid and given back in one transaction")
    func givenBackAlready() async throws {
        for isDispute in [false, true] {
            try await Verifiers.open { verifiers in
                verifiers.provider.plan(.lostAnswer)
                let order = try await verifiers.place(StoreDesk.gems)
                try await verifiers.run(VerifyPayment.jobId(of: order.orderId).rawValue)
                if isDispute {
                    verifiers.provider.dispute(verifiers.reference(order))
                } else {
                    verifiers.provider.refundOutside(verifiers.reference(order), 499)
                }
                try await verifiers.run()
                let now = try await verifiers.now(order)
                #expect(now.state == (isDispute ? .chargedBack : .refunded))
                #expect(try await verifiers.desk.gems() == 0)
                try await verifiers.expectSettled()
            }
        }
    }

    // MARK: The time-out

    @Test("past the time-out nothing is charged any more: an order that the provider never heard of is declined")
    func timedOut() async throws {
        try await Verifiers.open(timeOut: .seconds(3_600)) { verifiers in
            verifiers.provider.isAway = true
            let order = try await verifiers.place()
            try await verifiers.run(atMost: .seconds(2 * 3_600))
            #expect(try await verifiers.now(order).state == .verifying, "the truth is not known")
            verifiers.provider.isAway = false
            let calls = verifiers.provider.calls
            try await verifiers.run()
            let now = try await verifiers.now(order)
            #expect(now.state == .declined && now.reason == "timed_out")
            #expect(verifiers.provider.calls == calls && verifiers.provider.charges.isEmpty)
            try await verifiers.expectSettled()
        }
    }

    @Test("an hour before a provider forgets its idempotency keys an order is charged for the last time")
    func forgetfulProvider() async throws {
        try await Verifiers.open { verifiers in
            verifiers.provider.keysKept = .seconds(6 * 3_600)
            verifiers.provider.plan(.lostAnswer)
            let order = try await verifiers.place()
            try await verifiers.run(VerifyPayment.jobId(of: order.orderId).rawValue)
            verifiers.desk.clock.advance(by: .seconds(5 * 3_600))
            try await verifiers.run()
            let now = try await verifiers.now(order)
            #expect(now.state == .paid && verifiers.provider.calls == 1, "it was found, not charged again")
            try await verifiers.expectSettled()
        }
    }

    @Test("a provider that charged and repeats its failure is not waited for until the time-out")
    func repeatedFailure() async throws {
        try await Verifiers.open { verifiers in
            for _ in 0..<200 { verifiers.provider.plan(.lostAnswer) }
            let order = try await verifiers.place()
            try await verifiers.run(atMost: .seconds(600))
            #expect(try await verifiers.now(order).state == .paid && verifiers.provider.charges.count == 1)
            verifiers.provider.planNothing()
            try await verifiers.expectSettled()
        }
    }

    @Test("an order is declined only when the provider's listing would show its charge")
    func lateListing() async throws {
        try await Verifiers.open(timeOut: .seconds(3_600)) { verifiers in
            verifiers.provider.listingLag = .seconds(10_800)
            let order = try await verifiers.place()
            verifiers.desk.clock.advance(by: .seconds(3_600))
            try await verifiers.run(atMost: .seconds(10_800))
            #expect(try await verifiers.now(order).state == .verifying)
            try await verifiers.run(atMost: .seconds(600))
            #expect(try await verifiers.now(order).state == .declined && verifiers.provider.calls == 0)
        }
    }

    @Test("a call that was under way at the time-out is waited for before the order is declined")
    func grace() async throws {
        try await Verifiers.open(timeOut: .seconds(3_600)) { verifiers in
            let order = try await verifiers.place()
            verifiers.desk.clock.advance(by: .seconds(3_600))
            try await verifiers.run(atMost: .seconds(200))
            #expect(try await verifiers.now(order).state == .verifying)
            // The provider was slow, and has charged.
            verifiers.provider.chargeOutside(
                Charge(reference: "late", orderId: order.orderId, minorUnits: 499, currency: "EUR"))
            try await verifiers.run()
            let now = try await verifiers.now(order)
            #expect(now.state == .paid && now.providerReference == "late" && verifiers.provider.calls == 0)
            try await verifiers.expectSettled()
        }
    }

    @Test("an order that timed out after the provider had charged is paid: it is found among the charges")
    func timedOutCharged() async throws {
        try await Verifiers.open(timeOut: .seconds(3_600)) { verifiers in
            for index in 0..<5 {
                _ = try await verifiers.buy(StoreDesk.potion, by: PlayerID("other-\(index)"))
            }
            verifiers.provider.plan(.lostAnswer)
            let order = try await verifiers.place()
            try await verifiers.run(VerifyPayment.jobId(of: order.orderId).rawValue)
            verifiers.desk.clock.advance(by: .seconds(3_600))
            let calls = verifiers.provider.calls
            try await verifiers.run()
            #expect(try await verifiers.now(order).state == .paid)
            #expect(verifiers.provider.calls == calls)
            try await verifiers.expectSettled()
        }
    }

    @Test("a charge that is still undecided at the time-out is cancelled, and the order declined")
    func cancelled() async throws {
        try await Verifiers.open(timeOut: .seconds(3_600)) { verifiers in
            verifiers.provider.plan(.stuck)
            let order = try await verifiers.buy()
            #expect(order.state == .declined && order.reason == "timed_out")
            #expect(verifiers.provider.cancelled == [verifiers.reference(order)])
            #expect(order.updatedAt - order.createdAt < .seconds(3_700))
            try await verifiers.expectSettled()
        }
    }

    @Test("a charge that is decided in the moment it is to be cancelled counts as it was decided")
    func decidedMeanwhile() async throws {
        try await StoreDesk.open { desk in
            let provider = DecidesAtCancel()
            let handler = VerifyPaymentHandler(
                repository: desk.repository, providers: [provider], timeOut: .seconds(3_600),
                clock: { desk.clock.now })
            let order = try await desk.place(StoreDesk.knight)
            desk.clock.advance(by: .seconds(3_600))
            let job = VerifyPayment.jobId(of: order.orderId).rawValue
            try await desk.repository.settlements.note(reference: "pi", of: order.orderId, at: desk.clock.now)
            let entry = try #require(try await desk.database.read { try Outbox.entry(jobId: job, in: $0) })
            provider.inner.chargeOutside(
                Charge(reference: "pi", orderId: order.orderId, minorUnits: 499, currency: "EUR"))
            let outcome = await handler.handler.run([Verifiers.input(entry, token: 1, at: desk.clock.now)])[0]
            #expect(outcome == .completed)
            #expect(try await desk.order(order).state == .paid)
        }
    }

    @Test("a charge that turns up for an order that timed out goes back to the player")
    func chargedAfterDecline() async throws {
        try await Verifiers.open(timeOut: .seconds(3_600)) { verifiers in
            verifiers.provider.isAway = true
            let order = try await verifiers.place()
            verifiers.desk.clock.advance(by: .seconds(2 * 3_600))
            verifiers.provider.isAway = false
            try await verifiers.run()
            #expect(try await verifiers.now(order).state == .declined)
            verifiers.provider.chargeOutside(
                Charge(reference: "pi_late", orderId: order.orderId, minorUnits: 499, currency: "EUR"))
            try await verifiers.hear("evt", "payment_intent.succeeded", of: order, as: .verdict, reference: "pi_late")
            try await verifiers.run()
            let now = try await verifiers.now(order)
            #expect(now.state == .declined && now.flag == "charged after it was declined, and given back")
            #expect(verifiers.provider.charges.map(\.refundedMinorUnits) == [499])
            #expect(try await verifiers.desk.owned() == [:])
            try await verifiers.expectSettled()
        }
    }

    @Test("what the provider told of a forgotten player's orders is kept without its body, before and after")
    func forgottenEvents() async throws {
        try await Verifiers.open { verifiers in
            let order = try await verifiers.place()
            try await verifiers.hear("evt_1", of: order)
            try await verifiers.hear("evt_other", of: nil, reference: "pi_other")
            try await verifiers.desk.store.orders.anonymise(StoreDesk.player)
            try await verifiers.hear("evt_2", of: order)
            let bodies = try await verifiers.desk.database.read { db in
                try String.fetchAll(db, sql: "SELECT body FROM provider_events ORDER BY event_id")
            }
            #expect(bodies == ["", "", "{}"])
        }
    }

    @Test("a verification that was given up is for a person")
    func buried() async throws {
        try await Verifiers.open { verifiers in
            let order = try await verifiers.place()
            let job = VerifyPayment.jobId(of: order.orderId).rawValue
            let entry = try #require(try await verifiers.desk.database.read { try Outbox.entry(jobId: job, in: $0) })
            let handler = VerifyPaymentHandler(repository: verifiers.desk.repository, providers: [verifiers.provider])
            let input = Verifiers.input(entry, token: 9, at: verifiers.desk.clock.now)
            try await handler.handler.onBury?(input, Bury("the worker died", reason: .crashed))
            let now = try await verifiers.now(order)
            #expect(now.state == .review && now.reason == "the verification was given up: the worker died")
            #expect(try await verifiers.owed() == [])
        }
    }

    @Test("a means of payment that was only kept for the verdict is forgotten with it")
    func forgotten() async throws {
        try await Verifiers.open { verifiers in
            let order = try await verifiers.place()
            try await verifiers.desk.store.orders.anonymise(StoreDesk.player)
            #expect(try await verifiers.now(order).paymentMethod == "pm_card_visa")
            try await verifiers.run()
            let now = try await verifiers.now(order)
            #expect(now.state == .paid && now.paymentMethod.isEmpty)
        }
    }
}

/// Charges when it is asked to cancel.
private final class DecidesAtCancel: PaymentProvider {
    let name = "stripe"
    let inner = FaultyProvider()

    func charge(_ request: ChargeRequest) async throws(PaymentError) -> ChargeOutcome {
        try await inner.charge(request)
    }
    func charge(reference: String) async throws(PaymentError) -> ChargeOutcome {
        // The first look-up is before the cancelling, the second after it.
        guard inner.lookups > 0 else {
            _ = try await inner.charge(reference: reference)
            return .undecided(reference: reference)
        }
        return try await inner.charge(reference: reference)
    }
    func charges(since: Instant, after cursor: String?) async throws(PaymentError) -> ChargePage {
        try await inner.charges(since: since, after: cursor)
    }
    func refund(_ request: RefundRequest) async throws(PaymentError) -> RefundOutcome {
        try await inner.refund(request)
    }
    func cancel(reference: String) async throws(PaymentError) { try await inner.cancel(reference: reference) }
}

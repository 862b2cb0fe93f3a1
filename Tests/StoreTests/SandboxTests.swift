import GameModel
import Jobs
import Records
import TestSupport
import Testing

@testable import Store

@Suite("Stripe over HTTP, against the sandbox")
struct SandboxTests {
    @Test("a charge is made once per order, can be looked up and listed")
    func charges() async throws {
        try await SandboxHouse.open { house in
            let begin = Instant.now
            let first = try await house.stripe.charge(SandboxHouse.request("o-1"))
            let charge = try first.charged
            #expect(charge.orderId == OrderID("o-1"))
            #expect(charge.isExactly(Money(minorUnits: 499, currency: .eur)))
            #expect(try await house.stripe.charge(SandboxHouse.request("o-1")) == first)
            #expect(try await house.stripe.charge(reference: charge.reference) == first)
            let error = await #expect(throws: PaymentError.self) {
                try await house.stripe.charge(SandboxHouse.request("o-1", 500))
            }
            guard case .refused("idempotency_error", _) = error else {
                Issue.record("unexpected \(String(describing: error))")
                return
            }
            let second = try await house.stripe.charge(SandboxHouse.request("o-2", 250)).charged
            let declined = SandboxHouse.request("o-3", method: "pm_card_chargeDeclined")
            guard case .declined("generic_decline", _) = try await house.stripe.charge(declined) else {
                Issue.record("the bad card was charged")
                return
            }
            let page = try await house.stripe.charges(since: begin, after: nil)
            #expect(page.succeeded == [second, charge])
            #expect(page.next == nil)
            #expect(try await house.stripe.charges(since: begin + .seconds(60), after: nil).succeeded.isEmpty)
        }
    }

    @Test("an order's refund is made once, in part or in full, and the charge tells of it")
    func refunds() async throws {
        try await SandboxHouse.open { house in
            let charge = try await house.stripe.charge(SandboxHouse.request("o-1")).charged
            let made = try await house.stripe.refund(SandboxHouse.refund(charge, "o-1", 200))
            guard case .succeeded = made else {
                Issue.record("unexpected \(made)")
                return
            }
            #expect(try await house.stripe.refund(SandboxHouse.refund(charge, "o-1", 200)) == made)
            let now = try await house.stripe.charge(reference: charge.reference).charged
            #expect(now == charge.refunded(200))
            #expect(try await house.stripe.charges(since: .now - .seconds(3_600), after: nil).succeeded == [now])
            let more = try await house.stripe.refund(SandboxHouse.refund(charge, "another", 300))
            #expect(more == .refused(code: "amount_too_large"))
            _ = try await house.stripe.refund(SandboxHouse.refund(charge, "another", 299))
            #expect(try await house.stripe.charge(reference: charge.reference).charged.refundedMinorUnits == 499)
            // Of what was given back already, the refund that did it is told.
            guard case .succeeded = try await house.stripe.refund(SandboxHouse.refund(charge, "third")) else {
                Issue.record("the refund was not found")
                return
            }
        }
    }

    @Test("a refund that takes its time is undecided, and later made or refused")
    func slowRefunds() async throws {
        try await SandboxHouse.open(faults: "pending-refund=0:150ms") { house in
            let good = SandboxHouse.request("o-1", method: "pm_card_pendingRefund")
            let bad = SandboxHouse.request("o-2", method: "pm_card_refundFail")
            let (first, second) = (
                try await house.stripe.charge(good).charged, try await house.stripe.charge(bad).charged
            )
            guard case .undecided = try await house.stripe.refund(SandboxHouse.refund(first, "o-1")),
                case .undecided = try await house.stripe.refund(SandboxHouse.refund(second, "o-2"))
            else {
                Issue.record("the refund was decided at once")
                return
            }
            try await eventually("the refund is made") {
                try await house.stripe.charge(reference: first.reference).charged.refundedMinorUnits == 499
            }
            guard case .succeeded = try await house.stripe.refund(SandboxHouse.refund(first, "o-1")) else {
                Issue.record("the refund was not made")
                return
            }
            try await eventually("the refund is refused") {
                try await house.stripe.refund(SandboxHouse.refund(second, "o-2"))
                    == .refused(code: "expired_or_canceled_card")
            }
            #expect(try await house.stripe.charge(reference: second.reference).charged.refundedMinorUnits == 0)
        }
    }

    @Test("a dispute counts while it is not won; one that only asks never does")
    func disputes() async throws {
        try await SandboxHouse.open { house in
            let charge = try await house.stripe.charge(SandboxHouse.request("o-1")).charged
            let asking = try await house.tell(
                "disputes", #"{"of":"\#(charge.reference)","status":"warning_needs_response"}"#)
            #expect(try await house.stripe.charge(reference: charge.reference).charged == charge)
            _ = try await house.tell("disputes/\(asking["id"] ?? "")", #"{"status":"lost"}"#)
            #expect(try await house.stripe.charge(reference: charge.reference).charged.isDisputed)
            #expect(try await house.stripe.charges(since: .now - .seconds(3_600), after: nil).succeeded[0].isDisputed)
            let refused = try await house.stripe.refund(SandboxHouse.refund(charge, "o-1"))
            #expect(refused == .refused(code: "charge_disputed"))
            _ = try await house.tell("disputes/\(asking["id"] ?? "")", #"{"status":"won"}"#)
            #expect(try await house.stripe.charge(reference: charge.reference).charged == charge)
            let disputed = SandboxHouse.request("o-2", method: "pm_card_createDispute")
            #expect(try await house.stripe.charge(disputed).charged.isDisputed)
        }
    }

    @Test("what was declined can be cancelled for good, what was charged can't")
    func cancels() async throws {
        try await SandboxHouse.open { house in
            let bad = SandboxHouse.request("o-1", method: "pm_card_chargeDeclined")
            guard case .declined(_, let reference?) = try await house.stripe.charge(bad) else {
                Issue.record("the bad card was charged")
                return
            }
            try await house.stripe.cancel(reference: reference)
            try await house.stripe.cancel(reference: reference)
            let outcome = try await house.stripe.charge(reference: reference)
            #expect(outcome == .declined(code: "generic_decline", reference: reference))
            let charge = try await house.stripe.charge(SandboxHouse.request("o-2")).charged
            let error = await #expect(throws: PaymentError.self) {
                try await house.stripe.cancel(reference: charge.reference)
            }
            guard case .refused("payment_intent_unexpected_state", _) = error else {
                Issue.record("unexpected \(String(describing: error))")
                return
            }
            await #expect(throws: PaymentError.self) { try await house.stripe.cancel(reference: "pi_none") }
        }
    }

    @Test("a bad secret key is told apart from an outage")
    func unauthorized() async throws {
        try await SandboxHouse.open(secretKey: "sk_wrong") { house in
            let error = await #expect(throws: PaymentError.self) {
                try await house.stripe.charge(SandboxHouse.request("o-1"))
            }
            guard case .unauthorized = error else {
                Issue.record("unexpected \(String(describing: error))")
                return
            }
        }
    }

    @Test("nobody listening and an answer that doesn't come are outages")
    func outages() async throws {
        try await SandboxHouse.open(faults: "timeout-after-charge=1:30s", timeout: .milliseconds(300)) { house in
            var tries = 0
            // A starved call may run out of its time before the sandbox hears of it: then another order is tried.
            try await eventually("what no answer came to was charged") {
                tries += 1
                let request = SandboxHouse.request("o-\(tries)")
                let late = await #expect(throws: PaymentError.self) { try await house.stripe.charge(request) }
                guard case .unavailable = late else {
                    throw TestSupportError("unexpected \(String(describing: late))")
                }
                do {
                    return try await !house.stripe.charges(since: .now - .seconds(600), after: nil).succeeded.isEmpty
                } catch PaymentError.unavailable {
                    return false
                }
            }
        }
        let nobody = StripeProvider(url: "http://127.0.0.1:1", secretKey: "sk")
        let refused = await #expect(throws: PaymentError.self) {
            try await nobody.charge(SandboxHouse.request("o-1"))
        }
        try await nobody.shutdown()
        guard case .unavailable = refused else {
            Issue.record("unexpected \(String(describing: refused))")
            return
        }
    }

    @Test("its webhooks are good for our verifier, and name the charge and the order")
    func webhooks() async throws {
        let sink = WebhookSink()
        try await sink.serve { url in
            try await SandboxHouse.open(stripeHook: url) { house in
                let charge = try await house.stripe.charge(SandboxHouse.request("o-1")).charged
                try await eventually("the success is told") { sink.deliveries.count == 1 }
                _ = try await house.stripe.refund(SandboxHouse.refund(charge, "o-1", 100))
                try await eventually("the refund is told") { sink.deliveries.count == 2 }
                _ = try await house.tell("disputes", #"{"of":"\#(charge.reference)"}"#)
                try await eventually("the dispute is told") { sink.deliveries.count == 3 }
                let verifier = StripeWebhooks(secrets: ["whsec_other", "whsec_muster"])
                var events: [ProviderEvent] = []
                for delivery in sink.deliveries {
                    events.append(try await verifier.event(headers: delivery.headers, body: delivery.bytes, at: .now))
                }
                #expect(
                    events.map(\.type) == ["payment_intent.succeeded", "charge.refunded", "charge.dispute.created"])
                #expect(events.allSatisfy { $0.reference == charge.reference })
                #expect(events.map(\.orderId) == [OrderID("o-1"), OrderID("o-1"), nil])
            }
        }
    }

    @Test(
        "with half of all calls failing, every order gets one verdict, refunds are made once, and the books agree",
        arguments: ["stripe", "paypal"])
    func faults(name: String) async throws {
        let faults =
            "decline=0.1,rate-limit=0.1,error=0.1,error-after-charge=0.1,timeout-after-charge=0.1:0ms,"
            + "pending-refund=0.3:200ms"
        try await SandboxHouse.open(faults: faults) { sandbox in
            let provider: any PaymentProvider = name == "paypal" ? sandbox.payPal : sandbox.stripe
            let method = name == "paypal" ? "vault_good" : "pm_card_visa"
            try await StoreHouse.open(verifiers: 2, charging: provider) { house in
                var orders: [Order] = []
                for index in 0..<60 {
                    orders.append(try await house.place(by: PlayerID("player-\(index)"), paymentMethod: method))
                }
                var paid: [Order] = []
                for order in orders {
                    let verdict = try await house.verdict(on: order, within: .seconds(300))
                    #expect(verdict.state == .paid || verdict.state == .declined)
                    if verdict.state == .paid { paid.append(verdict) }
                }
                #expect(paid.count > 30)
                for order in paid.prefix(15) {
                    _ = try await house.store.orders.requestRefund(order.orderId, reason: "a test", by: "operator")
                }
                for order in paid.prefix(15) {
                    try await eventually(within: .seconds(300), "order \(order.orderId) is given back") {
                        try await house.store.orders.order(order.orderId).state == .refunded
                    }
                }
                try await eventually("nothing is owed") {
                    try await house.database.read { try Outbox.openCount(in: $0) } == 0
                }
                try await house.expectSettled()
            }
        }
    }
}

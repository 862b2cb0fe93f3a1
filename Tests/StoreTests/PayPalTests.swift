import Foundation
import GameModel
import TestSupport
import Testing

@testable import Store

@Suite("PayPal over HTTP, against the sandbox")
struct PayPalTests {
    private func request(_ order: String, _ minorUnits: Int64 = 499, method: String = "vault_good") -> ChargeRequest {
        SandboxHouse.request(order, minorUnits, method: method)
    }

    @Test("a charge is made once per order, and found by the names of its capture and of PayPal's order")
    func charges() async throws {
        try await SandboxHouse.open { house in
            let first = try await house.payPal.charge(request("o-1"))
            let charge = try first.charged
            #expect(charge.orderId == OrderID("o-1"))
            #expect(charge.isExactly(Money(minorUnits: 499, currency: .eur)))
            #expect(try await house.payPal.charge(request("o-1")) == first)
            #expect(try await house.payPal.charge(reference: charge.reference) == first)
            let error = await #expect(throws: PaymentError.self) {
                try await house.payPal.charge(reference: "NOTHING")
            }
            guard case .refused("INVALID_RESOURCE_ID", _) = error else {
                Issue.record("unexpected \(String(describing: error))")
                return
            }
        }
    }

    @Test("what the buyer approved is captured, what is held back stays undecided, what can't be paid is declined")
    func shapes() async throws {
        try await SandboxHouse.open { house in
            let approved = try await house.payPal.charge(request("o-1", method: "vault_approved")).charged
            #expect(try await house.payPal.charge(request("o-1", method: "vault_approved")).charged == approved)
            guard case .undecided(let held) = try await house.payPal.charge(request("o-2", method: "vault_held"))
            else {
                Issue.record("a held capture was decided")
                return
            }
            #expect(try await house.payPal.charge(reference: held) == .undecided(reference: held))
            let error = await #expect(throws: PaymentError.self) { try await house.payPal.cancel(reference: held) }
            guard case .refused("capture_pending", _) = error else {
                Issue.record("unexpected \(String(describing: error))")
                return
            }
            let declined = try await house.payPal.charge(request("o-3", method: "vault_declined"))
            #expect(declined == .declined(code: "INSTRUMENT_DECLINED", reference: nil))
            let unknown = try await house.payPal.charge(request("o-4", method: "vault_nothing"))
            #expect(unknown == .declined(code: "INVALID_RESOURCE_ID", reference: nil))
            await #expect(throws: PaymentError.self) { try await house.payPal.cancel(reference: approved.reference) }
        }
    }

    @Test("an order is not charged again once PayPal has forgotten its request: its invoice was used")
    func invoices() async throws {
        try await SandboxHouse.open { house in
            _ = try await house.payPal.charge(request("o-1")).charged
            // Another body under the key of the first would be the same call forgotten.
            let connection = house.payPal.connection
            let body = PayPalOrderRequest(
                purchaseUnits: [
                    .init(
                        customId: "o-1", invoiceId: "o-1",
                        amount: try #require(PayPalAmount(Money(minorUnits: 499, currency: .eur))))
                ], paymentSource: .init(paypal: .init(vaultId: "vault_good")))
            let answer = try await connection.post(PayPalProvider.ordersPath, body, requestId: "forgotten")
            let error = #expect(throws: PaymentError.self) { try PayPalAnswer.order(answer) }
            guard case .refused("DUPLICATE_INVOICE_ID", _) = error else {
                Issue.record("unexpected \(String(describing: error))")
                return
            }
        }
    }

    @Test("an order's refund is made once, in part or in full, and the charge tells of it")
    func refunds() async throws {
        try await SandboxHouse.open(faults: "pending-refund=0:100ms") { house in
            let charge = try await house.payPal.charge(request("o-1")).charged
            let made = try await house.payPal.refund(SandboxHouse.refund(charge, "o-1", 200))
            guard case .succeeded = made else {
                Issue.record("unexpected \(made)")
                return
            }
            #expect(try await house.payPal.refund(SandboxHouse.refund(charge, "o-1", 200)) == made)
            #expect(try await house.payPal.charge(reference: charge.reference).charged == charge.refunded(200))
            let more = try await house.payPal.refund(SandboxHouse.refund(charge, "too-much", 300))
            #expect(more == .refused(code: "REFUND_AMOUNT_EXCEEDED"))
            // Of another amount it is another refund, not a repetition with other words, which PayPal refuses.
            guard case .succeeded = try await house.payPal.refund(SandboxHouse.refund(charge, "o-1", 100)) else {
                Issue.record("a refund of what is left was taken for a repetition")
                return
            }
            _ = try await house.payPal.refund(SandboxHouse.refund(charge, "another", 199))
            #expect(try await house.payPal.charge(reference: charge.reference).charged == charge.refunded(499))
            guard case .succeeded = try await house.payPal.refund(SandboxHouse.refund(charge, "third")) else {
                Issue.record("the refund was not found")
                return
            }

            let slow = try await house.payPal.charge(request("o-2", method: "vault_pending_refund")).charged
            guard case .undecided = try await house.payPal.refund(SandboxHouse.refund(slow, "o-2")) else {
                Issue.record("the refund was decided at once")
                return
            }
            try await eventually("the refund is made") {
                try await house.payPal.charge(reference: slow.reference).charged.refundedMinorUnits == 499
            }
        }
    }

    @Test("a dispute counts while it is not won; buyer and seller talking doesn't")
    func disputes() async throws {
        try await SandboxHouse.open { house in
            let charge = try await house.payPal.charge(request("o-1")).charged
            let dispute = try await house.tell(
                "disputes", #"{"of":"\#(charge.reference)","status":"warning_needs_response"}"#)
            let id = try #require(dispute["id"])
            for (status, isDisputed) in [
                ("warning_needs_response", false), ("needs_response", true), ("under_review", true), ("lost", true),
                ("won", false),
            ] {
                try await house.tell("disputes/\(id)", #"{"status":"\#(status)"}"#)
                let now = try await house.payPal.charge(reference: charge.reference).charged
                #expect(now.isDisputed == isDisputed, "\(status)")
            }
        }
    }

    @Test("a report is walked page by page and month by month, each charge once, with what was given back of it")
    func report() async throws {
        try await SandboxHouse.open { house in
            let first = try await house.payPal.charge(request("o-1")).charged
            let second = try await house.payPal.charge(request("o-2", 100)).charged
            _ = try await house.stripe.charge(SandboxHouse.request("o-3")).charged
            _ = try await house.payPal.refund(SandboxHouse.refund(first, "o-1", 99))
            _ = try await house.payPal.charge(request("o-4", method: "vault_held"))
            // The report is of whole seconds, and ends with this one.
            let later = PayPalProvider(
                url: house.url, clientId: "muster", clientSecret: "paypal_muster", clock: { .now + .seconds(2) })
            var seen: [Charge] = []
            var pages = 0
            var cursor: String?
            repeat {
                let page = try await later.charges(since: .now - .seconds(70 * 86_400), after: cursor)
                seen += page.succeeded
                pages += 1
                cursor = page.next
            } while cursor != nil
            try await later.shutdown()
            #expect(pages == 3)
            #expect(Set(seen) == [first.refunded(99), second])
            #expect(seen.count == 2)
            await #expect(throws: PaymentError.self) {
                try await house.payPal.charges(since: .now, after: "nonsense")
            }
        }
    }

    @Test("PayPal is asked whether a webhook is its own; a changed one is refused")
    func webhooks() async throws {
        let sink = WebhookSink()
        try await sink.serve { hook in
            try await SandboxHouse.open(payPalHook: hook) { house in
                let charge = try await house.payPal.charge(request("o-1")).charged
                try await eventually("the capture is told") { sink.deliveries.count == 1 }
                _ = try await house.payPal.refund(SandboxHouse.refund(charge, "o-1"))
                try await eventually("the refund is told") { sink.deliveries.count == 2 }
                let other = try await house.payPal.charge(request("o-2", method: "vault_disputed")).charged
                try await eventually("the dispute is told") { sink.deliveries.count == 4 }
                let verifier = PayPalWebhooks(
                    url: house.url, clientId: "muster", clientSecret: "paypal_muster", webhookId: "WH-MUSTER")
                var events: [ProviderEvent] = []
                for delivery in sink.deliveries {
                    events.append(try await verifier.event(headers: delivery.headers, body: delivery.bytes, at: .now))
                }
                let told = Set(events.map { "\($0.type) \($0.reference ?? "-") \($0.orderId?.rawValue ?? "-")" })
                #expect(
                    told == [
                        "PAYMENT.CAPTURE.COMPLETED \(charge.reference) o-1",
                        "PAYMENT.CAPTURE.REFUNDED \(charge.reference) o-1",
                        "PAYMENT.CAPTURE.COMPLETED \(other.reference) o-2",
                        "CUSTOMER.DISPUTE.CREATED \(other.reference) o-2",
                    ])
                let first = sink.deliveries[0]
                let forged = Array(first.body.replacing("o-1", with: "o-9").utf8)
                await #expect(throws: StoreError.badSignature("PayPal doesn't know it")) {
                    try await verifier.event(headers: first.headers, body: forged, at: .now)
                }
                await #expect(throws: StoreError.self) {
                    try await verifier.event(headers: [:], body: first.bytes, at: .now)
                }
                for injected in [#"{},"webhook_id":"x""#, "[]", "x", #"{"id":"1"}"#] {
                    await #expect(throws: StoreError.self, "\(injected)") {
                        try await verifier.event(headers: first.headers, body: Array(injected.utf8), at: .now)
                    }
                }
                try await verifier.shutdown()
            }
        }
    }

    @Test("a wrong secret is told apart from an outage, and what was charged under faults is charged once")
    func faults() async throws {
        try await SandboxHouse.open(clientSecret: "wrong") { house in
            let error = await #expect(throws: PaymentError.self) { try await house.payPal.charge(request("o-1")) }
            guard case .unauthorized = error else {
                Issue.record("unexpected \(String(describing: error))")
                return
            }
        }
        try await SandboxHouse.open(faults: "error-after-charge=1") { house in
            let error = await #expect(throws: PaymentError.self) { try await house.payPal.charge(request("o-1")) }
            guard case .unavailable = error else {
                Issue.record("unexpected \(String(describing: error))")
                return
            }
            let charge = try await house.payPal.charge(request("o-1")).charged
            #expect(charge.orderId == OrderID("o-1"))
        }
    }
}

import Foundation
import GameModel
import Testing

@testable import Store

@Suite("Stripe's answers")
struct StripeAnswerTests {
    private func outcome(_ status: Int, _ body: String) throws(PaymentError) -> ChargeOutcome {
        try StripeAnswer.outcome(Self.answer(status, body))
    }

    private static func answer(_ status: Int, _ body: String) -> StripeAnswer.Answer {
        .init(status: status, body: Data(body.utf8))
    }

    private func intent(_ status: String, error: String = "null") -> String {
        """
        {"id":"pi_1","object":"payment_intent","amount":499,"amount_received":499,"currency":"eur",
        "status":"\(status)","metadata":{"order_id":"01ORDER"},"last_payment_error":\(error),"livemode":false}
        """
    }

    @Test("a succeeded intent is a charge of what was received")
    func succeeded() throws {
        let charge = Charge(reference: "pi_1", orderId: OrderID("01ORDER"), minorUnits: 499, currency: "EUR")
        #expect(try outcome(200, intent("succeeded")) == .succeeded(charge))
        #expect(charge.isExactly(Money(minorUnits: 499, currency: .eur)))
        #expect(!charge.isExactly(Money(minorUnits: 499, currency: .usd)))
        #expect(!charge.isExactly(Money(minorUnits: 498, currency: .eur)))
    }

    @Test("a declined card is told with the bank's code")
    func declined() throws {
        let error =
            #"{"error":{"type":"card_error","code":"card_declined","decline_code":"insufficient_funds","#
            + #""payment_intent":{"id":"pi_1"}}}"#
        #expect(try outcome(402, error) == .declined(code: "insufficient_funds", reference: "pi_1"))
        #expect(try outcome(402, "") == .declined(code: "card_declined", reference: nil))
        let failed = intent("requires_payment_method", error: #"{"code":"expired_card"}"#)
        #expect(try outcome(200, failed) == .declined(code: "expired_card", reference: "pi_1"))
        #expect(
            try outcome(200, intent("requires_action")) == .declined(code: "authentication_required", reference: "pi_1")
        )
        let unknown = #"{"error":{"type":"invalid_request_error","code":"resource_missing","param":"payment_method"}}"#
        #expect(try outcome(400, unknown) == .declined(code: "resource_missing", reference: nil))
    }

    @Test("an undecided intent is asked about again")
    func undecided() throws {
        #expect(try outcome(200, intent("processing")) == .undecided(reference: "pi_1"))
    }

    @Test("what says nothing about the charge is never taken for a verdict", arguments: [409, 429, 500, 502, 503, 504])
    func unavailable(status: Int) {
        let error = #expect(throws: PaymentError.self) { try outcome(status, "<html>") }
        guard case .unavailable = error else {
            Issue.record("unexpected \(String(describing: error))")
            return
        }
    }

    @Test("a refused key, a refused request and an unreadable answer are told apart")
    func others() {
        let idempotency = #"{"error":{"type":"idempotency_error","message":"Keys can only be used once"}}"#
        #expect(throws: PaymentError.unauthorized("HTTP 401")) { try outcome(401, "") }
        #expect(throws: PaymentError.refused(code: "idempotency_error", message: "Keys can only be used once")) {
            try outcome(400, idempotency)
        }
        let unreadable = #expect(throws: PaymentError.self) { try outcome(200, #"{"id":"pi_1"}"#) }
        guard case .unavailable = unreadable else {
            Issue.record("unexpected \(String(describing: unreadable))")
            return
        }
    }

    @Test("a page that is no answer of Stripe's is an outage, not a refusal", arguments: [302, 400, 404, 418])
    func strangers(status: Int) {
        let error = #expect(throws: PaymentError.self) { try outcome(status, "<html>") }
        guard case .unavailable = error else {
            Issue.record("unexpected \(String(describing: error))")
            return
        }
    }

    private func charge(_ id: String, _ more: String) -> String {
        """
        {"id":"\(id)","object":"charge","amount":499,"amount_captured":499,"currency":"eur","captured":true,
        "payment_intent":{"id":"pi_\(id)","metadata":{"order_id":"\(id)"}},"metadata":{},\(more)}
        """
    }

    @Test("a page has the charges that succeeded, what was given back of them, and where the next one begins")
    func page() throws {
        let charges = [
            charge("a", #""status":"succeeded","amount_refunded":99,"disputed":true"#),
            charge("b", #""status":"failed""#), charge("c", #""status":"pending""#),
            #"{"id":"ch_d","amount":5,"currency":"usd","status":"succeeded","payment_intent":null}"#,
        ]
        let body = #"{"object":"list","data":[\#(charges.joined(separator: ","))],"has_more":true}"#
        let page = try StripeAnswer.page(Self.answer(200, body))
        #expect(
            page.succeeded == [
                Charge(
                    reference: "pi_a", orderId: OrderID("a"), minorUnits: 499, currency: "EUR", refundedMinorUnits: 99,
                    isDisputed: true),
                Charge(reference: "ch_d", orderId: nil, minorUnits: 5, currency: "USD"),
            ])
        #expect(page.next == "ch_d")
        let last = try StripeAnswer.page(Self.answer(200, #"{"data":[],"has_more":false}"#))
        #expect(last.succeeded.isEmpty && last.next == nil)
    }

    @Test(
        "an intent tells what was given back of it where its charge came with it, and nothing where only its name did")
    func latestCharge() throws {
        let link = #""latest_charge":"ch_1""#
        let full =
            #""latest_charge":{"id":"ch_1","amount":499,"amount_refunded":99,"disputed":false,"currency":"eur","#
            + #""status":"succeeded","payment_intent":"pi_1"}"#
        for (part, refunded) in [(link, Int64(0)), (full, 99), (#""latest_charge":null"#, 0)] {
            let body = intent("succeeded").replacing(#""livemode":false"#, with: part)
            #expect(try outcome(200, body).charged.refundedMinorUnits == refunded)
        }
    }

    @Test("a refund is made, on its way, or refused for good")
    func refunds() throws {
        func refund(_ status: Int, _ body: String) throws(PaymentError) -> RefundOutcome? {
            try StripeAnswer.refund(Self.answer(status, body))
        }
        #expect(try refund(200, #"{"id":"re_1","status":"succeeded"}"#) == .succeeded(reference: "re_1"))
        #expect(try refund(200, #"{"id":"re_1","status":"pending"}"#) == .undecided(reference: "re_1"))
        #expect(try refund(200, #"{"id":"re_1","status":"requires_action"}"#) == .undecided(reference: "re_1"))
        #expect(try refund(200, #"{"id":"re_1","status":"failed"}"#) == .refused(code: "failed"))
        #expect(
            try refund(200, #"{"id":"re_1","status":"failed","failure_reason":"lost_card"}"#)
                == .refused(code: "lost_card"))
        #expect(try refund(400, #"{"error":{"code":"charge_disputed"}}"#) == .refused(code: "charge_disputed"))
        #expect(try refund(400, #"{"error":{"code":"charge_already_refunded"}}"#) == nil)
        #expect(throws: PaymentError.unavailable("HTTP 400: no")) {
            try refund(400, #"{"error":{"type":"idempotency_error","message":"no"}}"#)
        }
        for status in [429, 500, 503] { #expect(throws: PaymentError.self) { try refund(status, "") } }
    }

    @Test("of a list of refunds, the order's own counts; a failed one of another is passed over")
    func listedRefunds() throws {
        let body =
            #"{"data":[{"id":"re_2","status":"failed","metadata":{"order_id":"b","attempt":"1"}},"#
            + #"{"id":"re_1","status":"succeeded","metadata":{"order_id":"a","attempt":"1"}},"#
            + #"{"id":"re_3","status":"pending","metadata":{"order_id":"d","attempt":"1"}}],"has_more":false}"#
        let answer = Self.answer(200, body)
        func request(_ order: String, _ attempt: String = "1") -> RefundRequest {
            RefundRequest(
                reference: "pi", orderId: OrderID(order), amount: Money(minorUnits: 499, currency: .eur),
                attempt: attempt)
        }
        #expect(try StripeAnswer.refund(answer, for: request("a")) == .succeeded(reference: "re_1"))
        #expect(try StripeAnswer.refund(answer, for: request("b")) == .refused(code: "failed"))
        // Asked for again after it failed: that is another refund.
        #expect(try StripeAnswer.refund(answer, for: request("b", "2")) == nil)
        #expect(request("b").idempotencyKey != request("b", "2").idempotencyKey)
        #expect(try StripeAnswer.refund(answer, for: request("c")) == nil)
        // What an earlier asking gave back is not this one's; while it is on its way, nothing more is asked for.
        #expect(try StripeAnswer.refund(answer, for: request("a", "2")) == nil)
        #expect(try StripeAnswer.refund(answer, for: request("d", "2")) == .undecided(reference: "re_3"))
        #expect(try StripeAnswer.refund(answer, for: nil) == .succeeded(reference: "re_1"))
    }

    @Test(
        "a dispute counts as lost unless it was won or only asks",
        arguments: [
            ("won", false), ("warning_needs_response", false), ("warning_closed", false), ("charge_refunded", false),
            ("needs_response", true), ("under_review", true), ("lost", true), ("something_new", true),
        ])
    func disputes(status: String, isLost: Bool) throws {
        let body = #"{"data":[{"id":"dp_0","status":"won"},{"id":"dp_1","status":"\#(status)"}],"has_more":false}"#
        #expect(try StripeAnswer.isDisputeLost(Self.answer(200, body)) == isLost)
    }

    @Test("an intent is cancelled once it says so; one that is cancelled already is as good")
    func cancels() throws {
        try StripeAnswer.cancelled(Self.answer(200, intent("canceled")))
        let again = #"{"error":{"code":"payment_intent_unexpected_state","payment_intent":{"id":"pi_1","status":"X"}}}"#
        try StripeAnswer.cancelled(Self.answer(400, again.replacing("X", with: "canceled")))
        for (status, body) in [
            (200, intent("succeeded")), (400, again.replacing("X", with: "succeeded")), (404, again), (500, ""),
        ] {
            #expect(throws: PaymentError.self, "\(status) \(body)") {
                try StripeAnswer.cancelled(Self.answer(status, body))
            }
        }
    }

    @Test("form fields are encoded so that they can't run into each other")
    func escaping() {
        let fields = [("metadata[order_id]", "a&b c+ü"), ("x", "pm_card-visa.1~")]
        #expect(ProviderConnection.form(fields) == "metadata%5Border_id%5D=a%26b%20c%2B%C3%BC&x=pm_card-visa.1~")
    }
}

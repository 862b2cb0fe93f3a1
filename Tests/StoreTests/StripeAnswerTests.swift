import Foundation
import GameModel
import Testing

@testable import Store

@Suite("Stripe's answers")
struct StripeAnswerTests {
    private func outcome(_ status: Int, _ body: String) throws(PaymentError) -> ChargeOutcome {
        try StripeAnswer.outcome(status: status, body: Data(body.utf8))
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

    @Test("a page has the charges that succeeded, and where the next one begins")
    func page() throws {
        let body = #"{"object":"list","data":[\#(intent("succeeded")),\#(intent("canceled"))],"has_more":true}"#
        let page = try StripeAnswer.page(status: 200, body: Data(body.utf8))
        #expect(page.succeeded.map(\.reference) == ["pi_1"])
        #expect(page.next == "pi_1")
        let last = try StripeAnswer.page(status: 200, body: Data(#"{"data":[],"has_more":false}"#.utf8))
        #expect(last.succeeded.isEmpty && last.next == nil)
    }

    @Test("form fields are encoded so that they can't run into each other")
    func escaping() {
        #expect(StripeProvider.escaped("metadata[order_id]=a&b c+ü") == "metadata%5Border_id%5D%3Da%26b%20c%2B%C3%BC")
        #expect(StripeProvider.escaped("pm_card-visa.1~") == "pm_card-visa.1~")
    }
}

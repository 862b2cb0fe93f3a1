import Foundation
import GameModel
import Synchronization
import Testing

@testable import Store

@Suite("PayPal's answers")
struct PayPalAnswerTests {
    private func answer(_ status: Int, _ body: String) -> PayPalAnswer.Answer {
        .init(status: status, body: Data(body.utf8))
    }

    private func order(
        _ status: String, captures: String = "", refunds: String = ""
    ) throws(PaymentError) -> PayPalAnswer.Verdict {
        try PayPalAnswer.order(
            answer(
                201,
                """
                {"id":"ORDER","status":"\(status)","purchase_units":[{"custom_id":"o-1",
                "payments":{"captures":[\(captures)],"refunds":[\(refunds)]}}]}
                """))
    }

    private func capture(_ status: String, _ value: String = "4.99", more: String = "") -> String {
        #"{"id":"CAP","status":"\#(status)","amount":{"currency_code":"EUR","value":"\#(value)"}\#(more)}"#
    }

    private let charge = Charge(reference: "CAP", orderId: OrderID("o-1"), minorUnits: 499, currency: "EUR")

    @Test("a capture that is completed is a charge, with what was given back of it")
    func charges() throws {
        #expect(try order("COMPLETED", captures: capture("COMPLETED")) == .outcome(.succeeded(charge)))
        let refund = #"{"id":"R","status":"COMPLETED","amount":{"currency_code":"EUR","value":"0.99"}}"#
        let open = #"{"id":"S","status":"PENDING","amount":{"currency_code":"EUR","value":"1.00"}}"#
        let part = capture("PARTIALLY_REFUNDED")
        #expect(
            try order("COMPLETED", captures: part, refunds: refund + "," + open)
                == .outcome(.succeeded(charge.refunded(99))))
        #expect(
            try order("COMPLETED", captures: capture("REFUNDED")) == .outcome(.succeeded(charge.refunded(499))))
        #expect(throws: PaymentError.self) { try order("COMPLETED", captures: part) }
    }

    @Test("what is not captured yet waits, is captured, or is declined")
    func others() throws {
        #expect(try order("COMPLETED", captures: capture("PENDING")) == .outcome(.undecided(reference: "CAP")))
        #expect(try order("COMPLETED") == .outcome(.undecided(reference: "ORDER")))
        #expect(try order("APPROVED") == .toCapture)
        for status in ["CREATED", "PAYER_ACTION_REQUIRED"] {
            #expect(
                try order(status) == .outcome(.declined(code: "payer_action_required", reference: "ORDER")))
        }
        let declined = capture("DECLINED", more: #","processor_response":{"response_code":"5120"}"#)
        #expect(try order("COMPLETED", captures: declined) == .outcome(.declined(code: "5120", reference: "CAP")))
    }

    @Test(
        "an amount that can't be read exactly is never a charge", arguments: ["4.999", "4,99", "", "1e3", "-4.99", "."])
    func amounts(value: String) {
        let error = #expect(throws: PaymentError.self) {
            try order("COMPLETED", captures: capture("COMPLETED", value))
        }
        guard case .unavailable = error else {
            Issue.record("unexpected \(String(describing: error))")
            return
        }
    }

    @Test("a buyer who can't pay is declined, a mistake of ours is refused, the rest is asked again")
    func faults() throws {
        func fault(_ issue: String, field: String = "") -> String {
            #"{"name":"UNPROCESSABLE_ENTITY","details":[{"issue":"\#(issue)","field":"\#(field)","description":"w"}]}"#
        }
        #expect(
            try PayPalAnswer.order(answer(422, fault("INSTRUMENT_DECLINED")))
                == .outcome(.declined(code: "INSTRUMENT_DECLINED", reference: nil)))
        #expect(
            try PayPalAnswer.order(answer(404, fault("INVALID_RESOURCE_ID", field: "/payment_source/paypal/vault_id")))
                == .outcome(.declined(code: "INVALID_RESOURCE_ID", reference: nil)))
        #expect(throws: PaymentError.refused(code: "DUPLICATE_INVOICE_ID", message: "w")) {
            try PayPalAnswer.order(answer(422, fault("DUPLICATE_INVOICE_ID")))
        }
        #expect(throws: PaymentError.unauthorized("w")) { try PayPalAnswer.order(answer(403, fault("NOT_AUTHORIZED"))) }
        for status in [302, 404, 409, 429, 500, 503] {
            let error = #expect(throws: PaymentError.self) { try PayPalAnswer.order(answer(status, "<html>")) }
            guard case .unavailable = error else {
                Issue.record("unexpected \(String(describing: error))")
                continue
            }
        }
    }

    @Test("a refund is made, on its way, or refused for good")
    func refunds() throws {
        func refund(_ status: Int, _ body: String) throws(PaymentError) -> RefundOutcome? {
            try PayPalAnswer.refund(answer(status, body))
        }
        #expect(try refund(201, #"{"id":"R","status":"COMPLETED"}"#) == .succeeded(reference: "R"))
        #expect(try refund(201, #"{"id":"R","status":"PENDING"}"#) == .undecided(reference: "R"))
        #expect(try refund(201, #"{"id":"R","status":"CANCELLED"}"#) == .refused(code: "cancelled"))
        #expect(
            try refund(422, #"{"details":[{"issue":"REFUND_NOT_ALLOWED"}]}"#) == .refused(code: "REFUND_NOT_ALLOWED"))
        #expect(try refund(422, #"{"details":[{"issue":"CAPTURE_FULLY_REFUNDED"}]}"#) == nil)
        #expect(throws: PaymentError.self) { try refund(500, "") }
    }

    @Test(
        "money becomes PayPal's decimal text and comes back, to the last digit",
        arguments: [
            (499, .eur, "4.99"), (5, .usd, "0.05"), (0, .eur, "0.00"), (500, .jpy, "500"), (120_000, .huf, "1200"),
            (1_234_567_890_123_456_789, .eur, "12345678901234567.89"),
        ] as [(Int64, Currency, String)])
    func decimals(minorUnits: Int64, currency: Currency, text: String) throws {
        let amount = try #require(PayPalAmount(Money(minorUnits: minorUnits, currency: currency)))
        #expect(amount.value == text)
        #expect(amount.minorUnits == minorUnits)
    }

    @Test("every amount comes back as it went, whatever its currency")
    func everyAmount() throws {
        var random = SplitMix64(seed: 11)
        for _ in 0..<5_000 {
            let currency = try #require(Currency.allCases.randomElement(using: &random))
            let scale: Int64 = PayPalAmount.wholeOnly.contains(currency.rawValue) && currency.exponent > 0 ? 100 : 1
            let minorUnits = Int64.random(in: 0...1_000_000, using: &random) * scale
            let amount = try #require(PayPalAmount(Money(minorUnits: minorUnits, currency: currency)))
            #expect(amount.minorUnits == minorUnits, "\(amount)")
        }
        #expect(PayPalAmount(Money(minorUnits: 1, currency: .huf)) == nil)
        #expect(PayPalAmount(Money(minorUnits: -1, currency: .eur)) == nil)
    }

    @Test("what PayPal can't take is told before it is asked")
    func currencies() {
        for (code, minorUnits, isTaken) in [("EUR", 499, true), ("JPY", 500, true), ("KRW", 5_000, false)] {
            guard let currency = Currency(rawValue: code) else { continue }
            #expect(
                PayPalAmount.isTaken(Money(minorUnits: Int64(minorUnits), currency: currency)) == isTaken, "\(code)")
        }
    }

    @Test("a report that is too large is told from one that is refused")
    func tooLarge() {
        let large = #"{"name":"RESULTSET_TOO_LARGE","message":"Result set size is greater than the maximum limit."}"#
        #expect(PayPalAnswer.isTooLarge(.init(status: 400, body: Data(large.utf8))))
        #expect(!PayPalAnswer.isTooLarge(.init(status: 400, body: Data(#"{"name":"INVALID_REQUEST"}"#.utf8))))
    }

    @Test("the spans of a report follow each other without a gap or an overlap, and end before now")
    func spans() throws {
        let now = Instant(milliseconds: 1_900_000_000_500)
        var cursor: PayPalProvider.Cursor? = .init(from: now - .seconds(100 * 86_400), now: now)
        var spans: [PayPalProvider.Cursor] = []
        while let place = cursor {
            spans.append(place)
            let text = try #require(PayPalProvider.Cursor(place.text))
            #expect(text == place)
            #expect(place.next(of: 2, now: now)?.start == place.start)
            cursor = place.next(of: 1, now: now)
        }
        #expect(spans.count == 4)
        for (earlier, later) in zip(spans, spans.dropFirst()) { #expect(later.start - earlier.end == .seconds(1)) }
        #expect(spans.allSatisfy { $0.end - $0.start <= .seconds(31 * 86_400) })
        #expect(spans.last?.end == Instant(milliseconds: 1_900_000_000_000))
        let half = try #require(spans[0].half)
        #expect(half.start == spans[0].start && half.end < spans[0].end)
        #expect(half.next(of: 1, now: now)?.start == half.end + .seconds(1))
        #expect(spans[0].next(of: 2, now: now)?.half == nil)
        for bad in ["", "1/2", "2/1/1", "1/2/0", "a/b/c", "1/2/3/4"] { #expect(PayPalProvider.Cursor(bad) == nil) }
    }

    @Test("a token is asked for once for all who need it, kept, and renewed before it ends")
    func tokens() async throws {
        let asked = Mutex(0)
        let clock = TestClock()
        let access = PayPalAccess(clock: { clock.now }) { () async throws(PaymentError) -> PayPalAnswer.Answer in
            let number = asked.withLock { asked in
                asked += 1
                return asked
            }
            return .init(status: 200, body: Data(#"{"access_token":"t\#(number)","expires_in":600}"#.utf8))
        }
        let first = try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<20 { group.addTask { try await access.token() } }
            return try await group.reduce(into: Set<String>()) { $0.insert($1) }
        }
        #expect(first == ["t1"])
        clock.advance(by: .seconds(479))
        #expect(try await access.token() == "t1")
        clock.advance(by: .seconds(1))
        #expect(try await access.token() == "t2")
        await access.forget("t1")
        #expect(try await access.token() == "t2")
        await access.forget("t2")
        #expect(try await access.token() == "t3")
    }
}

import AsyncHTTPClient
import Foundation
import GameModel
import NIOCore
import TestSupport
import Testing

@testable import Store

/// Our side of Stripe's API against somebody else's idea of it: PyPI's localstripe, a Stripe that keeps its charges.
///
/// What it lacks, and the sandbox is for: it ignores idempotency keys, knows no disputes, no pending refunds and no
/// limit of what is given back, marks no charge as disputed, and sends webhooks of the charging alone.
@Suite("Against a foreign Stripe server")
struct LocalStripeTests {
    /// Runs the body beside a localstripe of its own.
    private func withLocalStripe(_ body: (_ url: String, _ provider: StripeProvider) async throws -> Void) async throws
    {
        let python = try ForeignProgram.python()
        let known = try await ForeignProgram.run(python, ["-c", "import localstripe"])
        guard known.status == 0 else {
            throw TestSupportError("\(python) has no package localstripe: run ops/prepare")
        }
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        try await ForeignServer.run(log: folder.file("localstripe.log")) { port in
            [python, "-m", "localstripe", "--from-scratch", "--port", "\(port)"]
        } isListening: { port in
            try await withProvider(of: port) { _, provider in
                do {
                    _ = try await provider.charges(since: .now, after: nil)
                    return true
                } catch {
                    return false
                }
            }
        } _: { port in
            try await withProvider(of: port, body)
        }
    }

    private func withProvider<T>(
        of port: Int, _ body: (_ url: String, _ provider: StripeProvider) async throws -> T
    ) async throws -> T {
        let url = "http://127.0.0.1:\(port)"
        let provider = StripeProvider(url: url, secretKey: "sk_test_12345", timeout: .seconds(60))
        let outcome: Result<T, any Error>
        do {
            outcome = .success(try await body(url, provider))
        } catch {
            outcome = .failure(error)
        }
        try await provider.shutdown()
        return try outcome.get()
    }

    @Test("a card is charged, looked up, listed, given back in part and in full")
    func charges() async throws {
        try await withLocalStripe { _, provider in
            let begin = Instant.now
            let outcome = try await provider.charge(SandboxHouse.request("o-1"))
            let charge = try outcome.charged
            #expect(charge.orderId == OrderID("o-1"))
            #expect(charge.isExactly(Money(minorUnits: 499, currency: .eur)))
            #expect(try await provider.charge(reference: charge.reference) == outcome)

            let part = SandboxHouse.refund(charge, "o-1", 200)
            let made = try await provider.refund(part)
            guard case .succeeded(let refund) = made else {
                Issue.record("unexpected \(made)")
                return
            }
            #expect(refund.hasPrefix("re_"))
            // It knows no idempotency keys: that no second one is made is our looking first.
            #expect(try await provider.refund(part) == made)
            let now = try await provider.charge(reference: charge.reference).charged
            #expect(now == charge.refunded(200))
            _ = try await provider.refund(SandboxHouse.refund(charge, "the rest", 299))
            #expect(try await provider.charge(reference: charge.reference).charged == charge.refunded(499))

            let other = try await provider.charge(SandboxHouse.request("o-2", 100)).charged
            let page = try await provider.charges(since: begin, after: nil)
            #expect(Set(page.succeeded) == [charge.refunded(499), other])
            #expect(try await provider.charges(since: .now + .seconds(5), after: nil).succeeded.isEmpty)
        }
    }

    @Test("a list of more than a page is walked to its end")
    func pages() async throws {
        try await withLocalStripe { _, provider in
            let begin = Instant.now
            var made: Set<Charge> = []
            for number in 0..<(StripeProvider.pageMax + 3) {
                made.insert(try await provider.charge(SandboxHouse.request("o-\(number)")).charged)
            }
            let first = try await provider.charges(since: begin, after: nil)
            let second = try await provider.charges(since: begin, after: first.next)
            #expect(first.next != nil)
            #expect(first.succeeded.count == StripeProvider.pageMax && second.next == nil)
            #expect(Set(first.succeeded + second.succeeded) == made)
        }
    }

    @Test("a declined card is declined and can be cancelled; what was charged can't be; the unknown is refused")
    func declines() async throws {
        try await withLocalStripe { _, provider in
            let bad = SandboxHouse.request("o-1", method: "pm_card_chargeCustomerFail")
            #expect(try await provider.charge(bad) == .declined(code: "card_declined", reference: nil))
            #expect(try await provider.charges(since: .now - .seconds(60), after: nil).succeeded.isEmpty)
            let charge = try await provider.charge(SandboxHouse.request("o-2")).charged
            for refused in [charge.reference, "pi_none"] {
                let error = await #expect(throws: PaymentError.self) { try await provider.cancel(reference: refused) }
                guard case .refused = error else {
                    Issue.record("unexpected \(String(describing: error))")
                    continue
                }
            }
            let error = await #expect(throws: PaymentError.self) { try await provider.charge(reference: "pi_none") }
            guard case .refused = error else {
                Issue.record("unexpected \(String(describing: error))")
                return
            }
        }
    }

    @Test("an intent that was not confirmed is cancelled, and tells so")
    func cancels() async throws {
        try await withLocalStripe { url, provider in
            let made = try await ForeignProgram.output(
                "/usr/bin/curl",
                [
                    "-sf", "-u", "sk_test_12345:", "\(url)/v1/payment_intents", "-d", "amount=100", "-d",
                    "currency=eur", "-d", "payment_method=pm_card_visa",
                ])
            let intent = try JSONDecoder().decode(StripeIntentName.self, from: Data(made.utf8))
            #expect(try await provider.charge(reference: intent.id) == .undecided(reference: intent.id))
            try await provider.cancel(reference: intent.id)
            #expect(
                try await provider.charge(reference: intent.id)
                    == .declined(code: "canceled", reference: intent.id))
        }
    }

    @Test("its webhooks are signed as ours are, and a changed one is refused")
    func webhooks() async throws {
        let sink = WebhookSink()
        try await sink.serve { hook in
            try await withLocalStripe { url, provider in
                _ = try await ForeignProgram.output(
                    "/usr/bin/curl",
                    ["-sf", "\(url)/_config/webhooks/ours", "-d", "url=\(hook)", "-d", "secret=whsec_foreign"])
                let charge = try await provider.charge(SandboxHouse.request("o-1")).charged
                try await eventually("the charge is told") { !sink.deliveries.isEmpty }
                let delivery = try #require(sink.deliveries.first)
                let verifier = StripeWebhooks(secrets: ["whsec_foreign"])
                let event = try await verifier.event(headers: delivery.headers, body: delivery.bytes, at: .now)
                #expect(event.type == "payment_intent.succeeded")
                #expect(event.reference == charge.reference)
                #expect(event.orderId == OrderID("o-1"))
                await #expect(throws: StoreError.badSignature("it is not of this body")) {
                    try await verifier.event(headers: delivery.headers, body: delivery.bytes + [32], at: .now)
                }
            }
        }
    }
}

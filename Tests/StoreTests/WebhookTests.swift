import GRDB
import GameModel
import Jobs
import Records
import TestSupport
import Testing

@testable import Store

@Suite("Webhooks")
struct WebhookTests {
    private let signature = WebhookSignature(secret: "whsec_test")
    private let now = Instant(milliseconds: 1_900_000_000_000)
    private let body = Array(#"{"id":"evt_1"}"#.utf8)

    /// Made with OpenSSL: printf '1900000000.{"id":"evt_1"}' | openssl dgst -sha256 -hmac whsec_test
    private let known = "07bfe3263a269f453f7d5a37b2a4cd1da8d9ce73d114dc03a02eb54dd6fba09d"

    private func refuses(_ header: String, body: [UInt8]? = nil, at time: Instant? = nil) -> Bool {
        do {
            try signature.verify(header: header, body: body ?? self.body, at: time ?? now)
            return false
        } catch {
            return true
        }
    }

    @Test("the signature is that of OpenSSL, and is good within five minutes of its time")
    func good() {
        #expect(signature.header(body: body, at: now) == "t=1900000000,v1=\(known)")
        for offset in [-300, 0, 300] {
            #expect(!refuses("t=1900000000,v1=\(known)", at: now + .seconds(offset)))
        }
        #expect(!refuses("t=1900000000,v0=abc,v1=00,v1=\(known)"))
    }

    @Test("a signature of another body, secret or time is refused, and so is what is none")
    func bad() {
        let good = "t=1900000000,v1=\(known)"
        #expect(refuses(good, body: body + [32]))
        #expect(refuses(good, at: now + .seconds(301)) && refuses(good, at: now - .seconds(301)))
        #expect(refuses("t=1900000001,v1=\(known)"))
        #expect(refuses(WebhookSignature(secret: "other").header(body: body, at: now)))
        for header in ["", "t=", "t=1900000000", "v1=\(known)", "t=x,v1=\(known)", "t=1900000000,v1=zz", "nonsense"] {
            #expect(refuses(header), "\(header)")
        }
        #expect(refuses("t=\(Int64.min),v1=\(known)"))
    }

    @Test("an unsigned body is refused before it is read, and a signed one that is no event after")
    func refused() async throws {
        try await StoreDesk.open { desk in
            let receiver = WebhookReceiver(
                repository: desk.repository, verifiers: [StripeWebhooks(secrets: ["whsec_test"])],
                clock: { desk.clock.now })
            func receive(_ text: String, signedBy other: WebhookSignature? = nil) async throws -> WebhookOutcome {
                let body = Array(text.utf8)
                return try await receiver.receive(
                    provider: "stripe",
                    headers: ["stripe-signature": (other ?? signature).header(body: body, at: desk.clock.now)],
                    body: body)
            }
            let good = #"{"id":"evt_1","type":"customer.created","data":[1]}"#
            await #expect(throws: StoreError.badSignature("it is not of this body")) {
                try await receive(good, signedBy: WebhookSignature(secret: "other"))
            }
            await #expect(throws: StoreError.self) {
                try await receiver.receive(provider: "stripe", headers: [:], body: Array(good.utf8))
            }
            await #expect(throws: StoreError.self) {
                try await receiver.receive(provider: "unknown", headers: [:], body: Array(good.utf8))
            }
            for body in ["", "[]", #"{"id":"evt_1"}"#, #"{"id":"evt_1","type":"payment_intent.x","data":{}}"#] {
                let error = await #expect(throws: StoreError.self) { try await receive(body) }
                guard case .malformedEvent = error else {
                    Issue.record("unexpected \(String(describing: error))")
                    continue
                }
            }
            let before = try await kept(desk)
            let outcome = try await receive(good)
            let after = try await kept(desk)
            #expect(before == 0 && outcome == .noted && after == 1)
        }
    }

    @Test("an event of an unknown type is acknowledged and kept with its body, once")
    func unknownType() async throws {
        try await Verifiers.open { verifiers in
            #expect(try await verifiers.hear("evt_1", "customer.created", of: nil) == .noted)
            #expect(try await verifiers.hear("evt_1", "customer.created", of: nil) == .repeated)
            let row = try await verifiers.desk.database.read { db in
                try Row.fetchOne(db, sql: "SELECT provider, type, body FROM provider_events")
                    .map { [$0["provider"] as String, $0["type"], $0["body"]] }
            }
            #expect(row == ["stripe", "customer.created", "{}"])
        }
    }

    @Test("the same event id of another provider is another event")
    func perProvider() async throws {
        try await StoreDesk.open { desk in
            for name in ["stripe", "paypal"] {
                let verifiers = Verifiers(desk, FaultyProvider(name: name))
                let outcome = try await verifiers.hear("evt_1", of: nil)
                #expect(outcome == .noted)
            }
            let count = try await kept(desk)
            #expect(count == 2)
        }
    }

    @Test("a webhook before our own answer gets the order its verdict; its replay changes nothing")
    func early() async throws {
        try await Verifiers.open { verifiers in
            // The webhook overtakes the answer to the call that charged.
            let order = try await verifiers.place()
            verifiers.provider.plan(
                .meanwhile { _ in
                    do {
                        let outcome = try await verifiers.hear(
                            "evt_1", "payment_intent.succeeded", of: order, as: .verdict)
                        #expect(outcome == .verifying)
                    } catch {
                        Issue.record("\(error)")
                    }
                })
            try await verifiers.run()
            #expect(try await verifiers.now(order).state == .paid)
            for event in ["evt_1", "evt_1", "evt_2"] {
                let outcome = try await verifiers.hear(event, "payment_intent.succeeded", of: order, as: .verdict)
                #expect(outcome == (event == "evt_2" ? .noted : .repeated))
            }
            #expect(verifiers.provider.calls == 1 && verifiers.provider.charges.count == 1)
            try await verifiers.expectSettled()
        }
    }

    @Test("a webhook after a lost answer has the charge looked up by its name, not charged again")
    func afterLostAnswer() async throws {
        try await Verifiers.open { verifiers in
            verifiers.provider.plan(.lostAnswer)
            let order = try await verifiers.place()
            try await verifiers.run(VerifyPayment.jobId(of: order.orderId).rawValue)
            try await verifiers.hear("evt_1", "payment_intent.succeeded", of: order, as: .verdict)
            try await verifiers.run()
            #expect(try await verifiers.now(order).state == .paid)
            #expect(verifiers.provider.calls == 1 && verifiers.provider.lookups == 1)
            try await verifiers.expectSettled()
        }
    }

    @Test("a webhook that names a charge the provider doesn't know hinders nothing")
    func wrongHint() async throws {
        try await Verifiers.open { verifiers in
            let order = try await verifiers.place()
            try await verifiers.hear(
                "evt_1", "payment_intent.succeeded", of: order, as: .verdict, reference: "pi_invented")
            try await verifiers.run()
            let now = try await verifiers.now(order)
            #expect(now.state == .paid && now.providerReference == verifiers.reference(order))
            try await verifiers.expectSettled()
        }
    }

    @Test(
        "a refund's events in any order, twice each, and before our own answer: given back once",
        arguments: [["a", "b", "c"], ["c", "b", "a"], ["b", "a", "b", "c", "c"]])
    func reordered(names: [String]) async throws {
        try await Verifiers.open { verifiers in
            verifiers.provider.plan(.lostAnswer)
            let order = try await verifiers.place(StoreDesk.gems)
            try await verifiers.run(VerifyPayment.jobId(of: order.orderId).rawValue)
            verifiers.provider.refundOutside(verifiers.reference(order), 499)
            for name in names {
                let type = ["a": "payment_intent.succeeded", "b": "charge.refunded"][name] ?? "refund.updated"
                try await verifiers.hear(name, type, of: order, as: name == "a" ? .verdict : .aftermath)
            }
            try await verifiers.run()
            let now = try await verifiers.now(order)
            #expect(now.state == .refunded && now.refunded == 499 && now.reason == "refunded at the provider")
            let kinds = try await verifiers.desk.store.orders.transfers(of: order.orderId).map(\.kind)
            #expect(kinds.filter { $0 == .refund }.count == 1 && kinds.filter { $0 == .charge }.count == 1)
            try await verifiers.expectSettled()
        }
    }

    @Test("a refund that happens between the provider's answer and our write is not lost")
    func refundedMeanwhile() async throws {
        try await Verifiers.open { verifiers in
            let order = try await verifiers.place()
            verifiers.provider.plan(
                .meanwhile { charge in
                    // The answer that is on its way says nothing of it.
                    verifiers.provider.refundOutside(charge.reference, 499)
                    do {
                        try await verifiers.hear("evt_1", of: order)
                    } catch {
                        Issue.record("\(error)")
                    }
                })
            try await verifiers.run()
            #expect(try await verifiers.now(order).state == .refunded)
            try await verifiers.expectSettled()
        }
    }

    @Test("an event finds its order by the charge's name alone, and another provider's order not at all")
    func byReference() async throws {
        try await Verifiers.open { verifiers in
            let order = try await verifiers.buy()
            verifiers.provider.refundOutside(verifiers.reference(order), 100)
            let other = Verifiers(verifiers.desk, FaultyProvider(name: "paypal"))
            #expect(try await other.hear("evt_1", of: order) == .noted)
            #expect(try await verifiers.hear("evt_1", of: nil, reference: verifiers.reference(order)) == .settling)
            try await verifiers.run()
            #expect(try await verifiers.now(order).refunded == 100)
            try await verifiers.expectSettled()
        }
    }

    @Test("a declined order's own events need no look at the provider")
    func declined() async throws {
        try await Verifiers.open { verifiers in
            verifiers.provider.plan(.decline)
            let order = try await verifiers.buy()
            #expect(
                try await verifiers.hear("evt_1", "payment_intent.payment_failed", of: order, as: .verdict) == .noted)
            #expect(try await verifiers.owed() == [])
            // That it was charged after all is news.
            verifiers.provider.chargeOutside(
                Charge(
                    reference: verifiers.reference(order), orderId: order.orderId, minorUnits: 499, currency: "EUR"))
            #expect(try await verifiers.hear("evt_2", "charge.succeeded", of: order, as: .verdict) == .settling)
            try await verifiers.run()
            #expect(verifiers.provider.charges.map(\.refundedMinorUnits) == [499])
            try await verifiers.expectSettled()
        }
    }

    @Test("events older than 90 days make room for new ones, a few at a time")
    func pruned() async throws {
        try await Verifiers.open { verifiers in
            for index in 0..<20 { try await verifiers.hear("old-\(index)", of: nil) }
            verifiers.desk.clock.advance(by: .seconds(91 * 86_400))
            try await verifiers.hear("new-0", of: nil)
            #expect(try await kept(verifiers.desk) == 21 - WebhooksRepository.prunedMax)
            for index in 1..<20 { try await verifiers.hear("new-\(index)", of: nil) }
            #expect(try await kept(verifiers.desk) == 20)
        }
    }

    private func kept(_ desk: StoreDesk) async throws -> Int {
        try await desk.database.read { try Int.fetchOne($0, sql: "SELECT COUNT(*) FROM provider_events") ?? 0 }
    }
}

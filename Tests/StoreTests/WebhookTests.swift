import GameModel
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

    @Test("news of a charge gets a waiting order its verdict; a replay of it and other news change nothing")
    func events() async throws {
        try await StoreHouse.open { house in
            house.provider.plan(.lostAnswer)
            let receiver = WebhookReceiver(repository: house.repository, signature: signature)
            let order = try await house.place()
            try await eventually("the charge was made") { !house.provider.charges.isEmpty }
            let news = event("evt_1", "payment_intent.succeeded", order: order.orderId)
            #expect(try await receive(news, receiver) == .verifying)
            #expect(try await receive(news, receiver) == .repeated)
            #expect(try await house.verdict(on: order).state == .paid)
            #expect(
                try await receive(event("evt_2", "payment_intent.succeeded", order: order.orderId), receiver) == .noted)
            #expect(
                try await receive(event("evt_3", "payment_intent.succeeded", order: OrderID("none")), receiver)
                    == .noted)
            #expect(try await receive(#"{"id":"evt_4","type":"customer.created","data":[1]}"#, receiver) == .noted)
            #expect(house.provider.charges.count == 1)
            try await house.expectSettled()
        }
    }

    @Test("an unsigned body is refused before it is read, and a signed one that is no event after")
    func refused() async throws {
        try await StoreHouse.open(verifiers: 0) { house in
            let receiver = WebhookReceiver(repository: house.repository, signature: signature)
            let forged = WebhookSignature(secret: "other")
            let text = event("evt_1", "payment_intent.succeeded", order: OrderID("x"))
            await #expect(throws: StoreError.badSignature("it is not of this body")) {
                try await receive(text, receiver, signedBy: forged)
            }
            for body in ["", "[]", #"{"id":"evt_1"}"#, #"{"id":"evt_1","type":"payment_intent.x","data":{}}"#] {
                let error = await #expect(throws: StoreError.self) { try await receive(body, receiver) }
                guard case .malformedEvent = error else {
                    Issue.record("unexpected \(String(describing: error))")
                    continue
                }
            }
        }
    }

    private func event(_ id: String, _ type: String, order: OrderID) -> String {
        let object = #"{"id":"pi_\#(order)","metadata":{"order_id":"\#(order)"}}"#
        return #"{"id":"\#(id)","type":"\#(type)","data":{"object":\#(object)}}"#
    }

    private func receive(
        _ text: String, _ receiver: WebhookReceiver, signedBy signature: WebhookSignature? = nil
    ) async throws -> WebhookOutcome {
        let body = Array(text.utf8)
        return try await receiver.receive(
            body: body, signatureHeader: (signature ?? self.signature).header(body: body, at: .now))
    }
}

import GameModel
import Testing

@testable import Store

@Suite("Stripe's webhooks")
struct StripeWebhooksTests {
    private let now = Instant(milliseconds: 1_900_000_000_000)

    private func event(_ body: String, secrets: [String] = ["a"], signedWith: String = "a") async throws
        -> ProviderEvent
    {
        let bytes = Array(body.utf8)
        let header = WebhookSignature(secret: signedWith).header(body: bytes, at: now)
        return try await StripeWebhooks(secrets: secrets)
            .event(headers: ["stripe-signature": header], body: bytes, at: now)
    }

    private let visa = #"{"id":"evt_1","type":"x.y","data":{"object":[1]}}"#

    @Test("while a secret is replaced both are good, and then the old one is no more")
    func rotation() async throws {
        #expect(try await event(visa, secrets: ["old", "new"], signedWith: "old").id == "evt_1")
        #expect(try await event(visa, secrets: ["old", "new"], signedWith: "new").id == "evt_1")
        await #expect(throws: StoreError.self) { try await event(visa, secrets: ["new"], signedWith: "old") }
        // Stripe signs with both of its secrets; ours is one of them.
        let both = WebhookSignature(secrets: ["old", "new"]).header(body: Array(visa.utf8), at: now)
        try WebhookSignature(secret: "new").verify(header: both, body: Array(visa.utf8), at: now)
    }

    @Test("without a secret, without a header, and with a crowd of signatures nothing is taken")
    func refused() async throws {
        await #expect(throws: StoreError.self) { try await event(visa, secrets: []) }
        await #expect(throws: StoreError.badSignature("the header Stripe-Signature is missing")) {
            try await StripeWebhooks(secrets: ["a"]).event(headers: [:], body: Array(visa.utf8), at: now)
        }
        let good = WebhookSignature(secret: "a").header(body: Array(visa.utf8), at: now)
        let crowd = "t=1900000000," + String(repeating: "v1=00,", count: 8) + good.dropFirst("t=1900000000,".count)
        #expect(throws: StoreError.badSignature("the header has more than 8 signatures")) {
            try WebhookSignature(secret: "a").verify(header: crowd, body: Array(visa.utf8), at: now)
        }
    }

    @Test(
        "an event names the payment intent and the order that it is about",
        arguments: [
            ("payment_intent.succeeded", #"{"id":"pi_1","metadata":{"order_id":"o"}}"#, "pi_1", "o"),
            ("payment_intent.canceled", #"{"id":"pi_1"}"#, "pi_1", nil),
            ("payment_intent.succeeded", #"{"id":"pi_1","metadata":{"order_id":"no order"}}"#, "pi_1", nil),
            (
                "charge.refunded", #"{"id":"ch_1","payment_intent":"pi_1","metadata":{"order_id":"o"}}"#, "pi_1", "o"
            ),
            ("charge.refunded", #"{"id":"ch_1","payment_intent":null,"metadata":{}}"#, nil, nil),
            ("charge.dispute.created", #"{"id":"dp_1","payment_intent":"pi_1","charge":"ch_1"}"#, "pi_1", nil),
            ("charge.dispute.closed", #"{"id":"dp_1","payment_intent":{"id":"pi_1"}}"#, "pi_1", nil),
            ("refund.updated", #"{"id":"re_1","payment_intent":"pi_1","metadata":{"order_id":"o"}}"#, "pi_1", "o"),
            ("customer.created", #"["of any shape"]"#, nil, nil),
        ] as [(String, String, String?, String?)])
    func subjects(type: String, object: String, reference: String?, order: String?) async throws {
        let read = try await event(#"{"id":"evt_1","type":"\#(type)","data":{"object":\#(object)}}"#)
        #expect(read.type == type)
        #expect(read.reference == reference)
        #expect(read.orderId?.rawValue == order)
    }

    @Test(
        "what is signed and no event is malformed",
        arguments: [
            "", "[]", "{}", #"{"id":"evt_1"}"#, #"{"id":"","type":"x"}"#,
            #"{"id":"evt_1","type":"payment_intent.x","data":{}}"#, #"{"id":"evt_1","type":"refund.x","data":[]}"#,
        ])
    func malformed(body: String) async throws {
        await #expect(throws: StoreError.malformedEvent("it needs id, type and data.object")) {
            try await event(body)
        }
    }
}

import Foundation
import Logging
import TestSupport
import Testing

@testable import Sandbox

@Suite("Payment sandbox's webhooks")
struct SandboxWebhookTests {
    private static let visa = "amount=499&currency=eur&payment_method=pm_card_visa&confirm=true&metadata[order_id]=o"

    private func withWebhooks(
        refusals: Int = 0, faults: String = "", _ body: (SandboxClient, WebhookSink) async throws -> Void
    ) async throws {
        let sink = WebhookSink(refusals: refusals)
        try await sink.serve { url in
            var configuration = SandboxConfiguration()
            configuration.webhookURL = url
            configuration.webhookSecret = "whsec_test"
            // On a busy machine the second charge has to come in this time.
            configuration.webhookLateness = .seconds(5)
            configuration.faults = try SandboxFaults(faults)
            configuration.seed = 1
            try await withSandbox(configuration) { try await body($0, sink) }
        }
    }

    @Test("what happens is told once, signed over time and body")
    func tellsAndSigns() async throws {
        try await withWebhooks { sandbox, sink in
            let id = try #require(try await sandbox.post("/v1/payment_intents", Self.visa, key: "k")["id"])
            _ = try await sandbox.post("/v1/payment_intents", Self.visa, key: "k")
            try await eventually("the success is told") { sink.deliveries.count == 1 }
            _ = try await sandbox.post(
                "/v1/payment_intents", Self.visa.replacing("pm_card_visa", with: "pm_card_chargeDeclined"), key: nil)
            try await eventually("the decline is told") { sink.deliveries.count == 2 }
            _ = try await sandbox.post("/v1/refunds", "payment_intent=\(id)", key: nil)
            try await eventually("the refund is told") { sink.deliveries.count == 3 }
            let types = sink.deliveries.map(\.type)
            #expect(types == ["payment_intent.succeeded", "payment_intent.payment_failed", "charge.refunded"])
            let first = try #require(sink.deliveries.first)
            #expect(first.objectId == id)
            #expect(first.id.hasPrefix("evt_"))
            let time = try #require(Int64(first.signature.dropFirst(2).prefix { $0 != "," }))
            #expect(first.signature == WebhookSender.signature(of: first.body, secret: "whsec_test", at: time))
        }
    }

    @Test("a signature is the HMAC of time and body that any other implementation computes")
    func signature() {
        // printf '%s' '12345.{"a":1}' | openssl dgst -sha256 -hmac whsec_test
        #expect(
            WebhookSender.signature(of: #"{"a":1}"#, secret: "whsec_test", at: 12345)
                == "t=12345,v1=6891b7a66b05b0e53771b0ad1be66a73fc29b6b3c4b4961ddb1efa062c8c05e9")
    }

    @Test("an event that is refused comes again until it is taken")
    func retries() async throws {
        try await withWebhooks(refusals: 1) { sandbox, sink in
            _ = try await sandbox.post("/v1/payment_intents", Self.visa, key: nil)
            try await eventually("it is taken") { sink.deliveries.count == 1 }
        }
    }

    @Test("a duplicated event has the same id both times")
    func duplicates() async throws {
        try await withWebhooks(faults: "duplicate-webhook=1") { sandbox, sink in
            _ = try await sandbox.post("/v1/payment_intents", Self.visa, key: nil)
            try await eventually("it came twice") { sink.deliveries.count == 2 }
            #expect(Set(sink.deliveries.map(\.id)).count == 1)
        }
    }

    @Test("a reordered event is overtaken by a later one")
    func reorders() async throws {
        try await withWebhooks(faults: "reorder-webhook=1") { sandbox, sink in
            let first = try #require(try await sandbox.post("/v1/payment_intents", Self.visa, key: nil)["id"])
            _ = try await sandbox.post("/sandbox/faults", #"{"reorder-webhook":0}"#, key: nil)
            let second = try #require(try await sandbox.post("/v1/payment_intents", Self.visa, key: nil)["id"])
            try await eventually("both came") { sink.deliveries.count == 2 }
            #expect(sink.deliveries.map(\.objectId) == [second, first])
        }
    }

    @Test("a receiver that is away holds up neither charges nor the end of the sandbox")
    func receiverAway() async throws {
        var configuration = SandboxConfiguration()
        configuration.webhookURL = "http://127.0.0.1:1/hooks"
        try await withSandbox(configuration) { sandbox in
            for _ in 0..<40 {
                let answer = try await sandbox.post("/v1/payment_intents", Self.visa, key: nil)
                #expect(answer["status"] == "succeeded")
            }
        }
    }
}

import Accounts
import Foundation
import GameModel
import NIOHTTP1
import Records
import Store
import Testing

@testable import API

@Suite("What bad input is told")
struct PrecedenceTests {
    @Test("a body that is no JSON is told before a missing header and before a match that is not there")
    func malformedFirst() async throws {
        try await withAPI { api in
            let player = try await api.player()
            let order = try await api.client.send(
                .POST, "/v1/store/orders", token: player.accessToken, body: "{")
            #expect(order.status == 400)
            let result = try await api.client.send(
                .POST, "/v1/fleet/matches/duel.eu.\(ULID())/result",
                token: try await api.token(.instance, subject: "fleet"), body: "{")
            #expect(result.status == 400)
        }
    }

    @Test("a header is named alike whether it is missing or wrong")
    func headerName() async throws {
        try await withAPI { api in
            let player = try await api.player()
            for headers in [[], [("Idempotency-Key", String(repeating: "k", count: 201))]] {
                let reply = try await api.client.send(
                    .POST, "/v1/store/orders", token: player.accessToken,
                    body: #"{"productId":"skin-ember-knight","paymentMethod":"pm_card_visa"}"#, headers: headers)
                #expect(reply.status == 422)
                #expect(try reply.problem().field == "Idempotency-Key")
            }
        }
    }

    @Test("a text that is none of those allowed is refused without the name of a type of ours")
    func unknownCase() async throws {
        try await withAPI { api in
            let reply = try await api.client.send(
                .PUT, "/v1/dev/products/skin-x", token: try await api.token(.developer),
                body: #"{"name":"X","kind":"skin","prices":[{"minorUnits":100,"currency":"eur"}]}"#)
            #expect(reply.status == 422)
            let problem = try reply.problem()
            #expect(problem.field == "prices[0].currency")
            #expect(!problem.detail.contains("Currency"))
        }
    }

    @Test("a webhook without a signature, with another's or an old one is refused with 401; a repeated one is taken in")
    func webhooks() async throws {
        try await withAPI { api in
            let body = #"{"id":"evt_1","type":"charge.updated","created":1,"data":{"object":{"id":"ch_1"}}}"#
            let now = Instant(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
            let old = Instant(milliseconds: now.milliseconds - 3_600_000)
            let good = WebhookSignature(secret: "whsec_test")
            let bytes = Array(body.utf8)
            let tries: [(String?, Int)] = [
                (nil, 401), ("nonsense", 401),
                (WebhookSignature(secret: "other").header(body: bytes, at: now), 401),
                (good.header(body: bytes, at: old), 401),
                (good.header(body: bytes, at: now), 200), (good.header(body: bytes, at: now), 200),
            ]
            for (signature, status) in tries {
                let reply = try await api.client.send(
                    .POST, "/v1/store/webhooks/payments", body: body,
                    headers: signature.map { [("Stripe-Signature", $0)] } ?? [])
                #expect(reply.status == status, "\(signature ?? "none"): \(reply.text)")
            }
        }
    }

    @Test(
        "records that are busy, overloaded or rolled back are worth trying again",
        arguments: [RecordsError.busy, .overloaded(waiting: 9), .rolledBack("x")])
    func busyRecords(error: RecordsError) {
        #expect(error.problem.code == .unavailable)
        #expect(error.problem.retryAfterSeconds == 1)
    }
}

import AsyncHTTPClient
import Foundation
import Logging
import NIOCore
import NIOFoundationCompat
import NIOHTTP1
import TestSupport
import Testing

@testable import Sandbox

@Suite("Payment sandbox")
struct SandboxTests {
    private static let visa =
        "amount=499&currency=EUR&payment_method=pm_card_visa&confirm=true&metadata%5Border_id%5D=o-1"
    private static let bad = visa.replacing("pm_card_visa", with: "pm_card_chargeDeclined")

    @Test("a good card is charged: the intent succeeds, keeps its metadata, and can be read and listed")
    func charges() async throws {
        try await withSandbox { sandbox in
            let answer = try await sandbox.post("/v1/payment_intents", Self.visa, key: "k1")
            #expect(answer.status == 200)
            #expect(answer["object"] == "payment_intent")
            #expect(answer["status"] == "succeeded")
            #expect(answer["currency"] == "eur")
            #expect(answer.json["amount_received"] as? Int == 499)
            #expect((answer.json["metadata"] as? [String: String]) == ["order_id": "o-1"])
            let id = try #require(answer["id"])
            #expect(id.hasPrefix("pi_"))
            #expect(try await sandbox.get("/v1/payment_intents/\(id)").body == answer.body)
            #expect(try await sandbox.get("/v1/payment_intents").ids == [id])
        }
    }

    @Test("a bad card is declined with 402 and Stripe's envelope; the intent can be confirmed with another card")
    func declines() async throws {
        try await withSandbox { sandbox in
            let declined = try await sandbox.post("/v1/payment_intents", Self.bad, key: "k1")
            #expect(declined.status == 402)
            #expect(declined.fault["type"] as? String == "card_error")
            #expect(declined.fault["code"] as? String == "card_declined")
            #expect(declined.fault["decline_code"] as? String == "generic_decline")
            let intent = try #require(declined.fault["payment_intent"] as? [String: Any])
            #expect(intent["status"] as? String == "requires_payment_method")
            let id = try #require(intent["id"] as? String)
            let paid = try await sandbox.post(
                "/v1/payment_intents/\(id)/confirm", "payment_method=pm_card_visa", key: "k2")
            #expect(paid["status"] == "succeeded")
            let again = try await sandbox.post("/v1/payment_intents/\(id)/confirm", "", key: "k3")
            #expect(again.status == 400)
        }
    }

    @Test("an intent that is not confirmed takes no money until it is")
    func confirmsLater() async throws {
        try await withSandbox { sandbox in
            let made = try await sandbox.post(
                "/v1/payment_intents", Self.visa.replacing("&confirm=true", with: ""), key: nil)
            #expect(made["status"] == "requires_confirmation")
            let id = try #require(made["id"])
            #expect(try await sandbox.post("/v1/payment_intents/\(id)/confirm", "", key: nil)["status"] == "succeeded")
        }
    }

    @Test("an idempotency key has one answer: the same call gets it again, another call is an error")
    func idempotency() async throws {
        try await withSandbox { sandbox in
            for body in [Self.visa, Self.bad] {
                let key = body == Self.visa ? "good" : "bad"
                let first = try await sandbox.post("/v1/payment_intents", body, key: key)
                let second = try await sandbox.post("/v1/payment_intents", body, key: key)
                #expect(second.status == first.status)
                #expect(second.body == first.body)
                let other = try await sandbox.post("/v1/payment_intents", body + "&x=1", key: key)
                #expect(other.status == 400)
                #expect(other.fault["type"] as? String == "idempotency_error")
            }
            #expect(try await sandbox.get("/v1/payment_intents").ids.count == 2)
        }
    }

    @Test("calls of one key that come at once charge once")
    func concurrentKey() async throws {
        try await withSandbox { sandbox in
            let bodies = try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<16 {
                    group.addTask { try await sandbox.post("/v1/payment_intents", Self.visa, key: "k").body }
                }
                return try await group.reduce(into: Set<String>()) { $0.insert($1) }
            }
            #expect(bodies.count == 1)
            #expect(try await sandbox.get("/v1/payment_intents").ids.count == 1)
        }
    }

    @Test(
        "what can't be charged is refused, naming the parameter",
        arguments: [
            ("currency=eur&payment_method=pm_card_visa&confirm=true", "parameter_missing", "amount"),
            ("amount=x&currency=eur&payment_method=pm_card_visa", "parameter_invalid_integer", "amount"),
            ("amount=0&currency=eur&payment_method=pm_card_visa", "amount_too_small", "amount"),
            ("amount=100&payment_method=pm_card_visa", "parameter_missing", "currency"),
            ("amount=100&currency=eur&payment_method=pm_nothing", "resource_missing", "payment_method"),
            ("amount=100&currency=eur&confirm=true", "parameter_missing", "payment_method"),
            ("amount=%ZZ&currency=eur", "parameter_invalid_string", nil),
        ])
    func refuses(body: String, code: String, param: String?) async throws {
        try await withSandbox { sandbox in
            let answer = try await sandbox.post("/v1/payment_intents", body, key: "k")
            #expect(answer.status == 400)
            #expect(answer.fault["code"] as? String == code)
            #expect(answer.fault["param"] as? String == param)
            #expect(try await sandbox.get("/v1/payment_intents").ids.isEmpty)
        }
    }

    @Test("a caller without the secret key is refused, an unknown intent not found")
    func refusesStrangers() async throws {
        try await withSandbox { sandbox in
            var stranger = sandbox
            stranger.secretKey = "sk_test_other"
            let listed = try await stranger.get("/v1/payment_intents")
            #expect(listed.status == 401)
            #expect(try await stranger.post("/v1/payment_intents", Self.visa, key: nil).status == 401)
            #expect(try await sandbox.get("/v1/payment_intents/pi_none").status == 404)
            #expect(try await sandbox.get("/v1/payment_intents").ids.isEmpty)
        }
    }

    @Test("a charge is refunded once, in whole")
    func refunds() async throws {
        try await withSandbox { sandbox in
            let id = try #require(try await sandbox.post("/v1/payment_intents", Self.visa, key: nil)["id"])
            let refund = try await sandbox.post("/v1/refunds", "payment_intent=\(id)", key: "r1")
            #expect(refund.status == 200)
            #expect(refund["status"] == "succeeded")
            #expect(refund.json["amount"] as? Int == 499)
            #expect(try await sandbox.post("/v1/refunds", "payment_intent=\(id)", key: "r1").body == refund.body)
            let twice = try await sandbox.post("/v1/refunds", "payment_intent=\(id)", key: "r2")
            #expect(twice.fault["code"] as? String == "charge_already_refunded")
            #expect(try await sandbox.get("/v1/refunds").ids == [refund["id"]].compactMap { $0 })
        }
    }

    @Test("a list is walked page by page, newest first, each charge once")
    func pages() async throws {
        try await withSandbox { sandbox in
            var made: [String] = []
            for _ in 0..<7 {
                made.append(try #require(try await sandbox.post("/v1/payment_intents", Self.visa, key: nil)["id"]))
            }
            var seen: [String] = []
            var path: String? = "/v1/payment_intents?limit=3"
            while let next = path {
                let page = try await sandbox.get(next)
                seen += page.ids
                let hasMore = page.json["has_more"] as? Bool ?? false
                path = hasMore ? "/v1/payment_intents?limit=3&starting_after=\(page.ids.last ?? "")" : nil
            }
            #expect(seen == made.reversed())
            #expect(try await sandbox.get("/v1/payment_intents?limit=0").status == 400)
            #expect(try await sandbox.get("/v1/payment_intents?starting_after=pi_none").status == 400)
        }
    }

    @Test("a restarted sandbox knows its charges and its answers; a torn last line is cut off")
    func survivesRestart() async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        var configuration = SandboxConfiguration()
        configuration.dataFolder = folder.path
        let first = try await withSandbox(configuration) { sandbox in
            try await sandbox.post("/v1/payment_intents", Self.visa, key: "k1")
        }
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: folder.file(BooksFile.name)))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data(#"{"intent":{"id":"pi_to"#.utf8))
        try handle.close()
        for _ in 0..<2 {
            try await withSandbox(configuration) { sandbox in
                #expect(try await sandbox.post("/v1/payment_intents", Self.visa, key: "k1").body == first.body)
                let id = try #require(first["id"])
                #expect(try await sandbox.get("/v1/payment_intents").ids.contains(id))
                _ = try await sandbox.post("/v1/payment_intents", Self.bad, key: nil)
            }
        }
        try await withSandbox(configuration) { sandbox in
            let all = try await sandbox.get("/v1/payment_intents")
            #expect(all.ids.count == 3)
        }
    }
}

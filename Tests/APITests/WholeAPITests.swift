import Accounts
import APIWorker
import Foundation
import Logging
import NIOHTTP1
import ServiceLifecycle
import Store
import Testing
import TestSupport

@testable import API

@Suite("The whole API over HTTP")
struct WholeAPITests {
    @Test("a player registers, logs in, reads their account and finds themselves as a player")
    func accounts() async throws {
        try await withAPI { api in
            let player = try await api.player("Grace")
            #expect(player.tokenType == "Bearer")
            let account = try await api.client.send(.GET, "/v1/accounts/me", token: player.accessToken)
            #expect(account.status == 200)
            #expect(account.text.contains(player.email ?? "?"))
            let profile = try await api.client.send(.GET, "/v1/players/me", token: player.accessToken)
            #expect(profile.status == 200)
            #expect(profile.text.contains("Grace"))
        }
    }

    @Test("a refresh token works once and rotates")
    func refresh() async throws {
        try await withAPI { api in
            let player = try await api.player()
            let body = #"{"refreshToken":"\#(player.refreshToken)"}"#
            let first = try await api.client.send(.POST, "/v1/sessions/refresh", body: body)
            #expect(first.status == 200)
            #expect(try first.decode(TestPlayer.self).refreshToken != player.refreshToken)
            #expect(try await api.client.send(.POST, "/v1/sessions/refresh", body: body).status == 401)
        }
    }

    @Test("an order is answered with 202, again with the same answer, and with 422 for another body")
    func orders() async throws {
        try await withAPI { api in
            let product = try await api.anyProduct()
            let player = try await api.player()
            let body = #"{"productId":"\#(product)","paymentMethod":"pm_card_visa"}"#
            let key = [("Idempotency-Key", "k-1")]
            let first = try await api.client.send(
                .POST, "/v1/store/orders", token: player.accessToken, body: body, headers: key)
            #expect(first.status == 202, "\(first.text)")
            let order: OrderReply = try first.decode()
            #expect(first.headers["Location"] == ["/v1/store/orders/\(order.orderId)"])
            let again = try await api.client.send(
                .POST, "/v1/store/orders", token: player.accessToken, body: body, headers: key)
            #expect(again.status == 202)
            #expect(try again.decode(OrderReply.self).orderId == order.orderId)
            let other = try await api.client.send(
                .POST, "/v1/store/orders", token: player.accessToken,
                body: #"{"productId":"\#(product)","paymentMethod":"pm_other"}"#, headers: key)
            #expect(other.status == 422)
            #expect(try other.problem().code == "idempotency-mismatch")
            let missing = try await api.client.send(
                .POST, "/v1/store/orders", token: player.accessToken, body: body)
            #expect(missing.status == 422)
            #expect(try missing.problem().field?.lowercased() == "idempotency-key")
        }
    }

    @Test("a stranger's order is not found")
    func foreignOrder() async throws {
        try await withAPI { api in
            let product = try await api.anyProduct()
            let owner = try await api.player()
            let stranger = try await api.player()
            let reply = try await api.client.send(
                .POST, "/v1/store/orders", token: owner.accessToken,
                body: #"{"productId":"\#(product)","paymentMethod":"pm_card_visa"}"#,
                headers: [("Idempotency-Key", "k")])
            let order: OrderReply = try reply.decode()
            let path = "/v1/store/orders/\(order.orderId)"
            #expect(try await api.client.send(.GET, path, token: owner.accessToken).status == 200)
            #expect(try await api.client.send(.GET, path, token: stranger.accessToken).status == 404)
        }
    }

    @Test(
        "a second ticket is refused with 409 and the first one's id; after cancelling, one may queue again"
    )
    func tickets() async throws {
        try await withAPI { api in
            let player = try await api.player()
            let wish = #"{"mode":"duel","region":"eu","latencies":{"eu":20,"us":110}}"#
            let first = try await api.client.send(
                .POST, "/v1/matchmaking/tickets", token: player.accessToken, body: wish)
            #expect(first.status == 201, "\(first.text)")
            let ticket: TicketReply = try first.decode()
            #expect(ticket.state == "queued")
            let second = try await api.client.send(
                .POST, "/v1/matchmaking/tickets", token: player.accessToken, body: wish)
            #expect(second.status == 409)
            let problem = try second.problem()
            #expect(problem.code == "ticket-active")
            #expect(problem.ticketId == ticket.ticketId)

            let path = "/v1/matchmaking/tickets/\(ticket.ticketId)"
            let read = try await api.client.send(.GET, path, token: player.accessToken)
            #expect(try read.decode(TicketReply.self).state == "queued")
            let cancelled = try await api.client.send(.DELETE, path, token: player.accessToken)
            #expect(try cancelled.decode(TicketReply.self).state == "cancelled")
            let third = try await api.client.send(
                .POST, "/v1/matchmaking/tickets", token: player.accessToken, body: wish)
            #expect(third.status == 201)
        }
    }

    @Test("a mode that is not played is refused with 422 naming the field")
    func unknownMode() async throws {
        try await withAPI { api in
            let player = try await api.player()
            let reply = try await api.client.send(
                .POST, "/v1/matchmaking/tickets", token: player.accessToken, body: #"{"mode":"chess","region":"eu"}"#)
            #expect(reply.status == 422)
            #expect(try reply.problem().field == "mode")
        }
    }

    @Test("a player's token does not open the instances' and developers' routes")
    func roles() async throws {
        try await withAPI { api in
            let player = try await api.player()
            for (method, path) in [
                ("PUT", "/v1/fleet/instances/eu.x"), ("POST", "/v1/events"), ("PUT", "/v1/dev/products/x"),
                ("PATCH", "/v1/dev/characters/shade"),
            ] {
                let reply = try await api.client.send(
                    .RAW(value: method), path, token: player.accessToken, body: "{}")
                #expect(reply.status == 403, "\(method) \(path)")
            }
        }
    }

    @Test("a developer's edit of a character is a new patch")
    func patches() async throws {
        try await withAPI { api in
            let developer = try await api.token(.developer)
            let reply = try await api.client.send(
                .PATCH, "/v1/dev/characters/shade", token: developer, body: #"{"damage":31}"#)
            #expect(reply.status == 201)
            #expect(reply.headers["Location"] == ["/v1/data/patches/2"])
            let current = try await api.client.send(.GET, "/v1/data/patches/current", token: developer)
            #expect(try current.decode(PatchReply.self).patch == 2)
        }
    }

    @Test("with Redis down the answer is 503 with Retry-After and readiness says so; both recover by themselves")
    func outage() async throws {
        try await withAPI({ $0.redisPatience = .seconds(2) }) { api in
            let player = try await api.player()
            let wish = #"{"mode":"duel","region":"eu"}"#
            api.redis.kill()
            let refused = try await api.client.send(
                .POST, "/v1/matchmaking/tickets", token: player.accessToken, body: wish)
            #expect(refused.status == 503)
            #expect(refused.headers["Retry-After"] == ["1"])
            #expect(try refused.problem().code == "unavailable")
            try await eventually("not ready") { try await api.client.send(.GET, "/readyz").status == 503 }
            #expect(try await api.client.send(.GET, "/healthz").status == 200)
            #expect(try await api.client.send(.GET, "/v1/accounts/me", token: player.accessToken).status == 200)

            try await api.redis.restart()
            try await eventually("ready again") { try await api.client.send(.GET, "/readyz").status == 200 }
            let made = try await api.client.send(
                .POST, "/v1/matchmaking/tickets", token: player.accessToken, body: wish)
            // The first try may have reached Redis before it died, its answer lost: then the ticket is there.
            #expect(made.status == 201 || made.status == 409)
        }
    }

    @Test("an API whose port is taken says so, with a connection to PayPal that is to be closed too")
    func portTaken() async throws {
        try await withAPI { api in
            var configuration = APIConfiguration()
            configuration.redisURL = api.redis.url
            configuration.dataFolder = api.folder
            configuration.port = try #require(URL(string: api.client.base)?.port)
            configuration.payments.payPal = .init(clientId: "muster", clientSecret: "secret", webhookId: "webhook")
            let quiet = Logger(label: "test.api") { _ in SwiftLogNoOpLogHandler() }
            let parts = try APIProcess(configuration: configuration, logger: quiet).parts { _ in }
            let error = await #expect(throws: (any Error).self) {
                try await ServiceGroup(services: parts.services, logger: quiet).run()
            }
            #expect("\(try #require(error))".localizedCaseInsensitiveContains("address already in use"))
            #expect(try await api.client.send(.GET, "/healthz").status == 200)
        }
    }

    @Test("the process describes itself: health, metrics, keys, OpenAPI")
    func operation() async throws {
        try await withAPI { api in
            let health = try await api.client.send(.GET, "/healthz")
            #expect(health.text == "ok\n")
            #expect(try await api.client.send(.GET, "/metrics").status == 200)
            #expect(try await api.client.send(.GET, "/.well-known/jwks.json").text.contains("OKP"))
            #expect(try await api.client.send(.GET, "/openapi.yaml").text.hasPrefix("openapi: 3.1"))
        }
    }
}

private struct OrderReply: Decodable {
    var orderId: String
    var state: String
}

private struct TicketReply: Decodable {
    var ticketId: String
    var state: String
}

private struct PatchReply: Decodable {
    var patch: Int
}

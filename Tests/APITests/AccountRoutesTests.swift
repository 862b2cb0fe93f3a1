import APIWorker
import Accounts
import Foundation
import NIOHTTP1
import TestSupport
import Testing

@testable import API

@Suite("Accounts and sessions over HTTP")
struct AccountRoutesTests {
    @Test("registering a taken address gets the very same answer, and changes nothing of the account")
    func noEnumeration() async throws {
        try await withAPI { api in
            let player = try await api.player()
            let email = try #require(player.email)
            let taken = try await api.client.send(
                .POST, "/v1/accounts",
                body: #"{"email":"\#(email)","password":"a thief's password","displayName":"Mallory"}"#)
            let free = try await api.client.send(
                .POST, "/v1/accounts",
                body: #"{"email":"free-\#(email)","password":"a thief's password","displayName":"Mallory"}"#)
            #expect(taken.status == 202)
            #expect(taken.status == free.status)
            #expect(taken.text == free.text)
            #expect(Set(taken.headers.map(\.name)) == Set(free.headers.map(\.name)))
            let thief = try await api.logIn(email, "a thief's password")
            #expect(thief.status == 401)
            #expect(try await api.logIn(email, WholeAPI.password).status == 201)
        }
    }

    @Test("a device makes a guest once, and the guest keeps the player id when given an e-mail address")
    func guests() async throws {
        try await withAPI { api in
            let device = #"{"device":"\#(UUID().uuidString)","displayName":"Visitor"}"#
            let first = try await api.client.send(.POST, "/v1/sessions/device", body: device)
            #expect(first.status == 201, "\(first.text)")
            let guest: TestPlayer = try first.decode()
            let again = try await api.client.send(.POST, "/v1/sessions/device", body: device)
            #expect(try again.decode(TestPlayer.self).playerId == guest.playerId)
            let account = try await api.client.send(.GET, "/v1/accounts/me", token: guest.accessToken)
            #expect(account.text.contains(#""isGuest":true"#))
            let profile = try await api.client.send(.GET, "/v1/players/me", token: guest.accessToken)
            #expect(profile.text.contains("Visitor"))

            let email = "guest-\(guest.playerId.lowercased())@example.com"
            let body = #"{"email":"\#(email)","password":"\#(WholeAPI.password)"}"#
            let path = "/v1/accounts/me/credentials"
            let upgrade = try await api.client.send(.PUT, path, token: guest.accessToken, body: body)
            #expect(upgrade.status == 202)
            #expect(
                try await api.logIn(email, WholeAPI.password).decode(TestPlayer.self).playerId == guest.playerId)
            let twice = try await api.client.send(.PUT, path, token: guest.accessToken, body: body)
            #expect(twice.status == 409)
        }
    }

    @Test("sessions are listed, the one that asks is marked, and each can be ended: one, this one, all of them")
    func sessions() async throws {
        struct List: Decodable {
            struct Item: Decodable {
                var sessionId: String
                var isCurrent: Bool
                var agent: String?
                var address: String?
            }
            var sessions: [Item]
        }
        try await withAPI { api in
            let player = try await api.player()
            let email = try #require(player.email)
            let phone: TestPlayer = try await api.logIn(
                email, WholeAPI.password,
                headers: [("User-Agent", "phone/1"), ("X-Forwarded-For", "198.51.100.7")]
            ).decode()
            let tablet: TestPlayer = try await api.logIn(email, WholeAPI.password).decode()

            let reply = try await api.client.send(.GET, "/v1/sessions", token: phone.accessToken)
            let list: List = try reply.decode()
            #expect(list.sessions.count == 3)
            let current = list.sessions.filter(\.isCurrent)
            #expect(current.map(\.agent) == ["phone/1"])
            #expect(current.map(\.address) == ["198.51.100.7"])
            #expect(current.map(\.sessionId) == [phone.sessionId])

            let other = try #require(tablet.sessionId)
            let ended = try await api.client.send(.DELETE, "/v1/sessions/\(other)", token: phone.accessToken)
            #expect(ended.status == 204)
            #expect(try await api.refresh(tablet).status == 401)
            #expect(try await api.client.send(.DELETE, "/v1/sessions/current", token: phone.accessToken).status == 204)
            #expect(try await api.refresh(phone).status == 401)
            #expect(try await api.client.send(.DELETE, "/v1/sessions", token: player.accessToken).status == 204)
            #expect(try await api.refresh(player).status == 401)
        }
    }

    @Test("after wrong passwords in a row, even the right one has to wait, and is told for how long")
    func lockout() async throws {
        try await withAPI { api in
            let email = try #require(try await api.player().email)
            var reply = try await api.logIn(email, "not the password")
            for _ in 0..<20 where reply.status == 401 { reply = try await api.logIn(email, "not the password") }
            #expect(reply.status == 429)
            #expect(try reply.problem().code == "too-many-requests")
            #expect((Int(reply.headers["Retry-After"].first ?? "") ?? 0) >= 1)
        }
    }

    @Test("everything about a person can be taken away, and then deleted: with the password, from all three places")
    func exportAndDelete() async throws {
        try await withAPI { api in
            let product = try await api.anyProduct()
            let player = try await api.player("Grace")
            let token = player.accessToken
            let order = try await api.client.send(
                .POST, "/v1/store/orders", token: token,
                body: #"{"productId":"\#(product)","paymentMethod":"pm_card_visa"}"#,
                headers: [("Idempotency-Key", "k")])
            #expect(order.status == 202)

            let export = try await api.client.send(.GET, "/v1/accounts/me/export", token: token)
            #expect(export.status == 200)
            for part in [player.email ?? "?", product, "Grace", #""sessions":["#, #""matches":[]"#] {
                #expect(export.text.contains(part), "\(part)")
            }
            #expect(!export.text.contains("pm_card_visa"))

            let path = "/v1/accounts/me"
            #expect(try await api.client.send(.DELETE, path, token: token).status == 422)
            let wrong = try await api.client.send(.DELETE, path, token: token, body: #"{"password":"not this one"}"#)
            #expect(wrong.status == 403 && wrong.headers["WWW-Authenticate"].isEmpty, "the token is good")
            #expect(try wrong.problem().field == "password")
            let kept = try await api.client.send(.GET, "/v1/players/me", token: token)
            #expect(kept.text.contains("Grace"), "nothing is taken out before the password was right")
            let body = #"{"password":"\#(WholeAPI.password)"}"#
            #expect(try await api.client.send(.DELETE, path, token: token, body: body).status == 204)
            let again = try await api.client.send(.DELETE, path, token: token, body: body)
            #expect(again.status == 204, "asked again after a lost answer, it is done")

            let late = try await api.client.send(
                .POST, "/v1/store/orders", token: token,
                body: #"{"productId":"\#(product)","paymentMethod":"pm_card_visa"}"#,
                headers: [("Idempotency-Key", "late")])
            #expect(late.status == 403, "a token that is still good orders nothing for a deleted account")
            #expect(try await api.logIn(player.email ?? "", WholeAPI.password).status == 401)
            let stranger = try await api.player()
            let profile = try await api.client.send(
                .GET, "/v1/players/\(player.playerId)", token: stranger.accessToken)
            #expect(profile.text.contains("Deleted player"))
            #expect(!profile.text.contains("Grace"))
            let orders = try await api.client.send(
                .GET, "/v1/dev/orders?player=\(player.playerId)", token: try await api.token(.operator))
            #expect(orders.text.contains(product), "orders stay")
        }
    }

    @Test("too many log-ins of an address are refused before any work; another address is not, and lying doesn't help")
    func rates() async throws {
        try await withAPI { configuration in
            // Two at once, then one a minute: however slow the machine is, no third one comes through.
            configuration.limits.logIns = 1
        } _: { api in
            func status(_ forwarded: String) async throws -> TestReply {
                try await api.logIn("nobody@example.com", "some password", headers: [("X-Forwarded-For", forwarded)])
            }
            let begin = ContinuousClock.now
            #expect(try await status("198.51.100.1").status == 401)
            #expect(try await status("198.51.100.1").status == 401)
            let refused = try await status("198.51.100.1")
            #expect(refused.status == 429)
            let wait = try #require(refused.headers["Retry-After"].first.flatMap { Int($0) })
            let passed = (ContinuousClock.now - begin) / .seconds(1)
            #expect(wait <= 60 && Double(wait) >= 60 - passed, "\(wait) s, asked for the first time \(passed) s ago")
            #expect(try await status("203.0.113.5, 198.51.100.1").status == 429)
            #expect(try await status("198.51.100.2").status == 401)
        }
    }

    @Test("the keys may be kept by caches for a minute")
    func keys() async throws {
        try await withAPI { api in
            let keys = try await api.client.send(.GET, "/.well-known/jwks.json")
            #expect(keys.headers["Cache-Control"] == ["public, max-age=60"])
        }
    }
}

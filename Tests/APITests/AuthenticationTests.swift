import Accounts
import GameModel
import NIOHTTP1
import Testing

@testable import API

@Suite("Who may ask")
struct AuthenticationTests {
    @Test("without a token, or with a bad one, the answer is 401 with the reason")
    func unauthorized() async throws {
        try await withTokens { tokens in
            let player = PlayerID(ULID().description)
            let good = try await tokens.access(subject: player.rawValue, role: .player)
            let old = try await tokens.access(subject: player.rawValue, role: .player, lifetime: .seconds(-120))
            let foreign = try await withTokens { try await $0.access(subject: player.rawValue, role: .player) }
            try await withServer(probeRouter(tokens: tokens)) { client in
                #expect(try await client.send(.GET, "/probe/player", token: good).text == player.rawValue)
                for headers in [
                    [], [("Authorization", good)], [("Authorization", "Basic \(good)")],
                    [("Authorization", "Bearer ")], [("Authorization", "Bearer nonsense")],
                    [("Authorization", "Bearer \(good)x")], [("Authorization", "Bearer \(old)")],
                    [("Authorization", "Bearer \(foreign)")],
                ] {
                    let reply = try await client.send(.GET, "/probe/player", headers: headers)
                    #expect(reply.status == 401, "\(headers)")
                    #expect(try reply.problem().code == "unauthorized")
                    #expect(reply.headers["WWW-Authenticate"] == ["Bearer"])
                }
            }
        }
    }

    @Test("a token of another role is refused with 403 naming the role that is needed")
    func forbidden() async throws {
        try await withTokens { tokens in
            let player = try await tokens.access(subject: ULID().description, role: .player)
            let developer = try await tokens.access(subject: "alice", role: .developer)
            try await withServer(probeRouter(tokens: tokens)) { client in
                let reply = try await client.send(.GET, "/probe/developer", token: player)
                #expect(reply.status == 403)
                #expect(try reply.problem().detail.contains("developer"))
                #expect(try await client.send(.GET, "/probe/player", token: developer).status == 403)
                #expect(try await client.send(.GET, "/probe/developer", token: developer).text == "alice")
            }
        }
    }

    @Test("a public route does not care about a stale token")
    func publicRoute() async throws {
        try await withProbe { client in
            let reply = try await client.send(.GET, "/probe/things/a", token: "stale")
            #expect(reply.status == 200)
        }
    }
}

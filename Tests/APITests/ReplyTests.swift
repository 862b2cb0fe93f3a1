import GameModel
import HTTPTypes
import Metrics
import NIOHTTP1
import Telemetry
import Testing

@testable import API

@Suite("Replies")
struct ReplyTests {
    @Test("each code has a type, a title and a status of its class", arguments: Problem.Code.allCases)
    func codes(code: Problem.Code) {
        #expect((400..<600).contains(code.status.code))
        #expect(!code.title.isEmpty)
    }

    @Test("a problem has the members of RFC 9457 and ours")
    func shape() async throws {
        try await withProbe { client in
            let reply = try await client.send(.GET, "/no/such/route", headers: [("X-Request-Id", "r-1")])
            #expect(reply.status == 404)
            #expect(reply.headers["Content-Type"] == ["application/problem+json"])
            let problem = try reply.problem()
            #expect(problem.type == "https://muster.dev/problems/not-found")
            #expect(problem.status == 404)
            #expect(problem.code == "not-found")
            #expect(problem.requestId == "r-1")
            #expect(!problem.title.isEmpty && !problem.detail.isEmpty)
        }
    }

    @Test("a fault of ours is answered with 500 and tells nothing of the inside")
    func fault() async throws {
        try await withProbe { client in
            let reply = try await client.send(.GET, "/probe/fault")
            #expect(reply.status == 500)
            #expect(try reply.problem().code == "internal")
            #expect(!reply.text.contains("inside"))
        }
    }

    @Test("a proper X-Request-Id is echoed; another is replaced by a ULID", arguments: ["", "a b", "é", "x\"y"])
    func requestIDs(bad: String) async throws {
        try await withProbe { client in
            let named = try await client.send(.GET, "/probe/things/a", headers: [("X-Request-Id", "trace-1_a.B")])
            #expect(named.headers["X-Request-Id"] == ["trace-1_a.B"])
            let replaced = try await client.send(.GET, "/probe/things/a", headers: [("X-Request-Id", bad)])
            #expect(ULID(replaced.headers["X-Request-Id"].first ?? "") != nil)
        }
    }

    @Test("every reply carries the security headers, problems too", arguments: ["/probe/things/a", "/nowhere"])
    func securityHeaders(path: String) async throws {
        try await withProbe { client in
            let reply = try await client.send(.GET, path)
            #expect(reply.headers["X-Content-Type-Options"] == ["nosniff"])
            #expect(reply.headers["Cache-Control"] == ["no-store"])
            #expect(reply.headers["Content-Security-Policy"].first?.contains("default-src 'none'") == true)
        }
    }

    @Test("requests are counted by route pattern, never by path or by a method that a client made up")
    func metrics() async throws {
        MetricsRegistry.bootstrap()
        try await withProbe { client in
            _ = try await client.send(.GET, "/probe/things/secret-name-1")
            _ = try await client.send(.RAW(value: "INVENTED"), "/nowhere/secret-name-2")
            let text = MetricsRegistry.shared.text()
            #expect(text.contains(#"route="/probe/things/{id}""#))
            #expect(!text.contains("secret-name"))
            #expect(!text.contains("INVENTED"))
        }
    }
}

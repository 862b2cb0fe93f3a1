import AsyncHTTPClient
import Foundation
import GameData
import NIOCore
import NIOHTTP1
import Testing

@testable import API

@Suite("Bodies of requests")
struct BodyTests {
    static let good = #"{"seats":[{"team":0,"name":"a"}],"ready":true,"share":0.5}"#

    @Test("unknown members are ignored")
    func unknownMembers() async throws {
        try await withProbe { client in
            let body = #"{"seats":[{"team":0,"name":"a","x":[]}],"ready":true,"share":0.5,"more":{"a":1}}"#
            let reply = try await client.send(.POST, "/probe/body", body: body)
            #expect(reply.status == 200)
            #expect(
                try reply.decode(ProbeBody.self)
                    == ProbeBody(seats: [.init(team: 0, name: "a")], latencies: nil, ready: true, share: 0.5))
        }
    }

    @Test(
        "what is not JSON is refused with 400 malformed-json",
        arguments: ["", "{", "nonsense", #"{"seats":[}"#, "{} {}"])
    func malformed(body: String) async throws {
        try await withProbe { client in
            let reply = try await client.send(.POST, "/probe/body", body: body)
            #expect(reply.status == 400)
            #expect(reply.headers["Content-Type"] == ["application/problem+json"])
            #expect(try reply.problem().code == "malformed-json")
        }
    }

    @Test(
        "a field that is missing, null or of another type is refused with 422 naming its path",
        arguments: [
            (#"{"ready":true,"share":1}"#, "seats", "missing"),
            (#"{"seats":[],"share":1}"#, "ready", "missing"),
            (#"{"seats":{},"ready":true,"share":1}"#, "seats", "a list"),
            (#"{"seats":[{"team":"0","name":"a"}],"ready":true,"share":1}"#, "seats[0].team", "a whole number"),
            (#"{"seats":[{"team":0,"name":"a"},{"team":1}],"ready":true,"share":1}"#, "seats[1].name", "missing"),
            (#"{"seats":[{"team":0,"name":7}],"ready":true,"share":1}"#, "seats[0].name", "text"),
            (#"{"seats":[],"ready":"yes","share":1}"#, "ready", "true or false"),
            (#"{"seats":[],"ready":null,"share":1}"#, "ready", "true or false"),
            (#"{"seats":[],"ready":true,"share":"1"}"#, "share", "a number"),
            (#"{"seats":[],"ready":true,"share":1,"latencies":{"eu":"x"}}"#, "latencies.eu", "a whole number"),
            (#"{"seats":[{"team":0.5,"name":"a"}],"ready":true,"share":1}"#, "seats[0].team", "a whole number"),
            (
                #"{"seats":[{"team":0,"name":"a"},{"team":1e99,"name":"b"}],"ready":true,"share":0.5}"#,
                "seats[1].team", "a whole number"
            ),
            (#"[]"#, "(body)", "an object"),
        ])
    func invalid(body: String, field: String, words: String) async throws {
        try await withProbe { client in
            let reply = try await client.send(.POST, "/probe/body", body: body)
            #expect(reply.status == 422)
            let problem = try reply.problem()
            #expect(problem.code == "invalid-field")
            #expect(problem.field == field)
            #expect(words.isEmpty || problem.detail.contains(words), "\(problem.detail)")
        }
    }

    @Test("finding an unfit number among thousands under a long key makes no path of each of them")
    func manyUnfit() async throws {
        let key = String(repeating: "k", count: 30_000)
        let halves = String(repeating: "0.5,", count: 8_000)
        let long = #"{"a":[0.5,{"b":0.25}],"\#(key)":[\#(halves)0.5]}"#
        let value = try JSONDecoder().decode(JSONValue.self, from: Data(long.utf8))
        #expect(UnfitNumber.paths(of: value) == ["a[0]", "a[1].b"], "no field's name is that long")
        let many = try JSONDecoder().decode(JSONValue.self, from: Data(#"{"a":[\#(halves)0.5]}"#.utf8))
        #expect(UnfitNumber.paths(of: many).count == UnfitNumber.candidatesMax)
        try await withProbe { client in
            let body = #"{"seats":[{"team":0.5,"name":"a"}],"ready":true,"share":1,"\#(key)":[\#(halves)0.5]}"#
            let reply = try await client.send(.POST, "/probe/body", body: body)
            #expect(reply.status == 422)
            #expect(try reply.problem().field == "seats[0].team")
        }
    }

    @Test("a body over 64 KiB is refused with 413, with a Content-Length and without one")
    func tooLarge() async throws {
        try await withProbe { client in
            let large = #"{"seats":["# + String(repeating: " ", count: BodyLimit.standardBytes) + "]}"
            let declared = try await client.send(.POST, "/probe/body", body: large)
            #expect(declared.status == 413)
            #expect(try declared.problem().code == "payload-too-large")

            var request = HTTPClientRequest(url: client.base + "/probe/body")
            request.method = .POST
            request.body = .stream([ByteBuffer(string: large)].async, length: .unknown)
            let chunked = try await client.send(request)
            #expect(chunked.status == 413)
            #expect(try chunked.problem().code == "payload-too-large")
        }
    }

    @Test("a body of just the limit is read")
    func atTheLimit() async throws {
        try await withProbe { client in
            let pad = BodyLimit.standardBytes - Self.good.utf8.count
            let reply = try await client.send(
                .POST, "/probe/body", body: Self.good + String(repeating: " ", count: pad))
            #expect(reply.status == 200)
        }
    }

    @Test("a query item that is no number or out of range is refused with 422 naming it", arguments: ["0", "101", "x"])
    func queryItem(value: String) async throws {
        try await withProbe { client in
            let reply = try await client.send(.GET, "/probe/things/a?limit=\(value)")
            #expect(reply.status == 422)
            #expect(try reply.problem().field == "limit")
        }
    }
}

/// The middlewares with probe routes, behind a socket.
func withProbe(_ body: @escaping @Sendable (HTTPTestClient) async throws -> Void) async throws {
    try await withTokens { tokens in
        try await withServer(probeRouter(tokens: tokens), body)
    }
}

extension Array where Element: Sendable {
    /// The elements as an asynchronous sequence.
    fileprivate var async: AsyncStream<Element> {
        AsyncStream { continuation in
            for element in self { continuation.yield(element) }
            continuation.finish()
        }
    }
}

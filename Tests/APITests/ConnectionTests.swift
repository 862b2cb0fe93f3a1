import GameModel
import NIOCore
import NIOHTTP1
import NIOPosix
import TestSupport
import Testing

@testable import API

@Suite("Connections that behave badly")
struct ConnectionTests {
    @Test(
        "what is no HTTP request is told so by a problem, and its connection closed",
        arguments: [
            "GARBAGE\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "GET /healthz\u{1} HTTP/1.1\r\nHost: x\r\n\r\n",
            "GET /healthz HTTP/1.1\r\nHost: x\r\nBad Header: y\r\n\r\n",
            "POST /probe/body HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n",
            "GET /healthz HTTP/1.1\r\nHost: x\r\nX: \(String(repeating: "x", count: 100_000))\r\n\r\n",
        ])
    func unreadable(text: String) async throws {
        try await withProbe { client in
            let reply = try await exchange(text, with: client)
            #expect(reply.hasPrefix("HTTP/1.1 400 "), "\(reply)")
            #expect(reply.lowercased().contains("content-type: application/problem+json"))
            #expect(reply.contains(#""code":"malformed-request""#))
        }
    }

    @Test("a good request is answered before a bad one behind it is refused")
    func goodThenBad() async throws {
        try await withProbe { client in
            let good = "GET /probe/things/a HTTP/1.1\r\nHost: x\r\n\r\n"
            let reply = try await exchange(good + "NONSENSE\r\n\r\n", with: client)
            #expect(reply.hasPrefix("HTTP/1.1 200 "), "\(reply)")
            #expect(reply.contains("20"))
        }
    }

    @Test(
        "a request that doesn't come to its end loses its connection, in its head and in its body",
        arguments: [
            "GET /probe/things/a HTTP/1.1\r\nHost: x\r\nX-Slow: ", "",
            "POST /probe/body HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{",
            "POST /probe/body HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
        ])
    func unfinished(text: String) async throws {
        try await withQuickServer { client in
            _ = try await exchange(text, with: client)
        }
    }

    @Test("a body that trickles in is cut off, for each byte buys no time")
    func trickle() async throws {
        try await withQuickServer { client in
            let head = "POST /probe/body HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n"
            _ = try await exchange(head, thenByByte: UInt8(ascii: " "), with: client)
        }
    }

    @Test("an answer that takes longer than any time-out is waited for")
    func slowAnswer() async throws {
        try await withQuickServer { client in
            var reply: TestReply?
            // A starved client may be late itself, and lose its connection before it asked. A server that cut slow
            // answers off would never give one.
            try await eventually("an answer comes") {
                do {
                    reply = try await client.send(.GET, "/probe/slow")
                    return true
                } catch {
                    return false
                }
            }
            #expect(reply?.text == "at last")
        }
    }

    @Test(
        "a path with another method is answered 405 with those that it has",
        arguments: [
            ("DELETE", "/probe/body", "POST"), ("OPTIONS", "/probe/things/a", "GET"), ("TRACE", "/probe/player", "GET"),
        ])
    func otherMethods(method: String, path: String, allow: String) async throws {
        try await withTokens { tokens in
            let router = probeRouter(tokens: tokens)
            OtherMethods.refuse(in: router)
            try await withServer(router) { client in
                let reply = try await client.send(.RAW(value: method), path)
                #expect(reply.status == 405)
                #expect(reply.headers["Allow"] == [allow])
                #expect(try reply.problem().code == "method-not-allowed")
                #expect(try await client.send(.RAW(value: method), "/nowhere").status == 404)
            }
        }
    }
}

/// A server that waits 0.2 s for what should come, so that the tests need not wait for long.
private func withQuickServer(_ body: @escaping @Sendable (HTTPTestClient) async throws -> Void) async throws {
    try await withTokens { tokens in
        let server = APIRoutes.server(idleTimeout: .milliseconds(200), bodyTimeout: .milliseconds(200))
        try await withServer(probeRouter(tokens: tokens), server: server, body)
    }
}

/// Sends bytes as they are, and answers all that came back until the server closed the connection.
///
/// - Parameter byte: sent again and again after the text, every 10 ms.
private func exchange(
    _ text: String, thenByByte byte: UInt8? = nil, with client: HTTPTestClient
) async throws -> String {
    let port = Int(client.base.split(separator: ":").last ?? "") ?? 0
    let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
        .connect(host: "127.0.0.1", port: port) { channel in
            channel.eventLoop.makeCompletedFuture {
                try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
            }
        }
    return try await withThrowingTaskGroup(of: String?.self) { tasks in
        let outcome = try await channel.executeThenClose { inbound, outbound in
            tasks.addTask {
                var reply = ByteBuffer()
                do {
                    for try await part in inbound { reply.writeImmutableBuffer(part) }
                } catch {
                    // Closed with bytes of ours unread: that is an end, too.
                }
                return String(buffer: reply)
            }
            tasks.addTask {
                do {
                    if !text.isEmpty { try await outbound.write(ByteBuffer(string: text)) }
                    guard let byte else { return nil }
                    try await eventually(within: .seconds(60), "the server closes the connection") {
                        try await outbound.write(ByteBuffer(bytes: [byte]))
                        return false
                    }
                } catch let error as TestSupportError {
                    throw error
                } catch {
                    // The server closed the connection.
                }
                return nil
            }
            tasks.addTask {
                try await eventually(within: .seconds(60), "the server closes the connection") { false }
                return nil
            }
            for try await reply in tasks {
                guard let reply else { continue }
                tasks.cancelAll()
                return reply
            }
            return ""
        }
        return outcome
    }
}

import Redis
import TestSupport
import Testing

@Suite("A server that does not speak RESP") struct HostileServerTests {
    static let violations: [Violation] = [
        Violation("garbage", "HTTP/1.1 400 Bad Request\r\n\r\n"),
        Violation("binary", "\u{0}\u{1}\u{2}\r\n"),
        Violation("length that is no number", "$abc\r\n"),
        Violation("negative length", "$-7\r\n"),
        Violation("length beyond 64 bits", "$99999999999999999999999\r\n"),
        Violation("integer that is none", ":12x\r\n"),
        Violation("array of more than the limit", "*2000000000\r\n"),
        Violation("nesting of a hundred levels", String(repeating: "*1\r\n", count: 100)),
        Violation("a second reply that nobody asked for", "+OK\r\n+OK\r\n+OK\r\n"),
        Violation("a line without end", "+" + String(repeating: "x", count: 200_000)),
        Violation("a length without end", "$" + String(repeating: "1", count: 200_000)),
        Violation("more bytes than the limit", "$900000\r\n" + String(repeating: "x", count: 500_000)),
        Violation("RESP3", "%1\r\n+a\r\n+b\r\n"),
    ]

    @Test("bytes that are not RESP are an error, and the next connection is used", arguments: violations)
    func violation(_ violation: Violation) async throws {
        try await withFakeServer(
            { $0 == 1 ? .bytes(violation.bytes) : .bytes("+fine\r\n") },
            configure: {
                $0.replyBytesMax = 400_000
                $0.replyElementsMax = 1_000
            }
        ) { redis in
            do throws(RedisError) {
                _ = try await redis.pipeline([["GET", "a"], ["GET", "b"]], timeout: .seconds(20))
                // The unasked-for reply comes after the two that were asked for.
                #expect(violation.name == "a second reply that nobody asked for")
            } catch {
                guard case .protocolViolation = error else {
                    Issue.record("\(violation.name): got \(error)")
                    return
                }
            }
            try await eventually("a second connection answers") {
                do throws(RedisError) {
                    return try await redis.send(["GET", "c"]) == .status("fine")
                } catch  where error.isOutage {
                    return false
                }
            }
        }
    }

    @Test(
        "replies that break off are a lost connection, never a hang",
        arguments: ["+OK", "$5\r\nab", "*3\r\n:1\r\n", ":1", "$", "*"])
    func truncated(bytes: String) async throws {
        try await withFakeServer({ _ in .lastBytes(bytes) }) { redis in
            await #expect(throws: RedisError.connectionLost(mayHaveRun: true)) {
                try await redis.send(["GET", "k"], timeout: .seconds(20))
            }
        }
    }

    @Test("a reply that announces much and sends little ends with the time-out") func announced() async throws {
        try await withFakeServer({ _ in .bytes("$9223372036854775807\r\nabc") }) { redis in
            await #expect(throws: RedisError.timedOut(mayHaveRun: true)) {
                try await redis.send(["GET", "k"], timeout: .seconds(5))
            }
        }
    }

    @Test("a command that was not sent yet survives a protocol violation") func unsent() async throws {
        try await withFakeServer({ $0 == 1 ? .bytes("nonsense\r\n") : .bytes("+fine\r\n") }) { redis in
            await #expect(throws: RedisError.self) { try await redis.send(["GET", "a"]) }
            let reply = try await redis.send(["GET", "b"])
            #expect(reply == .status("fine"))
        }
    }
}

/// What a server sends that is not RESP, and its name.
struct Violation: CustomTestStringConvertible, Sendable {
    let name: String
    let bytes: String

    init(_ name: String, _ bytes: String) {
        self.name = name
        self.bytes = bytes
    }

    var testDescription: String { name }
}

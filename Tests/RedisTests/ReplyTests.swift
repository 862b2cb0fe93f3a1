import Redis
import TestSupport
import Testing

@Suite("Replies") struct ReplyTests {
    @Test("every kind of reply comes as its own type") func types() async throws {
        try await withRedis { redis, _ in
            #expect(try await redis.send(["SET", "k", "v"]) == .status("OK"))
            #expect(try await redis.send(["GET", "k"]) == .bytes(Array("v".utf8)))
            #expect(try await redis.send(["GET", "absent"]).isNull)
            #expect(try await redis.send(["INCRBY", "n", -3]).int == -3)
            #expect(try await redis.send(["GET", "n"]).int == -3)
            #expect(try await redis.send(["LRANGE", "absent", 0, -1]) == .array([]))
            #expect(try await redis.send(["MGET", "k", "absent"]) == .array([.bytes(Array("v".utf8)), .null]))
            let nested = try await redis.send(["EVAL", "return {1,{2,{'three'},{}},redis.error_reply('no')}", 0])
            let three = RESPValue.array([.bytes(Array("three".utf8))])
            #expect(nested == .array([.integer(1), .array([.integer(2), three, .array([])]), .error("ERR no")]))
        }
    }

    @Test("bytes of every value and of a megabyte come back as they were sent") func binary() async throws {
        try await withRedis { redis, _ in
            let bytes = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0) }
            _ = try await redis.send(["SET", "b", RedisArgument(bytes)])
            #expect(try await redis.send(["GET", "b"]).bytes == bytes)
            _ = try await redis.send(["SET", "", ""])
            #expect(try await redis.send(["GET", ""]).string == "")
        }
    }

    @Test("an error reply is thrown with its code, and the connection goes on") func serverError() async throws {
        try await withRedis { redis, _ in
            _ = try await redis.send(["SET", "k", "v"])
            let error = await #expect(throws: RedisError.self) { try await redis.send(["LPUSH", "k", "x"]) }
            #expect(error?.serverCode == "WRONGTYPE")
            #expect(error?.isOutage == false)
            #expect(try await redis.send(["GET", "k"]).string == "v")
        }
    }

    @Test("a pipeline answers in order and keeps error replies in their place") func pipeline() async throws {
        try await withRedis { redis, _ in
            let replies = try await redis.pipeline([
                ["SET", "k", 1], ["LPUSH", "k", "x"], ["MULTI"], ["INCR", "k"], ["EXEC"],
            ])
            #expect(replies.count == 5)
            #expect(replies[0] == .status("OK"))
            #expect(replies[1].string == nil)
            #expect(replies[4] == .array([.integer(2)]))
            #expect(try await redis.pipeline([]) == [])
        }
    }

    @Test("commands that would break the pairing of commands and replies are refused before they are sent")
    func refused() async throws {
        try await withRedis { redis, _ in
            let commands: [RedisCommand] = [
                [], ["SUBSCRIBE", "c"], ["monitor"], ["Client", "reply", "off"], ["HELLO", 3], ["unsubscribe"],
            ]
            for command in commands {
                let error = await #expect(throws: RedisError.self) { try await redis.send(command) }
                guard case .invalidConfiguration = error else {
                    Issue.record("\(command) got \(String(describing: error))")
                    continue
                }
            }
            let reply = try await redis.send(["ECHO", "still here"])
            #expect(reply.string == "still here")
        }
    }

    @Test("values read as what they are, and as nothing else") func accessors() throws {
        #expect(RESPValue.integer(7).string == "7")
        #expect(RESPValue.bytes(Array("7.5".utf8)).int == nil)
        #expect(RESPValue.bytes(Array("7.5".utf8)).double == 7.5)
        #expect(RESPValue.null.string == nil)
        #expect(throws: RedisError.server("ERR no")) { try RESPValue.error("ERR no").expectInt() }
        #expect(throws: RedisError.unexpectedReply("wanted an array, got null")) { try RESPValue.null.expectArray() }
        let pairs = RESPValue.array([.bytes(Array("a".utf8)), .integer(1)])
        #expect(try pairs.expectFields() == ["a": .integer(1)])
        #expect(throws: RedisError.self) { try RESPValue.array([.null]).expectFields() }
    }
}

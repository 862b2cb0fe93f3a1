import Redis
import TestSupport
import Testing

@Suite("Scripts") struct ScriptTests {
    private let script = RedisScript(name: "add", source: "return redis.call('INCRBY', KEYS[1], ARGV[1])")

    @Test("a digest is what the server computes, for sources of every length around a block") func digest() async throws
    {
        #expect(RedisScript(name: "empty", source: "").sha1 == "da39a3ee5e6b4b0d3255bfef95601890afd80709")
        #expect(RedisScript(name: "abc", source: "abc").sha1 == "a9993e364706816aba3e25717850c26c9cd0d89d")
        try await withRedis { redis, _ in
            for length in 0..<130 {
                let source = "return 1 --" + String(repeating: "x", count: length)
                let known = try await redis.send(["SCRIPT", "LOAD", RedisArgument(source)]).string
                #expect(RedisScript(name: "n", source: source).sha1 == known)
            }
        }
    }

    @Test("a script the server does not know, or forgot, runs once") func unknown() async throws {
        try await withRedis { redis, _ in
            #expect(try await redis.run(script, keys: ["n"], arguments: [5]).int == 5)
            #expect(try await redis.run(script, keys: ["n"], arguments: [5]).int == 10)
            _ = try await redis.send(["SCRIPT", "FLUSH"])
            #expect(try await redis.run(script, keys: ["n"], arguments: [5]).int == 15)
        }
    }

    @Test("a pipeline of calls runs each once and in order, also where the server forgot the script")
    func pipeline() async throws {
        try await withRedis { redis, _ in
            for round in 0..<2 {
                _ = try await redis.send(["SCRIPT", "FLUSH"])
                let calls = [RedisArgument]([1, 10, 100]).map { (keys: [RedisKey("n\(round)")], arguments: [$0]) }
                let replies = try await redis.pipeline(script, calls: calls)
                #expect(replies == [.integer(1), .integer(11), .integer(111)])
            }
            #expect(try await redis.pipeline(script, calls: []) == [])
        }
    }

    @Test("what a call raises stays in its place in a pipeline, and is thrown from a single call") func raised()
        async throws
    {
        try await withRedis { redis, _ in
            let replies = try await redis.pipeline(
                script, calls: [(["n"], [1]), (["n"], ["no number"]), (["n"], [1])])
            #expect(replies.first == .integer(1))
            #expect(replies.last == .integer(2))
            #expect(throws: RedisError.self) { try replies[1].expectInt() }
            let error = await #expect(throws: RedisError.self) {
                try await redis.run(script, keys: ["n"], arguments: ["x"])
            }
            #expect(error?.isOutage == false)
        }
    }

    @Test("fragments make one script") func fragments() async throws {
        let parts = ["local function two() return 2 end", "return two()"].map { Array($0.utf8) }
        try await withRedis { redis, _ in
            let reply = try await redis.run(RedisScript(name: "two", fragments: parts), keys: [], arguments: [])
            #expect(reply.int == 2)
        }
    }
}

import Redis
import TestSupport
import Testing

@Suite("Blocking commands") struct BlockingTests {
    @Test("a blocked read holds up no other command, and is woken by a push") func apart() async throws {
        try await withRedis { redis, _ in
            async let popped = redis.sendBlocking(["BLPOP", "list", 0], timeout: .seconds(30))
            try await eventually("the read blocks") { try await blocked(redis) == 1 }
            for round in 0..<100 { #expect(try await redis.send(["ECHO", RedisArgument(round)]).int == round) }
            _ = try await redis.send(["RPUSH", "list", "item"])
            #expect(try await popped.array?.last?.string == "item")
        }
    }

    @Test("blocked reads one after another use one connection") func reuse() async throws {
        try await withRedis { redis, _ in
            var ids: Set<Int> = []
            for _ in 0..<20 {
                ids.insert(try await redis.sendBlocking(["CLIENT", "ID"], timeout: .seconds(5)).expectInt())
            }
            #expect(ids.count == 1)
        }
    }

    @Test("the server's own block time ends the read with null, and the connection is kept") func blockTime()
        async throws
    {
        try await withRedis { redis, _ in
            let before = try await redis.sendBlocking(["CLIENT", "ID"], timeout: .seconds(5))
            #expect(try await redis.sendBlocking(["BLPOP", "list", "0.05"], timeout: .seconds(10)).isNull)
            #expect(try await redis.sendBlocking(["CLIENT", "ID"], timeout: .seconds(5)) == before)
        }
    }

    @Test("a cancelled read ends at once, and ends on the server too") func cancelled() async throws {
        try await withRedis { redis, _ in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    await #expect(throws: RedisError.cancelled) {
                        try await redis.sendBlocking(["BLPOP", "list", 0], timeout: .seconds(60))
                    }
                }
                try await eventually("the read blocks") { try await blocked(redis) == 1 }
                group.cancelAll()
            }
            try await eventually("nothing blocks on the server") { try await blocked(redis) == 0 }
            _ = try await redis.send(["RPUSH", "list", "kept"])
            #expect(try await redis.send(["LLEN", "list"]).int == 1, "no abandoned read took it")
        }
    }

    @Test("a read that timed out ends on the server too") func timedOut() async throws {
        try await withRedis { redis, _ in
            await #expect(throws: RedisError.timedOut(mayHaveRun: true)) {
                try await redis.sendBlocking(["BLPOP", "list", 0], timeout: .milliseconds(50))
            }
            try await eventually("nothing blocks on the server") { try await blocked(redis) == 0 }
            _ = try await redis.send(["RPUSH", "list", "kept"])
            #expect(try await redis.sendBlocking(["BLPOP", "list", 0], timeout: .seconds(5)).array?.count == 2)
        }
    }

    @Test("a blocked read fails when the server dies, and the next one waits for it to come back") func death()
        async throws
    {
        // For so long the next read waits for a connection.
        try await withRedis(configure: { $0.commandTimeout = .seconds(60) }) { redis, server in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    await #expect(throws: RedisError.connectionLost(mayHaveRun: true)) {
                        try await redis.sendBlocking(["BLPOP", "list", 0], timeout: .seconds(60))
                    }
                }
                try await eventually("the read blocks") { try await blocked(redis) == 1 }
                server.kill()
                try await group.waitForAll()
            }
            async let next = redis.sendBlocking(["BLPOP", "list", 0], timeout: .seconds(60))
            try await server.restart()
            _ = try await redis.send(["RPUSH", "list", "back"])
            #expect(try await next.array?.last?.string == "back")
        }
    }

    @Test("reads beyond blockingConnectionsMax are refused with the name of the limit") func limit() async throws {
        try await withRedis(configure: { $0.blockingConnectionsMax = 2 }) { redis, _ in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<2 {
                    group.addTask {
                        await #expect(throws: RedisError.cancelled) {
                            try await redis.sendBlocking(["BLPOP", "list", 0], timeout: .seconds(60))
                        }
                    }
                }
                try await eventually("both reads block") { try await blocked(redis) == 2 }
                let error = await #expect(throws: RedisError.self) {
                    try await redis.sendBlocking(["BLPOP", "list", 0], timeout: .seconds(60))
                }
                #expect(error?.description.contains("blockingConnectionsMax = 2") == true)
                group.cancelAll()
            }
        }
    }

    private func blocked(_ redis: RedisClient) async throws -> Int? {
        let text = try await redis.send(["INFO", "clients"]).expectString()
        let line = text.split(separator: "\r\n").first { $0.hasPrefix("blocked_clients:") }
        return line.flatMap { Int($0.dropFirst("blocked_clients:".count)) }
    }
}

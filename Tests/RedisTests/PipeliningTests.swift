import Redis
import TestSupport
import Testing

@Suite("Many callers at once") struct PipeliningTests {
    @Test("each of 1,000 concurrent callers gets its own replies, in order") func manyCallers() async throws {
        try await withRedis { redis, _ in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for caller in 0..<1_000 {
                    group.addTask {
                        for round in 0..<20 {
                            let word = "\(caller)-\(round)"
                            let reply = try await redis.send(["ECHO", RedisArgument(word)], timeout: .seconds(60))
                            #expect(reply.string == word)
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test("cancelled callers end at once and leave the replies of all others in place") func cancellation() async throws
    {
        // A connection that is deaf for so long is rebuilt.
        try await withRedis(configure: { $0.commandTimeout = .seconds(60) }) { redis, server in
            let connection = try await redis.send(["CLIENT", "ID"])
            server.pause()
            await withTaskGroup(of: Void.self) { group in
                for caller in 0..<200 {
                    group.addTask {
                        let word = "lost-\(caller)"
                        let error = await #expect(throws: RedisError.self) {
                            try await redis.send(["ECHO", RedisArgument(word)])
                        }
                        #expect(error == .cancelled)
                    }
                }
                group.cancelAll()
            }
            server.resume()
            try await expectInOrder(redis)
            #expect(try await redis.send(["CLIENT", "ID"]) == connection)
        }
    }

    @Test("commands that timed out leave the replies of later ones in place, on the same connection")
    func timeouts() async throws {
        // A connection that is deaf for so long is rebuilt.
        try await withRedis(configure: { $0.commandTimeout = .seconds(60) }) { redis, server in
            let connection = try await redis.send(["CLIENT", "ID"])
            server.pause()
            await withTaskGroup(of: Void.self) { group in
                for caller in 0..<200 {
                    group.addTask {
                        let word = "late-\(caller)"
                        let error = await #expect(throws: RedisError.self) {
                            try await redis.send(
                                ["ECHO", RedisArgument(word)], timeout: .milliseconds(20 + caller % 50))
                        }
                        // On a busy machine some may not be sent in so short a time.
                        #expect(error == .timedOut(mayHaveRun: true) || error == .timedOut(mayHaveRun: false))
                    }
                }
            }
            let error = await #expect(throws: RedisError.self) {
                try await redis.pipeline([["INCR", "n"], ["INCR", "n"]], timeout: .milliseconds(100))
            }
            server.resume()
            try await expectInOrder(redis)
            let count = try await redis.send(["GET", "n"]).int
            #expect(error == .timedOut(mayHaveRun: count == 2), "what was sent ran, though it timed out")
            #expect(try await redis.send(["CLIENT", "ID"]) == connection)
        }
    }

    @Test("commands beyond inFlightMax are refused with the name of the limit, and the others are not disturbed")
    func backPressure() async throws {
        let ten = { (configuration: inout RedisConfiguration) in
            configuration.inFlightMax = 10
            configuration.commandTimeout = .seconds(60)
        }
        try await withRedis(configure: ten) { redis, server in
            try await eventually("the first PING counts no more") { redis.inFlightCount == 0 }
            server.pause()
            let refusals = await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<25 {
                    group.addTask {
                        let error = await #expect(throws: RedisError.self) {
                            try await redis.send(["INCR", "n"], timeout: .seconds(5))
                        }
                        if case .unavailable(let reason) = error { return reason.contains("inFlightMax = 10") }
                        return false
                    }
                }
                return await group.reduce(into: 0) { count, isRefused in count += isRefused ? 1 : 0 }
            }
            #expect(refusals == 15)
            server.resume()
            try await eventually("the ten that were sent are answered") {
                do throws(RedisError) {
                    return try await redis.send(["GET", "n"]).int == 10
                } catch .unavailable {
                    return false
                }
            }
        }
    }

    @Test("commands beyond inFlightBytesMax are refused with the name of the limit; one alone may be larger")
    func backPressureByBytes() async throws {
        let thousand = { (configuration: inout RedisConfiguration) in
            configuration.inFlightBytesMax = 1_000
            configuration.commandTimeout = .seconds(60)
        }
        try await withRedis(configure: thousand) { redis, server in
            let large = RedisArgument([UInt8](repeating: 7, count: 5_000))
            // Bytes are given back when the last who knows a call has let go of it, a moment after its reply.
            let part = RedisArgument([UInt8](repeating: 7, count: 300))
            for value in [large, large, part] {
                try await eventually("nothing else counts any more, so a larger one is taken") {
                    do throws(RedisError) {
                        return try await redis.send(["SET", "k", value]).string == "OK"
                    } catch .unavailable {
                        return false
                    }
                }
            }
            server.pause()
            let refusals = await withTaskGroup(of: Bool.self) { group in
                for index in 0..<10 {
                    group.addTask {
                        let error = await #expect(throws: RedisError.self) {
                            try await redis.send(
                                ["SET", RedisArgument("k\(index)"), part], timeout: .seconds(5))
                        }
                        if case .unavailable(let reason) = error { return reason.contains("inFlightBytesMax = 1000") }
                        return false
                    }
                }
                return await group.reduce(into: 0) { count, isRefused in count += isRefused ? 1 : 0 }
            }
            #expect(
                (7...9).contains(refusals), "three of 305 bytes fit into 1,000, two beside one that is let go of late")
            server.resume()
            try await eventually("commands are taken again") {
                do throws(RedisError) {
                    return try await redis.send(["SET", "after", part]).string == "OK"
                } catch .unavailable {
                    return false
                }
            }
        }
    }

    @Test("a pipeline larger than inFlightMax is refused whole") func largePipeline() async throws {
        try await withRedis(configure: { $0.inFlightMax = 10 }) { redis, _ in
            let commands = [RedisCommand](repeating: ["INCR", "n"], count: 11)
            await #expect(throws: RedisError.self) { try await redis.pipeline(commands) }
            let before = try await redis.send(["GET", "n"])
            #expect(before.isNull)
            try await eventually("what was answered counts no more") { redis.inFlightCount == 0 }
            #expect(try await redis.pipeline(Array(commands.dropLast())).last == .integer(10))
        }
    }

    @Test("a task that is already cancelled sends nothing") func cancelledBefore() async throws {
        try await withRedis { redis, _ in
            await withTaskGroup(of: Void.self) { group in
                group.cancelAll()
                group.addTask {
                    await #expect(throws: RedisError.cancelled) { try await redis.send(["INCR", "n"]) }
                    await #expect(throws: RedisError.cancelled) {
                        try await redis.sendBlocking(["BLPOP", "l", 0], timeout: .seconds(60))
                    }
                }
            }
            let value = try await redis.send(["GET", "n"])
            #expect(value.isNull)
        }
    }

    private func expectInOrder(_ redis: RedisClient) async throws {
        for round in 0..<50 {
            let word = "after-\(round)"
            #expect(try await redis.send(["ECHO", RedisArgument(word)]).string == word)
        }
    }
}

import Redis
import TestSupport
import Testing

@Suite("Connections lost and rebuilt") struct ReconnectTests {
    @Test("a server that was killed and started again is used again, by itself") func restart() async throws {
        try await withRedis { redis, server in
            for round in 0..<3 {
                server.kill()
                try await eventually("the client sees the loss") { !redis.isConnected }
                try await server.restart()
                #expect(try await redis.send(["ECHO", RedisArgument(round)], timeout: .seconds(60)).int == round)
                #expect(redis.isConnected)
            }
        }
    }

    @Test("without a server a command fails as unavailable, with the reason, and was never sent") func down()
        async throws
    {
        try await withRedis(arguments: ["--appendonly", "yes"]) { redis, server in
            server.kill()
            try await eventually("the client sees the loss") { !redis.isConnected }
            // At first the reason is the loss; where there is no server is told once it was looked for.
            try await eventually("the reason tells where there is no server") {
                let error = await #expect(throws: RedisError.self) {
                    try await redis.send(["INCR", "n"], timeout: .milliseconds(100))
                }
                #expect(error?.isOutage == true)
                guard case .unavailable(let reason)? = error else {
                    Issue.record("got \(String(describing: error))")
                    return true
                }
                return reason.contains(server.socketPath)
            }
            async let waiting = redis.send(["INCR", "n"], timeout: .seconds(60))
            try await server.restart()
            #expect(try await waiting == .integer(1), "the one that failed did not run; the one that waited did")
        }
    }

    @Test("a command that was sent when the connection broke fails and is not repeated") func mayHaveRun() async throws
    {
        try await withFakeServer({ $0 == 1 ? .lastBytes("") : .bytes(":1\r\n") }) { redis in
            await #expect(throws: RedisError.connectionLost(mayHaveRun: true)) { try await redis.send(["INCR", "n"]) }
            let reply = try await redis.send(["INCR", "n"])
            #expect(reply == .integer(1))
        }
    }

    @Test("a command that is safe to repeat is sent again on the next connection") func repeats() async throws {
        try await withFakeServer({ $0 <= 2 ? .lastBytes("") : .bytes("+three\r\n") }) { redis in
            let reply = try await redis.send(RedisCommand("GET", "k", isSafeToRepeat: true))
            #expect(reply == .status("three"))
        }
    }

    @Test("a pipeline cut half way is repeated whole, or not at all") func pipelineCut() async throws {
        let answer: @Sendable (Int) -> FakeServer.Answer = {
            $0 % 2 == 1 ? .lastBytes(":1\r\n") : .bytes(":3\r\n:4\r\n")
        }
        try await withFakeServer(answer) { redis in
            let safe = RedisCommand("GET", "k", isSafeToRepeat: true)
            let replies = try await redis.pipeline([safe, safe])
            #expect(replies == [.integer(3), .integer(4)])
        }
        try await withFakeServer(answer) { redis in
            let safe = RedisCommand("GET", "k", isSafeToRepeat: true)
            await #expect(throws: RedisError.connectionLost(mayHaveRun: true)) {
                try await redis.pipeline([safe, ["INCR", "k"]])
            }
        }
    }

    @Test("repeating stops at the time-out of the command") func repeatsEnd() async throws {
        try await withFakeServer({ _ in .lastBytes("") }) { redis in
            let error = await #expect(throws: RedisError.self) {
                try await redis.send(RedisCommand("GET", "k", isSafeToRepeat: true), timeout: .milliseconds(150))
            }
            #expect(error?.isOutage == true)
        }
    }

    @Test("a connection that owes replies and sends none is closed and rebuilt") func deaf() async throws {
        try await withFakeServer(
            { $0 == 1 ? .nothing : .bytes("+heard\r\n") }, configure: { $0.commandTimeout = .milliseconds(150) }
        ) { redis in
            let error = await #expect(throws: RedisError.self) { try await redis.send(["GET", "k"]) }
            #expect(error?.isOutage == true)
            try await eventually("the second connection answers") {
                do throws(RedisError) {
                    return try await redis.send(["GET", "k"]) == .status("heard")
                } catch  where error.isOutage {
                    return false
                }
            }
        }
    }

    @Test("a stopped process that accepts connections does not count as connected") func stopped() async throws {
        try await withRedis(configure: {
            $0.commandTimeout = .milliseconds(150)
            $0.connectTimeout = .milliseconds(150)
        }) { redis, server in
            server.pause()
            await #expect(throws: RedisError.self) { try await redis.send(["PING"]) }
            try await eventually("the deaf connection is given up") { !redis.isConnected }
            await #expect(throws: RedisError.self) { try await redis.waitUntilConnected(timeout: .milliseconds(200)) }
            #expect(!redis.isConnected)
            server.resume()
            try await redis.waitUntilConnected(timeout: .seconds(60))
            #expect(redis.isConnected)
        }
    }

    @Test("password, database and name are set on every connection") func greeting() async throws {
        try await withRedis(
            arguments: ["--requirepass", "s3 cret"],
            configure: {
                $0.password = "s3 cret"
                $0.database = 3
                $0.clientName = "tester"
            }
        ) { redis, server in
            for _ in 0..<2 {
                #expect(try await redis.send(["CLIENT", "GETNAME"]).string == "tester")
                #expect(try await redis.send(["CLIENT", "INFO"]).string?.contains(" db=3 ") == true)
                let blocked = try await redis.sendBlocking(["CLIENT", "INFO"], timeout: .seconds(5))
                #expect(blocked.string?.contains(" db=3 ") == true)
                server.kill()
                try await eventually("the client sees the loss") { !redis.isConnected }
                try await server.restart()
            }
        }
    }

    @Test("a wrong password is told in the error, and the client goes on trying") func wrongPassword() async throws {
        let server = try await RedisServer.start(arguments: ["--requirepass", "right"])
        defer { server.stop() }
        var configuration = try server.configuration()
        configuration.password = "wrong"
        try await withClient(configuration) { redis in
            try await eventually("the error tells of the password") {
                let error = await #expect(throws: RedisError.self) {
                    try await redis.waitUntilConnected(timeout: .milliseconds(300))
                }
                return error?.description.contains("WRONGPASS") == true
            }
        }
        configuration.password = nil
        try await withClient(configuration) { redis in
            try await eventually("the error tells that a password is wanted") {
                let error = await #expect(throws: RedisError.self) {
                    try await redis.waitUntilConnected(timeout: .milliseconds(300))
                }
                return error?.description.contains("NOAUTH") == true
            }
        }
    }

    @Test("TCP works as the socket does, and a port where nobody listens is named") func tcp() async throws {
        let server = try await RedisServer.start(tcp: true)
        defer { server.stop() }
        try await withClient(try RedisConfiguration(url: server.tcpURL + "/1")) { redis in
            let reply = try await redis.send(["ECHO", "over TCP"])
            #expect(reply.string == "over TCP")
        }
        let port = try #require(server.port)
        server.kill()
        try await withClient(try RedisConfiguration(url: server.tcpURL)) { redis in
            let error = await #expect(throws: RedisError.self) {
                try await redis.send(["PING"], timeout: .milliseconds(200))
            }
            #expect(error?.description.contains("127.0.0.1:\(port)") == true)
        }
    }
}

import Redis
import TestSupport
import Testing

@Suite("Sentinel", .serialized) struct SentinelTests {
    @Test("a master that is killed is replaced, and commands, blocked reads and subscriptions find the new one")
    func failover() async throws {
        let servers = try await RedisSentinels.start()
        defer { servers.stop() }
        try await servers.setDownAfter(milliseconds: 60_000)
        try await withClient(try RedisConfiguration(url: servers.url)) { redis in
            try await redis.waitUntilConnected(timeout: .seconds(60))
            #expect(try await port(redis) == servers.master.port)
            _ = try await redis.send(["SET", "kept", "yes"])
            #expect(try await redis.send(["WAIT", 1, 30_000], timeout: .seconds(60)).int == 1)
            let subscription = try redis.subscribe(to: [.channel("news")])
            var events = subscription.makeAsyncIterator()
            #expect(try await events.next() == .subscribed)

            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    await #expect(throws: RedisError.connectionLost(mayHaveRun: true)) {
                        try await redis.sendBlocking(["BLPOP", "list", 0], timeout: .seconds(300))
                    }
                    // What any worker does: it asks again until it is answered.
                    try await eventually("the next read is answered") {
                        do throws(RedisError) {
                            let popped = try await redis.sendBlocking(["BLPOP", "list", 0], timeout: .seconds(300))
                            return popped.array?.last?.string == "item"
                        } catch  where error.isOutage {
                            return false
                        }
                    }
                }
                try await eventually("the read blocks") { try await blocked(redis) == 1 }
                try await servers.setDownAfter(milliseconds: 3_000)
                servers.master.kill()
                try await eventually("the new master takes writes") {
                    do throws(RedisError) {
                        return try await redis.send(["RPUSH", "list", "item"]).int != nil
                    } catch  where error.isOutage {
                        return false
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await port(redis) == servers.replica.port)
            #expect(try await redis.send(["GET", "kept"]).string == "yes")
            #expect(try await events.next() == .gap(.reconnected))

            // The former master comes back as a replica, and nobody goes to it.
            try await servers.master.restart()
            try await eventually("it follows the new master") {
                do {
                    return try await servers.master.command("ROLE") == "*5"
                } catch is TestSupportError {
                    return false  // The sentinels cut its clients' connections when they make it a replica.
                }
            }
            #expect(try await port(redis) == servers.replica.port)
        }
    }

    @Test("a failover by an operator's command moves the client, and a dead sentinel is passed over") func byCommand()
        async throws
    {
        let servers = try await RedisSentinels.start()
        defer { servers.stop() }
        try await servers.setDownAfter(milliseconds: 60_000)
        try await withClient(try RedisConfiguration(url: servers.url + "?db=3")) { redis in
            try await redis.waitUntilConnected(timeout: .seconds(60))
            let info = try await redis.send(["CLIENT", "INFO"])
            #expect(info.string?.contains(" db=3 ") == true)
            servers.killSentinel(0)
            let second = try RedisConfiguration(url: "redis://127.0.0.1:\(servers.sentinelPorts[1])")
            try await withClient(second) { sentinel in
                try await eventually("the sentinels find the replica fit to be the master") {
                    do throws(RedisError) {
                        return try await sentinel.send(["SENTINEL", "FAILOVER", "game"]).string == "OK"
                    } catch  where error.serverCode == "NOGOODSLAVE" {
                        return false
                    }
                }
            }
            try await eventually("writes go to the former replica") {
                do throws(RedisError) {
                    _ = try await redis.send(["INCR", "n"])
                    return try await redis.send(["CONFIG", "GET", "port"]).array?.last?.int == servers.replica.port
                } catch  where error.isOutage {
                    return false
                }
            }
        }
    }

    @Test("a READONLY reply makes the client ask the sentinels again, for blocking commands too") func readOnly()
        async throws
    {
        let first = try await RedisServer.start(tcp: true)
        let second = try await RedisServer.start(tcp: true)
        defer {
            first.stop()
            second.stop()
        }
        let places = try [first, second].map { try address(#require($0.port)) }
        let hasFailedOver = Flag()
        let sentinel = try await FakeServer.start { _ in .bytes(places[hasFailedOver.isUp ? 1 : 0]) }
        try await withClient(configuration(asking: sentinel)) { redis in
            try await redis.waitUntilConnected(timeout: .seconds(60))
            _ = try await redis.send(["SET", "on", "first"])
            _ = try await redis.send(["RPUSH", "list", "first"])
            let popped = try await redis.sendBlocking(["BLPOP", "list", 0], timeout: .seconds(10))
            #expect(popped.array?.last?.string == "first")
            try await first.command("REPLICAOF 127.0.0.1 1")
            hasFailedOver.raise()

            let error = await #expect(throws: RedisError.self) { try await redis.send(["SET", "on", "second"]) }
            #expect(error?.serverCode == "READONLY")
            #expect(error?.isOutage == true)
            _ = try await redis.send(["RPUSH", "list", "second"])
            let next = try await redis.sendBlocking(["BLPOP", "list", 0], timeout: .seconds(10))
            #expect(next.array?.last?.string == "second", "the idle connection to the former master was left")
        }
        try await sentinel.stop()
    }

    @Test("a server that is called the master and is a replica is not used") func role() async throws {
        let replica = try await RedisServer.start(arguments: ["--replicaof", "127.0.0.1", "1"], tcp: true)
        defer { replica.stop() }
        let place = address(try #require(replica.port))
        let sentinel = try await FakeServer.start { _ in .bytes(place) }
        try await withClient(configuration(asking: sentinel)) { redis in
            try await eventually("the error tells the server's role") {
                let error = await #expect(throws: RedisError.self) {
                    try await redis.waitUntilConnected(timeout: .milliseconds(300))
                }
                return error?.description.contains("calls itself a slave") == true
            }
        }
        try await sentinel.stop()
    }

    @Test("where no sentinel knows the master, the error tells what each of them said") func unknown() async throws {
        let sentinel = try await FakeServer.start { _ in .bytes("*-1\r\n") }
        var configuration = configuration(asking: sentinel)
        guard case .sentinel(let addresses, _) = configuration.discovery else { return }
        configuration.discovery = .sentinel(
            addresses: [.tcp(host: "127.0.0.1", port: 1)] + addresses, master: "game")
        try await withClient(configuration) { redis in
            try await eventually("the error tells what both said") {
                let error = await #expect(throws: RedisError.self) {
                    try await redis.waitUntilConnected(timeout: .milliseconds(300))
                }
                let text = error?.description ?? ""
                return text.contains("127.0.0.1:1: ") && text.contains("it knows no master of that name")
            }
        }
        try await sentinel.stop()
    }

    @Test("a master that stopped answering is left by blocked reads once its successor is known") func stopped()
        async throws
    {
        let servers = try await RedisSentinels.start()
        defer { servers.stop() }
        try await servers.setDownAfter(milliseconds: 60_000)
        try await withClient(try RedisConfiguration(url: servers.url)) { redis in
            try await redis.waitUntilConnected(timeout: .seconds(60))
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    // Its own time-out is far away: what ends it is that another command found the new master.
                    await #expect(throws: RedisError.connectionLost(mayHaveRun: true)) {
                        try await redis.sendBlocking(["BLPOP", "list", 0], timeout: .seconds(300))
                    }
                }
                try await eventually("the read blocks") { try await blocked(redis) == 1 }
                try await servers.setDownAfter(milliseconds: 3_000)
                servers.master.pause()
                try await eventually("the new master takes writes") {
                    do throws(RedisError) {
                        return try await redis.send(["INCR", "n"]).int != nil
                    } catch  where error.isOutage {
                        return false
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await port(redis) == servers.replica.port)
        }
        servers.master.resume()
    }

    private func configuration(asking sentinel: FakeServer) -> RedisConfiguration {
        var configuration = sentinel.configuration
        configuration.discovery = .sentinel(addresses: [configuration.address], master: "game")
        return configuration
    }

    /// A sentinel's reply: host and port.
    private func address(_ port: Int) -> String {
        "*2\r\n$9\r\n127.0.0.1\r\n$\(String(port).count)\r\n\(port)\r\n"
    }

    private func port(_ redis: RedisClient) async throws -> Int? {
        try await redis.send(["CONFIG", "GET", "port"]).array?.last?.int
    }

    private func blocked(_ redis: RedisClient) async throws -> Int? {
        let text = try await redis.send(["INFO", "clients"]).expectString()
        let line = text.split(separator: "\r\n").first { $0.hasPrefix("blocked_clients:") }
        return line.flatMap { Int($0.dropFirst("blocked_clients:".count)) }
    }
}

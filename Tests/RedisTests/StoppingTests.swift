import NIOCore
import NIOPosix
import TestSupport
import Testing

@testable import Redis

@Suite("Stopping") struct StoppingTests {
    @Test("a graceful stop answers what was given and refuses what comes later") func graceful() async throws {
        let server = try await RedisServer.start()
        defer { server.stop() }
        let configuration = try server.configuration()
        let connector = Connector(
            configuration: configuration, eventLoop: MultiThreadedEventLoopGroup.singleton.next())
        let multiplexer = Multiplexer(
            configuration: configuration, connector: connector, logger: testLogger, metrics: RedisMetrics())
        multiplexer.start()
        _ = try await multiplexer.perform(PendingCommand(["PING"], timeout: .seconds(10))).get()
        async let slow = multiplexer.perform(PendingCommand(["BLPOP", "list", 0], timeout: .seconds(60)))
        try await withClient(configuration) { redis in
            try await eventually("the slow command runs") {
                try await redis.send(["INFO", "clients"]).expectString().contains("blocked_clients:1\r\n")
            }
            let stopped = multiplexer.stop(gracefully: true)
            _ = try await redis.send(["RPUSH", "list", "item"])
            try await stopped.get()
        }
        _ = try await slow.get()
        let late = await multiplexer.perform(PendingCommand(["PING"], timeout: .seconds(10)))
        #expect(throws: RedisError.unavailable("the client has stopped")) { try late.get() }
        #expect(multiplexer.waitingCount == 0)
    }

    @Test("a client that is stopped leaves no caller waiting") func stop() async throws {
        try await withRedis { _, server in
            let client = RedisClient(configuration: try server.configuration(), logger: testLogger)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await client.run() }
                try await client.waitUntilConnected(timeout: .seconds(60))
                group.cancelAll()
                try await group.waitForAll()
            }
            await #expect(throws: RedisError.self) { try await client.send(["INCR", "n"]) }
            await #expect(throws: RedisError.self) {
                try await client.sendBlocking(["BLPOP", "l", 0], timeout: .seconds(60))
            }
        }
    }

    @Test("stopping while commands wait for a stopped server fails them at once") func stopWhileWaiting() async throws {
        try await withRedis { _, server in
            let client = RedisClient(configuration: try server.configuration(), logger: testLogger)
            try await withThrowingTaskGroup(of: Void.self) { callers in
                try await withThrowingTaskGroup(of: Void.self) { running in
                    running.addTask { try await client.run() }
                    try await client.waitUntilConnected(timeout: .seconds(60))
                    server.pause()
                    callers.addTask {
                        await #expect(throws: RedisError.self) {
                            try await client.send(["INCR", "n"], timeout: .seconds(60))
                        }
                    }
                    callers.addTask {
                        await #expect(throws: RedisError.self) {
                            try await client.sendBlocking(["BLPOP", "l", 0], timeout: .seconds(60))
                        }
                    }
                    running.cancelAll()
                    try await running.waitForAll()
                }
                try await callers.waitForAll()
            }
            server.resume()
        }
    }

    @Test("a client that never runs fails its commands as unavailable, and can be dropped") func neverRun() async throws
    {
        let configuration = try RedisConfiguration(url: "unix:///tmp/nobody-listens-here.sock")
        let client = RedisClient(configuration: configuration, logger: testLogger)
        let error = await #expect(throws: RedisError.self) {
            try await client.send(["PING"], timeout: .milliseconds(20))
        }
        #expect(error?.isOutage == true)
        #expect(!client.isConnected)
    }
}

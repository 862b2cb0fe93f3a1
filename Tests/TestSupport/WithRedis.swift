import Logging
import Redis

/// Runs the body with a redis-server of its own and a client that is connected to it; ends both afterwards.
///
/// - Parameters:
///   - arguments: further arguments of redis-server.
///   - configure: changes the client's settings.
public func withRedis<T>(
    arguments: [String] = [], configure: (inout RedisConfiguration) -> Void = { _ in },
    isolation: isolated (any Actor)? = #isolation, _ body: (RedisClient, RedisServer) async throws -> T
) async throws -> T {
    let server = try await RedisServer.start(arguments: arguments)
    defer { server.stop() }
    var configuration = try server.configuration()
    configure(&configuration)
    return try await withClient(configuration) { client in
        try await client.waitUntilConnected(timeout: .seconds(60))
        return try await body(client, server)
    }
}

/// For whatever a test has to give a logger to.
public let testLogger: Logger = {
    var logger = Logger(label: "test")
    logger.logLevel = .error
    return logger
}()

/// Runs the body beside a running client; ends the client afterwards.
public func withClient<T>(
    _ configuration: RedisConfiguration, isolation: isolated (any Actor)? = #isolation,
    _ body: (RedisClient) async throws -> T
) async throws -> T {
    let client = RedisClient(configuration: configuration, logger: testLogger)
    return try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await client.run() }
        defer { group.cancelAll() }
        return try await body(client)
    }
}

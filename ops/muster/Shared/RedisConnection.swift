import Fleet
import Jobs
import Logging
import Matchmaking
import Redis

/// A connection to Redis for as long as a command needs it.
enum RedisConnection {
    /// Whether the floors above say, each in its own words, that Redis does not answer.
    static func isOutage(_ error: any Error) -> Bool {
        switch error {
        case let error as RedisError: error.isOutage
        case let error as JobError: error.isOutage
        case MatchmakingError.redis(let error): error.isOutage
        case FleetError.unavailable(let error): error.isOutage
        default: false
        }
    }

    /// What a URL says, or in which words it can't be read.
    static func configuration(url: String) throws -> RedisConfiguration {
        do {
            return try RedisConfiguration(url: url)
        } catch {
            throw CommandFailure(
                "'\(url)' is no Redis address: \(error)", nextStep: "Use redis://host:port or unix:///path/to/socket.")
        }
    }

    /// Runs the client beside the body and stops it after; failures are thrown to the body, not logged.
    static func with<T: Sendable>(
        url: String, _ body: @escaping @Sendable (RedisClient) async throws -> T
    ) async throws -> T {
        try await with(try configuration(url: url), named: url, body)
    }

    /// The same for a server that is known otherwise than by a URL; `named` is what messages call it.
    static func with<T: Sendable>(
        _ configuration: RedisConfiguration, named name: String,
        _ body: @escaping @Sendable (RedisClient) async throws -> T
    ) async throws -> T {
        let client = RedisClient(
            configuration: configuration, logger: Logger(label: "redis", factory: { _ in SwiftLogNoOpLogHandler() }))
        return try await withThrowingTaskGroup(of: T?.self) { group in
            group.addTask {
                try await client.run()
                return nil
            }
            group.addTask {
                do {
                    return try await body(client)
                } catch  where isOutage(error) {
                    throw CommandFailure(
                        "Redis at \(name) does not answer: \(error)",
                        nextStep: "Start it ('muster up' does), or name another with --redis URL.")
                }
            }
            defer { group.cancelAll() }
            for try await result in group {
                if let result { return result }
            }
            throw CancellationError()
        }
    }
}

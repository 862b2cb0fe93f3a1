import Logging
import ServiceLifecycle

public final class RedisClient: Sendable, Service {
    private let configuration: RedisConfiguration

    public init(configuration: RedisConfiguration, logger: Logger) { self.configuration = configuration }

    public func run() async throws { try await gracefulShutdown() }

    public var isConnected: Bool { false }

    public func waitUntilConnected(timeout: Duration) async throws(RedisError) {
        throw .unavailable("connecting lands next")
    }

    public func send(_ command: RedisCommand, timeout: Duration? = nil) async throws(RedisError) -> RESPValue {
        throw .unavailable("connecting lands next")
    }

    public func pipeline(
        _ commands: [RedisCommand], timeout: Duration? = nil
    ) async throws(RedisError) -> [RESPValue] {
        throw .unavailable("connecting lands next")
    }

    public func sendBlocking(_ command: RedisCommand, timeout: Duration) async throws(RedisError) -> RESPValue {
        throw .unavailable("connecting lands next")
    }

    public func run(
        _ script: RedisScript, keys: [RedisKey], arguments: [RedisArgument], timeout: Duration? = nil,
        isSafeToRepeat: Bool = false
    ) async throws(RedisError) -> RESPValue {
        throw .unavailable("connecting lands next")
    }

    public func pipeline(
        _ script: RedisScript, calls: [(keys: [RedisKey], arguments: [RedisArgument])]
    ) async throws(RedisError) -> [RESPValue] {
        throw .unavailable("connecting lands next")
    }
}

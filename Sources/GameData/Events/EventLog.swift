import GameModel
import Redis

/// The event cache: Redis streams, spread over shards and capped, that `muster ingest` empties into SQLite.
///
/// Lossy by design. Events are gone when Redis loses its memory or a stream passes its cap before it is read, and an
/// append whose reply was lost may have arrived, so appending again may double them.
public struct EventLog: Sendable {
    /// The cap of each shard, held approximately (`MAXLEN ~` trims whole nodes).
    public static let lengthMax = 1_000_000

    private let redis: RedisClient
    private let lengthMax: Int

    /// - Parameter lengthMax: the cap of each shard; entries past it that nobody has stored are lost, and counted.
    public init(redis: RedisClient, lengthMax: Int = lengthMax) {
        self.redis = redis
        self.lengthMax = lengthMax
    }

    /// Appends events in one write to Redis, each to the shard of its match.
    /// - Throws: the first refusal, `.server("OOM …")` for one; events before it in the list have been appended.
    public func append(_ events: [EncodedEvent]) async throws(RedisError) {
        guard !events.isEmpty else { return }
        let replies = try await redis.pipeline(events.map(command))
        for case .error(let message) in replies { throw RedisError.server(message) }
    }

    private func command(_ event: EncodedEvent) -> RedisCommand {
        var arguments: [RedisArgument] = [
            "XADD", RedisArgument(GameDataKeys.events(shard: event.shard)), "MAXLEN", "~", RedisArgument(lengthMax),
            "*",
        ]
        arguments += EventEntry.fields(of: event)
        return RedisCommand(arguments)
    }
}

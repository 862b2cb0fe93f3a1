import Redis

/// How full one event shard is.
public struct StreamDepth: Sendable, Hashable, Codable {
    /// The shard's key.
    public var stream: String
    /// Entries in the stream: those not yet stored, for stored ones are deleted.
    public var length: Int
    /// Entries that a consumer has and has not settled (the group's PEL).
    public var pel: Int
    /// Entries that no consumer has seen; `nil` where Redis can't tell.
    public var lag: Int?
    public var consumers: Int

    /// Reads the depth of every shard.
    public static func read(_ redis: RedisClient) async throws(RedisError) -> [StreamDepth] {
        let keys = (0..<GameDataKeys.shardCount).map { GameDataKeys.events(shard: $0) }
        let replies = try await redis.pipeline(
            keys.flatMap { key in
                [
                    RedisCommand("XLEN", RedisArgument(key), isSafeToRepeat: true),
                    RedisCommand("XINFO", "GROUPS", RedisArgument(key), isSafeToRepeat: true),
                ]
            })
        return keys.enumerated().map { index, key in
            var depth = StreamDepth(
                stream: key.name, length: replies[2 * index].int ?? 0, pel: 0, lag: nil, consumers: 0)
            // A stream that does not exist answers with an error: it is empty, and nobody reads it.
            for group in replies[2 * index + 1].array ?? [] {
                let fields = Self.fields(group)
                guard fields["name"]?.string == EventGroup.name else { continue }
                depth.pel = fields["pending"]?.int ?? 0
                depth.lag = fields["lag"]?.int
                depth.consumers = fields["consumers"]?.int ?? 0
            }
            return depth
        }
    }

    private static func fields(_ reply: RESPValue) -> [String: RESPValue] {
        let list = reply.array ?? []
        var fields: [String: RESPValue] = [:]
        for index in stride(from: 0, to: list.count - 1, by: 2) {
            if let name = list[index].string { fields[name] = list[index + 1] }
        }
        return fields
    }
}

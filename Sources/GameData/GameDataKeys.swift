import GameModel
import Redis

/// Every Redis key of the game data room. Each shard has a hash tag of its own, so the shards spread over a cluster
/// and no command here touches two of them.
public enum GameDataKeys {
    /// How many streams the events are spread over.
    public static let shardCount = 4

    /// STREAM, capped near `EventLog.lengthMax`: the event cache's shard.
    public static func events(shard: Int) -> RedisKey { "muster:events:{\(shard)}" }

    /// The shard for a text: FNV-1a over its bytes, the same in every process and version.
    public static func shard(for text: String) -> Int {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return Int(hash % UInt64(shardCount))
    }
}

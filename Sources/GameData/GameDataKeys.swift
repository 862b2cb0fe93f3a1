import GameModel
import Redis

/// Every Redis key of the game data room. Each shard has a hash tag of its own, so the shards spread over a cluster
/// and no command here touches two of them.
public enum GameDataKeys {
    /// How many streams the events are spread over.
    public static let shardCount = 4

    /// STREAM, capped near `EventLog.bytesMax`: the event cache's shard.
    public static func events(shard: Int) -> RedisKey { "muster:events:{\(shard)}" }

    /// STRING: the name of the shard's life, which ends when Redis loses the stream; see `open_event_group.lua`.
    public static func eventsLife(shard: Int) -> RedisKey { "muster:events:{\(shard)}:life" }

    /// The keys of one leaderboard; they share a hash tag. The season comes first: a mode may have any character.
    static func board(_ mode: Mode, season: Int) -> BoardKeys {
        let prefix = "muster:board:{\(season).\(mode)}"
        return BoardKeys(state: "\(prefix):state", ranks: "\(prefix):ranks", players: "\(prefix):players")
    }

    /// Where one leaderboard lies in Redis.
    struct BoardKeys: Sendable, Hashable {
        /// HASH: token, state, seenAt and builtAt in Redis ms; absent where there is no board.
        let state: RedisKey
        /// ZSET: `reached:player` (15 digits of Unix ms), score = -rating: the best first, and of equals the first.
        let ranks: RedisKey
        /// HASH: player → `games reached`.
        let players: RedisKey

        var all: [RedisKey] { [state, ranks, players] }
    }

    /// The shard for a text: FNV-1a over its bytes, the same in every process and version.
    public static func shard(for text: String) -> Int {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return Int(hash % UInt64(shardCount))
    }
}

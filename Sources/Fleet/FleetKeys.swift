import GameModel
import Redis

/// Every key that the fleet of one region lives under. They share the hash tag `{region}`, so that each transition is
/// one script also on Redis Cluster; no key is built inside a script.
struct FleetKeys: Sendable {
    let region: Region

    /// HASH: instance → its last heartbeat as JSON (host, port, slots, build).
    var instances: RedisKey { "muster:fleet:{\(region.rawValue)}:instances" }
    /// ZSET: instance → its last heartbeat in Redis ms.
    var beats: RedisKey { "muster:fleet:{\(region.rawValue)}:beats" }
    /// ZSET: instance that takes matches → number of its build × 10,000 + its free slots. Packing takes from a build's
    /// low end, spreading from its high end.
    var slots: RedisKey { "muster:fleet:{\(region.rawValue)}:slots" }
    /// HASH: match → `instance allocated-at-ms`.
    var allocations: RedisKey { "muster:fleet:{\(region.rawValue)}:allocations" }
    /// ZSET, every score 0: `instance/match`, so that a range by name lists what an instance holds.
    var held: RedisKey { "muster:fleet:{\(region.rawValue)}:held" }
    /// ZSET: allocated match that no heartbeat has named yet → when it expires, in Redis ms.
    var unseen: RedisKey { "muster:fleet:{\(region.rawValue)}:unseen" }
    /// HASH: match whose instance died or that no one joined → why, until someone has told the players.
    var lost: RedisKey { "muster:fleet:{\(region.rawValue)}:lost" }
    /// HASH: instance → `state since-ms`.
    var states: RedisKey { "muster:fleet:{\(region.rawValue)}:states" }
    /// HASH: instance → `drain|cordon at-ms reason`: the order that stands.
    var orders: RedisKey { "muster:fleet:{\(region.rawValue)}:orders" }
    /// ZSET: build → its number; the later it was seen first, the higher.
    var builds: RedisKey { "muster:fleet:{\(region.rawValue)}:builds" }
    /// STRING: the build that the region is to run; absent: the newest.
    var target: RedisKey { "muster:fleet:{\(region.rawValue)}:target" }
    /// HASH: `since` and `last`, Redis ms: how long heartbeats have been watched without a gap.
    var watch: RedisKey { "muster:fleet:{\(region.rawValue)}:watch" }
    /// ZSET: instance → when an allocator last saw its process run, in Redis ms.
    var vouched: RedisKey { "muster:fleet:{\(region.rawValue)}:vouched" }
    /// STRING with TTL: an allocator is starting an instance.
    var starting: RedisKey { "muster:fleet:{\(region.rawValue)}:starting" }

    /// What the scripts that move matches declare, in their order.
    var transition: [RedisKey] {
        [instances, beats, slots, allocations, held, unseen, lost, states, orders, builds, target]
    }
}

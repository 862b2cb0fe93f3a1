import GameModel
import Jobs
import Redis

/// Every Redis key of matchmaking, in one place. All keys of a pool carry its name as their hash tag, as those of its
/// allocation queue do, so that a match's last acceptance and its allocation job are one script in one slot.
public struct MatchmakingKeys: Sendable {
    private let prefix: String

    /// ZSET, ticket id → when it was queued, in Redis ms.
    let queue: RedisKey
    /// STREAM, capped: every transition of a ticket. Ids are `<epoch>-<number>`, the number rising by one.
    let changes: RedisKey
    /// HASH: `epoch` of the stream, when it was begun in Redis ms · `entered`, `left`: how many tickets ever came into
    /// the queue and went out of it · `created`, `ended`: how many there ever were, and are over · `forming`: how many
    /// are not complete.
    let stats: RedisKey
    /// ZSET, `t:<ticket>` or `m:<match>` → deadline in Redis ms; `b:<backfill ticket>` → when to look whether its match
    /// still asks.
    let deadlines: RedisKey
    /// ZSETs, match id → since when it is in that state, in Redis ms.
    let proposed: RedisKey
    let placing: RedisKey
    let ready: RedisKey
    /// STRING with TTL, "owner fence": the ranker that owns the pool, or its first rating band.
    let lease: RedisKey
    /// HASH, into how many rating bands the pool is divided: see `bands.lua`.
    let bands: RedisKey
    /// LIST, the newest first, capped: how long the last matched tickets had waited, in ms.
    let waits: RedisKey

    /// The pool's allocation queue, which its accepted matches are placed from.
    public let allocationQueue: QueueName

    /// ZSET, ranker id → when it was last heard of, in Redis ms.
    static let rankers: RedisKey = "muster:mm:rankers"
    /// ZSET, pool → when it was last in somebody's rules, in Redis ms.
    static let pools: RedisKey = "muster:mm:pools"

    /// STRING with TTL: the one active ticket of a player. Not of the pool's slot.
    static func claim(_ player: PlayerID) -> RedisKey { RedisKey("muster:mm:player:{\(player)}") }

    /// HASH with TTL: why and until when a player may not queue, see `claim_release.lua`. In the slot of the claim.
    static func cooldown(_ player: PlayerID) -> RedisKey { RedisKey("muster:mm:player:{\(player)}:cooldown") }

    /// ZSET with TTL, ticket id → until when the invitation holds, in Redis ms. In the slot of the claim.
    static func invitations(_ player: PlayerID) -> RedisKey { RedisKey("muster:mm:player:{\(player)}:invited") }

    /// STRING with TTL: by how many ms the player's next ticket is queued earlier, for the last match was taken away.
    /// In the slot of the claim.
    static func headStart(_ player: PlayerID) -> RedisKey { RedisKey("muster:mm:player:{\(player)}:headstart") }

    /// HASH with TTL: see `latencies.lua`. In the slot of the player's claim.
    static func latencies(_ player: PlayerID) -> RedisKey { RedisKey("muster:mm:player:{\(player)}:latencies") }

    public init(_ pool: Pool) {
        prefix = "muster:mm:{\(pool)}:"
        queue = RedisKey(prefix + "queue")
        changes = RedisKey(prefix + "changes")
        stats = RedisKey(prefix + "stats")
        deadlines = RedisKey(prefix + "deadlines")
        proposed = RedisKey(prefix + "proposed")
        placing = RedisKey(prefix + "placing")
        ready = RedisKey(prefix + "ready")
        lease = RedisKey(prefix + "lease")
        bands = RedisKey(prefix + "bands")
        waits = RedisKey(prefix + "waits")
        allocationQueue = QueueName(pool.description)
    }

    /// As ``lease``, of one rating band; the first has the pool's own.
    func lease(ofBand band: Int) -> RedisKey { band == 0 ? lease : RedisKey("\(prefix)lease:\(band)") }

    /// HASH.
    func ticket(_ id: TicketID) -> RedisKey { RedisKey("\(prefix)ticket:\(id)") }

    /// HASH.
    func match(_ id: MatchID) -> RedisKey { RedisKey("\(prefix)match:\(id)") }

    /// What every script that uses `fragment.lua` is given first.
    var common: [RedisKey] { [queue, changes, stats, deadlines, proposed, placing, ready] }

    /// The keys of a script about one match and its tickets.
    func common(_ match: MatchID, _ roster: [TicketID]) -> [RedisKey] {
        common + [self.match(match)] + roster.map(ticket)
    }
}

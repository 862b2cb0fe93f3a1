import GameModel
import Logging
import Redis

/// Takes, renews and gives back the pools of one ranker, so that the live rankers share them evenly and each pool has
/// one.
///
/// Every ranker says on each round that it lives, sees who else does, and reckons its share from that one list: with
/// the rankers sorted by name, the first ones hold one pool more where the division leaves a rest.
struct LeaseKeeper: Sendable {
    let id: String
    let pools: [Pool]
    let duration: Duration
    let redis: RedisClient
    let logger: Logger

    private(set) var held: [Pool: PoolLease] = [:]

    init(id: String, pools: [Pool], duration: Duration, redis: RedisClient, logger: Logger) {
        self.id = id
        self.pools = pools
        self.duration = duration
        self.redis = redis
        self.logger = logger
    }

    /// One round. Returns the leases that are new; those that ended are marked so.
    mutating func round() async throws(RedisError) -> [PoolLease] {
        let share = Self.share(of: id, among: try await sayAlive(true), pools: pools.count)
        for (pool, lease) in held {
            // Reckoned from before the call: the lease can only have been renewed after.
            let asked = ContinuousClock.now
            let fence = try await take(pool, ifFree: false)
            let left = duration - (ContinuousClock.now - asked)
            if "\(id) \(fence)" == lease.value, lease.renewed(validFor: left) { continue }
            // Lost to another or with Redis, or it ran out here and its ranking stopped: then it is taken again below.
            logger.warning("lease lost", metadata: ["pool": "\(pool)"])
            lease.end()
            held[pool] = nil
        }
        for pool in held.keys.sorted().suffix(max(0, held.count - share)) {
            try await giveBack(pool)
        }
        return try await takeFree(upTo: share)
    }

    /// Gives everything back, and takes itself off the list of the living.
    mutating func stop() async throws(RedisError) {
        for pool in Array(held.keys) { try await giveBack(pool) }
        _ = try await sayAlive(false)
    }

    static func share(of id: String, among live: [String], pools: Int) -> Int {
        guard let place = live.firstIndex(of: id) else { return pools }
        return pools / live.count + (place < pools % live.count ? 1 : 0)
    }

    private mutating func takeFree(upTo share: Int) async throws(RedisError) -> [PoolLease] {
        var taken: [PoolLease] = []
        for pool in pools where held[pool] == nil && held.count < share {
            let asked = ContinuousClock.now
            let fence = try await take(pool, ifFree: true)
            guard fence != 0 else { continue }
            let lease = PoolLease(
                pool: pool, owner: id, fence: fence, validFor: duration - (ContinuousClock.now - asked))
            held[pool] = lease
            taken.append(lease)
        }
        return taken
    }

    private mutating func giveBack(_ pool: Pool) async throws(RedisError) {
        guard let lease = held.removeValue(forKey: pool) else { return }
        lease.end()
        _ = try await redis.run(
            MatchmakingScripts.leaseRelease, keys: [MatchmakingKeys(pool).lease],
            arguments: [RedisArgument(lease.value)], isSafeToRepeat: true)
    }

    private func take(_ pool: Pool, ifFree: Bool) async throws(RedisError) -> Int {
        let reply = try await redis.run(
            MatchmakingScripts.lease, keys: [MatchmakingKeys(pool).lease],
            arguments: [RedisArgument(id), RedisArgument(duration.milliseconds), ifFree ? "1" : "0"],
            isSafeToRepeat: true)
        guard let fence = reply.int else { throw .unexpectedReply("lease") }
        return fence
    }

    private func sayAlive(_ isAlive: Bool) async throws(RedisError) -> [String] {
        let reply = try await redis.run(
            MatchmakingScripts.rankers, keys: [MatchmakingKeys.rankers],
            arguments: [RedisArgument(id), RedisArgument(duration.milliseconds), isAlive ? "1" : "0"],
            isSafeToRepeat: true)
        guard let names = reply.array else { throw .unexpectedReply("rankers") }
        return names.compactMap(\.string)
    }
}

import GameModel
import Logging
import Redis

/// Takes, renews and gives back the pools of one ranker, so that the live rankers share them evenly and each pool has
/// one; a pool divided into rating bands is shared band by band.
///
/// Every ranker says on each round that it lives and which pools its rules have, sees who else lives and what pools
/// there are, and reckons its share from those lists: with the rankers sorted by name, the first ones hold one more
/// where the division leaves a rest. Pools that were taken out of the rules stay on the list for ``retiredFor``, so
/// that somebody sees to it that what waits there expires.
struct LeaseKeeper: Sendable {
    static let retiredFor = Duration.seconds(7 * 86_400)

    let id: String
    let book: RulesBook
    let duration: Duration
    let redis: RedisClient
    let logger: Logger

    private(set) var held: [PoolBand: PoolLease] = [:]
    /// Taken and not handed out yet: a round that fails half-way leaves them to the next.
    private var fresh: [PoolLease] = []
    private var bands: [Pool: RatingBands] = [:]
    private var rankers = 1

    init(id: String, book: RulesBook, duration: Duration, redis: RedisClient, logger: Logger) {
        self.id = id
        self.book = book
        self.duration = duration
        self.redis = redis
        self.logger = logger
    }

    /// One round. Returns the leases that are new; those that ended are marked so.
    mutating func round() async throws(RedisError) -> [PoolLease] {
        let live = try await sayAlive(true)
        rankers = max(1, live.count)
        let units = try await units()
        let share = Self.share(of: id, among: live, units: units.count)
        for unit in held.keys where !units.contains(unit) { try await giveBack(unit) }
        try await renew()
        for unit in spread(held.keys).suffix(max(0, held.count - share)) { try await giveBack(unit) }
        try await takeFree(of: units, upTo: share)
        defer { fresh = [] }
        // One that was lost or given back meanwhile is nobody's to rank by.
        return fresh.filter(\.isHeld)
    }

    /// Gives everything back, and takes itself off the list of the living.
    mutating func stop() async throws(RedisError) {
        for unit in Array(held.keys) { try await giveBack(unit) }
        _ = try await sayAlive(false)
    }

    static func share(of id: String, among live: [String], units: Int) -> Int {
        guard let place = live.firstIndex(of: id) else { return units }
        return units / live.count + (place < units % live.count ? 1 : 0)
    }

    /// Every unit of sharing there is.
    private mutating func units() async throws(RedisError) -> Set<PoolBand> {
        let reply = try await redis.run(
            RankerScripts.pools, keys: [MatchmakingKeys.pools],
            arguments: [RedisArgument(Self.retiredFor.milliseconds)]
                + book.current.pools.map { RedisArgument($0.description) },
            isSafeToRepeat: true)
        guard let names = reply.array else { throw .unexpectedReply("pools") }
        let pools = names.compactMap { $0.string.flatMap(Pool.init) }
        let replies = try await redis.pipeline(
            pools.map {
                RedisCommand(
                    "HMGET", RedisArgument(MatchmakingKeys($0).bands), "count", "borders", "generation",
                    isSafeToRepeat: true)
            })
        bands = [:]
        for (pool, reply) in zip(pools, replies) {
            if case .error(let reason) = reply { throw .server(reason) }
            guard let values = reply.array, values.count == 3 else { throw .unexpectedReply("HMGET") }
            bands[pool] = RatingBands(
                count: values[0].string, borders: values[1].string, generation: values[2].string)
        }
        return Set(
            bands.flatMap { pool, bands in (0..<bands.count).map { PoolBand(pool: pool, band: $0) } })
    }

    private mutating func renew() async throws(RedisError) {
        let units = held.keys.sorted()
        // Reckoned from before the call: the leases can only have been renewed after.
        let asked = ContinuousClock.now
        let fences = try await take(units, ifFree: false)
        let left = duration - (ContinuousClock.now - asked)
        for (unit, fence) in zip(units, fences) {
            guard let lease = held[unit] else { continue }
            if "\(id) \(fence)" == lease.value,
                lease.renewed(validFor: left, surroundings: surroundings(of: unit.pool))
            {
                continue
            }
            // Lost to another or with Redis, or it ran out here and its ranking stopped: then it is taken again below.
            logger.warning("lease lost", metadata: ["pool": "\(unit)"])
            lease.end()
            held[unit] = nil
        }
    }

    private mutating func takeFree(of units: Set<PoolBand>, upTo share: Int) async throws(RedisError) {
        // Of a pool that another ranker serves by one band rather than of one that this ranker serves already.
        var rest = spread(units).filter { held[$0] == nil }[...]
        while held.count < share, !rest.isEmpty {
            let batch = Array(rest.prefix(share - held.count))
            rest = rest.dropFirst(batch.count)
            let asked = ContinuousClock.now
            let fences = try await take(batch, ifFree: true)
            let left = duration - (ContinuousClock.now - asked)
            for (unit, fence) in zip(batch, fences) where fence != 0 {
                let lease = PoolLease(
                    unit: unit, owner: id, fence: fence, validFor: left, surroundings: surroundings(of: unit.pool))
                held[unit] = lease
                fresh.append(lease)
            }
        }
    }

    /// Sorted so that bands of pools of which this ranker holds others come last.
    private func spread(_ units: some Sequence<PoolBand>) -> [PoolBand] {
        let mine = Dictionary(grouping: held.keys, by: \.pool).mapValues { $0.sorted() }
        func place(_ unit: PoolBand) -> Int {
            guard let bands = mine[unit.pool] else { return 0 }
            return bands.firstIndex(of: unit) ?? bands.count
        }
        return units.map { (place: place($0), unit: $0) }
            .sorted { ($0.place, $0.unit) < ($1.place, $1.unit) }
            .map(\.unit)
    }

    private func surroundings(of pool: Pool) -> PoolLease.Surroundings {
        PoolLease.Surroundings(bands: bands[pool] ?? .whole, rankers: rankers)
    }

    private mutating func giveBack(_ unit: PoolBand) async throws(RedisError) {
        guard let lease = held.removeValue(forKey: unit) else { return }
        lease.end()
        _ = try await redis.run(
            MatchmakingScripts.leaseRelease, keys: [MatchmakingKeys(unit.pool).lease(ofBand: unit.band)],
            arguments: [RedisArgument(lease.value)], isSafeToRepeat: true)
    }

    /// The fence of each, 0 where it is another's.
    private func take(_ units: [PoolBand], ifFree: Bool) async throws(RedisError) -> [Int] {
        guard !units.isEmpty else { return [] }
        let replies = try await redis.pipeline(
            MatchmakingScripts.lease,
            calls: units.map { unit in
                (
                    keys: [MatchmakingKeys(unit.pool).lease(ofBand: unit.band)],
                    arguments: [RedisArgument(id), RedisArgument(duration.milliseconds), ifFree ? "1" : "0"]
                )
            })
        var fences: [Int] = []
        for reply in replies {
            if case .error(let reason) = reply { throw .server(reason) }
            guard let fence = reply.int else { throw .unexpectedReply("lease") }
            fences.append(fence)
        }
        return fences
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

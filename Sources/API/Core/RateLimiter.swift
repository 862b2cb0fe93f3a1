import GameModel
import Synchronization

/// What a request is counted as. Each class has a rate of its own, so that browsing never keeps a player from logging
/// in.
public enum RequestClass: Int, Sendable, Hashable, CaseIterable {
    /// What has a password hashed, or tries one.
    case logIn
    case registration
    case order
    case quote
    /// The export of everything that is held about a player.
    case export
    case other
}

/// How many requests of each class are answered, per player, or per network address where nobody is logged in.
public struct RateLimits: Sendable, Hashable {
    /// Per minute; 0: as many as come.
    public var logIns = 60
    public var registrations = 30
    public var orders = 30
    public var quotes = 120
    public var exports = 4
    public var others = 6_000

    public init() {}

    /// Per minute; 0: as many as come.
    func perMinute(_ kind: RequestClass) -> Int {
        switch kind {
        case .logIn: logIns
        case .registration: registrations
        case .order: orders
        case .quote: quotes
        case .export: exports
        case .other: others
        }
    }
}

/// Whom requests are counted by.
enum RateKey: Sendable, Hashable {
    case player(PlayerID)
    case address(IPAddress)
}

/// Token buckets in memory: each key has, per class, a bucket that a quarter of the minute's requests empties and that
/// fills up again at the class's rate.
///
/// Costs a look into a dictionary, no round trip: with n processes a client gets up to n times the rate. Memory is
/// bounded; where more clients come at once than are remembered, those whose buckets are fullest are forgotten first.
///
/// A bucket is one number, the time at which it will be full again (the generic cell rate algorithm, ITU-T I.371).
final class RateLimiter: Sendable {
    /// Independent locks, so that cores rarely wait for one another.
    private static let shardCount = 16
    /// The least requests that may come at once.
    private static let burstMin = 2

    private struct Bucket: Hashable {
        let kind: RequestClass
        let key: RateKey
    }

    private struct Rate {
        /// Nanoseconds that one request fills; 0: no limit.
        let interval: Int64
        /// How far ahead of now a bucket's time may be, in nanoseconds.
        let depth: Int64
    }

    private final class Shard: Sendable {
        /// Nanoseconds of the clock at which each bucket is full again.
        let fullAt = Mutex<[Bucket: Int64]>([:])
    }

    private let rates: [Rate]
    private let shards: [Shard]
    private let shardMax: Int
    private let clock: @Sendable () -> Int64

    /// - Parameters:
    ///   - keysMax: how many buckets that are not full are remembered.
    ///   - clock: nanoseconds since any moment, never going back.
    init(_ limits: RateLimits, keysMax: Int = 200_000, clock: @escaping @Sendable () -> Int64 = RateLimiter.uptime) {
        rates = RequestClass.allCases.map { kind in
            let perMinute = limits.perMinute(kind)
            guard perMinute > 0 else { return Rate(interval: 0, depth: 0) }
            let interval = 60_000_000_000 / Int64(perMinute)
            return Rate(interval: interval, depth: interval * Int64(max(Self.burstMin, perMinute / 4)))
        }
        shards = (0..<Self.shardCount).map { _ in Shard() }
        shardMax = max(1, keysMax / Self.shardCount)
        self.clock = clock
    }

    /// Counts a request.
    ///
    /// - Returns: `nil` where it may be answered; else how long to wait: then it was not counted.
    func take(_ kind: RequestClass, by key: RateKey) -> Duration? {
        let rate = rates[kind.rawValue]
        guard rate.interval > 0 else { return nil }
        let bucket = Bucket(kind: kind, key: key)
        let now = clock()
        return shards[abs(bucket.hashValue % Self.shardCount)].fullAt.withLock { fullAt in
            let next = max(fullAt[bucket] ?? now, now) + rate.interval
            guard next - now <= rate.depth else { return .nanoseconds(next - now - rate.depth) }
            if fullAt[bucket] == nil, fullAt.count >= shardMax { Self.forget(&fullAt, now: now, keeping: shardMax / 2) }
            fullAt[bucket] = next
            return nil
        }
    }

    /// Forgets the buckets that are full, and of the others those that will be soonest, where more are left than are to
    /// be kept.
    private static func forget(_ fullAt: inout [Bucket: Int64], now: Int64, keeping kept: Int) {
        fullAt = fullAt.filter { $0.value > now }
        guard fullAt.count > kept else { return }
        let bound = fullAt.values.sorted()[fullAt.count - kept - 1]
        fullAt = fullAt.filter { $0.value > bound }
    }

    var bucketCount: Int { shards.reduce(0) { count, shard in count + shard.fullAt.withLock { $0.count } } }

    private static let started = ContinuousClock.now

    @Sendable static func uptime() -> Int64 {
        let time = (ContinuousClock.now - started).components
        return time.seconds * 1_000_000_000 + time.attoseconds / 1_000_000_000
    }
}

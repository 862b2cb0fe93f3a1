import GameModel
import Redis

/// What operators are shown of a pool.
public struct PoolFacts: Sendable, Hashable, Codable {
    public let depth: PoolDepth
    /// How long the last matched tickets had waited, in ms; `nil` where there are none.
    public let waitP50Ms: Int64?
    public let waitP90Ms: Int64?
    /// Into how many rating bands it is divided for rankers.
    public let bands: Int
}

/// Who waits in a pool, by rating and by how long.
public struct PoolHistogram: Sendable, Hashable, Codable {
    /// Upper ends of the columns, in seconds of waiting; the last column has none.
    public static let waits: [Double] = [5, 15, 30, 60, 120, 300]
    /// Rows at most.
    private static let rowsMax = 20
    /// Points of a row, the smallest that fits.
    private static let steps: [Double] = [50, 100, 200, 500, 1_000, 10_000]

    public let pool: String
    public let at: Instant
    public let tickets: Int
    public let players: Int
    public let waitsSeconds: [Double]
    /// The lower end of the first row, in points.
    public let ratingFrom: Double
    public let ratingStep: Double
    /// Tickets by row (rating, rising) and column (waiting, rising).
    public let counts: [[Int]]

    init(_ pool: Pool, _ waiting: [QueuedTicket], at now: Instant) {
        self.pool = pool.description
        self.at = now
        tickets = waiting.count
        players = waiting.reduce(0) { $0 + $1.members.count }
        waitsSeconds = Self.waits
        let ratings = waiting.map(\.rating)
        let low = ratings.min() ?? 0
        let high = ratings.max() ?? 0
        let step =
            Self.steps.first { (high / $0).rounded(.down) - (low / $0).rounded(.down) < Double(Self.rowsMax) }
            ?? max(1, (high - low) / Double(Self.rowsMax - 1))
        ratingStep = step
        ratingFrom = (low / step).rounded(.down) * step
        let rows = waiting.isEmpty ? 0 : Int((high / step).rounded(.down) - (low / step).rounded(.down)) + 1
        var counts = [[Int]](repeating: [Int](repeating: 0, count: Self.waits.count + 1), count: rows)
        for (ticket, rating) in zip(waiting, ratings) {
            let waited = Double((now - ticket.queuedAt).milliseconds) / 1_000
            let column = Self.waits.firstIndex { waited < $0 } ?? Self.waits.count
            let row = Int((rating - ratingFrom) / step)
            counts[min(max(row, 0), rows - 1)][column] += 1
        }
        self.counts = counts
    }
}

extension MatchmakingInspector {
    /// Each pool of the rules, sorted by name.
    public func pools(_ filter: TicketFilter = TicketFilter()) async throws(MatchmakingError) -> [PoolFacts] {
        var pools: [PoolFacts] = []
        for pool in rules.pools where filter.admits(pool) { pools.append(try await facts(of: pool)) }
        return pools
    }

    public func facts(of pool: Pool) async throws(MatchmakingError) -> PoolFacts {
        let keys = MatchmakingKeys(pool)
        let depth = try await service.depth(of: pool)
        let waits = try await service.send(
            RedisCommand(
                "LRANGE", RedisArgument(keys.waits), "0", RedisArgument(WaitEstimate.waitsMax - 1),
                isSafeToRepeat: true))
        let estimate = WaitEstimate((waits.array ?? []).compactMap { $0.string.flatMap { Int($0) } })
        let bands = try await service.send(
            RedisCommand("HGET", RedisArgument(keys.bands), "count", isSafeToRepeat: true))
        return PoolFacts(
            depth: depth, waitP50Ms: estimate?.p50.milliseconds, waitP90Ms: estimate?.p90.milliseconds,
            bands: bands.string.flatMap { Int($0) } ?? 1)
    }

    /// Reads all who wait there.
    public func histogram(of pool: Pool) async throws(MatchmakingError) -> PoolHistogram {
        let view = try await view(of: pool)
        return PoolHistogram(pool, view.waiting.all, at: view.clock.now)
    }

    /// What a ranker of the pool has before it.
    func view(of pool: Pool) async throws(MatchmakingError) -> PoolView {
        do throws(RedisError) {
            return try await PoolView.load(MatchmakingKeys(pool), redis: service.redis)
        } catch {
            throw .redis(error)
        }
    }
}

import GameModel
import Redis

/// How full a pool is at one moment, for `muster depth`.
public struct PoolDepth: Sendable, Hashable, Codable {
    /// How many matches are in a state, and since when the oldest of them is.
    public struct Stage: Sendable, Hashable, Codable {
        public let count: Int
        /// 0 where there is none.
        public let oldestMs: Int64

        public init(count: Int, oldestMs: Int64) {
            self.count = count
            self.oldestMs = oldestMs
        }
    }

    /// `mode:region`
    public let pool: String
    /// Tickets in the queue.
    public let waiting: Stage
    /// Matches that players have not all accepted yet.
    public let proposed: Stage
    /// Accepted matches without an instance.
    public let placing: Stage
    /// Matches that are played.
    public let ready: Stage
    /// The ranker that holds the pool; `nil` where none does.
    public let ranker: String?
    /// How many tickets ever came into the queue, those that came back among them, and how many went out of it.
    public let entered: Int
    public let left: Int
}

extension MatchmakingService {
    /// How full each pool of the rules is, sorted by name.
    public func depth() async throws(MatchmakingError) -> [PoolDepth] {
        var depths: [PoolDepth] = []
        for pool in rules.pools { depths.append(try await depth(of: pool)) }
        return depths
    }

    public func depth(of pool: Pool) async throws(MatchmakingError) -> PoolDepth {
        let keys = MatchmakingKeys(pool)
        let reply = try await run(MatchmakingScripts.depth, keys: keys.common + [keys.lease], arguments: [])
        guard let items = reply.array, items.count == 12, let now = items[0].int else {
            throw .redis(.unexpectedReply("depth"))
        }
        func stage(_ index: Int) -> PoolDepth.Stage {
            let count = items[index].int ?? 0
            let oldest = items[index + 1].int ?? 0
            return PoolDepth.Stage(count: count, oldestMs: count > 0 ? Int64(max(0, now - oldest)) : 0)
        }
        let owner = items[9].string?.split(separator: " ").first.map(String.init)
        return PoolDepth(
            pool: pool.description, waiting: stage(1), proposed: stage(3), placing: stage(5), ready: stage(7),
            ranker: owner, entered: items[10].int ?? 0, left: items[11].int ?? 0)
    }
}

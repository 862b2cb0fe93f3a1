import GameModel
import Logging
import Redis
import ServiceLifecycle

/// Matches the tickets of the pools it holds. Any number of rankers run at once: they share the pools by lease, a
/// stopped one gives its pools back, a dead one's are taken over within the lease's duration and a round.
///
/// Two rankers that both believe to hold a pool (one was paused) can't match a ticket twice: each match is committed by
/// one script that checks the fence and every ticket.
public struct Ranker: Service {
    /// How a ranker keeps time.
    public struct Timing: Sendable, Hashable {
        /// How long a pool stays with a ranker that fell silent.
        public var lease: Duration
        /// How often leases are renewed and free pools looked for.
        public var round: Duration
        /// The longest time between two matchings of a pool in which tickets wait.
        public var tick: Duration
        /// How often deadlines are looked at.
        public var deadlines: Duration

        public init(
            lease: Duration = .seconds(2), round: Duration = .milliseconds(500), tick: Duration = .milliseconds(100),
            deadlines: Duration = .milliseconds(250)
        ) {
            self.lease = lease
            self.round = round
            self.tick = tick
            self.deadlines = deadlines
        }
    }

    public let id: String
    private let service: MatchmakingService
    private let timing: Timing
    private let logger: Logger

    /// - Parameter id: unique among all rankers that ever run at the same time; visible ASCII without spaces.
    public init(
        id: String = "ranker.\(ULID())", redis: RedisClient, rules: MatchmakingRules = .standard,
        timing: Timing = Timing(), logger: Logger
    ) {
        var logger = logger
        logger[metadataKey: "ranker"] = "\(id)"
        self.id = id
        self.timing = timing
        self.logger = logger
        service = MatchmakingService(redis: redis, rules: rules, logger: logger)
    }

    public func run() async throws {
        let fresh = LeaseKeeper(
            id: id, pools: service.rules.pools, duration: timing.lease, redis: service.redis, logger: logger)
        var keeper = await cancelWhenGracefulShutdown { await keep(fresh) }
        do throws(RedisError) {
            try await keeper.stop()
        } catch {
            logger.warning("leases run out by themselves", metadata: ["error": "\(error)"])
        }
    }

    /// Keeps the leases until cancelled, with one task for each pool that is held.
    private func keep(_ fresh: LeaseKeeper) async -> LeaseKeeper {
        await withDiscardingTaskGroup { group in
            var keeper = fresh
            while !Task.isCancelled {
                do throws(RedisError) {
                    for lease in try await keeper.round() {
                        logger.info("pool taken", metadata: ["pool": "\(lease.pool)", "lease": "\(lease.value)"])
                        group.addTask { await PoolRanker(lease: lease, service, timing, logger).run() }
                    }
                } catch {
                    if error == .cancelled { break }
                    // Leases that could not be renewed run out by this machine's clock; the next round sees who has
                    // them.
                    logger.warning("lease round failed", metadata: ["error": "\(error)"])
                }
                do {
                    try await Task.sleep(for: timing.round)
                } catch {
                    break
                }
            }
            return keeper
        }
    }
}

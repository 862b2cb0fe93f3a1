import GameModel
import Logging
import Redis
import ServiceLifecycle

/// Matches the tickets of the pools it holds. Any number of rankers run at once: they share the pools by lease, a
/// stopped one gives its pools back, a dead one's are taken over within the lease's duration and a round. A pool in
/// which very many wait is divided into rating bands, which are shared like pools.
///
/// It follows the rules in force: changed ones hold from the next tick on, new pools are taken in the next round, and
/// what waits in removed ones runs out.
///
/// Two rankers that both believe to hold a pool (one was paused) can't match a ticket twice: each match is committed by
/// one script that checks the fence and every ticket.
public struct Ranker: Service {
    /// How a ranker keeps time, and what it takes on.
    public struct Timing: Sendable, Hashable {
        /// How long a pool stays with a ranker that fell silent.
        public var lease: Duration
        /// How often leases are renewed and free pools looked for.
        public var round: Duration
        /// The longest time between two matchings of a pool in which tickets wait.
        public var tick: Duration
        /// How often deadlines are looked at.
        public var deadlines: Duration
        /// With more waiting tickets than these for each of its rating bands, a pool is divided into twice as many,
        /// where there are rankers to serve them.
        public var bandTickets: Int

        public init(
            lease: Duration = .seconds(2), round: Duration = .milliseconds(500), tick: Duration = .milliseconds(100),
            deadlines: Duration = .milliseconds(250), bandTickets: Int = 20_000
        ) {
            self.lease = lease
            self.round = round
            self.tick = tick
            self.deadlines = deadlines
            self.bandTickets = bandTickets
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
        self.init(id: id, redis: redis, book: RulesBook(rules), timing: timing, logger: logger)
    }

    /// - Parameter book: the rules in force, looked at in each round and tick.
    public init(
        id: String = "ranker.\(ULID())", redis: RedisClient, book: RulesBook, timing: Timing = Timing(),
        logger: Logger
    ) {
        var logger = logger
        logger[metadataKey: "ranker"] = "\(id)"
        self.id = id
        self.timing = timing
        self.logger = logger
        service = MatchmakingService(redis: redis, book: book, logger: logger)
    }

    public func run() async throws {
        let fresh = LeaseKeeper(
            id: id, book: service.book, duration: timing.lease, redis: service.redis, logger: logger)
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
                        logger.info("pool taken", metadata: ["pool": "\(lease.unit)", "lease": "\(lease.value)"])
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

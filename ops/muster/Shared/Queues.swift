import Jobs
import Matchmaking

/// The queues of the house: those of orders and results, and one of allocations for each pool.
enum Queues {
    static let pools = MatchmakingRules.standard.pools

    static let all: [QueueName] =
        [QueueName("verify"), QueueName("results")] + pools.map { AllocateInstance.queue(of: $0) }
}

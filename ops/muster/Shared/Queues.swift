import GameModel
import Jobs
import Matchmaking

/// The queues of the house: those of orders, of their comparison with charges and of results, and one of allocations
/// for each pool of the rules.
enum Queues {
    static func all(of rules: MatchmakingRules) -> [QueueName] {
        [QueueName("verify"), QueueName("reconcile"), QueueName("results")]
            + rules.pools.map { AllocateInstance.queue(of: $0) }
    }
}

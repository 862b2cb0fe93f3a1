import GameModel
import Jobs
import Matchmaking

/// The queues of the house: those of orders and results, and one of allocations for each pool of the rules.
enum Queues {
    static func all(of rules: MatchmakingRules) -> [QueueName] {
        [QueueName("verify"), QueueName("results")] + rules.pools.map { AllocateInstance.queue(of: $0) }
    }
}

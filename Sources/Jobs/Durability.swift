import GameModel
import Redis

/// Who has a job when its enqueue returns. What an outbox holds needs none of this: it survives any loss of Redis.
public enum Durability: Sendable, Hashable {
    /// The master, in memory; on its disk by its own setting (`appendfsync`). A failover at that moment can lose it.
    case fast
    /// Besides the master so many replicas, in memory (`WAIT`). Where not so many acknowledge within the time, 1 ms or
    /// more, the call throws `JobError.notReplicated`; the job is enqueued all the same.
    case replicated(_ replicas: Int, within: Duration = .seconds(1))
}

extension JobQueue {
    /// Runs a script that is safe to repeat, and waits for replicas where that is asked for.
    ///
    /// - Throws: `notReplicated` after the script ran on the master, where too few replicas acknowledged. The same call
    ///   again waits again, for what the first one wrote too.
    func runDurably(
        _ script: RedisScript, keys: [RedisKey], arguments: [RedisArgument], durability: Durability
    ) async throws(JobError) -> RESPValue {
        guard case .replicated(let replicas, let within) = durability else {
            return try await run(script, keys: keys, arguments, isSafeToRepeat: true)
        }
        guard replicas >= 1, within >= .milliseconds(1) else {
            throw .invalid("durability is 1 replica or more within 1 ms or more, not \(replicas) within \(within)")
        }
        // A repeated enqueue finds its jobs and writes nothing; counting it makes sure that there is something to wait
        // for.
        let witness: RedisCommand = ["HINCRBY", RedisArgument(self.keys.stats), "awaited", 1]
        let answer: ReplicatedReply
        do {
            answer = try await redis.run(
                script, keys: keys, arguments: arguments, witness: witness, replicas: replicas, within: within,
                isSafeToRepeat: true)
        } catch {
            throw .redis(error)
        }
        guard answer.acknowledged >= replicas else {
            throw .notReplicated(acknowledged: answer.acknowledged, wanted: replicas)
        }
        return answer.reply
    }
}

import GameModel
import Redis

/// What has to become of the jobs of a batch before its callback runs.
public enum BatchPolicy: Sendable, Hashable {
    /// Each is completed (or cancelled, or purged). A dead letter holds the callback up until it is redriven or purged.
    case completed
    /// Each has ended, completed or dead.
    case ended

    package var word: String { self == .completed ? "p" : "P" }
}

extension JobQueue {
    /// Enqueues jobs and one that runs when they have ended, all in this queue.
    ///
    /// May be repeated with the same ids after a failure: the callback runs once all are there and have ended. A job
    /// whose id lives already, outside this batch, is left as it is and not waited for. The callback's `due` is not
    /// regarded.
    /// - Returns: what became of the callback, then of each job. Where the callback was refused (`.full`, `.draining`,
    ///   `.notUnique`), nothing else was enqueued.
    @discardableResult
    public func enqueueBatch(
        _ jobs: [EncodedJob], then callback: EncodedJob, policy: BatchPolicy, durability: Durability
    ) async throws(JobError) -> [EnqueueReply] {
        try callback.validate()
        for job in jobs { try job.validate() }
        let first = try await runEnqueue(
            [
                RedisArgument(callback.id.rawValue), RedisArgument(callback.specification),
                RedisArgument(callback.options.hasExtras ? "w*" : "w"),
            ], durability)
        guard let flag = first.array?.first else { throw .unexpectedReply("enqueue answered \(first)") }
        let reply = EnqueueReply(flag, callback.id)
        guard reply == .added(callback.id) || reply == .duplicate(callback.id) else { return [reply] }
        let replies = try await enqueue(
            jobs, callback: "\(policy.word)=\(callback.id.rawValue)", durability: durability)
        _ = try await run(
            JobScripts.unseal, keys: keys.all, [RedisArgument(callback.id.rawValue)], isSafeToRepeat: true)
        return [reply] + replies
    }
}

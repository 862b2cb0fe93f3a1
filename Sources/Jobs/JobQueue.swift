import GameModel
import Redis

/// A queue of jobs in Redis: put in, count, cancel. Taking out is `JobWorker`'s.
///
/// Every call is one script (or one per 500 jobs), and every call may be repeated: a job whose id still lives is left
/// as it is and answered `.duplicate`. What was answered `.added` is as safe as Redis is; where more is needed, use
/// the outbox.
public struct JobQueue: JobBatchEnqueuing {
    public let name: QueueName
    let redis: RedisClient
    let keys: JobKeys

    public init(name: QueueName, redis: RedisClient) {
        self.name = name
        self.redis = redis
        keys = JobKeys(name)
    }

    /// Enqueues jobs whose payloads are bytes already.
    @discardableResult
    public func enqueue(
        encoded jobs: [EncodedJob], durability: Durability
    ) async throws(JobError) -> [EnqueueReply] {
        try await enqueue(jobs, callback: nil, durability: durability)
    }

    /// - Parameter callback: the word that names the job which waits for these: see `enqueueBatch`.
    func enqueue(
        _ jobs: [EncodedJob], callback: String?, durability: Durability
    ) async throws(JobError) -> [EnqueueReply] {
        for job in jobs { try job.validate() }
        var replies: [EnqueueReply] = []
        replies.reserveCapacity(jobs.count)
        for chunk in Self.chunks(jobs) {
            var arguments: [RedisArgument] = []
            arguments.reserveCapacity(chunk.count * 3)
            for job in chunk {
                arguments.append(RedisArgument(job.id.rawValue))
                arguments.append(RedisArgument(Array(job.header(callback: callback).utf8) + job.payload))
                arguments.append(RedisArgument(callback == nil ? job.when : job.due.text + "*"))
            }
            let flags = try await runEnqueue(arguments, durability)
            guard let flags = flags.array, flags.count == chunk.count else {
                throw .unexpectedReply("enqueue answered \(flags)")
            }
            for (job, flag) in zip(chunk, flags) { replies.append(EnqueueReply(flag, job.id)) }
        }
        return replies
    }

    /// Safe to repeat: a second run finds the ids and answers 0. The caller then reads .duplicate, which is true.
    func runEnqueue(_ arguments: [RedisArgument], _ durability: Durability) async throws(JobError) -> RESPValue {
        guard durability != .fast else {
            return try await run(JobScripts.enqueue, keys: keys.forEnqueue, arguments, isSafeToRepeat: true)
        }
        return try await runDurably(
            JobScripts.enqueue, keys: keys.forEnqueue, arguments: arguments, durability: durability)
    }

    /// Cancels jobs, wherever they are. A leased one's handler is cancelled at its worker's next renewal, and what it
    /// then answers is refused.
    public func cancel(_ ids: [JobID]) async throws(JobError) -> [CancelReply] {
        try await each(JobScripts.cancel, ids).map { $0.int == 1 ? .cancelled : $0.int == 2 ? .dead : .unknown }
    }

    /// How many jobs are where, and the counters, all of one moment.
    public func counts() async throws(JobError) -> QueueCounts {
        let reply = try await run(JobScripts.counts, keys: keys.all, [], isSafeToRepeat: true)
        guard let counts = QueueCounts(reply) else { throw .unexpectedReply("counts answered \(reply)") }
        return counts
    }

    func run(
        _ script: RedisScript, keys: [RedisKey], _ arguments: [RedisArgument], isSafeToRepeat: Bool = false
    ) async throws(JobError) -> RESPValue {
        do {
            return try await redis.run(script, keys: keys, arguments: arguments, isSafeToRepeat: isSafeToRepeat)
        } catch {
            throw .redis(error)
        }
    }

    /// Runs a script that takes ids and answers for each, 500 ids a call.
    func each(_ script: RedisScript, _ ids: [JobID]) async throws(JobError) -> [RESPValue] {
        var replies: [RESPValue] = []
        for start in stride(from: 0, to: ids.count, by: JobScripts.batchMax) {
            let chunk = ids[start..<min(start + JobScripts.batchMax, ids.count)]
            let answer = try await run(script, keys: keys.all, chunk.map { RedisArgument($0.rawValue) })
            guard let flags = answer.array, flags.count == chunk.count else {
                throw .unexpectedReply("\(script.name) answered \(answer)")
            }
            replies += flags
        }
        return replies
    }

    /// Pieces of at most 500 jobs and about 1 MiB, so that one call never holds Redis up for long.
    private static func chunks(_ jobs: [EncodedJob]) -> [ArraySlice<EncodedJob>] {
        var chunks: [ArraySlice<EncodedJob>] = []
        var start = 0
        var bytes = 0
        for (index, job) in jobs.enumerated() {
            if index > start, index - start == JobScripts.batchMax || bytes + job.payload.count > 1 << 20 {
                chunks.append(jobs[start..<index])
                (start, bytes) = (index, 0)
            }
            bytes += job.payload.count
        }
        if start < jobs.count { chunks.append(jobs[start...]) }
        return chunks
    }
}

/// What became of a cancellation.
public enum CancelReply: Sendable, Hashable {
    case cancelled
    /// No job of that id lives.
    case unknown
    /// It is a dead letter already.
    case dead
}

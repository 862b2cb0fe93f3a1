import GameModel

/// What takes jobs in: `JobQueue`, `ShardedJobQueue`, and `TestQueue` of JobsTesting. Code that enqueues takes
/// `any JobEnqueuing` or `some JobEnqueuing`, so that its tests need no Redis.
public protocol JobEnqueuing: Sendable {
    var name: QueueName { get }

    /// Enqueues jobs whose payloads are bytes already, in the order given: one script call per 500 jobs or 1 MiB. Where
    /// a later call fails, the earlier ones stay; repeat all.
    /// - Returns: the replies in the order of the jobs.
    @discardableResult
    func enqueue(encoded jobs: [EncodedJob], durability: Durability) async throws(JobError) -> [EnqueueReply]

    /// The id of a job for which none is given.
    func newJobID() -> JobID
}

/// What also takes batches in: jobs, and one that runs when they have ended. All of a batch are in one queue, so a
/// sharded one takes none.
public protocol JobBatchEnqueuing: JobEnqueuing {
    /// Enqueues jobs and one that runs when they have ended: see `JobQueue.enqueueBatch`.
    @discardableResult
    func enqueueBatch(
        _ jobs: [EncodedJob], then callback: EncodedJob, policy: BatchPolicy, durability: Durability
    ) async throws(JobError) -> [EnqueueReply]
}

extension JobEnqueuing {
    public func newJobID() -> JobID { JobID(ULID().description) }

    /// Enqueues one job.
    /// - Parameters:
    ///   - id: a ULID unless given.
    ///   - delay: how long it waits first; `at` is the other way to say so, and wins.
    ///   - options: those of the kind, unless given.
    ///   - durability: how many replicas must have the job before the call returns.
    @discardableResult
    public func enqueue<J: Job>(
        _ job: J, id: JobID? = nil, delay: Duration? = nil, at: Instant? = nil, options: JobOptions? = nil,
        durability: Durability = .fast
    ) async throws(JobError) -> EnqueueReply {
        let replies = try await enqueue(
            [(id: id, job: job)], delay: delay, at: at, options: options, durability: durability)
        guard let reply = replies.first else { throw .unexpectedReply("enqueue answered nothing") }
        return reply
    }

    /// Enqueues many jobs of one kind, in the order given: one script call per 500 jobs or 1 MiB. Where a later call
    /// fails, the earlier ones stay; repeat all, with ids of your own.
    @discardableResult
    public func enqueue<J: Job>(
        _ jobs: [(id: JobID?, job: J)], delay: Duration? = nil, at: Instant? = nil, options: JobOptions? = nil,
        durability: Durability = .fast
    ) async throws(JobError) -> [EnqueueReply] {
        let due: Due = at.map { .at($0) } ?? delay.map { .after($0) } ?? .now
        var encoded: [EncodedJob] = []
        encoded.reserveCapacity(jobs.count)
        for (id, job) in jobs {
            encoded.append(try EncodedJob(job, id: id ?? newJobID(), options: options, due: due))
        }
        return try await enqueue(encoded: encoded, durability: durability)
    }

    /// Enqueues jobs whose payloads are bytes already.
    @discardableResult
    public func enqueue(encoded jobs: [EncodedJob]) async throws(JobError) -> [EnqueueReply] {
        try await enqueue(encoded: jobs, durability: .fast)
    }
}

extension JobBatchEnqueuing {
    /// Enqueues jobs and one that runs when they have ended: see `JobQueue.enqueueBatch`.
    @discardableResult
    public func enqueueBatch(
        _ jobs: [EncodedJob], then callback: EncodedJob, policy: BatchPolicy = .completed
    ) async throws(JobError) -> [EnqueueReply] {
        try await enqueueBatch(jobs, then: callback, policy: policy, durability: .fast)
    }
}

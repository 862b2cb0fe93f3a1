import GameModel
import Jobs

/// A job in a `TestQueue`.
public struct TestJob<J: Job>: Sendable {
    public let id: JobID
    public let job: J
    public let state: JobState
    public let options: JobOptions
    public let enqueuedAt: Instant
    /// When a scheduled job may run.
    public let dueAt: Instant?
    /// How often it was started; attempts that were snoozed don't count.
    public let attempt: Int
    /// What the last failed attempt said.
    public let error: String?
    /// Why it is dead.
    public let reason: ReasonCode?
}

/// A job in a `TestQueue` that will not run again, unless it is redriven.
public struct TestDeadLetter: Sendable, Hashable {
    public let id: JobID
    public let kind: String
    public let reason: ReasonCode
    public let error: String
    /// How often it was started.
    public let attempt: Int
    public let buriedAt: Instant
}

/// What a test can see.
extension TestQueue {
    /// All jobs of a kind that were ever added, in that order, also those that have ended since.
    /// - Throws: where a payload does not decode.
    public func enqueued<J: Job>(_ type: J.Type) throws -> [J] {
        try withState { $0.added }.filter { $0.kind == J.kind }
            .map { try J.read($0.payload, version: $0.payloadVersion) }
    }

    /// The jobs of a kind that live or are dead, in the order in which they were added.
    /// - Throws: where a payload does not decode.
    public func jobs<J: Job>(of type: J.Type) throws -> [TestJob<J>] {
        try withModel { $0.jobs.values.filter { $0.job.kind == J.kind } }
            .sorted { $0.sequence < $1.sequence }
            .map { try TestJob($0, job: J.read($0.job.payload, version: $0.job.payloadVersion)) }
    }

    /// The dead letters, the one first that was buried first.
    public var dead: [TestDeadLetter] {
        withModel { Array($0.jobs.values) }.compactMap { TestDeadLetter($0) }
            .sorted { ($0.buriedAt, $0.id) < ($1.buriedAt, $1.id) }
    }

    /// The records of completed jobs, for as long as their options keep them.
    public var results: [JobID: JobResult] {
        let now = clock.now
        return withState { $0.results }.filter { $0.value.until > now }.mapValues(\.result)
    }

    /// As `JobQueue.result`.
    public func result(of id: JobID) -> JobResult? { results[id] }

    /// As `JobQueue.progress`.
    public func progress(of id: JobID) -> JobProgress? {
        withModel { $0.jobs[id]?.progress }.flatMap { JobProgress($0) }
    }

    /// As `JobQueue.counts`; the bytes of results are those of their values.
    public func counts() -> QueueCounts {
        var counts = withModel { $0.snapshot }
        counts.resultBytes = results.values.map(\.value.count).reduce(0, +)
        counts.oldestWaitingMs = withModel { model in
            model.jobs.values.filter { $0.place == .waiting }.map(\.enqueuedAt).min()
        }.map { Int(now - $0) }
        return counts
    }
}

extension TestJob {
    init(_ entry: QueueModel.Entry, job: J) {
        id = entry.job.id
        self.job = job
        options = entry.job.options
        enqueuedAt = Instant(milliseconds: entry.enqueuedAt)
        attempt = entry.attempt
        error = entry.error.isEmpty ? nil : entry.error
        reason = entry.reason
        switch entry.place {
        case .waiting: (state, dueAt) = (.available, nil)
        case .later(let due): (state, dueAt) = (.scheduled, Instant(milliseconds: due))
        case .leased: (state, dueAt) = (.leased, nil)
        case .blocked: (state, dueAt) = (.blocked, nil)
        case .dead: (state, dueAt) = (.dead, nil)
        }
    }
}

extension TestDeadLetter {
    init?(_ entry: QueueModel.Entry) {
        guard case .dead(let since) = entry.place, let reason = entry.reason else { return nil }
        self.init(
            id: entry.job.id, kind: entry.job.kind, reason: reason, error: entry.error, attempt: entry.attempt,
            buriedAt: Instant(milliseconds: since))
    }
}

import GameModel
import Jobs
import Logging
import Synchronization

/// A queue in memory, for tests of handlers and of code that enqueues: no Redis, no waiting, the same every time.
///
/// It obeys the rules of the real one, as both are held to one model by a test: retries and backoff, priorities, unique
/// keys, keys with limits and turns, batches, budgets, pauses, dead letters, results. Its clock stands still until the
/// test moves it on; its random numbers come from a seed. Not simulated: the time that a handler takes (so no
/// `timeout`, and no lease runs out), `Durability`, and the forgetting of old dead letters.
/// ```
/// let queue = TestQueue()
/// try await SignUp(queue: queue).register("ada@example.org")
/// #expect(try queue.enqueued(Welcome.self).map(\.address) == ["ada@example.org"])
/// let run = await queue.runOne([.each(Welcome.self) { job, _ in try await mail(job) }])
/// #expect(run?.isCompleted == true)
/// ```
public final class TestQueue: JobBatchEnqueuing {
    public let name: QueueName
    public let clock: TestClock
    let logger: Logger
    private let state: Mutex<State>

    struct State {
        var model = QueueModel()
        var random: SplitMix64
        var lastToken: UInt64 = 0
        /// What was ever added, in order.
        var added: [EncodedJob] = []
        var results: [JobID: Kept] = [:]
    }

    struct Kept {
        let result: JobResult
        let until: Instant
    }

    /// - Parameters:
    ///   - seed: of the ids that are not given, and of the jitter of backoffs.
    ///   - logger: where handlers write; nowhere unless given.
    public init(
        name: QueueName = QueueName("test"), clock: TestClock = TestClock(), seed: UInt64 = 1,
        logger: Logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    ) {
        self.name = name
        self.clock = clock
        self.logger = logger
        state = Mutex(State(random: SplitMix64(seed: seed)))
    }

    /// Moves the clock on; what then is due can run.
    public func advance(by duration: Duration) { clock.advance(by: duration) }

    /// Moves the clock on to when the next delayed, retrying or rate-limited job may run.
    /// - Returns: by how much; `nil` where nothing waits for a time.
    @discardableResult
    public func advanceToNextDue() -> Duration? {
        let now = clock.now
        guard let due = withModel({ $0.nextDue(now.milliseconds) }) else { return nil }
        clock.advance(by: Instant(milliseconds: due) - now)
        return Instant(milliseconds: due) - now
    }

    func withState<T: Sendable>(_ body: (inout State) -> T) -> T { state.withLock { body(&$0) } }

    func withModel<T: Sendable>(_ body: (inout QueueModel) -> T) -> T { state.withLock { body(&$0.model) } }

    var now: Int64 { clock.now.milliseconds }

    // MARK: Putting in

    public func enqueue(
        encoded jobs: [EncodedJob], durability: Durability
    ) async throws(JobError) -> [EnqueueReply] {
        for job in jobs { try job.validate() }
        let now = now
        return withState { state in
            let replies = state.model.enqueue(jobs, now: now)
            state.note(jobs, replies)
            return replies
        }
    }

    @discardableResult
    public func enqueueBatch(
        _ jobs: [EncodedJob], then callback: EncodedJob, policy: BatchPolicy, durability: Durability
    ) async throws(JobError) -> [EnqueueReply] {
        try callback.validate()
        for job in jobs { try job.validate() }
        let now = now
        return withState { state in
            var replies = state.model.enqueue([callback], isBlocked: true, now: now)
            guard replies == [.added(callback.id)] || replies == [.duplicate(callback.id)] else { return replies }
            replies += state.model.enqueue(jobs, callback: .init(id: callback.id, policy: policy), now: now)
            state.model.unseal(callback.id)
            state.note([callback] + jobs, replies)
            return replies
        }
    }

    public func newJobID() -> JobID {
        let now = clock.now
        return withState { state in JobID(ULID(at: now, using: &state.random).description) }
    }

    // MARK: By hand

    /// As `JobQueue.cancel`. A job that runs goes on, as nothing here renews its lease; what it answers is refused.
    @discardableResult
    public func cancel(_ ids: [JobID]) -> [CancelReply] { withModel { model in ids.map { model.cancel($0) } } }

    /// As `JobQueue.redrive`.
    @discardableResult
    public func redrive(_ ids: [JobID]) -> [RedriveReply] {
        let now = now
        return withModel { model in ids.map { model.redrive($0, now: now) } }
    }

    /// As `JobQueue.purge`.
    @discardableResult
    public func purge(_ ids: [JobID]) -> [Bool] { withModel { model in ids.map { model.purge($0) } } }

    /// As `JobQueue.bury`.
    @discardableResult
    public func bury(_ id: JobID, as bury: Bury) -> BuryReply {
        let now = now
        return withModel { $0.bury(id, by: bury, now: now) }
    }

    // MARK: Limits

    public var limits: QueueLimits { withModel { $0.limits } }

    /// As `JobQueue.changeLimits`.
    /// - Throws: `invalid` for a limit out of its range.
    @discardableResult
    public func changeLimits(_ body: (inout QueueLimits) -> Void) throws(JobError) -> QueueLimits {
        var limits = limits
        body(&limits)
        try limits.validate()
        withModel { [limits] in $0.set(limits) }
        return limits
    }

    /// `runOne` and `runAll` take nothing until `resume`.
    public func pause() { set { $0.isPaused = true } }

    /// Enqueues are answered `.draining` until `resume`.
    public func drain() { set { $0.isDraining = true } }

    /// Ends a pause and a drain.
    public func resume() {
        set { limits in
            limits.isPaused = false
            limits.isDraining = false
        }
    }

    private func set(_ body: (inout QueueLimits) -> Void) {
        withModel { model in
            var limits = model.limits
            body(&limits)
            model.set(limits)
        }
    }
}

extension TestQueue.State {
    mutating func note(_ jobs: [EncodedJob], _ replies: [EnqueueReply]) {
        for (job, reply) in zip(jobs, replies) where reply.isAdded { added.append(job) }
    }
}

import GRDB
import Logging
import Metrics
import Synchronization

/// How much one shared transaction may hold, and how much may wait.
struct GroupCommitLimits: Sendable {
    /// The most bodies in one transaction.
    var batchBodiesMax = 256
    /// A transaction takes no more bodies once it ran this long, so that other processes get the file.
    var batchDurationMax = Duration.milliseconds(20)
    /// The most writes that wait; one more is refused.
    var waitingMax = 8192
    /// The pause between two transactions while more writes wait: SQLite's lock has no queue, and without a gap another
    /// process would never get in.
    var gap = Duration.microseconds(500)
}

/// The one writer of a file in this process: takes what waits, runs each body in a savepoint, commits once, then
/// answers.
///
/// Everything but the waiting list runs on GRDB's writer queue, one batch after the other. Callers are answered after
/// the COMMIT that holds their body, or at once where their body threw.
final class GroupCommit: Sendable {
    /// Runs a body; the value answers its caller once the transaction is committed.
    typealias Run = @Sendable (Database) throws -> Answer
    typealias Answer = @Sendable () -> Void
    typealias Fail = @Sendable (any Error) -> Void

    private struct Call: Sendable {
        let run: Run
        let fail: Fail
        let queuedAt: ContinuousClock.Instant
    }

    private struct State {
        /// The calls that wait, from `head` on: taking from the front stays cheap.
        var calls: [Call] = []
        var head = 0
        var isDraining = false
        var isClosed = false

        var waiting: Int { calls.count - head }

        mutating func take() -> Call? {
            guard head < calls.count else { return nil }
            let call = calls[head]
            head += 1
            if head == calls.count {
                calls.removeAll(keepingCapacity: true)
                head = 0
            } else if head >= 1024 {
                calls.removeFirst(head)
                head = 0
            }
            return call
        }
    }

    private let pool: DatabasePool
    private let limits: GroupCommitLimits
    private let logger: Logger
    private let state = Mutex(State())
    private let writeSeconds: Metrics.Timer
    private let batchBodies: Recorder
    private let refused: Counter
    private let failures: Counter

    init(pool: DatabasePool, limits: GroupCommitLimits, file: String, logger: Logger) {
        self.pool = pool
        self.limits = limits
        self.logger = logger
        let dimensions = [("file", file)]
        writeSeconds = Metrics.Timer(label: "records_write_seconds", dimensions: dimensions)
        batchBodies = Recorder(label: "records_commit_batch", dimensions: dimensions, aggregate: true)
        refused = Counter(label: "records_refused_total", dimensions: dimensions)
        failures = Counter(label: "records_commit_failures_total", dimensions: dimensions)
    }

    /// Queues a write. Exactly one of `run`'s answer and `fail` is called in the end.
    func submit(run: @escaping Run, fail: @escaping Fail) {
        enum Admission { case start, queued, refused(RecordsError) }
        let call = Call(run: run, fail: fail, queuedAt: .now)
        let admission: Admission = state.withLock { state in
            guard !state.isClosed else { return .refused(.closed) }
            guard state.waiting < limits.waitingMax else { return .refused(.overloaded(waiting: state.waiting)) }
            state.calls.append(call)
            guard !state.isDraining else { return .queued }
            state.isDraining = true
            return .start
        }
        switch admission {
        case .queued: break
        case .start: pool.asyncWriteWithoutTransaction { self.drain($0) }
        case .refused(let error):
            refused.increment()
            fail(error)
        }
    }

    /// Refuses later calls; those that wait are still served.
    func refuseMore() {
        state.withLock { $0.isClosed = true }
    }

    // MARK: On the writer queue

    private func drain(_ db: Database) {
        while true {
            commitBatch(db)
            let isDone = state.withLock { state in
                if state.waiting == 0 { state.isDraining = false }
                return !state.isDraining
            }
            if isDone { return }
            BusyWait.block(for: limits.gap)
        }
    }

    private func commitBatch(_ db: Database) {
        do {
            if db.isInsideTransaction { try db.rollback() }
            try db.beginTransaction(.immediate)
        } catch {
            failures.increment()
            return refuseBatch(error)
        }
        var done: [(call: Call, answer: Answer)] = []
        let start = ContinuousClock.now
        var bodies = 0
        while bodies < limits.batchBodiesMax, ContinuousClock.now - start < limits.batchDurationMax,
            let call = state.withLock({ $0.take() })
        {
            bodies += 1
            do {
                done.append((call, try runInSavepoint(call.run, db)))
            } catch {
                call.fail(RecordsError.mapped(error))
                // A full disk or a failed read makes SQLite roll the whole transaction back, not just the savepoint.
                if !db.isInsideTransaction {
                    return fail(done.map(\.call), with: RecordsError.rolledBack("\(error)"))
                }
            }
        }
        commit(db, done)
    }

    private func runInSavepoint(_ run: Run, _ db: Database) throws -> Answer {
        var answer: Answer = {}
        try db.inSavepoint {
            answer = try run(db)
            return .commit
        }
        return answer
    }

    private func commit(_ db: Database, _ done: [(call: Call, answer: Answer)]) {
        do {
            if done.isEmpty {
                try db.rollback()
            } else {
                try db.commit()
            }
        } catch {
            rollBack(db)
            return fail(done.map(\.call), with: RecordsError.mapped(error))
        }
        guard !done.isEmpty else { return }
        batchBodies.record(done.count)
        let now = ContinuousClock.now
        for (call, answer) in done {
            writeSeconds.recordNanoseconds((now - call.queuedAt).nanoseconds)
            answer()
        }
    }

    private func rollBack(_ db: Database) {
        do {
            if db.isInsideTransaction { try db.rollback() }
        } catch {
            // The next batch tries again before it begins.
            logger.error("records: a roll-back failed", metadata: ["error": "\(error)"])
        }
    }

    /// Fails the calls that this transaction would have held, so that a file that stays busy can't make them wait
    /// forever.
    private func refuseBatch(_ error: any Error) {
        var calls: [Call] = []
        while calls.count < limits.batchBodiesMax, let call = state.withLock({ $0.take() }) { calls.append(call) }
        let error = RecordsError.mapped(error)
        logger.warning("records: no transaction", metadata: ["error": "\(error)", "writes": "\(calls.count)"])
        for call in calls { call.fail(error) }
    }

    private func fail(_ calls: [Call], with error: any Error) {
        guard !calls.isEmpty else { return }
        failures.increment()
        logger.warning("records: a commit failed", metadata: ["error": "\(error)", "writes": "\(calls.count)"])
        for call in calls { call.fail(error) }
    }
}

import CoreMetrics
import GameModel
import Logging
import Synchronization

/// Tells Redis how attempts ended. What comes while a call is under way goes with the next one: under load in
/// batches, and without delay when idle. In an outage it keeps what it has and tries again, until the worker has
/// stopped.
final class Settler: Sendable {
    private struct State {
        var waiting: [Settlement] = []
        var underWay = 0
        var isFinished = false
    }

    private let queue: JobQueue
    private let leases: LeaseTable
    private let metrics: WorkerMetrics
    private let logger: Logger
    private let state = Mutex(State())
    private let arrived = Signal()

    /// After the worker has stopped, an outage is waited out so many tries of 100 ms; then the leases run out by
    /// themselves.
    private static let lastTries = 20

    init(queue: JobQueue, leases: LeaseTable, metrics: WorkerMetrics, logger: Logger) {
        self.queue = queue
        self.leases = leases
        self.metrics = metrics
        self.logger = logger
    }

    /// Settlements that Redis does not have yet.
    var backlog: Int { state.withLock { $0.waiting.count + $0.underWay } }

    func add(_ settlements: [Settlement]) {
        guard !settlements.isEmpty else { return }
        state.withLock { $0.waiting += settlements }
        arrived.raise()
    }

    /// Nothing more will come.
    func finish() {
        state.withLock { $0.isFinished = true }
        arrived.raise()
    }

    /// Returns after `finish`, once everything is told or given up.
    func run() async {
        var failures = 0
        while true {
            let (batch, isFinished) = take()
            if batch.isEmpty {
                if isFinished { return }
                await arrived.wait()
                continue
            }
            do {
                note(batch, try await queue.settle(batch))
                if failures > 0 { logger.info("the ends of attempts reach Redis again") }
                failures = 0
            } catch {
                failures += 1
                if failures == 1 { logger.warning("the ends of \(batch.count) attempts wait for Redis: \(error)") }
                if isFinished, failures >= Self.lastTries {
                    logger.error("\(batch.count) attempts could not be ended; their leases will run out: \(error)")
                    putBack([])
                    return
                }
                putBack(batch)
                await pause()
            }
        }
    }

    private func take() -> ([Settlement], Bool) {
        state.withLock { state in
            let batch = Array(state.waiting.prefix(JobScripts.batchMax))
            state.waiting.removeFirst(batch.count)
            state.underWay = batch.count
            return (batch, state.isFinished)
        }
    }

    private func putBack(_ batch: [Settlement]) {
        state.withLock { state in
            state.waiting = batch + state.waiting
            state.underWay = 0
        }
    }

    private func note(_ batch: [Settlement], _ replies: [SettleReply]) {
        state.withLock { $0.underWay = 0 }
        for (settlement, reply) in zip(batch, replies) {
            switch reply {
            case .done: metrics.count(settlement.verb)
            case .refused, .unknown:
                metrics.refused.increment()
                logger.warning(
                    "the end of an attempt was refused: its lease was lost before, or a repeated call ended it",
                    metadata: ["job": "\(settlement.id)", "token": "\(settlement.token)", "reply": "\(reply)"])
            }
            leases.settled(settlement.id, token: settlement.token)
        }
    }

    private func pause() async {
        do {
            try await Task.sleep(for: .milliseconds(100))
        } catch {
            await Task.yield()  // Cancelled: nothing to wait for.
        }
    }
}

/// Runs work in a task that its caller's cancellation does not reach, and hands the task out to be waited for.
///
/// The reason it exists: what finished handlers did must be told to Redis also while their worker is being cancelled;
/// otherwise every hard stop would run those jobs again. The caller always awaits the task's end.
func shielded(_ work: @escaping @Sendable () async -> Void) -> Task<Void, Never> {
    // Unstructured on purpose, as said above.
    Task { await work() }
}

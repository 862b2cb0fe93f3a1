import DequeModule
import Logging
import Metrics
import NIOCore
import Synchronization

/// Carries the commands of all callers over one connection, and keeps that connection up.
///
/// Callers on any thread append to a locked queue; only the first of them wakes the event loop, which writes
/// everything that is queued in one go, so that commands pipeline themselves the more, the busier it is. What was not
/// written yet when the connection is lost waits for the next one; what was written fails, unless it is safe to
/// repeat.
// @unchecked. Proof: `submissions` is locked, `admitted` and `connected` are atomic, `budget` is Sendable. Everything
// else is private and touched on `eventLoop` only: what callers reach (under "Any thread") hands the rest to that loop,
// and the connections that call back were made on it. `drain` and the callbacks assert it in debug builds, so in every
// test.
final class Multiplexer: ConnectionOwner, @unchecked Sendable {
    private struct Submissions {
        var queue: [PendingCommand] = []
        var isScheduled = false
        var refusal: RedisError?
    }

    private enum Phase {
        case new
        case connecting
        case connected(RedisConnection)
        case waiting(Scheduled<Void>)
        case stopped
    }

    /// Deadlines are looked at no more often than this, so that many different ones don't cost a look each.
    private static let timerGrain = TimeAmount.milliseconds(10)

    private let configuration: RedisConfiguration
    private let connector: Connector
    private let eventLoop: any EventLoop
    private let logger: Logger
    private let metrics: RedisMetrics
    /// Called each time that there is no connection.
    private let whenLost: (@Sendable () -> Void)?

    private let submissions = Mutex(Submissions())
    private let admitted = Atomic<Int>(0)
    private let budget: ByteBudget
    private let connected = Atomic<Bool>(false)

    private var phase = Phase.new
    private var unsent: Deque<PendingCommand> = []
    private var drained: [PendingCommand] = []
    private var timer: (deadline: NIODeadline, task: Scheduled<Void>)?
    private var backoff: Backoff
    private var lastFailure: String?
    private var wasConnected = false
    private var isFlushing = false
    private var isStopping = false
    private var stopWaiters: [EventLoopPromise<Void>] = []

    init(
        configuration: RedisConfiguration, connector: Connector, logger: Logger, metrics: RedisMetrics,
        whenLost: (@Sendable () -> Void)? = nil
    ) {
        self.configuration = configuration
        self.connector = connector
        eventLoop = connector.eventLoop
        self.logger = logger
        self.metrics = metrics
        self.whenLost = whenLost
        backoff = Backoff(configuration)
        budget = ByteBudget(max: configuration.inFlightBytesMax)
    }

    // MARK: Any thread

    var isConnected: Bool { connected.load(ordering: .relaxed) }

    /// The commands that count against `inFlightMax` now.
    var waitingCount: Int { admitted.load(ordering: .relaxed) }

    /// Sends a call and waits for its outcome.
    nonisolated(nonsending) func perform(_ pending: PendingCommand) async -> PendingCommand.Outcome {
        let before = admitted.add(pending.count, ordering: .relaxed).oldValue
        guard before + pending.count <= configuration.inFlightMax else {
            release(pending.count)
            let text = "more than inFlightMax = \(configuration.inFlightMax) commands would wait"
            return .failure(.unavailable(text))
        }
        guard pending.charge(to: budget) else {
            release(pending.count)
            let text = "commands with more than inFlightBytesMax = \(configuration.inFlightBytesMax) bytes would wait"
            return .failure(.unavailable(text))
        }
        return await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                if pending.wait(continuation) { submit(pending) } else { release(pending.count) }
            }
        } onCancel: {
            pending.end(.cancelled)
        }
    }

    private func submit(_ pending: PendingCommand) {
        let (mustSchedule, refusal) = submissions.withLock { submissions -> (Bool, RedisError?) in
            if let refusal = submissions.refusal { return (false, refusal) }
            submissions.queue.append(pending)
            defer { submissions.isScheduled = true }
            return (!submissions.isScheduled, nil)
        }
        if mustSchedule { eventLoop.execute { self.drain() } }
        if let refusal {
            pending.end(refusal)
            release(pending.count)
        }
    }

    private func release(_ commands: Int) { admitted.subtract(commands, ordering: .relaxed) }

    /// Connects, and from then on reconnects until it is stopped.
    func start() {
        eventLoop.execute {
            if case .new = self.phase { self.connect() }
        }
    }

    /// Takes no further commands. Gracefully, those that were given are answered first, within their time-outs;
    /// otherwise they fail. The future succeeds when the connection is closed.
    func stop(gracefully: Bool) -> EventLoopFuture<Void> {
        let promise = eventLoop.makePromise(of: Void.self)
        eventLoop.execute {
            if case .stopped = self.phase { return promise.succeed() }
            self.stopWaiters.append(promise)
            self.isStopping = true
            self.submissions.withLock { $0.refusal = .unavailable("the client has stopped") }
            self.drain()
            if case .connected(let connection) = self.phase {
                if gracefully {
                    self.stopIfDone()
                } else {
                    connection.close(because: .connectionLost(mayHaveRun: true))
                }
            } else {
                self.finishStop()
            }
        }
        return promise.futureResult
    }

    // MARK: Event loop: sending

    private func drain() {
        eventLoop.assertInEventLoop()
        submissions.withLock { submissions in
            swap(&submissions.queue, &drained)
            submissions.isScheduled = false
        }
        if case .stopped = phase {
            for pending in drained { drop(pending, because: .unavailable("the client has stopped")) }
            drained.removeAll(keepingCapacity: true)
            return
        }
        var earliest = NIODeadline.distantFuture
        for pending in drained { earliest = min(earliest, pending.deadline) }
        unsent.append(contentsOf: drained)
        drained.removeAll(keepingCapacity: true)
        flush()
        look(at: earliest)
    }

    private func flush() {
        guard !isFlushing, case .connected(let connection) = phase else { return }
        isFlushing = true
        defer { isFlushing = false }
        while !unsent.isEmpty, connection.isWritable {
            let now = NIODeadline.now()
            while connection.hasRoom, let pending = unsent.popFirst() {
                if pending.isEnded {
                    release(pending.count)
                } else if pending.deadline <= now {
                    drop(pending, because: .timedOut(mayHaveRun: false))
                } else {
                    connection.append(pending, at: now)
                }
            }
            connection.flush()
        }
    }

    private func drop(_ pending: PendingCommand, because reason: RedisError) {
        pending.end(reason)
        release(pending.count)
    }

    // MARK: Event loop: time

    /// Makes sure that deadlines are looked at when this one has come.
    private func look(at deadline: NIODeadline) {
        guard deadline < .distantFuture else { return }
        if let timer {
            guard deadline < timer.deadline else { return }
        }
        let deadline = max(deadline, .now() + Self.timerGrain)
        if let timer {
            guard deadline < timer.deadline else { return }
            timer.task.cancel()
        }
        timer = (deadline, eventLoop.scheduleTask(deadline: deadline) { self.expire() })
    }

    private func expire() {
        timer = nil
        let now = NIODeadline.now()
        var next = NIODeadline.distantFuture
        if case .connected(let connection) = phase {
            next = min(next, connection.expire(at: now) ?? next)
            if let deaf = connection.deafDeadline(patience: configuration.commandTimeout.timeAmount) {
                if deaf <= now {
                    logger.warning("Redis owes replies and sends none; rebuilding the connection")
                    connection.close(because: .connectionLost(mayHaveRun: true))
                } else {
                    next = min(next, deaf)
                }
            }
        }
        expireUnsent(at: now)
        for pending in unsent { next = min(next, pending.deadline) }
        look(at: next)
    }

    private func expireUnsent(at now: NIODeadline) {
        let isDisconnected = !isConnected
        unsent.removeAll { pending in
            if pending.isEnded {
                release(pending.count)
                return true
            }
            guard pending.deadline <= now else { return false }
            drop(
                pending,
                because: isDisconnected ? unavailable(pending.timeout) : .timedOut(mayHaveRun: false))
            return true
        }
    }

    private func unavailable(_ timeout: TimeAmount) -> RedisError {
        let reason = lastFailure ?? "not connected to \(configuration.address) yet"
        return .unavailable("no connection within \(timeout.nanoseconds / 1_000_000) ms; \(reason)")
    }

    // MARK: Event loop: the connection

    private func connect() {
        phase = .connecting
        connector.connect().whenComplete { result in
            switch result {
            case .success(let connection): self.adopt(connection)
            case .failure(let error): self.retry(after: "\(error)")
            }
        }
    }

    private func adopt(_ connection: RedisConnection) {
        guard !isStopping else { return connection.close(because: .cancelled) }
        guard !connection.isClosed else { return retry(after: "the connection was closed at once") }
        connection.owner = self
        phase = .connected(connection)
        connected.store(true, ordering: .relaxed)
        logger.info(
            "connected to Redis",
            metadata: ["address": "\(connection.address)", "failures": "\(backoff.failures)"])
        if wasConnected { metrics.reconnects.increment() }
        wasConnected = true
        backoff.reset()
        lastFailure = nil
        flush()
    }

    private func retry(after failure: String) {
        guard !isStopping else { return finishStop() }
        lastFailure = failure
        whenLost?()
        let delay = backoff.next()
        logger.log(
            level: backoff.failures == 1 ? .warning : .debug, "no connection to Redis; trying again",
            metadata: ["reason": "\(failure)", "failures": "\(backoff.failures)"])
        phase = .waiting(eventLoop.scheduleTask(in: delay) { self.connect() })
    }

    // MARK: ConnectionOwner

    func connection(_ connection: RedisConnection, answered commands: Int, oldest: PendingCommand) {
        eventLoop.assertInEventLoop()
        release(commands)
        metrics.answered(commands, oldest: oldest, inFlight: waitingCount)
        if isStopping { stopIfDone() }
    }

    func connection(
        _ connection: RedisConnection, closedBecause reason: RedisError,
        leaving unanswered: Deque<PendingCommand>
    ) {
        eventLoop.assertInEventLoop()
        connected.store(false, ordering: .relaxed)
        var repeatable: Deque<PendingCommand> = []
        for pending in unanswered {
            if pending.isEnded {
                release(pending.count)
            } else if case .protocolViolation = reason {
                drop(pending, because: reason)
            } else if pending.isSafeToRepeat, !isStopping {
                pending.prepareToRepeat()
                repeatable.append(pending)
            } else {
                drop(pending, because: .connectionLost(mayHaveRun: true))
            }
        }
        unsent.prepend(contentsOf: repeatable)
        if isStopping {
            finishStop()
        } else {
            retry(after: "\(reason)")
        }
    }

    func connectionBecameWritable(_ connection: RedisConnection) { flush() }

    // MARK: Stopping

    private func stopIfDone() {
        guard case .connected(let connection) = phase, connection.isIdle, unsent.isEmpty else { return }
        connection.close(because: .connectionLost(mayHaveRun: true))
    }

    private func finishStop() {
        if case .waiting(let reconnection) = phase { reconnection.cancel() }
        phase = .stopped
        timer?.task.cancel()
        timer = nil
        for pending in unsent { drop(pending, because: .unavailable("the client has stopped")) }
        unsent.removeAll()
        for waiter in stopWaiters { waiter.succeed() }
        stopWaiters.removeAll()
    }
}

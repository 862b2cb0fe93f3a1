import DequeModule
import Logging
import Metrics
import NIOCore

/// Connections for commands that block, one command at a time on each, so that they hold up nobody else. An idle
/// connection is used again; one whose command timed out or was cancelled is closed, which also ends the wait on the
/// server.
// @unchecked. Proof: all mutable state is private and touched on `eventLoop` only. `perform`, its cancellation and
// `stop` only hand work to that loop; the rest is called from there, by this class, or by its connections and its
// locator, which the connector made on the same loop. `begin` and the callbacks assert it in debug builds, so in every
// test.
final class BlockingPool: ConnectionOwner, @unchecked Sendable {
    /// What a call gets while all connections that may be open are in use.
    enum WhenFull {
        /// An error: who has them may block for ever.
        case refuse
        /// The next one that gets free, as the calls in front of it end by themselves; waited for at most
        /// `commandTimeout`.
        case wait
    }

    private struct Lease {
        let connection: RedisConnection
        let pending: PendingCommand
        let timer: Scheduled<Void>
    }

    private let configuration: RedisConfiguration
    private let connector: Connector
    private let eventLoop: any EventLoop
    private let logger: Logger
    private let metrics: RedisMetrics
    private let whenFull: WhenFull

    private var idle: [RedisConnection] = []
    private var leases: [ObjectIdentifier: Lease] = [:]
    private var line: Deque<(pending: PendingCommand, timer: Scheduled<Void>)> = []
    /// Connections that are idle, leased or being opened.
    private var openCount = 0
    private var isStopped = false

    init(
        configuration: RedisConfiguration, connector: Connector, logger: Logger, metrics: RedisMetrics,
        whenFull: WhenFull = .refuse
    ) {
        self.configuration = configuration
        self.connector = connector
        eventLoop = connector.eventLoop
        self.logger = logger
        self.metrics = metrics
        self.whenFull = whenFull
        connector.locator?.observe { [weak self] in self?.leave(allBut: $0) }
    }

    /// Sends a blocking command. The call's time-out runs from when the command is written; a connection is waited
    /// for at most `commandTimeout` before that.
    nonisolated(nonsending) func perform(_ pending: PendingCommand) async -> PendingCommand.Outcome {
        await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                guard pending.wait(continuation) else { return }
                eventLoop.execute { self.begin(pending) }
            }
        } onCancel: {
            // Ended where the connection is closed, so that whatever the caller sends next reaches the server after the
            // close: a worker that is interrupted then passes on the wake-up that this connection may have taken.
            eventLoop.execute {
                guard pending.end(.failure(.cancelled)) else { return }
                self.abandon(pending, because: .cancelled)
            }
        }
    }

    /// Closes all connections; commands that block on them fail.
    func stop() -> EventLoopFuture<Void> {
        eventLoop.submit {
            self.isStopped = true
            for (pending, timer) in self.line {
                timer.cancel()
                pending.end(.unavailable("the client has stopped"))
            }
            self.line.removeAll()
            for connection in self.idle + self.leases.values.map(\.connection) {
                connection.close(because: .connectionLost(mayHaveRun: true))
            }
        }
    }

    // MARK: Event loop

    private func begin(_ pending: PendingCommand) {
        eventLoop.assertInEventLoop()
        guard !pending.isEnded else { return }
        guard !isStopped else { return pending.end(.unavailable("the client has stopped")) }
        if let connection = idle.popLast() { return lease(connection, to: pending) }
        guard openCount < configuration.blockingConnectionsMax else { return meetFull(pending) }
        openCount += 1
        let limit = NIODeadline.now() + configuration.commandTimeout.timeAmount
        connect(for: pending, until: limit, backoff: Backoff(configuration))
    }

    private func meetFull(_ pending: PendingCommand) {
        let limit = configuration.blockingConnectionsMax
        guard whenFull == .wait, line.count < configuration.inFlightMax else {
            return pending.end(.unavailable("more than blockingConnectionsMax = \(limit) commands would block"))
        }
        let timer = eventLoop.scheduleTask(in: configuration.commandTimeout.timeAmount) {
            pending.end(.unavailable("none of blockingConnectionsMax = \(limit) connections got free in time"))
            self.line.removeAll { $0.pending.isEnded }
        }
        line.append((pending, timer))
    }

    /// One connection fewer is open: the next in line may open another.
    private func release() {
        openCount -= 1
        if let next = nextInLine() { begin(next) }
    }

    private func nextInLine() -> PendingCommand? {
        while let (pending, timer) = line.popFirst() {
            timer.cancel()
            if !pending.isEnded { return pending }
        }
        return nil
    }

    private func connect(for pending: PendingCommand, until limit: NIODeadline, backoff: Backoff) {
        connector.connect().whenComplete { result in
            switch result {
            case .success(let connection):
                connection.owner = self
                if self.isStopped {
                    connection.close(because: .cancelled)
                    pending.end(.unavailable("the client has stopped"))
                } else if pending.isEnded {
                    self.giveBack(connection)
                } else {
                    self.lease(connection, to: pending)
                }
            case .failure(let error):
                self.retry(for: pending, until: limit, backoff: backoff, after: error)
            }
        }
    }

    private func retry(
        for pending: PendingCommand, until limit: NIODeadline, backoff: Backoff, after error: any Error
    ) {
        var backoff = backoff
        let next = NIODeadline.now() + backoff.next()
        guard !isStopped, !pending.isEnded, next < limit else {
            defer { release() }
            return pending.end(.unavailable("no connection for a blocking command; \(error)"))
        }
        let later = backoff
        eventLoop.scheduleTask(deadline: next) {
            if pending.isEnded || self.isStopped {
                pending.end(.unavailable("the client has stopped"))
                self.release()
            } else {
                self.connect(for: pending, until: limit, backoff: later)
            }
        }
    }

    private func lease(_ connection: RedisConnection, to pending: PendingCommand) {
        let timer = eventLoop.scheduleTask(in: pending.timeout) {
            guard pending.end(.failure(.timedOut(mayHaveRun: true))) else { return }
            self.abandon(pending, because: .timedOut(mayHaveRun: true))
        }
        leases[ObjectIdentifier(connection)] = Lease(
            connection: connection, pending: pending, timer: timer)
        connection.append(pending, at: .now())
        connection.flush()
    }

    /// Closes the connection that the call blocks on, where it has one yet.
    private func abandon(_ pending: PendingCommand, because reason: RedisError) {
        leases.values.first { $0.pending === pending }?.connection.close(because: reason)
    }

    /// Closes the connections that lead elsewhere: after a failover nobody must wait on the former master.
    private func leave(allBut address: RedisConfiguration.Address) {
        for connection in idle + leases.values.map(\.connection) where connection.address != address {
            connection.close(because: .connectionLost(mayHaveRun: true))
        }
    }

    private func giveBack(_ connection: RedisConnection) {
        guard !connection.isClosed else { return }
        if let next = nextInLine() { return lease(connection, to: next) }
        if idle.count < configuration.blockingConnectionsIdleMax, !isStopped {
            idle.append(connection)
        } else {
            connection.close(because: .cancelled)
        }
    }

    // MARK: ConnectionOwner

    func connection(_ connection: RedisConnection, answered commands: Int, oldest: PendingCommand) {
        eventLoop.assertInEventLoop()
        metrics.commands.increment(by: commands)
        // The reply may be the greeting's, whose arrival leased this connection a moment ago: the lease goes on then.
        guard let lease = leases[ObjectIdentifier(connection)], lease.pending.isEnded else { return }
        leases.removeValue(forKey: ObjectIdentifier(connection))
        lease.timer.cancel()
        giveBack(connection)
    }

    func connection(
        _ connection: RedisConnection, closedBecause reason: RedisError,
        leaving unanswered: Deque<PendingCommand>
    ) {
        eventLoop.assertInEventLoop()
        idle.removeAll { $0 === connection }
        leases.removeValue(forKey: ObjectIdentifier(connection))?.timer.cancel()
        for pending in unanswered { pending.end(reason) }
        release()
    }

    func connectionBecameWritable(_ connection: RedisConnection) {}
}

import DequeModule
import Logging
import Metrics
import NIOCore

/// Keeps one subscription up: connects, subscribes, hands on what comes, and does it again when the connection is lost
/// or silent, until it is stopped.
// @unchecked. Proof: all mutable state is private and touched on `eventLoop` only. `start` and `stop` hand their work
// to that loop; connections are dialled on it, and call back there; timers are scheduled on it. `adopt`, `heard` and
// the callback of a close assert it in debug builds, so in every test. What the reader reaches, `inbox`, is locked.
final class SubscriptionFeed: ConnectionOwner, @unchecked Sendable {
    private enum Phase {
        case new
        case connecting
        case listening(RedisConnection, RepeatedTask)
        case waiting(Scheduled<Void>)
        case stopped
    }

    let inbox: SubscriptionInbox

    private let topics: [RedisTopic]
    private let configuration: RedisConfiguration
    private let eventLoop: any EventLoop
    private let dial: @Sendable () -> EventLoopFuture<RedisConnection>
    private let logger: Logger
    private let metrics: RedisMetrics
    private let whenStopped: @Sendable (SubscriptionFeed) -> Void

    private var phase = Phase.new
    private var backoff: Backoff
    private var unconfirmed = 0
    private var wasSubscribed = false
    private var hasHeard = true

    /// - Parameter dial: opens a connection whose event loop is `eventLoop`.
    init(
        topics: [RedisTopic], bufferMax: Int, configuration: RedisConfiguration,
        eventLoop: any EventLoop,
        logger: Logger, metrics: RedisMetrics,
        dial: @escaping @Sendable () -> EventLoopFuture<RedisConnection>,
        whenStopped: @escaping @Sendable (SubscriptionFeed) -> Void
    ) {
        inbox = SubscriptionInbox(messagesMax: bufferMax)
        self.topics = topics
        self.configuration = configuration
        self.eventLoop = eventLoop
        self.dial = dial
        self.logger = logger
        self.metrics = metrics
        self.whenStopped = whenStopped
        backoff = Backoff(configuration)
    }

    func start() {
        eventLoop.execute {
            if case .new = self.phase { self.connect() }
        }
    }

    /// Ends it for good; the reader gets what waits, and then the error, or the end where there is none.
    func stop(because error: RedisError?) {
        inbox.end(error)
        eventLoop.execute {
            let before = self.phase
            self.phase = .stopped
            switch before {
            case .new, .connecting, .stopped: break
            case .waiting(let task): task.cancel()
            case .listening(let connection, let task):
                task.cancel()
                connection.close(because: .cancelled)
            }
            self.whenStopped(self)
        }
    }

    // MARK: Event loop

    private func connect() {
        phase = .connecting
        dial().whenComplete { result in
            switch result {
            case .success(let connection): self.adopt(connection)
            case .failure(let error): self.retry(after: "\(error)")
            }
        }
    }

    private func adopt(_ connection: RedisConnection) {
        eventLoop.assertInEventLoop()
        guard case .connecting = phase else { return connection.close(because: .cancelled) }
        guard !connection.isClosed else { return retry(after: "the connection was closed at once") }
        connection.owner = self
        connection.listener = { [weak self] in self?.heard($0, on: connection) }
        hasHeard = true
        let patience = configuration.commandTimeout.timeAmount
        let pulse = eventLoop.scheduleRepeatedTask(initialDelay: patience, delay: patience) { _ in
            self.takePulse(of: connection)
        }
        phase = .listening(connection, pulse)
        unconfirmed = Set(topics).count
        for command in commands { connection.appendUnpaired(command) }
        connection.flush()
    }

    private var commands: [RedisCommand] {
        var arguments: [String: [RedisArgument]] = [:]
        for topic in Set(topics) {
            switch topic {
            case .channel(let name): arguments["SUBSCRIBE", default: []].append(RedisArgument(name))
            case .pattern(let name): arguments["PSUBSCRIBE", default: []].append(RedisArgument(name))
            case .shard(let name): arguments["SSUBSCRIBE", default: []].append(RedisArgument(name))
            }
        }
        return arguments.map { RedisCommand([RedisArgument($0.key)] + $0.value) }
    }

    /// Asks a silent server whether it is still there; the one that gave no answer since the last time is left.
    private func takePulse(of connection: RedisConnection) {
        guard hasHeard, unconfirmed == 0 else {
            logger.warning("a subscription's connection is silent; rebuilding it")
            return connection.close(because: .connectionLost(mayHaveRun: true))
        }
        hasHeard = false
        connection.appendUnpaired(["PING"])
        connection.flush()
    }

    private func heard(_ reply: RESPValue, on connection: RedisConnection) {
        eventLoop.assertInEventLoop()
        hasHeard = true
        if case .error(let text) = reply { return refused(.server(text), on: connection) }
        guard let parts = reply.array, let kind = parts.first?.string else { return }
        switch (kind, parts.count) {
        case ("message", 3): put(.channel(parts[1].string ?? ""), parts[1], parts[2])
        case ("pmessage", 4): put(.pattern(parts[1].string ?? ""), parts[2], parts[3])
        case ("smessage", 3): put(.shard(parts[1].string ?? ""), parts[1], parts[2])
        case ("subscribe", _), ("psubscribe", _), ("ssubscribe", _):
            unconfirmed -= 1
            if unconfirmed == 0 { confirmed() }
        case ("sunsubscribe", _):
            // Nobody here unsubscribes: the channel's slot has moved to another node.
            connection.close(because: .connectionLost(mayHaveRun: true))
        default: break
        }
    }

    private func put(_ topic: RedisTopic, _ channel: RESPValue, _ payload: RESPValue) {
        let message = RedisMessage(
            topic: topic, channel: channel.string ?? "", payload: payload.bytes ?? [])
        inbox.put(.message(message))
    }

    private func confirmed() {
        backoff.reset()
        inbox.put(wasSubscribed ? .gap(.reconnected) : .subscribed)
        if wasSubscribed { metrics.reconnects.increment() }
        wasSubscribed = true
    }

    private func refused(_ error: RedisError, on connection: RedisConnection) {
        // Once all is confirmed only the PING can be refused, which is an answer as good as any.
        guard unconfirmed > 0 else { return }
        if error.isOutage || error.serverCode == "MOVED" {
            connection.close(because: .connectionLost(mayHaveRun: true))
        } else {
            stop(because: error)
        }
    }

    private func retry(after failure: String) {
        if case .stopped = phase { return }
        let delay = backoff.next()
        logger.log(
            level: backoff.failures == 1 ? .warning : .debug,
            "a subscription has no connection; trying again",
            metadata: ["reason": "\(failure)", "failures": "\(backoff.failures)"])
        phase = .waiting(eventLoop.scheduleTask(in: delay) { self.connect() })
    }

    // MARK: ConnectionOwner

    func connection(_ connection: RedisConnection, answered commands: Int, oldest: PendingCommand) {}

    func connection(
        _ connection: RedisConnection, closedBecause reason: RedisError,
        leaving unanswered: Deque<PendingCommand>
    ) {
        eventLoop.assertInEventLoop()
        connection.listener = nil
        guard case .listening(_, let pulse) = phase else { return }
        pulse.cancel()
        retry(after: "\(reason)")
    }

    func connectionBecameWritable(_ connection: RedisConnection) {}
}

import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle

/// An asynchronous Redis client: safe from any task, any number of callers at once.
///
/// Ordinary commands share one connection and pipeline themselves; blocking ones have connections of their own.
/// Replies are never mixed up, whatever is cancelled or times out. A lost or silent connection is rebuilt by itself;
/// a command that may have run is failed and not silently repeated, unless it is marked safe to repeat.
///
/// By its configuration it speaks to one server, to the master that sentinels name, or to a cluster. There each command
/// goes to the node that has its keys, which must be in one slot (`{tag}`); commands without keys go to any one node.
public final class RedisClient: Sendable, Service {
    let configuration: RedisConfiguration
    private let connector: Connector
    /// Where there is a cluster it does the work, and the next two, which are for one server, are not started.
    let cluster: ClusterRouter?
    private let multiplexer: Multiplexer

    /// The commands that were given and not answered yet; those that block apart. At most `inFlightMax`.
    public var inFlightCount: Int { cluster?.waitingCount ?? multiplexer.waitingCount }

    private let blocking: BlockingPool
    /// For calls of several commands that end by themselves, so that workers who block don't keep them waiting.
    let apart: BlockingPool
    let subscriptions: Subscriptions

    /// Connects to nothing yet: `run` does. Commands given before wait for the connection, within their time-outs.
    public init(configuration: RedisConfiguration, logger: Logger) {
        self.configuration = configuration
        let connector = Connector(
            configuration: configuration, eventLoop: MultiThreadedEventLoopGroup.singleton.next())
        self.connector = connector
        let metrics = RedisMetrics()
        cluster = ClusterRouter(configuration, logger: logger, metrics: metrics)
        multiplexer = Multiplexer(
            configuration: configuration, connector: connector, logger: logger, metrics: metrics)
        blocking = BlockingPool(
            configuration: configuration, connector: connector, logger: logger, metrics: metrics)
        apart = BlockingPool(
            configuration: configuration, connector: connector, logger: logger, metrics: metrics, whenFull: .wait)
        subscriptions = Subscriptions(
            configuration: configuration, connector: connector, cluster: cluster, logger: logger, metrics: metrics)
    }

    deinit {
        // A client that was dropped without having run still must not leave connections or waiting callers behind.
        _ = multiplexer.stop(gracefully: false)
        _ = blocking.stop()
        _ = apart.stop()
        subscriptions.stop()
        cluster?.abandon()
    }

    /// Connects and keeps the connection up until graceful shutdown, which answers the commands that were given, or
    /// until the task is cancelled, which fails them. To be called once.
    ///
    /// - Throws: `RedisError.invalidConfiguration`.
    public func run() async throws {
        try configuration.validate()
        try connector.prepare()
        if let cluster { return try await run(cluster) }
        multiplexer.start()
        var isGraceful = true
        do {
            try await gracefulShutdown()
        } catch {
            isGraceful = false
        }
        subscriptions.stop()
        try await blocking.stop().get()
        try await apart.stop().get()
        try await multiplexer.stop(gracefully: isGraceful).get()
    }

    private func run(_ cluster: ClusterRouter) async throws {
        var isGraceful = true
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await cluster.run() }
            do {
                try await gracefulShutdown()
            } catch {
                isGraceful = false
            }
            group.cancelAll()
        }
        subscriptions.stop()
        try await cluster.stop(gracefully: isGraceful)
    }

    /// Whether there is a connection on which the server has answered; in a cluster, one to each master. For
    /// readiness.
    public var isConnected: Bool { cluster?.isConnected ?? multiplexer.isConnected }

    /// Returns once the server answers.
    ///
    /// - Throws: `unavailable` with the reason of the last failure, or another `RedisError`.
    public nonisolated(nonsending) func waitUntilConnected(timeout: Duration) async throws(RedisError) {
        do throws(RedisError) {
            _ = try await send(RedisCommand("PING", isSafeToRepeat: true), timeout: timeout)
        } catch .server {
            return
        }
    }

    /// Sends a command and waits for its reply.
    ///
    /// - Parameter timeout: from this call to the reply; `commandTimeout` where `nil`.
    /// - Returns: the reply, never an error reply.
    /// - Throws: an error reply as `server`, and every other `RedisError` but `unexpectedReply`. When the task is
    ///   cancelled, the call ends at once; the command may still run.
    public nonisolated(nonsending) func send(
        _ command: RedisCommand, timeout: Duration? = nil
    ) async throws(RedisError) -> RESPValue {
        if let refusal = CommandRules.refusal(of: command) { throw refusal }
        let timeout = (timeout ?? configuration.commandTimeout).timeAmount
        if let cluster { return try await cluster.send(command, timeout: timeout, isBlocking: false) }
        let pending = PendingCommand(command, timeout: timeout)
        return try await multiplexer.perform(pending).single()
    }

    /// Sends commands in one write, uninterrupted by those of other callers, and waits for all replies.
    ///
    /// - Returns: the replies in the order of the commands; error replies stay in their place.
    /// - Throws: as `send`, but no `server`. It is repeated after a lost connection only where all commands are safe to
    ///   repeat.
    public nonisolated(nonsending) func pipeline(
        _ commands: [RedisCommand], timeout: Duration? = nil
    ) async throws(RedisError) -> [RESPValue] {
        if commands.isEmpty { return [] }
        for command in commands {
            if let refusal = CommandRules.refusal(of: command) { throw refusal }
        }
        let timeout = (timeout ?? configuration.commandTimeout).timeAmount
        if let cluster { return try await cluster.pipeline(commands, timeout: timeout) }
        let pending = PendingCommand(commands, timeout: timeout)
        return try await multiplexer.perform(pending).all()
    }

    /// Sends a command that may block on the server (`BLPOP`, `XREAD BLOCK`) on a connection that no other command
    /// uses.
    ///
    /// - Parameter timeout: from sending to the reply: the command's own block time and some grace. Before it, a
    ///   connection is waited for at most `commandTimeout`.
    /// - Throws: as `send`. A time-out or a cancelled task closes the connection, so that the server stops blocking;
    ///   if the server was answering at that moment, what it popped is lost with the connection.
    public nonisolated(nonsending) func sendBlocking(
        _ command: RedisCommand, timeout: Duration
    ) async throws(RedisError) -> RESPValue {
        if let refusal = CommandRules.refusal(of: command) { throw refusal }
        do throws(RedisError) {
            if let cluster {
                return try await cluster.send(command, timeout: timeout.timeAmount, isBlocking: true)
            }
            return try await blocking.perform(PendingCommand(command, timeout: timeout.timeAmount)).single()
        } catch .server(let text) where text.hasPrefix("UNBLOCKED") && text.contains("instance state changed") {
            // The server became a replica while the command waited.
            throw .connectionLost(mayHaveRun: false)
        }
    }
}

extension PendingCommand.Outcome {
    /// The reply of the only command.
    func single() throws(RedisError) -> RESPValue {
        switch try get() {
        case .one(.error(let text)): throw .server(text)
        case .one(let reply): return reply
        case .many(let replies): return .array(replies)
        }
    }

    func all() throws(RedisError) -> [RESPValue] { try get().all }
}

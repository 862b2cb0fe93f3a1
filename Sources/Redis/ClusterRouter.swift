import Logging
import NIOCore
import NIOPosix
import Synchronization

/// Sends each command to the node that has its key, and follows the cluster as its slots move and its masters change.
///
/// The map of slots is asked for at the start, whenever a node says that it is wrong, whenever a connection is lost,
/// and every so often. Nothing is sent twice that may have run, but for what is safe to repeat.
final class ClusterRouter: Sendable {
    typealias Address = RedisConfiguration.Address

    private struct State {
        var map = ClusterMap()
        var nodes: [Address: ClusterNode] = [:]
        var lastFailure: RedisError?
        var hasStopped = false
    }

    /// The map is asked for at least this often, as nobody tells of slots that moved while no command went there.
    private static let refreshInterval = Duration.seconds(10)
    /// And no more often than this.
    private static let refreshPause = Duration.milliseconds(20)
    private static let pauses: [Duration] = [2, 5, 10, 20, 50, 100].map { .milliseconds($0) }

    let configuration: RedisConfiguration
    private let seeds: [Address]
    private let logger: Logger
    private let metrics: RedisMetrics
    private let state = Mutex(State())
    private let signals: (stream: AsyncStream<Void>, continuation: AsyncStream<Void>.Continuation)

    /// - Returns: `nil` where the configuration names no cluster.
    init?(_ configuration: RedisConfiguration, logger: Logger, metrics: RedisMetrics) {
        guard case .cluster(let seeds) = configuration.discovery else { return nil }
        self.configuration = configuration
        self.seeds = seeds
        self.logger = logger
        self.metrics = metrics
        signals = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    // MARK: The map

    /// Keeps the map fresh until the task is cancelled or `stop` is called.
    func run() async {
        var iterator = signals.stream.makeAsyncIterator()
        let interval = Self.refreshInterval.timeAmount
        let pulse = MultiThreadedEventLoopGroup.singleton.next().scheduleRepeatedTask(
            initialDelay: interval, delay: interval
        ) { [weak self] _ in self?.mapIsDoubtful() }
        defer { pulse.cancel() }
        var backoff = Backoff(configuration)
        while !Task.isCancelled, !state.withLock({ $0.hasStopped }) {
            let isFresh = await refresh()
            do {
                if isFresh {
                    backoff.reset()
                    try await Task.sleep(for: Self.refreshPause)
                    guard await iterator.next() != nil else { return }
                } else {
                    try await Task.sleep(for: .nanoseconds(backoff.next().nanoseconds))
                }
            } catch {
                return
            }
        }
    }

    /// Has the map asked for soon.
    func mapIsDoubtful() { signals.continuation.yield() }

    private func refresh() async -> Bool {
        for address in candidates() {
            do throws(RedisError) {
                let node = node(at: address)
                let pending = PendingCommand(
                    RedisCommand(["CLUSTER", "SLOTS"], isSafeToRepeat: true),
                    timeout: configuration.connectTimeout.timeAmount)
                guard case .one(let reply) = try await node.perform(pending, isBlocking: false).get() else { continue }
                adopt(try ClusterMap(reply, asked: address))
                return true
            } catch {
                state.withLock { $0.lastFailure = error }
                logger.debug("no map of the cluster", metadata: ["address": "\(address)", "reason": "\(error)"])
            }
        }
        return false
    }

    /// Whom to ask for the map: those that are connected, then those that are known, then those that were given.
    private func candidates() -> [Address] {
        let (nodes, masters) = state.withLock { (Array($0.nodes.values), $0.map.masters) }
        let connected = nodes.filter { $0.multiplexer.isConnected }.map(\.address)
        var all: [Address] = []
        for address in connected.shuffled() + masters + seeds where !all.contains(address) { all.append(address) }
        return all
    }

    private func adopt(_ map: ClusterMap) {
        let retired = state.withLock { state -> [ClusterNode] in
            state.map = map
            state.lastFailure = nil
            guard !map.masters.isEmpty else { return [] }
            let gone = state.nodes.filter { !map.masters.contains($0.key) }
            for address in gone.keys { state.nodes.removeValue(forKey: address) }
            return Array(gone.values)
        }
        for node in retired { node.retire() }
        for address in map.masters { _ = node(at: address) }
    }

    /// The node of that address, connecting where it is new.
    private func node(at address: Address) -> ClusterNode {
        state.withLock { state in
            if let node = state.nodes[address] { return node }
            let node = ClusterNode(
                address, configuration: configuration, logger: logger, metrics: metrics,
                whenLost: { [weak self] in self?.mapIsDoubtful() })
            if state.hasStopped { node.retire() } else { node.start() }
            state.nodes[address] = node
            return node
        }
    }

    /// Where a slot's commands go; any node that answers for commands without a key.
    func address(of slot: Int?) -> Address? {
        state.withLock { state in
            if let slot { return state.map.master(of: slot) }
            let first = state.map.master(of: 0)
            if let first, state.nodes[first]?.multiplexer.isConnected == true { return first }
            return state.map.masters.first { state.nodes[$0]?.multiplexer.isConnected == true } ?? first
                ?? state.map.masters.first
        }
    }

    func take(_ redirection: ClusterRedirection) {
        if case .moved(let slot, let address) = redirection {
            state.withLock { $0.map.assign(slot, to: address) }
        }
        mapIsDoubtful()
    }

    // MARK: Whoever sends

    /// The node for the slot, or the one that was named by `ASK`.
    ///
    /// - Throws: `unavailable` where none is known before the deadline, `cancelled`.
    nonisolated(nonsending) func node(
        for slot: Int?, asked: Address?, before deadline: NIODeadline
    ) async throws(RedisError) -> ClusterNode {
        if let asked { return node(at: asked) }
        var attempt = 0
        while true {
            if let address = address(of: slot) { return node(at: address) }
            mapIsDoubtful()
            try await pause(attempt, before: deadline, reason: "no node has the slot \(slot ?? 0)")
            attempt += 1
        }
    }

    /// The nodes that have slots, once any is known.
    ///
    /// - Throws: as `node`.
    nonisolated(nonsending) func masterNodes(before deadline: NIODeadline) async throws(RedisError) -> [ClusterNode] {
        _ = try await node(for: nil, asked: nil, before: deadline)
        return masters.map { node(at: $0) }
    }

    /// Waits a moment, longer with each attempt.
    ///
    /// - Throws: `unavailable` where the deadline would pass meanwhile, `cancelled`.
    nonisolated(nonsending) func pause(
        _ attempt: Int, before deadline: NIODeadline, reason: String
    ) async throws(RedisError) {
        let pause = Self.pauses[min(attempt, Self.pauses.count - 1)]
        let (failure, hasStopped) = state.withLock { ($0.lastFailure, $0.hasStopped) }
        if hasStopped { throw .unavailable("the client has stopped") }
        guard NIODeadline.now() + pause.timeAmount < deadline else {
            throw .unavailable(failure.map { "\(reason); \($0)" } ?? reason)
        }
        do {
            try await Task.sleep(for: pause)
        } catch {
            throw .cancelled
        }
    }

    // MARK: The client

    /// Whether every master is connected.
    var isConnected: Bool {
        state.withLock { state in
            !state.map.masters.isEmpty
                && state.map.masters.allSatisfy { state.nodes[$0]?.multiplexer.isConnected == true }
        }
    }

    var waitingCount: Int { state.withLock { $0.nodes.values.reduce(0) { $0 + $1.multiplexer.waitingCount } } }

    var masters: [Address] { state.withLock { $0.map.masters } }

    /// Ends everything; gracefully, commands that were given are answered first.
    func stop(gracefully: Bool) async throws {
        for node in end() { try await node.stop(gracefully: gracefully) }
    }

    /// For a client that is dropped.
    func abandon() {
        for node in end() { node.retire() }
    }

    private func end() -> [ClusterNode] {
        signals.continuation.finish()
        return state.withLock { state in
            state.hasStopped = true
            return Array(state.nodes.values)
        }
    }
}

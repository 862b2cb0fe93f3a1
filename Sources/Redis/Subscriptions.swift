import Logging
import NIOCore
import Synchronization

/// A client's subscriptions, so that they end with it.
final class Subscriptions: Sendable {
    private struct State {
        var feeds: [ObjectIdentifier: SubscriptionFeed] = [:]
        var hasStopped = false
    }

    private let configuration: RedisConfiguration
    private let connector: Connector
    private let logger: Logger
    private let metrics: RedisMetrics
    private let cluster: ClusterRouter?
    private let state = Mutex(State())

    init(
        configuration: RedisConfiguration, connector: Connector, cluster: ClusterRouter?, logger: Logger,
        metrics: RedisMetrics
    ) {
        self.configuration = configuration
        self.connector = connector
        self.cluster = cluster
        self.logger = logger
        self.metrics = metrics
    }

    /// - Throws: `invalidConfiguration` where a cluster's sharded channels are in several slots, and so on several
    ///   nodes.
    func start(_ topics: [RedisTopic], bufferMax: Int) throws(RedisError) -> SubscriptionFeed {
        let slot = cluster == nil ? nil : try Self.slot(of: topics)
        let loop = connector.eventLoop
        let feed = SubscriptionFeed(
            topics: topics, bufferMax: bufferMax, configuration: configuration, eventLoop: loop, logger: logger,
            metrics: metrics, dial: { [weak self] in self?.dial(slot) ?? Self.stopped(loop) },
            whenStopped: { [weak self] feed in self?.forget(feed) })
        let isWelcome = state.withLock { state in
            if state.hasStopped { return false }
            state.feeds[ObjectIdentifier(feed)] = feed
            return true
        }
        if isWelcome {
            feed.start()
        } else {
            feed.stop(because: .unavailable("the client has stopped"))
        }
        return feed
    }

    /// Ends all of them: what their readers have not read yet they still get, and then the end.
    func stop() {
        let feeds = state.withLock { state in
            state.hasStopped = true
            return state.feeds
        }
        for feed in feeds.values { feed.stop(because: nil) }
    }

    /// Opens a connection to the server that has the channels.
    private func dial(_ slot: Int?) -> EventLoopFuture<RedisConnection> {
        guard let cluster else { return connector.connect() }
        // That a subscription connects anew is often the first sign of a slot that has moved.
        defer { cluster.mapIsDoubtful() }
        guard let address = cluster.address(of: slot) else {
            return connector.eventLoop.makeFailedFuture(RedisError.unavailable("no node has the slot \(slot ?? 0)"))
        }
        return connector.connect(to: address)
    }

    private static func stopped(_ eventLoop: any EventLoop) -> EventLoopFuture<RedisConnection> {
        eventLoop.makeFailedFuture(RedisError.unavailable("the client has stopped"))
    }

    private static func slot(of topics: [RedisTopic]) throws(RedisError) -> Int? {
        var names: [RedisArgument] = []
        for case .shard(let name) in topics { names.append(RedisArgument(name)) }
        return try CommandKeys.slot(of: RedisCommand(["DEL"] + names))
    }

    private func forget(_ feed: SubscriptionFeed) {
        state.withLock { _ = $0.feeds.removeValue(forKey: ObjectIdentifier(feed)) }
    }
}

import Logging
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
    private let state = Mutex(State())

    init(
        configuration: RedisConfiguration, connector: Connector, logger: Logger, metrics: RedisMetrics
    ) {
        self.configuration = configuration
        self.connector = connector
        self.logger = logger
        self.metrics = metrics
    }

    func start(_ topics: [RedisTopic], bufferMax: Int) -> SubscriptionFeed {
        let connector = connector
        let feed = SubscriptionFeed(
            topics: topics, bufferMax: bufferMax, configuration: configuration,
            eventLoop: connector.eventLoop,
            logger: logger, metrics: metrics, dial: { connector.connect() },
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

    private func forget(_ feed: SubscriptionFeed) {
        state.withLock { _ = $0.feeds.removeValue(forKey: ObjectIdentifier(feed)) }
    }
}

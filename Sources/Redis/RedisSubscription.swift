/// What a subscription listens to.
public enum RedisTopic: Sendable, Hashable {
    /// `SUBSCRIBE`: one channel, by its name.
    case channel(String)
    /// `PSUBSCRIBE`: all channels whose names match a pattern, as `match.*`.
    case pattern(String)
    /// `SSUBSCRIBE`: one sharded channel; in a cluster its messages stay on the node that has the name's slot.
    case shard(String)
}

/// A published message.
public struct RedisMessage: Sendable, Hashable {
    /// By which topic of the subscription it came.
    public let topic: RedisTopic
    /// Where it was published.
    public let channel: String
    public let payload: [UInt8]

    public init(topic: RedisTopic, channel: String, payload: [UInt8]) {
        self.topic = topic
        self.channel = channel
        self.payload = payload
    }

    /// The payload as UTF-8, invalid sequences repaired.
    public var text: String { String(decoding: payload, as: UTF8.self) }
}

/// What a reader of a subscription is told.
public enum RedisSubscriptionEvent: Sendable, Hashable {
    /// The server has confirmed all topics for the first time: what is published from here on is received. Comes once.
    case subscribed
    case message(RedisMessage)
    /// Messages may be missing at this place. A reader that keeps a view by messages must read its source anew.
    case gap(RedisGap)
}

/// Why messages may be missing.
public enum RedisGap: Sendable, Hashable {
    /// The connection was lost; it has been rebuilt and all topics are subscribed again, so that nothing that is
    /// published from here on is missing.
    case reconnected
    /// The reader was slower than the messages, and the oldest ones were dropped: `lost` of them.
    case overflowed(lost: Int)
}

/// Messages of a publisher as they come, on a connection of its own. Subscribes again by itself after a lost or silent
/// connection, and tells the reader so by a `gap`. At most `bufferMax` messages wait for the reader.
///
/// Has one reader. Iteration ends when the task is cancelled or the client has stopped; it throws when the server
/// refuses a topic (`server`). The subscription ends when nobody holds it or an iterator of it any more.
public final class RedisSubscription: AsyncSequence, Sendable {
    public typealias Element = RedisSubscriptionEvent
    public typealias Failure = RedisError

    private let feed: SubscriptionFeed

    init(feed: SubscriptionFeed) { self.feed = feed }

    deinit { feed.stop(because: nil) }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(subscription: self) }

    public struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let subscription: RedisSubscription

        public mutating func next() async throws(RedisError) -> RedisSubscriptionEvent? {
            try await subscription.feed.inbox.next()
        }

        public mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(RedisError) -> RedisSubscriptionEvent? {
            try await subscription.feed.inbox.next()
        }
    }
}

extension RedisClient {
    /// Starts to listen, on a connection of its own.
    ///
    /// - Parameter bufferMax: the messages that may wait for the reader; beyond them the oldest are dropped, which the
    ///   reader is told by a `gap`.
    /// - Throws: `invalidConfiguration` where there is no topic, or no room for a message, or a cluster's sharded
    ///   channels are not in one slot.
    public func subscribe(
        to topics: [RedisTopic], bufferMax: Int = 4_096
    ) throws(RedisError) -> RedisSubscription {
        guard !topics.isEmpty else {
            throw .invalidConfiguration("a subscription needs at least one topic")
        }
        guard bufferMax >= 1 else {
            throw .invalidConfiguration("bufferMax must be at least 1, not \(bufferMax)")
        }
        return RedisSubscription(feed: try subscriptions.start(topics, bufferMax: bufferMax))
    }
}

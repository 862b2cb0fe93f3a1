import GameModel
import Logging
import Redis
import ServiceLifecycle
import Synchronization

/// Wakes whoever in this process waits for a ticket to change, from one blocking read of the pools' change streams; no
/// client of its own polls Redis.
///
/// A wake-up says "look again", no more. It may come without a change (after missed entries, or when Redis was away),
/// and it may be lost with the stream; ``next(of:after:within:read:)`` therefore looks again by itself
/// every ``recheck``, so that nobody stays deaf.
public final class TicketWatcher: Service {
    /// How often a waiting client's ticket is looked at without a wake-up.
    public static let recheck = Duration.seconds(2)
    private static let failureWait = Duration.milliseconds(200)

    private struct State {
        var nextID: UInt64 = 0
        var watches: [TicketID: [UInt64: Watch]] = [:]
        var hasEnded = false

        var everyone: [AsyncStream<Void>.Continuation] { watches.values.flatMap { $0.values.map(\.continuation) } }
    }

    private struct Watch {
        let continuation: AsyncStream<Void>.Continuation
        /// Entries that say this state are no news.
        let after: TicketState?
    }

    private let book: RulesBook
    private let redis: RedisClient
    private let logger: Logger
    private let block: Duration
    private let state = Mutex(State())

    public convenience init(redis: RedisClient, rules: MatchmakingRules = .standard, logger: Logger) {
        self.init(redis: redis, book: RulesBook(rules), logger: logger)
    }

    /// - Parameters:
    ///   - book: the rules in force, whose pools are looked at before each read.
    ///   - block: how long one read waits for entries.
    public init(redis: RedisClient, book: RulesBook, block: Duration = .seconds(1), logger: Logger) {
        self.redis = redis
        self.logger = logger
        self.block = block
        self.book = book
    }

    /// Reads the streams until graceful shutdown; then everyone who waits is let go.
    public func run() async throws {
        await cancelWhenGracefulShutdown { await self.readAll() }
        let waiting = state.withLock { state in
            state.hasEnded = true
            return state.everyone
        }
        for continuation in waiting { continuation.finish() }
    }

    /// How many wait at this moment.
    public var watchCount: Int {
        state.withLock { state in state.watches.values.reduce(0) { $0 + $1.count } }
    }

    /// Whether the process stops; nobody is woken any more.
    public var hasEnded: Bool { state.withLock { $0.hasEnded } }

    /// Waits for the ticket to be in another state than `state`, for so long at most.
    ///
    /// - Parameter read: reads the ticket; `nil` where it is gone, which is another state than any.
    /// - Returns: what was read last; the same state still where the time passed, or the process stops.
    public func next(
        of ticket: TicketID, after state: TicketState?, within limit: Duration,
        read: @Sendable () async throws -> Ticket?
    ) async throws -> Ticket? {
        try await next(of: ticket, woken: state, within: limit, read: read) { $0.state == state }
    }

    /// Waits for the ticket to be another than `shown`: in another state, or with another member who joined or
    /// accepted.
    ///
    /// - Returns: as of ``next(of:after:within:read:)``.
    public func next(
        differingFrom shown: Ticket, within limit: Duration, read: @Sendable () async throws -> Ticket?
    ) async throws -> Ticket? {
        try await next(of: shown.id, woken: nil, within: limit, read: read) { $0 == shown }
    }

    private func next(
        of ticket: TicketID, woken known: TicketState?, within limit: Duration,
        read: @Sendable () async throws -> Ticket?, isKnown: (Ticket) -> Bool
    ) async throws -> Ticket? {
        let deadline = ContinuousClock.now + limit
        while true {
            // Watched before it is read, so that a change between the two is not missed.
            let changes = changes(of: ticket, after: known)
            let current = try await read()
            let left = deadline - .now
            guard let current, isKnown(current), !current.state.isFinal, left > .zero, !hasEnded else {
                return current
            }
            try await Self.wait(for: changes, within: min(left, Self.recheck))
        }
    }

    /// One element when the ticket may have changed. The watch ends when the stream is let go, or its reader is
    /// cancelled.
    private func changes(of ticket: TicketID, after known: TicketState?) -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let id: UInt64? = state.withLock { state in
            if state.hasEnded { return nil }
            state.nextID += 1
            state.watches[ticket, default: [:]][state.nextID] = Watch(continuation: continuation, after: known)
            return state.nextID
        }
        guard let id else {
            continuation.finish()
            return stream
        }
        continuation.onTermination = { [weak self] _ in self?.forget(ticket, id) }
        return stream
    }

    /// Until the stream has an element or ends, or the time passes.
    private static func wait(for changes: AsyncStream<Void>, within limit: Duration) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { for await _ in changes { return } }
            group.addTask { try await Task.sleep(for: limit) }
            try await group.next()
            group.cancelAll()
            // The cancelled sleep throws, which is no failure.
            while await group.nextResult() != nil {}
        }
        try Task.checkCancellation()
    }

    private func readAll() async {
        while !Task.isCancelled {
            do throws(RedisError) {
                try await follow()
            } catch {
                if error == .cancelled { return }
                logger.warning("change streams are out of reach", metadata: ["error": "\(error)"])
                do {
                    try await Task.sleep(for: Self.failureWait)
                } catch {
                    return
                }
            }
        }
    }

    private func follow() async throws(RedisError) {
        var streams: [(keys: MatchmakingKeys, after: StreamPlace)] = []
        var pools: [Pool] = []
        while !Task.isCancelled {
            let current = book.current.pools
            if current != pools {
                let known = Dictionary(uniqueKeysWithValues: zip(pools, streams))
                streams = try await follow(current, known)
                pools = current
            }
            let read = try await ChangeStream.read(streams, block: block, redis: redis)
            for item in read {
                streams[item.index].after = item.batch.place
                if item.batch.hasGap {
                    wakeEveryone()
                } else {
                    wake(item.batch.changes)
                }
            }
        }
    }

    /// The streams of these pools; those that are new are read from their end on.
    private func follow(
        _ pools: [Pool], _ known: [Pool: (keys: MatchmakingKeys, after: StreamPlace)]
    ) async throws(RedisError) -> [(keys: MatchmakingKeys, after: StreamPlace)] {
        let keys = pools.map { known[$0]?.keys ?? MatchmakingKeys($0) }
        let ends = try await ChangeStream.ends(of: keys, redis: redis)
        // Whatever happened before the streams' ends were read is found by looking.
        wakeEveryone()
        return pools.indices.map { (keys: keys[$0], after: known[pools[$0]]?.after ?? ends[$0]) }
    }

    private func wake(_ changes: [TicketChange]) {
        let continuations = state.withLock { state in
            changes.flatMap { change in
                change.tickets.flatMap { ticket in
                    state.watches[ticket]?.values.filter { $0.after != change.state }.map(\.continuation) ?? []
                }
            }
        }
        for continuation in continuations { continuation.yield() }
    }

    private func wakeEveryone() {
        let continuations = state.withLock { $0.everyone }
        for continuation in continuations { continuation.yield() }
    }

    private func forget(_ ticket: TicketID, _ id: UInt64) {
        state.withLock { state in
            state.watches[ticket]?[id] = nil
            if state.watches[ticket]?.isEmpty == true { state.watches[ticket] = nil }
        }
    }
}

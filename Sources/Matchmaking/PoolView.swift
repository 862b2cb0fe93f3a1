import GameModel
import Redis

/// A ranker's view of its pool: who waits, up to which change, and what time it is there.
///
/// It is loaded from the queue and the tickets, then fed by the change stream. The stream's end is read first, so
/// changes during the loading are applied again afterwards; each says which state a ticket came to, so that does no
/// harm. A view that is wrong for a moment costs a refused commit, never a wrong match.
struct PoolView: Sendable {
    /// The most tickets that one round of loading reads.
    private static let pageSize = 1_000

    var waiting = WaitingTickets()
    var place: StreamPlace
    var clock: RedisClock

    mutating func apply(_ batch: ChangeBatch) {
        place = batch.place
        for change in batch.changes {
            if let queued = change.queued {
                // What a running match asks for changes while it waits.
                if queued.backfill != nil { waiting.remove(queued.id) }
                waiting.insert(queued)
            } else {
                for ticket in change.tickets { waiting.remove(ticket) }
            }
        }
    }

    static func load(_ keys: MatchmakingKeys, redis: RedisClient) async throws(RedisError) -> PoolView {
        let clock = try await RedisClock.read(redis)
        var view = PoolView(place: try await ChangeStream.ends(of: [keys], redis: redis)[0], clock: clock)
        // Pages by position: tickets that leave meanwhile shift others forward unread, so each page starts at the last
        // score seen. Tickets of one millisecond are read twice then, which does no harm; more of them than fit a page
        // are read by position within that millisecond.
        var from = "-inf"
        var skip = 0
        while true {
            let reply = try await redis.send(
                RedisCommand(
                    "ZRANGEBYSCORE", RedisArgument(keys.queue), RedisArgument(from), "+inf", "WITHSCORES", "LIMIT",
                    RedisArgument(skip), RedisArgument(Self.pageSize), isSafeToRepeat: true))
            guard let items = reply.array else { throw .unexpectedReply("ZRANGEBYSCORE") }
            let ids = stride(from: 0, to: items.count, by: 2).compactMap { items[$0].string.map { TicketID($0) } }
            try await view.add(ids, keys, redis)
            guard ids.count == Self.pageSize, let last = items.last?.string else { return view }
            skip = last == from ? skip + Self.pageSize : 0
            from = last
        }
    }

    private mutating func add(_ ids: [TicketID], _ keys: MatchmakingKeys, _ redis: RedisClient) async throws(RedisError)
    {
        guard !ids.isEmpty else { return }
        let replies = try await redis.pipeline(
            ids.map { id in
                RedisCommand(
                    "HGETALL", RedisArgument(keys.ticket(id)), isSafeToRepeat: true)
            })
        for (id, reply) in zip(ids, replies) {
            if case .error(let reason) = reply { throw .server(reason) }
            let fields = reply.fields
            guard let queuedAt = fields["queuedAt"].flatMap(Instant.init(text:)), let body = TicketBody(fields: fields)
            else { continue }
            waiting.insert(
                QueuedTicket(id: id, queuedAt: queuedAt, members: body.members, backfill: body.backfill))
        }
    }
}

/// The time of Redis, carried on by this machine's steady clock between two looks.
struct RedisClock: Sendable {
    private let redis: Instant
    private let local: ContinuousClock.Instant

    init(_ redis: Instant) {
        self.redis = redis
        local = .now
    }

    var now: Instant { redis + (ContinuousClock.now - local) }

    static func read(_ client: RedisClient) async throws(RedisError) -> RedisClock {
        let reply = try await client.send(RedisCommand("TIME", isSafeToRepeat: true))
        guard let parts = reply.array, parts.count == 2, let seconds = parts[0].int, let micros = parts[1].int else {
            throw .unexpectedReply("TIME")
        }
        return RedisClock(Instant(milliseconds: Int64(seconds) * 1_000 + Int64(micros) / 1_000))
    }
}

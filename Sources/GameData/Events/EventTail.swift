import Redis

/// Events as they come, whether they still wait in the streams or are stored already.
///
/// An entry leaves its stream once it is stored; the streams are read first and the files after, so none is missed in
/// between, and each is told once. Within a shard they come in the order of their ids.
public struct EventTail: Sendable {
    private let redis: RedisClient
    private let events: EventsRepository?
    /// The last entry of each shard that was told.
    private var positions: [StreamEntryID]

    private static let pageMax = 1_000
    private static let first = StreamEntryID(milliseconds: 0, sequence: 0)

    /// - Parameter events: `nil` where the files are not on this host; then stored events are not seen.
    public init(redis: RedisClient, events: EventsRepository?) {
        self.redis = redis
        self.events = events
        positions = Array(repeating: Self.first, count: GameDataKeys.shardCount)
    }

    /// The last events that there are, oldest first; what comes after them is told by ``next()``.
    /// - Parameter limit: how many, of those that are wanted.
    public mutating func last(_ limit: Int, of query: EventQuery) async throws -> [StoredEvent] {
        var found: [StoredEvent] = []
        for shard in positions.indices {
            let reply = try await redis.send(
                RedisCommand(
                    "XREVRANGE", RedisArgument(GameDataKeys.events(shard: shard)), "+", "-", "COUNT",
                    RedisArgument(Self.pageMax), isSafeToRepeat: true))
            let waiting = try EventGroup.entries(reply)
            found += Self.told(waiting, shard)
            positions[shard] = max(waiting.first?.id ?? Self.first, try await events?.newest(shard) ?? Self.first)
        }
        var newest = query
        newest.limit = limit
        newest.isNewestFirst = true
        let waiting = Set(found.map { Place($0) })
        found.removeAll { !query.wants($0.event) }
        found += try await events?.events(newest).filter { !waiting.contains(Place($0)) } ?? []
        return Array(found.sorted { ($0.id, $0.shard) < ($1.id, $1.shard) }.suffix(limit))
    }

    /// What came since the last call, of all kinds; empty where nothing did.
    public mutating func next() async throws -> [StoredEvent] {
        var found: [StoredEvent] = []
        for shard in positions.indices {
            let position = positions[shard]
            let reply = try await redis.send(
                RedisCommand(
                    "XRANGE", RedisArgument(GameDataKeys.events(shard: shard)), RedisArgument("(\(position)"), "+",
                    "COUNT", RedisArgument(Self.pageMax), isSafeToRepeat: true))
            let waiting = try EventGroup.entries(reply)
            let stored = try await events?.after(position, shard: shard, limit: Self.pageMax) ?? []
            // Beyond the end of a full page of one, the other may not be told: there is more before it.
            var end: StreamEntryID?
            if waiting.count == Self.pageMax { end = waiting.last?.id }
            if stored.count == Self.pageMax, let last = stored.last?.id { end = min(end ?? last, last) }
            let known = Set(stored.map(\.id))
            var part = stored + Self.told(waiting.filter { !known.contains($0.id) }, shard)
            let newest = max(waiting.last?.id ?? position, stored.last?.id ?? position)
            if let end { part.removeAll { end < $0.id } }
            positions[shard] = min(end ?? newest, newest)
            found += part.sorted { $0.id < $1.id }
        }
        return found
    }

    private struct Place: Hashable {
        let shard: Int
        let id: StreamEntryID

        init(_ event: StoredEvent) {
            shard = event.shard
            id = event.id
        }
    }

    /// What can be read of entries; the rest is for the quarantine to tell.
    private static func told(_ entries: [EventEntry], _ shard: Int) -> [StoredEvent] {
        entries.compactMap { entry in
            do throws(EventEntry.Undecodable) {
                let event = try entry.packed()
                return StoredEvent(
                    shard: shard, id: entry.id, flag: EventKinds.known.flag(of: event), event: event.event)
            } catch {
                return nil
            }
        }
    }
}

extension EventQuery {
    /// Whether an event is of the kind, match and player that are asked for.
    public func wants(_ event: EncodedEvent) -> Bool {
        (kind == nil || kind == event.kind) && (match == nil || match == event.matchId)
            && (player == nil || player == event.playerId)
    }
}

import Redis

/// Events as they come, whether they still wait in the streams or are stored already.
///
/// An entry leaves its stream once it is stored; the streams are read first and the files after, so none is missed in
/// between, and each is told once. Within a shard they come in the order of their ids.
public struct EventTail: Sendable {
    private let redis: RedisClient
    private let events: EventsRepository?
    /// The last event of each shard that was told.
    private var positions: [EventID]

    /// The most entries of a stream in one reading: each may hold hundreds of events.
    private static let entriesMax = 100
    /// The most readings of one look at the last events.
    private static let readingsMax = 10
    /// The most rows of a shard in one reading.
    private static let rowsMax = 10_000
    private static let first = EventID(StreamEntryID(milliseconds: 0, sequence: 0))

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
            let (waiting, newestWaiting) = try await lastWaiting(shard, limit, query)
            found += waiting
            positions[shard] = max(newestWaiting ?? Self.first, try await events?.newest(shard) ?? Self.first)
        }
        var newest = query
        newest.limit = limit
        newest.isNewestFirst = true
        let waiting = Set(found.map { Place($0) })
        // What was stored since the positions were read is for next() to tell.
        found +=
            try await events?.events(newest)
            .filter { $0.id <= positions[$0.shard] && !waiting.contains(Place($0)) } ?? []
        return Array(found.sorted { ($0.id, $0.shard) < ($1.id, $1.shard) }.suffix(limit))
    }

    /// The last events of a stream that are wanted, and the end of its newest entry. Reads back until there are enough
    /// or, where few are wanted of many, so far and no further.
    private func lastWaiting(
        _ shard: Int, _ limit: Int, _ query: EventQuery
    ) async throws -> (events: [StoredEvent], newest: EventID?) {
        var found: [StoredEvent] = []
        var newest: EventID?
        var before: StreamEntryID?
        for _ in 0..<Self.readingsMax {
            let entries = try await entries("XREVRANGE", shard, from: before.map { "(\($0)" } ?? "+", to: "-")
            if newest == nil { newest = entries.first.map { EventID.end(of: $0.id) } }
            found += Self.told(entries, shard).filter { query.wants($0.event) }
            guard found.count < limit, entries.count == Self.entriesMax else { break }
            before = entries.last?.id
        }
        return (found, newest)
    }

    /// What came since the last call, of all kinds; empty where nothing did.
    public mutating func next() async throws -> [StoredEvent] {
        var found: [StoredEvent] = []
        for shard in positions.indices {
            let position = positions[shard]
            // An entry of which a part was told is read again.
            let isWhole = position == EventID.end(of: position.entry)
            let waiting = try await entries(
                "XRANGE", shard, from: "\(isWhole ? "(" : "")\(position.entry)", to: "+")
            let stored = try await events?.after(position, shard: shard, limit: Self.rowsMax) ?? []
            // Beyond the end of a full page of one, the other may not be told: there is more before it.
            var end: EventID?
            if waiting.count == Self.entriesMax { end = waiting.last.map { EventID.end(of: $0.id) } }
            if stored.count == Self.rowsMax, let last = stored.last?.id { end = min(end ?? last, last) }
            let known = Set(stored.map(\.id))
            var part = stored + Self.told(waiting, shard).filter { position < $0.id && !known.contains($0.id) }
            // An entry is stored whole, so that where no page is full the newest was told whole.
            let newest = [waiting.last?.id, stored.last?.id.entry].compactMap { $0 }.max()
            if let end { part.removeAll { end < $0.id } }
            if let newest { positions[shard] = min(end ?? .end(of: newest), .end(of: newest)) }
            found += part.sorted { $0.id < $1.id }
        }
        return found
    }

    private func entries(
        _ command: RedisArgument, _ shard: Int, from: String, to: String
    ) async throws -> [EventEntry] {
        let reply = try await redis.send(
            RedisCommand(
                command, RedisArgument(GameDataKeys.events(shard: shard)), RedisArgument(from), RedisArgument(to),
                "COUNT", RedisArgument(Self.entriesMax), isSafeToRepeat: true))
        return try EventGroup.entries(reply)
    }

    private struct Place: Hashable {
        let shard: Int
        let id: EventID

        init(_ event: StoredEvent) {
            shard = event.shard
            id = event.id
        }
    }

    /// What can be read of entries; the rest is for the quarantine to tell.
    private static func told(_ entries: [EventEntry], _ shard: Int) -> [StoredEvent] {
        entries.flatMap { entry in
            entry.readable().map { place, event in
                StoredEvent(
                    shard: shard, id: EventID(entry.id, place: place), flag: EventKinds.known.flag(of: event),
                    event: event)
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

import GameModel
import Redis

/// One consumer's place in the consumer group of one event shard: read, store, then settle.
///
/// Delivery is at least once: an entry stays in the consumer's pending entries list (PEL) until it is settled, and
/// may be claimed by another consumer when this one is silent.
public struct EventGroup: Sendable {
    public static let name = "ingest"

    public let shard: Int
    public let consumer: String
    private let redis: RedisClient

    /// - Parameter consumer: unique to the process; two that share a name would share a PEL.
    public init(redis: RedisClient, shard: Int, consumer: String) {
        self.redis = redis
        self.shard = shard
        self.consumer = consumer
    }

    private var key: RedisKey { GameDataKeys.events(shard: shard) }
    private var lifeKey: RedisKey { GameDataKeys.eventsLife(shard: shard) }

    /// Makes the stream and the group where they are missing. The group begins at the stream's first entry, so events
    /// appended before any consumer came are read too.
    /// - Returns: the stream's life: what is stored of it is counted by that.
    @discardableResult
    public func create() async throws(RedisError) -> StreamLife {
        let reply = try await redis.run(
            Self.openScript, keys: [key, lifeKey],
            arguments: [RedisArgument(Self.name), RedisArgument(ULID().description)])
        return StreamLife(try reply.expectString())
    }

    /// The life of the stream as it is now; made where there is none.
    public func life() async throws(RedisError) -> StreamLife {
        let reply = try await redis.send(RedisCommand("GET", RedisArgument(lifeKey), isSafeToRepeat: true))
        guard let name = reply.string else { return try await create() }
        return StreamLife(name)
    }

    /// How many entries the stream had and has, of one moment.
    public func account() async throws(RedisError) -> StreamAccount {
        let reply = try await redis.run(
            Self.accountScript, keys: [key, lifeKey], arguments: [RedisArgument(Self.name)], isSafeToRepeat: true)
        return try StreamAccount(shard: shard, reply: reply)
    }

    /// New entries, oldest first; empty where none came within `block`. Where the group is gone (Redis was wiped), it
    /// is made anew.
    public func read(limit: Int, block: Duration) async throws(RedisError) -> [EventEntry] {
        let command = RedisCommand(
            "XREADGROUP", "GROUP", RedisArgument(Self.name), RedisArgument(consumer), "COUNT", RedisArgument(limit),
            "BLOCK", RedisArgument(max(block.milliseconds, 1)), "STREAMS", RedisArgument(key), ">")
        let reply: RESPValue
        do {
            reply = try await redis.sendBlocking(command, timeout: block + Self.grace)
        } catch .server(let message) where message.hasPrefix("NOGROUP") || message.hasPrefix("UNBLOCKED") {
            try await create()
            return []
        }
        // nil, or [[key, [[id, [field, value, …]], …]]]
        guard let stream = reply.array?.first else { return [] }
        return try Self.entries(stream.array?.last ?? .null)
    }

    /// Takes over entries that their consumer has had for `idle` without settling them: it is dead, or its batch
    /// failed.
    /// - Parameter cursor: where to go on; begin with `0-0`.
    /// - Returns: the entries, and the cursor for the next call; `0-0` after the last.
    public func claim(
        idle: Duration, limit: Int, cursor: String
    ) async throws(RedisError) -> (entries: [EventEntry], cursor: String) {
        let reply: RESPValue
        do {
            reply = try await redis.send(
                RedisCommand(
                    "XAUTOCLAIM", RedisArgument(key), RedisArgument(Self.name), RedisArgument(consumer),
                    RedisArgument(idle.milliseconds), RedisArgument(cursor), "COUNT", RedisArgument(limit)))
        } catch .server(let message) where message.hasPrefix("NOGROUP") {
            try await create()
            return ([], Self.firstCursor)
        }
        guard let parts = reply.array, parts.count >= 2, let next = parts[0].string else {
            throw .unexpectedReply("XAUTOCLAIM: wanted a cursor and entries")
        }
        return (try Self.entries(parts[1]), next)
    }

    /// Says that entries are stored: takes them off the PEL and out of the stream, so that the stream is as long as its
    /// backlog.
    public func settle(_ ids: [StreamEntryID]) async throws(RedisError) {
        var calls: [(keys: [RedisKey], arguments: [RedisArgument])] = []
        for start in stride(from: 0, to: ids.count, by: Self.settleMax) {
            let names = ids[start..<min(start + Self.settleMax, ids.count)].map { RedisArgument($0.description) }
            calls.append(([key], [RedisArgument(Self.name)] + names))
        }
        for case .error(let message) in try await redis.pipeline(Self.settleScript, calls: calls) {
            throw RedisError.server(message)
        }
    }

    /// Removes consumers that have been silent for `idle` and have nothing pending, so that names of dead processes
    /// don't pile up.
    /// - Returns: how many went.
    @discardableResult
    public func retireConsumers(idle: Duration) async throws(RedisError) -> Int {
        let reply = try await redis.run(
            Self.retireScript, keys: [key], arguments: [RedisArgument(Self.name), RedisArgument(idle.milliseconds)])
        return reply.int ?? 0
    }

    public static let firstCursor = "0-0"

    /// What a blocking read may take beyond its block time.
    private static let grace = Duration.seconds(5)
    /// How many ids one command names.
    private static let settleMax = 1_000

    private static let openScript = RedisScript(
        name: "open_event_group", bytes: PackageResources.open_event_group_lua)
    private static let settleScript = RedisScript(name: "settle_events", bytes: PackageResources.settle_events_lua)
    private static let accountScript = RedisScript(name: "account_events", bytes: PackageResources.account_events_lua)
    private static let retireScript = RedisScript(
        name: "retire_consumers", bytes: PackageResources.retire_consumers_lua)

    /// `[[id, [field, value, …]], …]`. Entries deleted meanwhile have no fields; there is nothing left of them to
    /// store.
    static func entries(_ reply: RESPValue) throws(RedisError) -> [EventEntry] {
        guard let list = reply.array else { throw .unexpectedReply("wanted a list of stream entries") }
        var entries: [EventEntry] = []
        entries.reserveCapacity(list.count)
        for item in list {
            guard let pair = item.array, pair.count == 2, let id = pair[0].bytes.flatMap({ StreamEntryID($0) }) else {
                throw .unexpectedReply("wanted a stream entry")
            }
            guard let fields = pair[1].array else { continue }
            entries.append(EventEntry(id: id, fields: fields.map { $0.bytes ?? [] }))
        }
        return entries
    }
}

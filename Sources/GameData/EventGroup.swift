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

    /// Makes the stream and the group where they are missing. The group begins at the stream's first entry, so events
    /// appended before any consumer came are read too.
    public func create() async throws(RedisError) {
        do {
            _ = try await redis.send(
                RedisCommand("XGROUP", "CREATE", RedisArgument(key), RedisArgument(Self.name), "0", "MKSTREAM"))
        } catch .server(let message) where message.hasPrefix("BUSYGROUP") {
            // Another consumer was first.
        }
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
        } catch .server(let message) where message.hasPrefix("NOGROUP") {
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

    /// Says that entries are stored: takes them off the PEL and out of the stream.
    ///
    /// They are deleted, not left to the cap: the stream is then as long as its backlog, so its length says what is
    /// waiting and Redis does not hold four million events that nobody will read again. A crash between the two
    /// commands leaves entries that are acknowledged and not deleted; the cap takes those.
    public func settle(_ ids: [String]) async throws(RedisError) {
        for start in stride(from: 0, to: ids.count, by: Self.settleMax) {
            let names = ids[start..<min(start + Self.settleMax, ids.count)].map { RedisArgument($0) }
            let replies = try await redis.pipeline([
                RedisCommand(["XACK", RedisArgument(key), RedisArgument(Self.name)] + names, isSafeToRepeat: true),
                RedisCommand(["XDEL", RedisArgument(key)] + names, isSafeToRepeat: true),
            ])
            for case .error(let message) in replies { throw RedisError.server(message) }
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

    private static let retireScript = RedisScript(
        name: "retire_consumers", bytes: PackageResources.retire_consumers_lua)

    /// `[[id, [field, value, …]], …]`. Entries deleted meanwhile have no fields; there is nothing left of them to
    /// store.
    private static func entries(_ reply: RESPValue) throws(RedisError) -> [EventEntry] {
        guard let list = reply.array else { throw .unexpectedReply("wanted a list of stream entries") }
        var entries: [EventEntry] = []
        entries.reserveCapacity(list.count)
        for item in list {
            guard let pair = item.array, pair.count == 2, let id = pair[0].string else {
                throw .unexpectedReply("wanted a stream entry")
            }
            guard let fields = pair[1].array else { continue }
            entries.append(EventEntry(id: id, fields: fields.map { $0.bytes ?? [] }))
        }
        return entries
    }
}

import GameModel
import Redis
import Synchronization

/// The event cache: Redis streams, spread over shards and capped, that `muster ingest` empties into SQLite.
///
/// Lossy by design. Events are gone when Redis loses its memory or a stream passes its cap before it is read, and an
/// append whose reply was lost may have arrived, so appending again may double them.
public struct EventLog: Sendable {
    /// The cap of each shard, in bytes of Redis' memory, held approximately: each appender looks after each MiB that it
    /// appended, and what is dropped is whole nodes of the stream.
    public static let bytesMax = 256 * 1024 * 1024
    /// The most events and bytes of an entry; one event alone may be larger.
    static let entryEventsMax = 500
    static let entryBytesMax = 64 * 1024

    private let redis: RedisClient
    private let bytesMax: Int
    private let appended: AppendedBytes

    /// - Parameter bytesMax: the cap of each shard; entries past it that nobody has stored are lost, and counted.
    public init(redis: RedisClient, bytesMax: Int = bytesMax) {
        self.redis = redis
        self.bytesMax = bytesMax
        appended = AppendedBytes(between: min(1024 * 1024, bytesMax / 16))
    }

    /// Appends events in one write to Redis, each to the shard of its match and there in their order, many in an entry.
    /// - Throws: the first refusal, `.server("OOM …")` for one; events of other entries may have been appended.
    public func append(_ events: [EncodedEvent]) async throws(RedisError) {
        guard !events.isEmpty else { return }
        let entries = Self.entries(of: events)
        // Before, not after: where it is refused nothing was appended, and who appends again doubles nothing.
        try await trim(appended.add(entries))
        let replies = try await redis.pipeline(
            entries.map { entry in
                RedisCommand(
                    "XADD", RedisArgument(GameDataKeys.events(shard: entry.shard)), "*",
                    RedisArgument(EventEntry.formName), RedisArgument(entry.value))
            })
        for case .error(let message) in replies { throw RedisError.server(message) }
    }

    /// The value of an entry, and where it goes.
    struct Entry: Sendable {
        let shard: Int
        private(set) var value: [UInt8]
        private(set) var events = 1

        fileprivate init(shard: Int, value: [UInt8]) {
            self.shard = shard
            self.value = value
        }

        fileprivate mutating func add(_ line: [UInt8]) {
            value.append(PackedEvent.newline)
            value.append(contentsOf: line)
            events += 1
        }
    }

    static func entries(of events: [EncodedEvent]) -> [Entry] {
        var full: [Entry] = []
        var open: [Entry?] = Array(repeating: nil, count: GameDataKeys.shardCount)
        var line: [UInt8] = []
        for event in events {
            line.removeAll(keepingCapacity: true)
            EventEntry.append(event, to: &line)
            let shard = event.shard
            if let (events, bytes) = open[shard].map({ ($0.events, $0.value.count) }) {
                if events < entryEventsMax, bytes + line.count < entryBytesMax {
                    open[shard]?.add(line)
                    continue
                }
                if let entry = open[shard] { full.append(entry) }
            }
            open[shard] = Entry(shard: shard, value: line)
        }
        return full + open.compactMap { $0 }
    }

    /// Drops the oldest entries of shards that take more memory than they may.
    private func trim(_ shards: [Int]) async throws(RedisError) {
        guard !shards.isEmpty else { return }
        let replies = try await redis.pipeline(
            Self.trimScript, calls: shards.map { ([GameDataKeys.events(shard: $0)], [RedisArgument(bytesMax)]) })
        for case .error(let message) in replies { throw RedisError.server(message) }
    }

    private static let trimScript = RedisScript(name: "trim_events", bytes: PackageResources.trim_events_lua)
}

/// How much was appended to each shard since it was trimmed last.
private final class AppendedBytes: Sendable {
    private let between: Int
    private let counts = Mutex([Int](repeating: 0, count: GameDataKeys.shardCount))

    /// - Parameter between: how much is appended between two looks.
    init(between: Int) { self.between = between }

    /// Counts entries that are to be appended.
    /// - Returns: the shards that are to be looked at.
    func add(_ entries: [EventLog.Entry]) -> [Int] {
        counts.withLock { counts in
            for entry in entries { counts[entry.shard] += entry.value.count }
            let due = counts.indices.filter { counts[$0] >= between }
            for shard in due { counts[shard] = 0 }
            return due
        }
    }
}

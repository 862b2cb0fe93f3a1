import GameData
import GameModel
import Logging
import Metrics
import Redis
import ServiceLifecycle
import Synchronization
import Telemetry

/// How the event streams are emptied.
public struct EventIngestConfiguration: Sendable, Equatable {
    /// How many events a transaction has at most, and one entry's worth more: an entry is never divided.
    public var batchMax = 5_000
    /// How long to let entries gather after a batch that was not full.
    public var linger = Duration.milliseconds(250)
    /// How long one read waits for entries; also how long a stop may have to wait for it.
    public var block = Duration.milliseconds(500)
    /// How long an entry may be unsettled before another consumer takes it over.
    public var claimIdle = Duration.seconds(5)
    /// How often to look for such entries.
    public var claimEvery = Duration.seconds(1)
    /// How long a consumer with nothing pending may be silent before its name is removed.
    public var retireIdle = Duration.seconds(600)
    public var retireEvery = Duration.seconds(60)
    /// How often the totals of what was stored are copied, and what Redis lost is counted.
    public var accountEvery = Duration.seconds(1)
    /// How often the totals of all days are copied, others' among them, and what the cap dropped is counted.
    public var copyAllEvery = Duration.seconds(60)
    /// How many days that have events are kept, today among them; their totals are kept for good.
    public var retentionDays = 30
    /// How often to look for days that are too old.
    public var retainEvery = Duration.seconds(60)
    /// How long to wait after a failure of Redis or the file, and after each more in a row twice as long.
    public var backoff = Duration.milliseconds(500)
    public var backoffMax = Duration.seconds(8)

    public init() {}
}

/// Moves events from the Redis streams to the days' files: one consumer per shard, side by side.
///
/// At least once from the stream, once in the table: a row is named by its entry and its place in it, so a batch that
/// was stored and not settled before a crash changes nothing when another process stores it again. While Redis or the
/// file is away, entries wait in the stream and nothing else stops.
public struct EventIngest: Service {
    private let redis: RedisClient
    private let events: EventsRepository
    private let configuration: EventIngestConfiguration
    private let consumer: String
    private let logger: Logger
    private let health = ShardHealth()
    private let now: @Sendable () -> Instant

    /// - Parameters:
    ///   - consumer: a name that no other process has.
    ///   - now: by which days become too old.
    public init(
        redis: RedisClient, events: EventsRepository, configuration: EventIngestConfiguration, consumer: String,
        readiness: Readiness? = nil, logger: Logger, now: @escaping @Sendable () -> Instant = { .now }
    ) {
        self.redis = redis
        self.events = events
        self.configuration = configuration
        self.consumer = consumer
        self.logger = logger
        self.now = now
        readiness?.register("event-streams") { [health] in health.state() }
    }

    public func run() async throws {
        await withDiscardingTaskGroup { group in
            for shard in 0..<GameDataKeys.shardCount {
                let ingest = ShardIngest(
                    group: EventGroup(redis: redis, shard: shard, consumer: consumer), events: events,
                    configuration: configuration, logger: logger, health: health, now: now)
                group.addTask { await ingest.run() }
            }
            group.addTask { await retain() }
        }
    }

    /// Removes days that are too old, until graceful shutdown or cancellation.
    private func retain() async {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    let today = EventDay(at: now())
                    let removed = try await events.removeOldestDay(keeping: configuration.retentionDays, today: today)
                    if !removed.isEmpty {
                        logger.notice(
                            "events of old days removed",
                            metadata: ["files": "\(removed.map(\.name).joined(separator: " "))"])
                    }
                } catch {
                    logger.warning("old events not removed", metadata: ["error": "\(error)"])
                }
                // Cancellation ends the wait, and then the loop.
                do { try await Task.sleep(for: configuration.retainEvery) } catch { return }
            }
        }
    }
}

/// Which shards were read, or known to be empty, at their last turn.
final class ShardHealth: Sendable {
    private let troubles = Mutex<[Int: String]>(
        Dictionary(uniqueKeysWithValues: (0..<GameDataKeys.shardCount).map { ($0, "not read yet") }))

    func note(shard: Int, trouble: String?) {
        troubles.withLock { $0[shard] = trouble }
    }

    func state() -> ReadinessState {
        let first = troubles.withLock { $0.min { $0.key < $1.key } }
        return first.map { .notReady("event shard \($0.key): \($0.value)") } ?? .ready
    }
}

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
    /// The most entries in one transaction.
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
    /// How long to wait after a failure of Redis or the file.
    public var backoff = Duration.milliseconds(500)

    public init() {}
}

/// Moves events from the Redis streams to `events.sqlite`: one consumer per shard, side by side.
///
/// At least once from the stream, once in the table: a row is named by its entry, so a batch that was stored and not
/// settled before a crash changes nothing when another process stores it again. While Redis or the file is away,
/// entries wait in the stream and nothing else stops.
public struct EventIngest: Service {
    private let redis: RedisClient
    private let events: EventsRepository
    private let configuration: EventIngestConfiguration
    private let consumer: String
    private let logger: Logger
    private let health = ShardHealth()

    /// - Parameter consumer: a name that no other process has.
    public init(
        redis: RedisClient, events: EventsRepository, configuration: EventIngestConfiguration, consumer: String,
        readiness: Readiness? = nil, logger: Logger
    ) {
        self.redis = redis
        self.events = events
        self.configuration = configuration
        self.consumer = consumer
        self.logger = logger
        readiness?.register("event-streams") { [health] in health.state() }
    }

    public func run() async throws {
        await withDiscardingTaskGroup { group in
            for shard in 0..<GameDataKeys.shardCount {
                let ingest = ShardIngest(
                    group: EventGroup(redis: redis, shard: shard, consumer: consumer), events: events,
                    configuration: configuration, logger: logger, health: health)
                group.addTask { await ingest.run() }
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

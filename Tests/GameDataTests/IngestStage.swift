import GameData
import IngestWorker
import Logging
import Redis
import TestSupport

/// A redis-server and an `events.sqlite` of the test's own.
struct IngestStage: Sendable {
    let redis: RedisClient
    let server: RedisServer
    let folder: String
    let repository: EventsRepository
    var log: EventLog { EventLog(redis: redis) }

    /// How many entries consumers hold, over all shards.
    func pel() async throws -> Int { try await StreamDepth.read(redis).map(\.pel).reduce(0, +) }

    /// How many entries are in the streams.
    func waiting() async throws -> Int { try await StreamDepth.read(redis).map(\.length).reduce(0, +) }

    /// What is noted as lost of each shard.
    func losses() async throws -> [EventLosses] {
        var losses: [EventLosses] = []
        for shard in 0..<GameDataKeys.shardCount { losses.append(try await repository.losses(of: shard)) }
        return losses
    }

    /// Runs an ingest worker beside the body, or one with each of the repositories.
    func ingesting(workers: [EventsRepository]? = nil, _ body: () async throws -> Void) async throws {
        var configuration = EventIngestConfiguration()
        configuration.linger = .milliseconds(20)
        configuration.block = .milliseconds(50)
        configuration.claimIdle = .milliseconds(100)
        configuration.claimEvery = .milliseconds(50)
        configuration.accountEvery = .milliseconds(50)
        if workers != nil { configuration.copyAllEvery = .milliseconds(100) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (worker, events) in (workers ?? [repository]).enumerated() {
                let ingest = EventIngest(
                    redis: redis, events: events, configuration: configuration, consumer: "worker-\(worker)",
                    logger: Logger(label: "test.ingest"))
                group.addTask { try await ingest.run() }
            }
            defer { group.cancelAll() }
            try await body()
        }
    }
}

/// Runs the body with a redis-server and files of its own.
func withStage(_ body: (IngestStage) async throws -> Void) async throws {
    try await withRedis { redis, server in
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let events = try EventsRepository.open(folder: folder.path, logger: Logger(label: "test.events"))
        let outcome: Result<Void, any Error>
        do {
            outcome = .success(
                try await body(IngestStage(redis: redis, server: server, folder: folder.path, repository: events)))
        } catch {
            outcome = .failure(error)
        }
        try events.close()
        try outcome.get()
    }
}

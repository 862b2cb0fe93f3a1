import Fleet
import GameData
import GameModel
import Jobs
import Matchmaking
import Redis

/// Reads what `muster depth` shows.
struct DepthReader: Sendable {
    /// By which there are queues, pools and fleets.
    let rules: MatchmakingRules

    /// Each part is consistent in itself; the parts are read one after another.
    func sample(_ redis: RedisClient) async throws -> DepthSample {
        var rows: [DepthRow] = []
        for queue in Queues.all(of: rules) {
            rows.append(Self.row(queue, try await JobQueue(name: queue, redis: redis).counts()))
        }
        let matchmaking = MatchmakingService(redis: redis, rules: rules)
        for pool in try await matchmaking.depth() {
            rows.append(
                DepthRow(
                    kind: .pool, name: pool.pool, waiting: pool.waiting.count,
                    leased: pool.proposed.count + pool.placing.count,
                    oldestMs: pool.waiting.count > 0 ? Int(pool.waiting.oldestMs) : nil, inTotal: pool.entered,
                    outTotal: pool.left))
        }
        for stream in try await StreamDepth.read(redis) {
            let added = try await Self.entriesAdded(stream.stream, redis)
            rows.append(
                DepthRow(
                    kind: .stream, name: Self.shortName(stream.stream), waiting: stream.length,
                    leased: stream.pel, inTotal: added, outTotal: added.map { $0 - stream.length }))
        }
        var fleets: [FleetRow] = []
        let fleet = FleetService(redis: redis)
        for region in matchmaking.rules.regions {
            let now = try await fleet.list(region)
            fleets.append(
                FleetRow(
                    region: region.rawValue, instances: now.instances.count, slots: now.slots, free: now.freeSlots,
                    matches: now.allocations, unjoined: now.unjoined, lost: now.lost))
        }
        let processes = try await ProcessRegistry.list(redis)
        return DepthSample(
            at: Instant.now.milliseconds, rows: rows, fleets: fleets,
            processes: Dictionary(processes.map { ($0.role, 1) }, uniquingKeysWith: +))
    }

    private static func row(_ queue: QueueName, _ counts: QueueCounts) -> DepthRow {
        DepthRow(
            kind: .queue, name: queue.rawValue, waiting: counts.waiting, leased: counts.leased, later: counts.later,
            dead: counts.dead, oldestMs: counts.oldestWaitingMs, inTotal: counts.enqueued,
            outTotal: counts.completed + counts.buried + counts.cancelled)
    }

    /// A key without the prefix that all of them have.
    private static func shortName(_ key: String) -> String {
        String(key.drop { $0 != ":" }.dropFirst())
    }

    /// How many entries the stream ever had; `nil` where there is no stream yet.
    private static func entriesAdded(_ stream: String, _ redis: RedisClient) async throws -> Int? {
        let command = RedisCommand("XINFO", "STREAM", RedisArgument(RedisKey(stream)), isSafeToRepeat: true)
        let fields: [RESPValue]
        do {
            fields = try await redis.send(command).array ?? []
        } catch {
            guard case .server = error else { throw error }
            return nil  // The stream does not exist.
        }
        guard let index = fields.firstIndex(where: { $0.string == "entries-added" }), index + 1 < fields.count else {
            return nil
        }
        return fields[index + 1].int
    }
}

import Fleet
import GameModel
import Redis
import Synchronization

/// A fleet of a benchmark: instances that are only heartbeats, each naming the matches that it was given, as real ones
/// do.
final class BenchedFleet: Sendable {
    static let region = Region("bench")
    static let pool = Pool(mode: Mode("duel"), region: region)
    /// As many as an instance of `muster up` has.
    static let slotsEach = 50

    let service: FleetService
    private let redis: RedisClient
    private let instances: [InstanceID]
    private let held = Mutex<[InstanceID: [MatchID]]>([:])

    /// - Parameter slots: in all.
    init(redis: RedisClient, slots: Int) {
        self.redis = redis
        service = FleetService(redis: redis)
        instances = (0..<(slots + Self.slotsEach - 1) / Self.slotsEach).map { _ in InstanceID(in: Self.region) }
    }

    /// Forgets everything, then registers all instances anew with their slots free; the server is the benchmark's own.
    func clear() async throws {
        _ = try await redis.send(RedisCommand("FLUSHALL"))
        held.withLock { $0 = [:] }
        for instance in instances { try await beat(instance) }
    }

    /// Runs the body while the instances say that they live, each once a second, spread over it.
    func beating(_ body: () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                var (next, due) = (0, ContinuousClock.now)
                let share = max(1, self.instances.count / 50)
                while !Task.isCancelled {
                    for _ in 0..<share {
                        try await self.beat(self.instances[next])
                        next = (next + 1) % self.instances.count
                    }
                    due += .seconds(1) * share / self.instances.count
                    do { try await Task.sleep(until: due, clock: .continuous) } catch { return }
                }
            }
            try await body()
            group.cancelAll()
        }
    }

    private func beat(_ instance: InstanceID) async throws {
        try await service.heartbeat(
            instance,
            InstanceHeartbeat(
                region: Self.region, host: "10.0.0.1", port: 7_000, slots: Self.slotsEach, build: "1",
                matches: held.withLock { $0[instance] ?? [] }))
    }

    /// Gives a new match a slot.
    func allocate() async throws {
        let match = MatchID(in: Self.pool, ULID())
        guard let allocation = try await service.allocate(match) else { throw BenchError("the slots ran out") }
        held.withLock { $0[allocation.instance, default: []].append(match) }
    }
}

import Foundation
import GameData
import GameModel
import Logging
import Matchmaking
import Records
import Redis
import ServiceLifecycle
import TestSupport
import Testing

@testable import AllocatorWorker
@testable import Fleet

@Suite("Keeper and drivers: instances end with their allocator or outlive it, as its settings say")
struct DriverKeeperTests {
    /// Runs one keeper after another on the same host, each with a driver of its own, until it has an instance.
    private func withKeepers(
        _ body: @Sendable @escaping (_ run: Run, _ host: DriverHost) async throws -> Void
    ) async throws {
        let host = try DriverHost()
        defer { host.remove() }
        let database = try RecordsDatabase.open(
            path: host.folder.file("data.sqlite"), durability: .full,
            schemas: [Outbox.schema, GameDataSchema.schema], logger: DriverHost.quiet)
        try await withRedis { redis, _ in
            let lost = LostMatches(
                fleet: FleetService(redis: redis), matches: MatchesRepository(database: database),
                matchmaking: MatchmakingService(redis: redis), logger: DriverHost.quiet)
            try await body(Run(redis: redis, lost: lost), host)
        }
        try database.close()
    }

    private struct Run: Sendable {
        let redis: RedisClient
        let lost: LostMatches

        /// Runs a keeper until the condition holds; stopped then, by its policy.
        func callAsFunction(
            _ driver: any InstanceDriver, stopsInstances: Bool = true,
            until condition: @Sendable @escaping () async -> Bool
        ) async throws {
            var policy = InstanceKeeper.Policy(
                instancesMin: 1, instancesMax: 1, freeSlotsMin: 0, slots: 5, stopGrace: .seconds(30))
            policy.stopsInstances = stopsInstances
            policy.interval = .milliseconds(20)
            let keeper = InstanceKeeper(
                region: eu, policy: policy, fleet: FleetService(redis: redis), driver: driver, lost: lost,
                logger: DriverHost.quiet)
            let group = ServiceGroup(
                configuration: .init(services: [.init(service: keeper)], logger: DriverHost.quiet))
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await group.run() }
                try await eventually("the keeper has what it wants") { await condition() }
                await group.triggerGracefulShutdown()
                try await tasks.waitForAll()
            }
        }
    }

    @Test("left running by one allocator, adopted by the next, which starts no second one, and ended with that")
    func rolling() async throws {
        try await withKeepers { run, host in
            let script = "trap 'exit 0' TERM; while :; do sleep 0.01; done"
            let (first, second) = (host.driver(script), host.driver(script))
            try await run(first, stopsInstances: false) { await first.running().count == 1 }
            let instance = try #require(await first.running().first, "it runs on")
            let pid = try #require(await first.processIdentifier(of: instance))
            // What the end of its process does.
            await first.release()

            try await run(second) { await second.running() == [instance] }
            #expect(await second.running().isEmpty, "stopped with its allocator")
            // It may be collected between the two looks.
            try await eventually("its process has ended") {
                kill(pid, 0) != 0 || host.text("/proc/\(pid)/stat").contains(") Z ")
            }
            #expect(host.notes.instances().isEmpty)
        }
    }

    @Test("what a cluster keeps is neither started nor stopped, only looked after")
    func cluster() async throws {
        try await withKeepers { run, _ in
            let fleet = FleetService(redis: run.redis)
            // Silence is judged by who asks.
            var patience = FleetConfiguration()
            patience.silentAfter = .seconds(3_600)
            let instance = try await fleet.registered(slots: 1)
            let match = MatchID.duel()
            let given = try await FleetService(redis: run.redis, configuration: patience).allocate(match)
            #expect(given?.instance == instance)
            let driver = AgonesDriver()
            // It is silent from now on: dead in time, and its match lost and settled.
            try await run(driver) {
                do { return try await fleet.list(eu).instances.isEmpty } catch { return false }
            }
            try await run(driver) {
                do { return try await fleet.list(eu).lost == 0 } catch { return false }
            }
            #expect(try await fleet.list(eu).allocations == 0)
            #expect(driver.running().isEmpty)
            #expect(throws: AgonesError.startsNone) {
                try driver.start(InstanceOrder(instance: instance, region: eu, slots: 1))
            }
        }
    }
}

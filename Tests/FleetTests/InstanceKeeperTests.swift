import Fleet
import Foundation
import GameData
import GameModel
import Logging
import Matchmaking
import Records
import Redis
import TestSupport
import Testing

@testable import AllocatorWorker

@Suite("Instance keeper: the fleet has room, and the dead leave nothing behind")
struct InstanceKeeperTests {
    private var policy: InstanceKeeper.Policy {
        .init(instancesMin: 1, instancesMax: 3, freeSlotsMin: 2, slots: 5, stopGrace: .seconds(2))
    }

    /// A keeper on real Redis and SQLite, whose instances are a program that sleeps.
    private func withKeeper(
        _ body:
            @Sendable @escaping (InstanceKeeper, FleetService, ProcessDriver, MatchesRepository) async throws -> Void
    ) async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        var logger = Logger(label: "test.keeper")
        logger.logLevel = .critical
        let database = try RecordsDatabase.open(
            path: folder.file("data.sqlite"), durability: .full,
            schemas: [Outbox.schema, GameDataSchema.schema], logger: logger)
        try await withRedis { [logger] redis, _ in
            let fleet = FleetService(redis: redis, configuration: .patient)
            var driving = ProcessDriverConfiguration(executable: "/bin/sleep")
            driving.arguments = ["60"]
            driving.logFolder = folder.path
            let driver = ProcessDriver(configuration: driving, logger: logger)
            let matches = MatchesRepository(database: database)
            let keeper = InstanceKeeper(
                region: eu, policy: policy, fleet: fleet, driver: driver,
                lost: LostMatches(
                    fleet: fleet, matches: matches, matchmaking: MatchmakingService(redis: redis), logger: logger),
                logger: logger)
            try await body(keeper, fleet, driver, matches)
            for instance in await driver.running() { await driver.kill(instance) }
            try await eventually("all ended") {
                _ = await driver.collectExits()
                return await driver.running().isEmpty
            }
        }
        try database.close()
    }

    private func placement(_ match: MatchID, on instance: InstanceID) -> MatchPlacement {
        MatchPlacement(
            matchId: match, mode: Mode("duel"), region: eu, instanceId: instance, patch: PatchVersion(1),
            roster: (0..<2).map { team in
                MatchSeat(
                    team: team, ticketId: TicketID("duel.eu.\(ULID())"), playerId: PlayerID(ULID().description),
                    character: "warden", rating: 1_500)
            })
    }

    @Test("it starts the first instance, and no second one while that one starts")
    func startsFirst() async throws {
        try await withKeeper { keeper, _, driver, _ in
            try await keeper.tick()
            #expect(await driver.running().count == 1)
            try await keeper.tick()
            #expect(await driver.running().count == 1)
        }
    }

    @Test("an instance of its own that ends is noticed at once: its matches are recorded as abandoned")
    func noticesExit() async throws {
        try await withKeeper { keeper, fleet, driver, matches in
            try await keeper.tick()
            let instance = try #require(await driver.running().first)
            try await fleet.heartbeat(instance, .of(5))
            let match = MatchID.duel()
            #expect(try await fleet.allocate(match)?.instance == instance)
            try await matches.place(placement(match, on: instance))
            await driver.kill(instance)
            try await eventually("the match is abandoned") {
                try await keeper.tick()
                return try await matches.match(match)?.state == .abandoned
            }
            #expect(try await fleet.list(eu).allocations == 0)
            #expect(try await fleet.list(eu).lost == 0)
        }
    }

    @Test("a match whose result is stored is not abandoned when its instance dies")
    func resultStands() async throws {
        try await withKeeper { keeper, fleet, _, matches in
            let instance = try await fleet.registered(slots: 5)
            let match = MatchID.duel()
            _ = try await fleet.allocate(match)
            let placement = placement(match, on: instance)
            try await matches.place(placement)
            _ = try await matches.recordResult(
                match,
                MatchResult(
                    winner: 0, durationMs: 10,
                    players: placement.roster.map {
                        .init(playerId: $0.playerId, team: $0.team, kills: 0, deaths: 0, damage: 0)
                    }))
            try await fleet.deregister(instance)
            try await keeper.tick()
            #expect(try await matches.match(match)?.state == .reported)
            #expect(try await fleet.list(eu).lost == 0)
        }
    }

    @Test("a match that Redis forgot before anyone joined is found at the second sweep; a running one never")
    func forgotten() async throws {
        try await withKeeper { _, fleet, _, matches in
            let instance = try await fleet.registered(slots: 5)
            let (running, forgotten) = (MatchID.duel(), MatchID.duel())
            for match in [running, forgotten] { try await matches.place(placement(match, on: instance)) }
            var sweeps = ForgottenMatches(fleet: fleet, matches: matches)
            #expect(try await sweeps.sweep(eu, present: [instance]).isEmpty)
            try await fleet.heartbeat(instance, .of(5, [running]))
            #expect(try await sweeps.sweep(eu, present: [instance]) == [forgotten])
        }
    }
}

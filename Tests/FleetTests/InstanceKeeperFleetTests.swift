import Fleet
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

/// Notes what it is told; its instances are whatever the test says of them.
private actor NotedDriver: InstanceDriver {
    private(set) var orders: [InstanceOrder] = []
    private(set) var stopped: [InstanceID] = []
    private(set) var killed: [InstanceID] = []
    private var living: [InstanceID] = []
    private var refuses = false

    nonisolated var startsInstances: Bool { true }

    func adopt(_ region: Region) -> [InstanceID] { [] }
    func start(_ order: InstanceOrder) throws {
        if refuses { throw Refused() }
        orders.append(order)
        living.append(order.instance)
    }

    func stop(_ instance: InstanceID) { stopped.append(instance) }
    func kill(_ instance: InstanceID) { killed.append(instance) }
    func running() -> [InstanceID] { living }
    func collectExits() -> [InstanceExit] { [] }

    struct Refused: Error {}
    func refuse() { refuses = true }
    func endAll() { living = [] }
}

@Suite("Instance keeper: updates, recycling, scaling down, and matches that nothing else ends")
struct InstanceKeeperFleetTests {
    /// A keeper on real Redis and SQLite with a driver that starts nothing.
    private struct Desk {
        let redis: RedisClient
        let fleet: FleetService
        let driver: NotedDriver
        let matches: MatchesRepository
        let lost: LostMatches
        let keeper: InstanceKeeper

        /// Every instance that was started says that it is well, with as many matches played.
        func beat(_ build: String, played: Int = 0) async throws {
            for order in await driver.orders where order.build == nil && build == "1" || order.build == build {
                try await fleet.heartbeat(
                    order.instance,
                    InstanceHeartbeat(
                        region: eu, host: "h", port: 1, slots: order.slots, build: build, matches: [],
                        matchesPlayed: played))
            }
        }

        func states() async throws -> [InstanceState] { try await fleet.list(eu).instances.map(\.state) }
    }

    private func withDesk(
        _ change: (inout InstanceKeeper.Policy) -> Void = { _ in },
        hears: @escaping @Sendable () async -> Bool = { true },
        configuration: FleetConfiguration = .patient, _ body: @Sendable @escaping (Desk) async throws -> Void
    ) async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        var policy = InstanceKeeper.Policy(
            instancesMin: 1, instancesMax: 3, freeSlotsMin: 2, slots: 5, stopGrace: .seconds(60))
        // Every look may change something.
        policy.startTime = .milliseconds(1)
        policy.calmTime = .zero
        change(&policy)
        var logger = Logger(label: "test.keeper")
        logger.logLevel = .critical
        let database = try RecordsDatabase.open(
            path: folder.file("data.sqlite"), durability: .full,
            schemas: [Outbox.schema, GameDataSchema.schema], logger: logger)
        try await withRedis { [logger, policy] redis, _ in
            let fleet = FleetService(redis: redis, configuration: configuration)
            let matches = MatchesRepository(database: database)
            let lost = LostMatches(
                fleet: fleet, matches: matches, matchmaking: MatchmakingService(redis: redis), logger: logger)
            let driver = NotedDriver()
            let keeper = InstanceKeeper(
                region: eu, policy: policy, fleet: fleet, driver: driver, lost: lost, logger: logger, hears: hears)
            try await body(
                Desk(redis: redis, fleet: fleet, driver: driver, matches: matches, lost: lost, keeper: keeper))
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

    @Test("far below the buffer several instances are started at one look")
    func several() async throws {
        try await withDesk({ $0.freeSlotsMin = 12 }) { desk in
            try await desk.keeper.tick()
            #expect(await desk.driver.orders.count == 3)
            try await desk.keeper.tick()
            #expect(await desk.driver.orders.count == 3)
        }
    }

    @Test("an update to a new build: it comes up, the old one drains, is told to end, and is ended when it does not")
    func update() async throws {
        try await withDesk({ $0.endTime = .zero }) { desk in
            try await desk.keeper.tick()
            try await desk.beat("1")
            try await desk.fleet.setTarget("2", of: eu)
            try await eventually("one of the new build is started") {
                try await desk.keeper.tick()
                return await desk.driver.orders.map(\.build) == [nil, "2"]
            }
            try await desk.beat("1")
            #expect(try await desk.states() == [.ready], "the old one serves until the new one is there")
            let old = try #require(await desk.driver.orders.first).instance
            try await eventually("the old one is told to end") {
                try await desk.beat("1")
                try await desk.beat("2")
                try await desk.keeper.tick()
                return try await desk.fleet.list(eu).instances.first { $0.instance == old }?.state == .shutdown
            }
            try await eventually("and is ended") {
                try await desk.keeper.tick()
                return await desk.driver.stopped.contains(old)
            }
            for _ in 0..<5 { try await desk.keeper.tick() }
            #expect(await desk.driver.stopped == [old], "told once: a second time would end it at once")
            #expect(await desk.driver.killed.isEmpty)
            #expect(await desk.driver.orders.count == 2)
        }
    }

    @Test("an instance that has played its matches is replaced by a new one")
    func recycles() async throws {
        try await withDesk({ $0.matchesMax = 10 }) { desk in
            try await desk.keeper.tick()
            try await desk.beat("1", played: 10)
            try await eventually("another is started") {
                try await desk.keeper.tick()
                return await desk.driver.orders.count == 2
            }
            let orders = await desk.driver.orders
            try await desk.fleet.heartbeat(orders[1].instance, .of(5))
            try await eventually("the worn one drains") {
                try await desk.keeper.tick()
                let worn = try await desk.fleet.list(eu).instances.first { $0.instance == orders[0].instance }
                return worn?.order?.reason == "worn"
            }
        }
    }

    @Test("with too much room for long enough the emptiest drains, and its matches are not touched")
    func scalesDown() async throws {
        try await withDesk { desk in
            let busy = try await desk.fleet.registered(slots: 5)
            let matches = [MatchID.duel(), .duel()]
            for match in matches { _ = try await desk.fleet.allocate(match) }
            let idle = try await desk.fleet.registered(slots: 5)
            try await eventually("one drains") {
                try await desk.fleet.heartbeat(busy, .of(5, matches))
                try await desk.fleet.heartbeat(idle, .of(5))
                try await desk.keeper.tick()
                return try await desk.fleet.list(eu).instances.contains { $0.order != nil }
            }
            for _ in 0..<3 { try await desk.keeper.tick() }
            let ordered = try await desk.fleet.list(eu).instances.filter { $0.order != nil }
            #expect(ordered.map(\.instance) == [idle] && ordered.first?.order?.reason == "scale-down")
            #expect(try await desk.fleet.list(eu).allocations == 2)
        }
    }

    @Test("one that says it is unhealthy drains; while no API answers, nobody who is silent is dead")
    func unhealthyAndDeaf() async throws {
        var configuration = FleetConfiguration()
        configuration.silentAfter = .seconds(1)
        configuration.deadAfter = .seconds(2)
        try await withDesk(hears: { false }, configuration: configuration) { desk in
            let instance = try await desk.fleet.registered(slots: 5)
            try await eventually("it drains") {
                var beat = InstanceHeartbeat.of(5)
                beat.state = .unhealthy
                try await desk.fleet.heartbeat(instance, beat)
                try await desk.keeper.tick()
                return try await desk.fleet.list(eu).instances.first?.order?.reason == "unhealthy"
            }
            try await eventually("it has been silent for long") {
                try await desk.keeper.tick()
                return try #require(try await desk.fleet.list(eu).instances.first).silentMs > 2_500
            }
        }
    }

    @Test(
        "one that is never heard is ended and another started in its stead; what does not end counts against the most")
    func neverHeard() async throws {
        try await withDesk({ $0.unheardAfter = .zero }) { desk in
            try await desk.keeper.tick()
            let first = try #require(await desk.driver.orders.first).instance
            try await eventually("it is ended, and others started") {
                try await desk.keeper.tick()
                let started = await desk.driver.orders.count
                return await desk.driver.killed.contains(first) && started == 3
            }
            for _ in 0..<5 { try await desk.keeper.tick() }
            #expect(await desk.driver.orders.count == 3)
        }
    }

    @Test("while no API answers nobody is missed")
    func deafMissesNobody() async throws {
        try await withDesk({ $0.unheardAfter = .zero }, hears: { false }) { desk in
            for _ in 0..<10 { try await desk.keeper.tick() }
            #expect(await desk.driver.orders.count == 1)
            #expect(await desk.driver.killed.isEmpty)
        }
    }

    @Test("one that holds matches and hangs is not ended on its silence alone; without matches it is")
    func hangs() async throws {
        var configuration = FleetConfiguration.patient
        // No heartbeat is new enough to prove that they can be heard.
        configuration.heartbeatInterval = .seconds(-1)
        try await withDesk({ $0.hungAfter = .zero }, configuration: configuration) { desk in
            try await desk.keeper.tick()
            let instance = try #require(await desk.driver.orders.first).instance
            let match = MatchID.duel()
            try await desk.fleet.heartbeat(instance, .of(5, [match]))
            try await eventually("it has been silent") {
                try await desk.keeper.tick()
                return try #require(try await desk.fleet.list(eu).instances.first).silentMs > 50
            }
            #expect(await desk.driver.killed.isEmpty)
            try await desk.fleet.release(match)
            try await eventually("it is ended") {
                try await desk.keeper.tick()
                return await desk.driver.killed.contains(instance)
            }
        }
    }

    @Test("instances that can't be started hold up no match that is to be ended")
    func startFails() async throws {
        try await withDesk { desk in
            let instance = try await desk.fleet.registered(slots: 5)
            let match = MatchID.duel()
            _ = try await desk.fleet.allocate(match)
            try await desk.matches.place(placement(match, on: instance))
            try await desk.fleet.deregister(instance)
            await desk.driver.refuse()
            await #expect(throws: NotedDriver.Refused.self) { try await desk.keeper.tick() }
            #expect(try await desk.matches.match(match)?.state == .abandoned)
            #expect(try await desk.fleet.list(eu).lost == 0)
        }
    }

    @Test("a lost match that was placed on another instance meanwhile goes on there")
    func placedAgain() async throws {
        try await withDesk { desk in
            let first = try await desk.fleet.registered(slots: 5)
            let (match, other) = (MatchID.duel(), MatchID.duel())
            for match in [match, other] { _ = try await desk.fleet.allocate(match) }
            try await desk.fleet.deregister(first)
            let lost = try await desk.fleet.reap(eu).lost
            #expect(Set(lost.map(\.match)) == [match, other] && lost.allSatisfy { $0.instance == first })

            let second = try await desk.fleet.registered(slots: 5)
            #expect(try await desk.fleet.allocate(match)?.instance == second)
            // The other was recorded elsewhere too, and Redis forgot its slot.
            for match in [match, other] { try await desk.matches.place(placement(match, on: second)) }
            try await desk.lost.settle(lost, in: eu)
            for match in [match, other] { #expect(try await desk.matches.match(match)?.state == .placed) }
            #expect(try await desk.fleet.list(eu).allocations == 1)
            #expect(try await desk.fleet.list(eu).lost == 0)
        }
    }

    @Test("told to stop, an allocator asks the instances of all its regions at once, and has the time to wait for them")
    func stopsAllRegions() async throws {
        try await withDesk { desk in
            let drivers = [NotedDriver(), NotedDriver()]
            let keepers = zip(["eu", "us"], drivers).map { region, driver in
                InstanceKeeper(
                    region: Region(region),
                    policy: .init(
                        instancesMin: 1, instancesMax: 1, freeSlotsMin: 0, slots: 5, stopGrace: .seconds(600)),
                    fleet: desk.fleet, driver: driver, lost: desk.lost, logger: Logger(label: "test.keeper"))
            }
            for keeper in keepers { try await keeper.tick() }
            let group = ServiceGroup(
                configuration: .init(
                    services: [.init(service: InstanceKeepers(keepers: keepers))],
                    logger: Logger(label: "test.keeper")))
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await group.run() }
                await group.triggerGracefulShutdown()
                try await eventually("both are asked, and neither has ended") {
                    for driver in drivers where await driver.stopped.isEmpty { return false }
                    return true
                }
                for driver in drivers { await driver.endAll() }
                try await tasks.waitForAll()
            }
            for driver in drivers { #expect(await driver.killed.isEmpty) }
        }
        var configuration = AllocatorConfiguration()
        configuration.stopGrace = .seconds(3_600)
        #expect(configuration.gracefulShutdownMax > .seconds(3_610))
    }

    @Test("a match that can't be ended holds up no other, and is ended once it can be")
    func oneOfMany() async throws {
        try await withDesk { desk in
            let instance = try await desk.fleet.registered(slots: 5)
            let (bad, good) = (MatchID.duel(), MatchID.duel())
            for match in [bad, good] {
                _ = try await desk.fleet.allocate(match)
                try await desk.matches.place(placement(match, on: instance))
            }
            // A key of another type than it should be: every look at this match fails.
            let key = RedisArgument("muster:mm:{duel:eu}:match:\(bad)")
            _ = try await desk.redis.send(RedisCommand("SET", key, "x"))
            try await desk.fleet.deregister(instance)
            try await desk.keeper.tick()
            #expect(try await desk.matches.match(good)?.state == .abandoned)
            #expect(try await desk.fleet.reap(eu).lost.map(\.match) == [bad])
            _ = try await desk.redis.send(RedisCommand("DEL", key))
            try await desk.keeper.tick()
            #expect(try await desk.fleet.reap(eu).lost.isEmpty)
        }
    }

    @Test("a match whose instance lives and never ends it is found when it has gone on for longer than one can")
    func overdue() async throws {
        try await withDesk { desk in
            let instance = try await desk.fleet.registered(slots: 5)
            let (joined, unjoined) = (MatchID.duel(), MatchID.duel())
            for match in [joined, unjoined] { _ = try await desk.fleet.allocate(match) }
            try await desk.fleet.heartbeat(instance, .of(5, [joined]))
            let sweep = MatchSweep(fleet: desk.fleet, lost: desk.lost)
            let now = try await desk.fleet.list(eu).at
            let longest = MatchmakingRules.standard.modes[Mode("duel")]?.matchSecondsMax ?? 3_600
            let bound = Int64((longest + 180) * 1_000)
            #expect(try await sweep.overdue(eu, at: now).isEmpty)
            let late = Instant(milliseconds: now.milliseconds + bound + 1)
            #expect(try await sweep.overdue(eu, at: late) == [joined], "who is not joined has an end of its own")
        }
    }

    @Test("a match that no one joins gives its slot back and is abandoned: who comes later finds it over")
    func notJoined() async throws {
        var configuration = FleetConfiguration.patient
        configuration.allocationLifetime = .milliseconds(1)
        try await withDesk(configuration: configuration) { desk in
            let instance = try await desk.fleet.registered(slots: 5)
            let match = MatchID.duel()
            _ = try await desk.fleet.allocate(match)
            let placement = placement(match, on: instance)
            try await desk.matches.place(placement)
            try await eventually("it is abandoned") {
                try await desk.keeper.tick()
                return try await desk.matches.match(match)?.state == .abandoned
            }
            #expect(try await desk.matches.match(match)?.reason == "not-joined")
            try await desk.fleet.heartbeat(instance, .of(5))
            #expect(try await desk.fleet.list(eu).allocations == 0)
            let result = MatchResult(
                winner: 0, durationMs: 10,
                players: placement.roster.map {
                    .init(playerId: $0.playerId, team: $0.team, kills: 0, deaths: 0, damage: 0)
                })
            #expect(try await desk.matches.recordResult(match, result) == .conflict)
        }
    }
}

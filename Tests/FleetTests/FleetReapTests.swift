import Fleet
import GameModel
import Redis
import TestSupport
import Testing

@Suite("Fleet: silence and death")
struct FleetReapTests {
    /// Short times, so that silence comes quickly.
    private var brisk: FleetConfiguration {
        var configuration = FleetConfiguration()
        configuration.silentAfter = .milliseconds(60)
        configuration.deadAfter = .milliseconds(120)
        configuration.allocationLifetime = .seconds(60)
        return configuration
    }

    @Test("a silent instance gets no more matches; silent for long it is dead and its matches are lost until settled")
    func silentInstanceDies() async throws {
        try await withRedis { redis, _ in
            let fleet = FleetService(redis: redis, configuration: brisk)
            let instance = try await fleet.registered(slots: 500)
            let match = MatchID.duel()
            _ = try await fleet.allocate(match)
            try await fleet.heartbeat(instance, .of(500, [match]))

            try await eventually("the instance falls silent") { try await fleet.allocate(.duel()) == nil }
            var dead: [InstanceID] = []
            try await eventually("it is declared dead") {
                dead += try await fleet.reap(eu).dead
                return !dead.isEmpty
            }
            #expect(dead == [instance])
            let lost = [LostMatch(match: match, reason: .instanceDied, instance: instance)]
            #expect(Set(try await fleet.reap(eu).lost).isSuperset(of: lost))
            #expect(try await fleet.list(eu).instances.isEmpty)
            try await fleet.settleLost(try await fleet.reap(eu).lost.map(\.match), in: eu)
            #expect(try await fleet.reap(eu).lost.isEmpty)
        }
    }

    @Test("an instance whose process is seen running is not declared dead, however silent")
    func sparedInstance() async throws {
        try await withRedis { redis, _ in
            let fleet = FleetService(redis: redis, configuration: brisk)
            let seen = try await fleet.registered(slots: 5)
            let unseen = try await fleet.registered(slots: 5)
            try await eventually("the other is dead") {
                try await fleet.reap(eu, sparing: [seen]).dead == [unseen]
            }
            #expect(try await fleet.list(eu).instances.map(\.instance) == [seen])
            #expect(try await fleet.reap(eu).dead.isEmpty, "nor by another allocator, which does not see it")
        }
    }

    @Test("after an outage of every reaper silence counts anew: nobody is dead at the first look")
    func outageIsNotDeath() async throws {
        try await withRedis { redis, _ in
            var configuration = brisk
            configuration.watchGap = .milliseconds(50)
            let fleet = FleetService(redis: redis, configuration: configuration)
            let instance = try await fleet.registered(slots: 5)
            _ = try await fleet.reap(eu)
            // Longer than the gap and than the silence that kills.
            try await eventually("the instance has been silent for long") {
                try await fleet.list(eu).instances.allSatisfy { $0.silentMs > 200 }
            }
            #expect(try await fleet.reap(eu).dead.isEmpty)
            try await fleet.heartbeat(instance, .of(5))
            #expect(try await fleet.reap(eu).dead.isEmpty)
        }
    }

    @Test("a match that no one joins in time loses its slot and is named as lost")
    func unjoinedExpires() async throws {
        try await withRedis { redis, _ in
            var configuration = FleetConfiguration.patient
            configuration.allocationLifetime = .milliseconds(50)
            let fleet = FleetService(redis: redis, configuration: configuration)
            let instance = try await fleet.registered(slots: 1)
            let match = MatchID.duel()
            _ = try await fleet.allocate(match)
            try await eventually("it is lost") {
                try await fleet.reap(eu).lost == [LostMatch(match: match, reason: .notJoined, instance: instance)]
            }
            try await fleet.heartbeat(instance, .of(1))
            #expect(try await fleet.list(eu).freeSlots == 1)
        }
    }

    @Test("while no heartbeat can be heard nobody is said not to have joined; once it can, who did not is lost")
    func unjoinedWhileDeaf() async throws {
        try await withRedis { redis, _ in
            var configuration = FleetConfiguration.patient
            configuration.allocationLifetime = .milliseconds(1)
            configuration.watchGap = .seconds(2)
            let fleet = FleetService(redis: redis, configuration: configuration)
            let instance = try await fleet.registered(slots: 1)
            let match = MatchID.duel()
            let given = try #require(try await fleet.allocate(match)).at
            try await eventually("its time is over") {
                #expect(try await fleet.reap(eu, isDeaf: true).lost.isEmpty)
                let held = try await fleet.held(by: instance)
                return (held.first?.joinBefore ?? 0) > given.milliseconds + 1_000
            }
            try await eventually("it is lost") { try await fleet.reap(eu).lost.map(\.match) == [match] }
        }
    }

    @Test("one that was told to end is not taken for unhealthy when it falls silent")
    func silentShutdown() async throws {
        try await withRedis { redis, _ in
            let fleet = FleetService(redis: redis, configuration: brisk)
            let instance = try await fleet.registered(slots: 0)
            try await eventually("it is silent") {
                let one = try #require(try await fleet.list(eu).instances.first)
                #expect(one.instance == instance && one.state == .shutdown)
                return one.silentMs > 80
            }
        }
    }

    @Test("a deregistered instance's matches are lost")
    func deregister() async throws {
        try await withRedis { redis, _ in
            let fleet = FleetService(redis: redis, configuration: .patient)
            let instance = try await fleet.registered(slots: 5)
            let matches = [MatchID.duel(), .duel()]
            for match in matches { _ = try await fleet.allocate(match) }
            #expect(Set(try await fleet.deregister(instance)) == Set(matches))
            #expect(Set(try await fleet.reap(eu).lost.map(\.match)) == Set(matches))
            #expect(try await fleet.allocate(.duel()) == nil)
        }
    }

    @Test("a match taken for lost that its instance still runs is not lost any more")
    func comesBack() async throws {
        try await withRedis { redis, _ in
            let fleet = FleetService(redis: redis, configuration: .patient)
            let instance = try await fleet.registered(slots: 5)
            let match = MatchID.duel()
            _ = try await fleet.allocate(match)
            try await fleet.deregister(instance)
            try await fleet.heartbeat(instance, .of(5, [match]))
            #expect(try await fleet.reap(eu).lost.isEmpty)
            #expect(try await fleet.allocate(match)?.instance == instance)
        }
    }

    @Test("an unjoined match whose instance fell silent moves to a living one")
    func movesFromSilentInstance() async throws {
        try await withRedis { redis, _ in
            let fleet = FleetService(redis: redis, configuration: brisk)
            let first = try await fleet.registered(slots: 1)
            let match = MatchID.duel()
            try await eventually("the first has it") {
                try await fleet.heartbeat(first, .of(1))
                return try await fleet.allocate(match)?.instance == first
            }
            try await eventually("the first is silent") {
                try await fleet.list(eu).instances.allSatisfy { $0.freeSlots == nil }
            }
            let second = try await fleet.registered(slots: 1)
            try await eventually("the second has it") {
                try await fleet.heartbeat(second, .of(1))
                return try await fleet.allocate(match)?.instance == second
            }
        }
    }

    @Test("one caller per region may start an instance at a time")
    func claimStart() async throws {
        try await withRedis { redis, _ in
            let fleet = FleetService(redis: redis, configuration: .patient)
            let first = try await fleet.claimStart(eu, for: .seconds(30))
            #expect(first)
            #expect(try await fleet.claimStart(eu, for: .seconds(30)) == false)
            #expect(try await fleet.claimStart(Region("us"), for: .seconds(30)) == true)
        }
    }
}

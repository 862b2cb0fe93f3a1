import Fleet
import GameModel
import Redis
import TestSupport
import Testing

@Suite("Fleet: orders, builds and rules of allocation")
struct FleetOrdersTests {
    private func beat(
        _ slots: Int = 5, _ matches: [MatchID] = [], build: String = "1", state: InstanceState = .ready
    ) -> InstanceHeartbeat {
        InstanceHeartbeat(
            region: eu, host: "10.0.0.1", port: 7_000, slots: slots, build: build, matches: matches, state: state)
    }

    @Test("an instance's life: starting, ready, allocated, draining with the order to drain, shutdown with that to end")
    func life() async throws {
        try await withRedis { redis, _ in
            let fleet = FleetService(redis: redis, configuration: .patient)
            let instance = InstanceID(in: eu)
            let match = MatchID.duel()
            #expect(try await fleet.heartbeat(instance, beat(state: .starting)).state == .starting)
            #expect(try await fleet.allocate(match) == nil, "one that starts gets no matches")
            #expect(try await fleet.heartbeat(instance, beat()).state == .ready)
            #expect(try await fleet.allocate(match)?.instance == instance)
            #expect(try await fleet.list(eu).instances.map(\.state) == [.allocated])
            var answer = try await fleet.heartbeat(instance, beat(5, [match]))
            #expect(answer.state == .allocated && answer.order == nil)

            #expect(try await fleet.drain(instance, reason: "old-build") == .stands(.draining))
            #expect(try await fleet.allocate(.duel()) == nil)
            #expect(try await fleet.allocate(match)?.instance == instance, "what runs there stays")
            answer = try await fleet.heartbeat(instance, beat(5, [match]))
            #expect(answer.state == .draining && answer.order == .drain)
            #expect(try await fleet.list(eu).instances.first?.why == "drained: old-build")
            answer = try await fleet.heartbeat(instance, beat())
            #expect(answer.state == .shutdown && answer.order == .shutdown)
            #expect(try await fleet.heartbeat(instance, beat()).state == .shutdown, "there is no way back")
        }
    }

    @Test("a drained instance waits for players that are on their way to it")
    func drainsAfterTheUnjoined() async throws {
        try await withRedis { redis, _ in
            let fleet = FleetService(redis: redis, configuration: .patient)
            let instance = try await fleet.registered(slots: 5)
            let match = MatchID.duel()
            _ = try await fleet.allocate(match)
            try await fleet.drain(instance, reason: "by operator")
            #expect(try await fleet.heartbeat(instance, beat()).order == .drain)
            #expect(try await fleet.heartbeat(instance, beat(5, [match])).order == .drain)
            #expect(try await fleet.heartbeat(instance, beat()).order == .shutdown)
        }
    }

    @Test("a cordoned instance gets no matches and is not told; uncordoned, it gets them again. A drain stands")
    func cordon() async throws {
        try await withRedis { redis, _ in
            let fleet = FleetService(redis: redis, configuration: .patient)
            let instance = try await fleet.registered(slots: 5)
            try await fleet.cordon(instance, reason: "look at it")
            #expect(try await fleet.allocate(.duel()) == nil)
            let answer = try await fleet.heartbeat(instance, beat())
            #expect(answer.order == nil && answer.state == .ready)
            #expect(try await fleet.allocate(.duel()) == nil)
            #expect(try await fleet.uncordon(instance) == .stands(.ready))
            try await fleet.heartbeat(instance, beat())
            #expect(try await fleet.allocate(.duel())?.instance == instance)

            try await fleet.drain(instance, reason: "by operator")
            #expect(try await fleet.uncordon(instance) == .draining)
            #expect(try await fleet.cordon(instance, reason: "late") == .draining)
            #expect(try await fleet.drain(InstanceID(in: eu), reason: "nobody") == .unknownInstance)
        }
    }

    @Test("one that says it is unhealthy gets no matches until it says otherwise")
    func unhealthy() async throws {
        try await withRedis { redis, _ in
            let fleet = FleetService(redis: redis, configuration: .patient)
            let instance = try await fleet.registered(slots: 5)
            try await fleet.heartbeat(instance, beat(state: .unhealthy))
            #expect(try await fleet.allocate(.duel()) == nil)
            #expect(try await fleet.list(eu).instances.map(\.state) == [.unhealthy])
            try await fleet.heartbeat(instance, beat())
            #expect(try await fleet.allocate(.duel())?.instance == instance)
        }
    }

    @Test("of several builds the newest with room gets the match; the target comes before it, and a wish before all")
    func builds() async throws {
        try await withRedis { redis, _ in
            let fleet = FleetService(redis: redis, configuration: .patient)
            let (old, new) = (InstanceID(in: eu), InstanceID(in: eu))
            try await fleet.heartbeat(old, beat(2, build: "1"))
            try await fleet.heartbeat(new, beat(2, build: "2"))
            #expect(try await fleet.allocate(.duel())?.instance == new)
            #expect(try await fleet.allocate(.duel(), in: eu, build: "1")?.instance == old)
            #expect(try await fleet.allocate(.duel(), in: eu, build: "3") == nil)
            try await fleet.setTarget("1", of: eu)
            #expect(try await fleet.allocate(.duel())?.instance == old)
            #expect(try await fleet.allocate(.duel())?.instance == new, "the target is full")
            let snapshot = try await fleet.list(eu)
            #expect(snapshot.target == "1" && snapshot.builds == ["2", "1"])
            try await fleet.setTarget(nil, of: eu)
            #expect(try await fleet.list(eu).target == nil)
            await #expect(throws: FleetError.self) { try await fleet.setTarget("a b", of: eu) }
        }
    }

    @Test("by rule of the region, matches are spread over the instances instead of packed")
    func spreads() async throws {
        try await withRedis { redis, _ in
            var configuration = FleetConfiguration.patient
            configuration.strategies[eu] = .spread
            let fleet = FleetService(redis: redis, configuration: configuration)
            for _ in 0..<3 { _ = try await fleet.registered(slots: 4) }
            for _ in 0..<6 { _ = try await fleet.allocate(.duel()) }
            #expect(try await fleet.list(eu).instances.map(\.held) == [2, 2, 2])
        }
    }

    @Test("many matches in one call: each its slot, those beyond the slots none, and the same again when asked again")
    func manyAtOnce() async throws {
        try await withRedis { redis, _ in
            let fleet = FleetService(redis: redis, configuration: .patient)
            for _ in 0..<3 { _ = try await fleet.registered(slots: 50) }
            let matches = (0..<170).map { _ in MatchID.duel() }
            let first = try await fleet.allocate(matches, in: eu)
            #expect(first.count == 150)
            let again = try await fleet.allocate(matches, in: eu)
            #expect(again.mapValues(\.instance) == first.mapValues(\.instance))
            #expect(again.values.allSatisfy { !$0.isNew })
            #expect(try await fleet.list(eu).allocations == 150)
            #expect(try await fleet.allocate([], in: eu).isEmpty)
        }
    }

    @Test("while no API answers nobody is dead, however silent; silence then counts from anew")
    func deaf() async throws {
        try await withRedis { redis, _ in
            var configuration = FleetConfiguration()
            configuration.silentAfter = .milliseconds(20)
            configuration.deadAfter = .milliseconds(40)
            let fleet = FleetService(redis: redis, configuration: configuration)
            let instance = try await fleet.registered(slots: 5)
            try await eventually("silent for long, by the list") {
                let dead = try await fleet.reap(eu, isDeaf: true).dead
                #expect(dead.isEmpty)
                return try await fleet.list(eu).instances.contains { $0.silentMs > 200 }
            }
            try await eventually("dead once the API answers") { try await fleet.reap(eu).dead == [instance] }
        }
    }

    @Test("the audit names a match without an instance, one on two instances, and what is held but not allocated")
    func audit() async throws {
        try await withRedis { redis, _ in
            let fleet = FleetService(redis: redis, configuration: .patient)
            let instance = try await fleet.registered(slots: 5)
            let match = MatchID.duel()
            _ = try await fleet.allocate(match)
            try await fleet.heartbeat(instance, beat(5, [match]))
            let audit = FleetAudit(fleet: fleet, regions: [eu])
            #expect(try await audit.findings().filter { !$0.holds } == [])
            #expect(try await audit.findings().map(\.checked) == [1, 1, 2, 1])
            for (key, arguments) in [
                ("held", ["ZADD", "0", "eu.other/\(match)"]), ("instances", ["HDEL", "\(instance)"]),
            ] {
                let command = [arguments[0], "muster:fleet:{eu}:\(key)"] + arguments.dropFirst()
                _ = try await redis.send(RedisCommand(command.map { RedisArgument($0) }))
            }
            let findings = try await audit.findings()
            #expect(findings.map(\.holds) == [false, false, true, false])
            #expect(findings[0].examples == [match.rawValue] && findings[1].examples == [match.rawValue])
        }
    }
}

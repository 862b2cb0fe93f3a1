import Fleet
import GameModel
import Redis
import TestSupport
import Testing

@Suite("Fleet: slots")
struct FleetServiceTests {
    @Test("a match that asks again gets the same slot")
    func allocateIsIdempotent() async throws {
        try await withRedis { redis, _ in
            let fleet = FleetService(redis: redis, configuration: .patient)
            let instance = try await fleet.registered(slots: 5)
            let match = MatchID.duel()
            let first = try #require(try await fleet.allocate(match))
            let second = try #require(try await fleet.allocate(match))
            #expect(first.isNew && !second.isNew)
            #expect(first.instance == instance && second.instance == instance)
            #expect(first.host == "10.0.0.1" && first.port == 7_000 && first.at == second.at)
            #expect(try await fleet.list(eu).freeSlots == 4)
        }
    }

    @Test("many allocations at once never exceed the slots, and use them all")
    func neverOverCapacity() async throws {
        try await withRedis { redis, _ in
            let fleet = FleetService(redis: redis, configuration: .patient)
            _ = try await fleet.registered(slots: 20)
            _ = try await fleet.registered(slots: 30)
            let given = try await withThrowingTaskGroup(of: Allocation?.self) { group in
                for _ in 0..<200 { group.addTask { try await fleet.allocate(.duel()) } }
                return try await group.reduce(into: [Allocation]()) { all, one in if let one { all.append(one) } }
            }
            #expect(given.count == 50)
            let byInstance = Dictionary(grouping: given, by: \.instance).mapValues(\.count)
            #expect(byInstance.values.sorted() == [20, 30])
            #expect(try await fleet.list(eu).freeSlots == 0)
        }
    }

    @Test("matches are packed onto the fullest instance that has room")
    func packs() async throws {
        try await withRedis { redis, _ in
            let fleet = FleetService(redis: redis, configuration: .patient)
            let small = try await fleet.registered(slots: 3)
            let large = try await fleet.registered(slots: 10)
            var instances: [InstanceID?] = []
            for _ in 0..<4 { instances.append(try await fleet.allocate(.duel())?.instance) }
            #expect(instances == [small, small, small, large])
        }
    }

    @Test("no instance in the region: no slot")
    func noneFree() async throws {
        try await withRedis { redis, _ in
            let fleet = FleetService(redis: redis, configuration: .patient)
            _ = try await fleet.registered(slots: 5, region: Region("us"))
            #expect(try await fleet.allocate(.duel()) == nil)
        }
    }

    @Test("release gives the slot back once")
    func release() async throws {
        try await withRedis { redis, _ in
            let fleet = FleetService(redis: redis, configuration: .patient)
            _ = try await fleet.registered(slots: 2)
            let match = MatchID.duel()
            _ = try await fleet.allocate(match)
            #expect(try await fleet.release(match) == true)
            #expect(try await fleet.release(match) == false)
            let snapshot = try await fleet.list(eu)
            #expect(snapshot.freeSlots == 2 && snapshot.allocations == 0)
        }
    }

    @Test("a match that a heartbeat named and then names no longer has ended: its slot is free")
    func endedMatchIsFreed() async throws {
        try await withRedis { redis, _ in
            let fleet = FleetService(redis: redis, configuration: .patient)
            let instance = try await fleet.registered(slots: 2)
            let match = MatchID.duel()
            _ = try await fleet.allocate(match)
            try await fleet.heartbeat(instance, .of(2, [match]))
            #expect(try await fleet.list(eu).freeSlots == 1)
            #expect(try await fleet.list(eu).unjoined == 0)
            try await fleet.heartbeat(instance, .of(2))
            let snapshot = try await fleet.list(eu)
            #expect(snapshot.freeSlots == 2 && snapshot.allocations == 0)
        }
    }

    @Test("a heartbeat does not free a slot that was just given and is not joined yet")
    func unjoinedIsCounted() async throws {
        try await withRedis { redis, _ in
            let fleet = FleetService(redis: redis, configuration: .patient)
            let instance = try await fleet.registered(slots: 2)
            _ = try await fleet.allocate(.duel())
            try await fleet.heartbeat(instance, .of(2))
            #expect(try await fleet.list(eu).freeSlots == 1)
        }
    }

    @Test("after FLUSHALL one heartbeat brings the instance, its slots and its running matches back")
    func healsAfterWipe() async throws {
        try await withRedis { redis, server in
            let fleet = FleetService(redis: redis, configuration: .patient)
            let instance = try await fleet.registered(slots: 10)
            let matches = [MatchID.duel(), .duel(), .duel()]
            for match in matches { _ = try await fleet.allocate(match) }
            try await fleet.heartbeat(instance, .of(10, matches))
            try await server.flush()
            #expect(try await fleet.allocate(.duel()) == nil)

            try await fleet.heartbeat(instance, .of(10, matches))
            let snapshot = try await fleet.list(eu)
            #expect(snapshot.freeSlots == 7 && snapshot.allocations == 3 && snapshot.unjoined == 0)
            let again = try #require(try await fleet.allocate(matches[0]))
            #expect(again.instance == instance && !again.isNew)
            #expect(try await fleet.allocated(matches + [.duel()], in: eu) == Set(matches))
        }
    }

    @Test("a draining instance gets no more matches and keeps those that run")
    func draining() async throws {
        try await withRedis { redis, _ in
            let fleet = FleetService(redis: redis, configuration: .patient)
            let instance = try await fleet.registered(slots: 10)
            let match = MatchID.duel()
            _ = try await fleet.allocate(match)
            try await fleet.heartbeat(instance, .of(0, [match]))
            #expect(try await fleet.allocate(.duel()) == nil)
            #expect(try await fleet.allocate(match)?.instance == instance)
        }
    }

    @Test("what an instance says of itself is refused by the field that can't be right")
    func heartbeatIsValidated() async throws {
        let instance = InstanceID(in: eu)
        let cases: [(String, InstanceID, InstanceHeartbeat)] = [
            ("instanceId", InstanceID("eu"), .of(1)),
            ("instanceId", InstanceID("eu.a/b"), .of(1)),
            ("region", InstanceID(in: Region("us")), .of(1)),
            ("slots", instance, .of(-1)),
            ("slots", instance, .of(1_001)),
            ("matches", instance, .of(1, [.duel(Region("us"))])),
        ]
        for (field, instance, beat) in cases {
            let error = #expect(throws: FleetError.self) { try beat.validate(for: instance) }
            guard case .invalid(let named, _) = error else {
                Issue.record("\(field) was not refused as invalid")
                continue
            }
            #expect(named == field)
        }
    }
}

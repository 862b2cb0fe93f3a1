import Fleet
import GameModel
import Testing

@testable import AllocatorWorker

@Suite("Fleet plan: what to start and what to drain")
struct FleetPlanTests {
    private typealias Instance = FleetSnapshot.Instance

    private var policy: FleetPlan.Policy {
        .init(instancesMin: 1, instancesMax: 10, freeSlotsMin: 4, slots: 5)
    }

    /// An instance of five slots.
    private func one(
        held: Int = 0, build: String = "1", state: InstanceState? = nil, played: Int = 0, order: StandingOrder? = nil
    ) -> Instance {
        let state = state ?? (held > 0 ? .allocated : .ready)
        return Instance(
            instance: InstanceID(in: eu), host: "h", port: 1, slots: 5,
            freeSlots: state.takesMatches && order == nil ? 5 - held : nil, build: build, silentMs: 0, state: state,
            held: held, played: played, order: order)
    }

    private func plan(
        _ instances: [Instance], target: String? = nil, starting: Int = 0, ranOut: Bool = false,
        own: Bool = false, calm: Duration = .zero, _ change: (inout FleetPlan.Policy) -> Void = { _ in }
    ) -> FleetPlan {
        var policy = policy
        change(&policy)
        let fleet = FleetSnapshot(
            region: eu, instances: instances, allocations: 0, unjoined: 0, lost: 0, target: target)
        return FleetPlan(
            fleet, starting: starting, own: own ? Set(instances.map(\.instance)) : [], ranOut: ranOut, calm: calm,
            policy: policy)
    }

    @Test("an instance is started before the buffer is used up, and those that start count")
    func buffer() {
        #expect(plan([]).starts == 1 && plan([]).need == .tooFewInstances)
        #expect(plan([], starting: 1).starts == 0)
        #expect(plan([one(held: 1)]).starts == 0)
        #expect(plan([one(held: 2)]).starts == 1 && plan([one(held: 2)]).need == .tooFewSlots)
        #expect(plan([one(held: 2)], starting: 1).starts == 0)
        #expect(plan([one(held: 5)], ranOut: true) { $0.freeSlotsMin = 0 }.starts == 1)
        #expect(plan([one(state: .unhealthy)]).starts == 1, "the silent are no room")
        #expect(plan([one(state: .starting)]).starts == 0, "those that start will be")
    }

    @Test("far below the buffer, several are started at once, up to the most")
    func several() {
        #expect(plan([one(held: 5)]) { $0.freeSlotsMin = 22 }.starts == 5)
        #expect(plan([one(held: 5)]) { $0.freeSlotsMin = 1_000 }.starts == 8)
        #expect(
            plan([one(held: 5)]) {
                $0.freeSlotsMin = 22; $0.instancesMax = 3
            }.starts == 2)
        #expect(plan([one(held: 5), one(held: 5)]) { $0.instancesMax = 2 }.starts == 0)
    }

    @Test("too much room for long enough: the emptiest is drained, one at a time, never below the buffer or the least")
    func scaleDown() {
        let (full, empty) = (one(held: 3), one())
        let fleet = [full, one(held: 1), empty]
        #expect(plan(fleet).hasSurplus && plan(fleet).drain == nil, "not at once")
        #expect(plan(fleet, calm: .seconds(60)).drain == .init(instance: empty.instance, reason: "scale-down"))
        // 4 + 1 free: without the emptiest one only one would be.
        #expect(!plan([one(held: 1), one(held: 4)], calm: .seconds(60)).hasSurplus)
        #expect(!plan([empty], calm: .seconds(60)) { $0.freeSlotsMin = 0 }.hasSurplus, "the last one stays")
        #expect(plan(fleet, starting: 1, calm: .seconds(60)).drain == nil, "nothing is drained while others start")
    }

    @Test("a new build: its instances come up first, then the old drain one by one, never below the buffer")
    func rollingUpdate() {
        let old = [one(held: 3), one(held: 2)]
        let begun = plan(old, target: "2")
        #expect(begun.starts == 1 && begun.build == "2" && begun.drain == nil)
        #expect(plan(old, target: "2", starting: 1).starts == 0)
        #expect(plan(old, target: "2", starting: 1).drain == nil, "the new one is not there yet")
        let both = plan(old + [one(build: "2")], target: "2")
        #expect(both.starts == 0 && both.drain == .init(instance: old[1].instance, reason: "old-build"))
        // The new one fills: without the old one there would be too little room, and another new one is started.
        let filling = plan([one(held: 3), one(held: 4, build: "2")], target: "2")
        #expect(filling.starts == 1 && filling.drain == nil)
        #expect(plan([one(held: 5), one(build: "2")], target: "2").drain != nil)
        #expect(plan([one(build: "2")], target: "2").drain == nil)
    }

    @Test("a build that never comes up takes nothing away, and at the most one more instance is started for an update")
    func failingUpdate() {
        let old = [one(), one()]
        #expect(plan(old, target: "2") { $0.instancesMax = 2 }.starts == 1)
        #expect(plan(old, target: "2", starting: 1) { $0.instancesMax = 2 }.starts == 0)
        #expect(plan(old, target: "2", starting: 1).drain == nil)
    }

    @Test("processes of its own that bring no room count against the most; one more may come for those that drain")
    func overshoot() {
        let late = [one(state: .unhealthy), one(state: .unhealthy)]
        #expect(plan(late, own: true) { $0.instancesMax = 2 }.starts == 0)
        #expect(plan(late, own: true) { $0.instancesMax = 3 }.starts == 1)
        #expect(plan(late) { $0.instancesMax = 2 }.starts == 1, "those of another host do not")
        let draining = one(held: 5, state: .draining, order: StandingOrder(kind: .drain, at: 0, reason: "worn"))
        #expect(plan([draining], own: true) { $0.instancesMax = 1 }.starts == 1)
        #expect(plan([draining, one(held: 5)], own: true) { $0.instancesMax = 1 }.starts == 0)
    }

    @Test("the build of the setting is what is started where the region has no target, and replaces nothing")
    func settingReplacesNothing() {
        let started = plan([]) { $0.build = "2" }
        #expect(started.starts == 1 && started.build == "2")
        let stands = plan([one(), one(build: "2")]) { $0.build = "2" }
        #expect(stands.drain == nil && stands.starts == 0)
        #expect(plan([], target: "3") { $0.build = "2" }.build == "3")
    }

    @Test("an instance that has played its matches is replaced like one of an old build")
    func worn() {
        let worn = one(held: 1, played: 100)
        #expect(plan([worn]) { $0.matchesMax = 100 }.starts == 1)
        #expect(plan([worn]) { $0.matchesMax = 101 }.starts == 0)
        let replaced = plan([worn, one()]) { $0.matchesMax = 100 }
        #expect(replaced.drain == .init(instance: worn.instance, reason: "worn"))
    }

    @Test("what is drained or cordoned is no room, and is not drained again")
    func ordered() {
        let cordoned = one(order: StandingOrder(kind: .cordon, at: 0, reason: "look"))
        #expect(plan([cordoned]).starts == 1)
        #expect(plan([cordoned, one()], target: "1", calm: .seconds(60)).drain == nil)
    }

    @Test("whatever the fleet, a plan keeps its promises", arguments: 0..<300)
    func promises(seed: Int) {
        var random = SplitMix(seed: UInt64(seed))
        let instances = (0..<Int.random(in: 0...8, using: &random)).map { _ in
            one(
                held: .random(in: 0...5, using: &random), build: ["1", "2"].randomElement(using: &random) ?? "1",
                state: Int.random(in: 0...4, using: &random) == 0
                    ? InstanceState.allCases.randomElement(using: &random) : nil,
                played: .random(in: 0...9, using: &random))
        }
        let starting = Int.random(in: 0...2, using: &random)
        let target = [nil, "1", "2"].randomElement(using: &random) ?? nil
        var policy = policy
        policy.freeSlotsMin = .random(in: 0...12, using: &random)
        policy.instancesMax = .random(in: 1...8, using: &random)
        policy.matchesMax = 8
        let fleet = FleetSnapshot(
            region: eu, instances: instances, allocations: 0, unjoined: 0, lost: 0, target: target)
        let plan = FleetPlan(fleet, starting: starting, ranOut: false, calm: .seconds(99), policy: policy)
        let fit = instances.filter(\.isFit)
        #expect(plan.starts <= policy.startsMax)
        #expect(plan.starts == 0 || fit.count + starting + plan.starts <= policy.instancesMax + policy.surge)
        guard let drain = plan.drain else { return }
        let left = fit.filter { $0.instance != drain.instance }
        let ready = fit.reduce(0) { $0 + ($1.freeSlots ?? 0) }
        let room = left.reduce(0) { $0 + ($1.freeSlots ?? 0) }
        #expect(room >= policy.freeSlotsMin || room == ready, "draining takes no room that the buffer needs")
        #expect(left.contains { $0.state.takesMatches })
    }
}

import Fleet
import GameModel
import Redis
import TestSupport
import Testing

@Suite("Fleet: the scripts and their model take the same steps")
struct FleetModelTests {
    /// One sequence of steps, taken by the scripts and by the model.
    private struct Run {
        let region: Region
        let instances: [InstanceID]
        let matches: [MatchID]
        let fleet: FleetService
        /// The same with spreading, and allocations that are expired from their birth.
        let hasty: FleetService
        /// The same, to which everybody is silent.
        let strict: FleetService
        var model = FleetModel()
        var random: SplitMix

        init(seed: Int, redis: RedisClient) {
            let region = Region("r\(seed)")
            self.region = region
            instances = (0..<4).map { InstanceID("\(region).i\($0)") }
            // Named by number, so that a seed means the same order of names each time.
            var random = SplitMix(seed: UInt64(seed))
            let pool = Pool(mode: Mode("duel"), region: region)
            let time = Instant(milliseconds: 1_000_000)
            matches = (0..<12).map { _ in MatchID(in: pool, ULID(at: time, using: &random)) }
            self.random = random
            var configuration = FleetConfiguration()
            // However slow the machine is, nobody falls silent but by a step.
            configuration.silentAfter = .seconds(3_600)
            configuration.deadAfter = .seconds(3_600)
            fleet = FleetService(redis: redis, configuration: configuration)
            configuration.strategy = .spread
            configuration.allocationLifetime = .seconds(-1_000)
            hasty = FleetService(redis: redis, configuration: configuration)
            configuration.silentAfter = .seconds(-1_000)
            strict = FleetService(redis: redis, configuration: configuration)
        }

        mutating func pick<T>(_ items: [T]) -> T { items[Int.random(in: 0..<items.count, using: &random)] }

        mutating func step() async throws {
            let instance = pick(instances)
            let match = pick(matches)
            switch Int.random(in: 0..<100, using: &random) {
            case 0..<40: try await heartbeat(instance)
            case 40..<70: try await allocate(match)
            case 70..<78:
                try await fleet.release(match)
                model.release(match)
            case 78..<81:
                try await fleet.deregister(instance)
                model.lose(instance)
            case 81..<84:
                try await fleet.drain(instance, reason: "by operator")
                model.drain(instance)
            case 84..<87:
                try await fleet.cordon(instance, reason: "by operator")
                model.cordon(instance)
            case 87..<91:
                try await fleet.uncordon(instance)
                model.uncordon(instance)
            case 91..<93:
                let target = pick([nil, "1", "2"])
                try await fleet.setTarget(target, of: region)
                model.target = target
            case 93..<95:
                _ = try await strict.reap(region)
                model.fallSilent()
                model.expire()
            default: try await reap()
            }
        }

        private mutating func heartbeat(_ instance: InstanceID) async throws {
            var running = model.held(by: instance).sorted().filter { _ in Bool.random(using: &random) }
            if Int.random(in: 0..<6, using: &random) == 0 { running.append(pick(matches)) }
            let said: [InstanceState] = [
                .ready, .ready, .ready, .ready, .ready, .ready, .starting, .unhealthy, .draining,
            ]
            let beat = InstanceHeartbeat(
                region: region, host: "h", port: 1, slots: pick([1, 2, 3, 4, 4, 4, 4, 4, 0]), build: pick(["1", "2"]),
                matches: running, state: pick(said))
            let answer = try await fleet.heartbeat(instance, beat)
            model.heartbeat(instance, beat)
            let known = model.instances[instance]
            try #require(answer.state == known?.state)
            try #require(
                answer.order == (known?.state == .shutdown ? .shutdown : known?.order == .drain ? .drain : nil))
        }

        private mutating func allocate(_ match: MatchID) async throws {
            let build = pick([nil, nil, nil, "1"])
            let isHasty = Bool.random(using: &random)
            let given = try await (isHasty ? hasty : fleet).allocate(match, in: region, build: build)
            let expected = model.allocate(match, build: build, isHasty ? .spread : .pack, isExpired: isHasty)
            try #require(given?.instance == expected)
        }

        private mutating func reap() async throws {
            let report = try await fleet.reap(region)
            model.expire()
            try #require(report.dead.isEmpty)
            try #require(Set(report.lost) == Set(model.lost.values))
            guard let settled = model.lost.keys.sorted().first else { return }
            try await fleet.settleLost([settled], in: region)
            model.lost[settled] = nil
        }

        /// Holds what Redis has against the model.
        @discardableResult
        func compare(_ before: FleetSnapshot?) async throws -> FleetSnapshot {
            let snapshot = try await fleet.list(region)
            try #require(snapshot.instances.map(\.instance) == model.instances.keys.sorted())
            for one in snapshot.instances {
                let known = model.instances[one.instance]
                try #require(one.state == known?.state)
                try #require(one.order?.kind == known?.order)
                try #require(one.held == model.held(by: one.instance).count)
                try #require(one.freeSlots == (one.state.takesMatches ? known?.free : nil))
                if let was = before?.instances.first(where: { $0.instance == one.instance }), was.state != one.state {
                    // A heartbeat may take an instance through `draining` to `shutdown`.
                    let isStep = was.state.mayBecome(one.state) || one.state == .shutdown
                    try #require(isStep, "\(was.state) → \(one.state)")
                }
            }
            let held = try await fleet.held(in: region)
            try #require(
                Dictionary(uniqueKeysWithValues: held.map { ($0.match.match, $0.instance) }) == model.allocations)
            try #require(Set(held.filter { $0.match.joinBefore != nil }.map(\.match.match)) == Set(model.unseen.keys))
            return snapshot
        }
    }

    @Test("random sequences of all the fleet's steps, and each change of state is in the table")
    func sequences() async throws {
        try await withRedis { redis, _ in
            for seed in 1...8 {
                var run = Run(seed: seed, redis: redis)
                var before: FleetSnapshot?
                for step in 0..<150 {
                    do {
                        try await run.step()
                        before = try await run.compare(before)
                    } catch {
                        Issue.record("seed \(seed), step \(step)")
                        throw error
                    }
                }
                let findings = try await FleetAudit(fleet: run.fleet, regions: [run.region]).findings()
                #expect(findings.filter { !$0.holds }.isEmpty)
            }
        }
    }

    @Test("the table of states: shutdown is the end, draining leads nowhere else, and all the others may fail")
    func table() {
        #expect(InstanceState.transitions[.shutdown] == [])
        #expect(InstanceState.transitions[.draining] == [.unhealthy, .shutdown])
        for state in InstanceState.allCases where state != .shutdown {
            #expect(state == .unhealthy || state.mayBecome(.unhealthy))
            #expect(state.mayBecome(.shutdown))
        }
        #expect(InstanceState.allCases.filter(\.takesMatches) == [.ready, .allocated])
    }
}

import Fleet
import GameModel
import Logging
import Metrics
import ServiceLifecycle
import Synchronization
import Telemetry

/// Keeps one region's fleet well: starts instances before slots run out, replaces those of an old build and the worn,
/// drains what is too much (``FleetPlan``), notices the dead, ends what they left behind.
///
/// It looks twice a second, and at once when a placement found no slot. Instances that it started or adopted end with
/// it, unless they are to run on; those that it finds by their heartbeats alone are left alone.
final class InstanceKeeper: Service {
    struct Policy: Equatable, Sendable {
        var instancesMin: Int
        var instancesMax: Int
        var freeSlotsMin: Int
        var slots: Int
        var stopGrace: Duration
        /// Matches after which an instance is replaced; `nil`: never.
        var matchesMax: Int?
        /// The build to start where the region has no target; `nil`: whatever the program has.
        var build: String?
        /// How long there must be too much room before an instance is drained for it.
        var calmTime: Duration = .seconds(60)
        /// Whether its instances end with it; otherwise they run on, and the next allocator of this host adopts them.
        var stopsInstances = true
        /// How often it looks.
        var interval: Duration = .milliseconds(500)
        /// Time for a started instance to be seen; another allocator starts none meanwhile.
        var startTime: Duration = .seconds(2)
        /// How often forgotten matches are looked for.
        var sweepInterval: Duration = .seconds(10)
        /// Time for an instance that drained to end by itself, before it is told so by its driver.
        var endTime: Duration = .seconds(3)
        /// Silence of a running instance of its own, while the API answers, after which it is ended: it hangs.
        var hungAfter: Duration = .seconds(60)
        /// Time for an instance of its own to be seen by the fleet, while the API answers, after which it is ended, and
        /// another is started in its stead.
        var unheardAfter: Duration = .seconds(30)

        var plan: FleetPlan.Policy {
            var plan = FleetPlan.Policy(
                instancesMin: instancesMin, instancesMax: instancesMax, freeSlotsMin: freeSlotsMin, slots: slots)
            plan.matchesMax = matchesMax
            plan.build = build
            plan.calmTime = calmTime
            return plan
        }
    }

    let region: Region
    private let policy: Policy
    private let fleet: FleetService
    private let driver: any InstanceDriver
    private let lost: LostMatches
    private let hears: @Sendable () async -> Bool
    private let logger: Logger
    private let nudges: AsyncStream<Void>
    private let nudging: AsyncStream<Void>.Continuation
    private let ranOut = Mutex(false)
    /// Since when there has been more room than is wanted.
    private let calmSince = Mutex<ContinuousClock.Instant?>(nil)
    private let watch = Mutex(InstanceWatch())
    private let startedCounter: Counter
    private let drainedCounter: Counter
    private let freeGauge: Gauge

    /// - Parameter hears: whether heartbeats can reach the fleet at all: asked when an instance is silent.
    init(
        region: Region, policy: Policy, fleet: FleetService, driver: any InstanceDriver, lost: LostMatches,
        logger: Logger, hears: @escaping @Sendable () async -> Bool = { true }
    ) {
        self.region = region
        self.policy = policy
        self.fleet = fleet
        self.driver = driver
        self.lost = lost
        self.hears = hears
        var logger = logger
        logger[metadataKey: "region"] = "\(region)"
        self.logger = logger
        (nudges, nudging) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        startedCounter = Counter(label: "fleet_instances_started_total", dimensions: [("region", region.rawValue)])
        drainedCounter = Counter(label: "fleet_instances_drained_total", dimensions: [("region", region.rawValue)])
        freeGauge = Gauge(label: "fleet_free_slots", dimensions: [("region", region.rawValue)])
    }

    /// A placement found no free slot.
    func slotsRanOut() {
        ranOut.withLock { $0 = true }
        nudging.yield()
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await self.keepTime() }
                group.addTask { await self.look() }
                await group.waitForAll()
            }
        }
        if policy.stopsInstances { await stopInstances() }
    }

    /// A nudge each interval, so that one loop serves both the clock and the placements.
    private func keepTime() async {
        while !Task.isCancelled {
            nudging.yield()
            do { try await Task.sleep(for: policy.interval) } catch { break }
        }
        nudging.finish()
    }

    private func look() async {
        var sweep = MatchSweep(fleet: fleet, lost: lost)
        var sweptAt = ContinuousClock.now
        for await _ in nudges {
            do {
                try await tick()
                if ContinuousClock.now - sweptAt >= policy.sweepInterval {
                    sweptAt = .now
                    try await sweep.run(region)
                }
            } catch {
                logger.warning("could not look after the fleet", metadata: ["error": "\(error)"])
                if error is FleetError { watch.withLock { $0.restart() } }
                do { try await Task.sleep(for: policy.interval) } catch { return }
            }
        }
    }

    /// One look: who ended, who fell silent, what is missing, what is too much.
    @discardableResult
    func tick() async throws -> FleetSnapshot {
        await driver.adopt(region)
        for exit in await driver.collectExits() { try await fleet.deregister(exit.instance) }
        let running = await driver.running().filter { $0.region == region }
        let before = try await fleet.list(region)
        let now = ContinuousClock.now
        let isDeaf = await isDeaf(before, at: now)
        let report = try await fleet.reap(region, sparing: running, isDeaf: isDeaf)
        for instance in report.dead { logger.warning("instance is dead", metadata: ["instance": "\(instance)"]) }

        let snapshot = try await fleet.list(region)
        freeGauge.record(snapshot.freeSlots)
        let known = Set(snapshot.instances.map(\.instance))
        watch.withLock { $0.look(running: running, known: known, isDeaf: isDeaf, at: now) }
        let unheard = unheard(at: now)
        do {
            await end(snapshot, running: running, unheard: unheard, isDeaf: isDeaf)
            try await act(on: snapshot, running: running, unheard: unheard)
        } catch {
            // What can't be started or drained holds up no lost match.
            try await lost.settle(report.lost, in: region)
            throw error
        }
        // After the new ones were started: after a big crash there is much to settle.
        try await lost.settle(report.lost, in: region)
        return snapshot
    }

    /// Whether no heartbeat can be heard now. A fresh one is proof that they can; without it the API is asked, when
    /// somebody is missing.
    private func isDeaf(_ fleet: FleetSnapshot, at now: ContinuousClock.Instant) async -> Bool {
        if fleet.instances.contains(where: isFresh) { return false }
        let silentAfter = Int(self.fleet.configuration.silentAfter.milliseconds)
        let isMissing =
            fleet.instances.contains { $0.state == .unhealthy || $0.silentMs > silentAfter }
            || !unheard(at: now).isEmpty
        return isMissing ? await !hears() : false
    }

    /// Whether its last heartbeat is as new as those of the well are.
    private func isFresh(_ one: FleetSnapshot.Instance) -> Bool {
        let configuration = fleet.configuration
        return one.silentMs <= Int(min(configuration.silentAfter, configuration.heartbeatInterval * 1.5).milliseconds)
    }

    private func unheard(at now: ContinuousClock.Instant) -> Set<InstanceID> {
        watch.withLock { $0.unheard(longerThan: policy.unheardAfter, at: now) }
    }

    private func act(on snapshot: FleetSnapshot, running: [InstanceID], unheard: Set<InstanceID>) async throws {
        for instance in snapshot.instances where instance.saysUnhealthy(fleet.configuration) {
            try await drain(.init(instance: instance.instance, reason: "unhealthy"))
        }
        let ranOut = ranOut.withLock { ranOut in
            defer { ranOut = false }
            return ranOut
        }
        guard driver.startsInstances else { return }
        try await carryOut(plan(snapshot, running: running, unheard: unheard, ranOut: ranOut))
    }

    private func plan(
        _ snapshot: FleetSnapshot, running: [InstanceID], unheard: Set<InstanceID>, ranOut: Bool
    ) -> FleetPlan {
        let seen = Set(snapshot.instances.map(\.instance)).union(unheard)
        let now = ContinuousClock.now
        let calm = calmSince.withLock { $0.map { now - $0 } ?? .zero }
        let plan = FleetPlan(
            snapshot, starting: running.filter { !seen.contains($0) }.count, own: Set(running), ranOut: ranOut,
            calm: calm, policy: policy.plan)
        calmSince.withLock { since in
            if !plan.hasSurplus || plan.drain != nil {
                since = plan.hasSurplus ? now : nil
            } else if since == nil {
                since = now
            }
        }
        return plan
    }

    private func carryOut(_ plan: FleetPlan) async throws {
        guard plan.starts > 0 || plan.drain != nil, try await fleet.claimStart(region, for: policy.startTime) else {
            return
        }
        for _ in 0..<plan.starts {
            let instance = InstanceID(in: region)
            logger.info(
                "starting an instance",
                metadata: ["instance": "\(instance)", "why": "\(plan.need?.rawValue ?? "")"])
            Failpoint.allocatorStarting.pass()
            try await driver.start(
                InstanceOrder(instance: instance, region: region, slots: policy.slots, build: plan.build))
            Failpoint.allocatorStarted.pass()
            startedCounter.increment()
        }
        if let drain = plan.drain { try await self.drain(drain) }
    }

    private func drain(_ drain: FleetPlan.Drain) async throws {
        logger.info("draining an instance", metadata: ["instance": "\(drain.instance)", "why": "\(drain.reason)"])
        if case .stands = try await fleet.drain(drain.instance, reason: drain.reason) { drainedCounter.increment() }
    }

    /// Ends those of its instances that drained to the last match and do not end by themselves, those that hang, and
    /// those that the fleet has not seen in time.
    private func end(
        _ snapshot: FleetSnapshot, running: [InstanceID], unheard: Set<InstanceID>, isDeaf: Bool
    ) async {
        let isHeard = snapshot.instances.contains(where: isFresh)
        for one in snapshot.instances where running.contains(one.instance) {
            if one.state == .shutdown {
                if one.stateMs > Int(policy.endTime.milliseconds) { await endDrained(one.instance) }
            } else if !isDeaf, isHung(one), one.held == 0 || isHeard {
                // Where it holds matches, that another is heard is the second proof that it is silent by itself.
                logger.warning("instance hangs", metadata: ["instance": "\(one.instance)"])
                await driver.kill(one.instance)
            }
        }
        for instance in unheard.sorted() {
            logger.warning("instance is not heard", metadata: ["instance": "\(instance)"])
            await driver.kill(instance)
        }
    }

    private func isHung(_ one: FleetSnapshot.Instance) -> Bool {
        min(one.silentMs, one.stateMs) > Int(policy.hungAfter.milliseconds)
    }

    /// Tells it to end, once; killed when it does not in time.
    private func endDrained(_ instance: InstanceID) async {
        guard let since = watch.withLock({ $0.stopped(instance) }) else {
            await stop(instance)
            return
        }
        if .now - since > policy.stopGrace { await driver.kill(instance) }
    }

    private func stop(_ instance: InstanceID) async {
        watch.withLock { $0.stop(instance, at: .now) }
        await driver.stop(instance)
    }

    /// Asks its instances to finish, waits, and ends those that did not.
    private func stopInstances() async {
        let mine = await driver.running().filter { $0.region == region }
        for instance in mine where watch.withLock({ $0.stopped(instance) }) == nil { await stop(instance) }
        let deadline = ContinuousClock.now + policy.stopGrace
        while ContinuousClock.now < deadline, await isRunning(mine), !Task.isCancelled {
            do { try await Task.sleep(for: .milliseconds(50)) } catch { break }
        }
        for instance in await driver.running() where mine.contains(instance) {
            logger.warning("instance did not end in time", metadata: ["instance": "\(instance)"])
            await driver.kill(instance)
        }
    }

    private func isRunning(_ instances: [InstanceID]) async -> Bool {
        _ = await driver.collectExits()
        return await driver.running().contains { instances.contains($0) }
    }
}

extension FleetSnapshot.Instance {
    /// Whether it lives and says that it is not well: it is to end.
    fileprivate func saysUnhealthy(_ configuration: FleetConfiguration) -> Bool {
        state == .unhealthy && order == nil && silentMs <= Int(configuration.silentAfter.milliseconds)
    }
}

import Fleet
import GameModel
import Logging
import Metrics
import ServiceLifecycle
import Synchronization
import Telemetry

/// Keeps one region's fleet well: starts instances before slots run out, notices the dead, ends what they left behind.
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
        /// Whether its instances end with it; otherwise they run on, and the next allocator of this host adopts them.
        var stopsInstances = true
        /// How often it looks.
        var interval: Duration = .milliseconds(500)
        /// Time for a started instance to be seen; another allocator starts none meanwhile.
        var startTime: Duration = .seconds(2)
        /// How often forgotten matches are looked for.
        var sweepInterval: Duration = .seconds(10)
    }

    /// Why another instance is wanted, or not.
    enum Need: Equatable, Sendable {
        case none
        case tooFewInstances
        case tooFewSlots
    }

    let region: Region
    private let policy: Policy
    private let fleet: FleetService
    private let driver: any InstanceDriver
    private let lost: LostMatches
    private let logger: Logger
    private let nudges: AsyncStream<Void>
    private let nudging: AsyncStream<Void>.Continuation
    private let ranOut = Mutex(false)
    private let startedCounter: Counter
    private let freeGauge: Gauge

    init(
        region: Region, policy: Policy, fleet: FleetService, driver: any InstanceDriver, lost: LostMatches,
        logger: Logger
    ) {
        self.region = region
        self.policy = policy
        self.fleet = fleet
        self.driver = driver
        self.lost = lost
        var logger = logger
        logger[metadataKey: "region"] = "\(region)"
        self.logger = logger
        (nudges, nudging) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        startedCounter = Counter(label: "fleet_instances_started_total", dimensions: [("region", region.rawValue)])
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
        var forgotten = ForgottenMatches(fleet: fleet, matches: lost.matches)
        var sweptAt = ContinuousClock.now
        for await _ in nudges {
            do {
                let snapshot = try await tick()
                if ContinuousClock.now - sweptAt >= policy.sweepInterval {
                    sweptAt = .now
                    for match in try await forgotten.sweep(region, present: snapshot.instances.map(\.instance)) {
                        try await lost.end(match, reason: "forgotten")
                    }
                }
            } catch {
                logger.warning("could not look after the fleet", metadata: ["error": "\(error)"])
                do { try await Task.sleep(for: policy.interval) } catch { return }
            }
        }
    }

    /// One look: who ended, who fell silent, what is missing.
    @discardableResult
    func tick() async throws -> FleetSnapshot {
        await driver.adopt(region)
        for exit in await driver.collectExits() { try await fleet.deregister(exit.instance) }
        let running = await driver.running().filter { $0.region == region }
        let report = try await fleet.reap(region, sparing: running)
        for instance in report.dead { logger.warning("instance is dead", metadata: ["instance": "\(instance)"]) }
        if !report.lost.isEmpty { try await lost.settle(report.lost, in: region) }

        let snapshot = try await fleet.list(region)
        freeGauge.record(snapshot.freeSlots)
        let known = Set(snapshot.instances.map(\.instance))
        let starting = running.filter { !known.contains($0) }.count
        let ranOut = ranOut.withLock { ranOut in
            defer { ranOut = false }
            return ranOut
        }
        guard driver.startsInstances else { return snapshot }
        let need = Self.need(snapshot, starting: starting, ranOut: ranOut, policy: policy)
        if need != .none, try await fleet.claimStart(region, for: policy.startTime) {
            let instance = InstanceID(in: region)
            logger.info("starting an instance", metadata: ["instance": "\(instance)", "why": "\(need)"])
            Failpoint.allocatorStarting.pass()
            try await driver.start(InstanceOrder(instance: instance, region: region, slots: policy.slots))
            Failpoint.allocatorStarted.pass()
            startedCounter.increment()
        }
        return snapshot
    }

    /// Whether another instance is wanted, as a function of what is there.
    static func need(_ snapshot: FleetSnapshot, starting: Int, ranOut: Bool, policy: Policy) -> Need {
        // An instance that drains offers no slots; a silent one gets no matches.
        let fit = snapshot.instances.filter { $0.freeSlots != nil && $0.slots > 0 }.count
        guard fit + starting < policy.instancesMax else { return .none }
        if fit + starting < policy.instancesMin { return .tooFewInstances }
        let free = snapshot.freeSlots + starting * policy.slots
        if free < policy.freeSlotsMin || (ranOut && free == 0) { return .tooFewSlots }
        return .none
    }

    /// Asks its instances to finish, waits, and ends those that did not.
    private func stopInstances() async {
        let mine = await driver.running().filter { $0.region == region }
        for instance in mine { await driver.stop(instance) }
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

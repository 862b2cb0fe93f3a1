import CoreMetrics
import GameModel
import Logging
import Redis

/// Takes jobs while there are places for them, and waits in Redis while there are no jobs.
struct ReserveLoop: Sendable {
    let queue: JobQueue
    let configuration: JobWorkerConfiguration
    let workerID: String
    let leases: LeaseTable
    let mode: WorkerMode
    let settler: Settler
    let runner: JobRunner
    let pulse: Pulse
    let logger: Logger

    /// Waits between tries while Redis is away.
    private static let outageBackoff = Backoff.exponential(base: .milliseconds(50), cap: .seconds(2), jitter: 0.3)

    /// Returns when the worker is to stop.
    func run(in group: inout DiscardingTaskGroup) async {
        var failures = 0
        // Set while the queue is known to be empty: until when to wait for a wake-up.
        var idleUntil: ContinuousClock.Instant?
        while let places = await freePlaces() {
            do {
                if let until = idleUntil {
                    try await waitForWake(until: until)
                    idleUntil = nil
                    if mode.state != .running { continue }
                }
                let reservation = try await queue.reserve(
                    limit: min(places, configuration.batch), lease: configuration.leaseDuration, worker: workerID)
                pulse.beat()
                if failures > 0 { logger.info("the queue answers again") }
                failures = 0
                runner.start(reservation, in: &group)
                if !reservation.hasMore {
                    idleUntil = .now + min(reservation.nextDue ?? configuration.blockMax, configuration.blockMax)
                }
            } catch {
                if Task.isCancelled || leases.isStopping { return }
                failures += 1
                idleUntil = nil
                if failures == 1 { logger.warning("the queue does not answer; trying again: \(error)") }
                await pause(
                    Self.outageBackoff.delay(afterAttempt: failures, random: .random(in: 0..<1)))
            }
        }
    }

    /// A wake-up that this worker took, and can't use any more, must reach another.
    func passWakeOn() async {
        let queue = queue
        let (logger, workerID) = (logger, workerID)
        await shielded {
            do {
                _ = try await queue.reserve(limit: 0, lease: .seconds(1), worker: workerID)
            } catch {
                logger.debug("could not pass the wake-up on; others look by themselves soon: \(error)")
            }
        }.value
    }

    /// Waits for a free place, or while the worker is to rest; `nil` when it is to stop.
    private func freePlaces() async -> Int? {
        // While Redis does not take settlements, their leases pile up: past this, no more work is begun.
        let backlogMax = max(1_000, 4 * configuration.concurrency)
        var hasPassedOn = false
        while !leases.isStopping, !Task.isCancelled {
            if mode.isQuiet {
                if !hasPassedOn { await passWakeOn() }
                hasPassedOn = true
            } else {
                let places = configuration.concurrency - leases.running
                if places > 0, settler.backlog < backlogMax { return places }
            }
            await leases.changed.wait()
        }
        return nil
    }

    private func waitForWake(until: ContinuousClock.Instant) async throws {
        let wait = until - .now
        guard wait > .milliseconds(1) else { return }
        let command = RedisCommand(
            ["BLPOP", RedisArgument(queue.keys.wake), RedisArgument(wait.inSeconds)], isSafeToRepeat: true)
        let redis = queue.redis
        let reply = try await mode.unlessInterrupted {
            try await redis.sendBlocking(command, timeout: wait + .seconds(2))
        }
        if reply != nil { pulse.beat() }
    }

    private func pause(_ duration: Duration) async {
        do {
            _ = try await mode.unlessInterrupted { try await Task.sleep(for: duration) }
        } catch {
            await Task.yield()  // Cancelled: the loop looks at that next.
        }
    }
}

/// Renews all leases of the worker in one call, three times while a lease lasts.
struct Renewer: Sendable {
    let queue: JobQueue
    let configuration: JobWorkerConfiguration
    let leases: LeaseTable
    let metrics: WorkerMetrics
    let pulse: Pulse
    let logger: Logger

    /// Returns when cancelled.
    func run() async {
        var failures = 0
        while !Task.isCancelled {
            do {
                try await Task.sleep(for: configuration.effectiveRenewInterval)
                let held = leases.held
                guard !held.isEmpty else { continue }
                let lost = try await queue.renew(held, lease: configuration.leaseDuration)
                pulse.beat()
                failures = 0
                let told = leases.lost(lost)
                guard told > 0 else { continue }
                metrics.lostLeases.increment(by: told)
                logger.warning("\(told) leases are lost; their handlers are cancelled")
            } catch is CancellationError {
                return
            } catch {
                failures += 1
                // An outage alone does not cancel handlers: the lease may still be ours, and the token fences us if
                // not.
                if failures == 1, !Task.isCancelled { logger.warning("leases could not be renewed: \(error)") }
            }
        }
    }
}

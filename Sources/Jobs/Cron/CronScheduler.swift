import GameModel
import Logging
import Metrics
import Redis
import ServiceLifecycle
import Synchronization

/// Enqueues the jobs of a cron table as their ticks come. Run it in any number of processes: a tick fires once.
///
/// Ticks are judged by the clock of Redis alone, and the next one is computed from the last, so a machine whose clock
/// is wrong fires nothing early, late or twice. While Redis is away nothing fires; what was missed then, or while no
/// scheduler ran, fires as each entry's `MissedTicks` says. A tick that the queue refuses (its unique job still lives,
/// the queue is full or draining) passes, is counted and logged.
public final class CronScheduler: Sendable, Service {
    private let table: CronTable
    private let entries: [CronEntry]
    private let logger: Logger
    private let fired: Counter
    private let refused: Counter
    private let failed: Counter
    /// Those that were complained of.
    private let unreadable = Mutex<Set<DueEntry>>([])

    /// How long a scheduler rests at most: so soon it sees an entry that another process has put.
    static let restMax = Duration.seconds(5)
    private static let retryAfter = Duration.seconds(1)

    /// - Parameter entries: put when the scheduler starts, and again when Redis has lost the whole table; others that
    ///   are in the table are fired too.
    public init(table: CronTable, entries: [CronEntry] = [], logger: Logger) {
        self.table = table
        self.entries = entries
        var logger = logger
        logger[metadataKey: "queue"] = "\(table.queue.name)"
        self.logger = logger
        let labels = [("queue", table.queue.name.rawValue)]
        fired = Counter(label: "jobs_cron_fired_total", dimensions: labels)
        refused = Counter(label: "jobs_cron_refused_total", dimensions: labels)
        failed = Counter(label: "jobs_cron_failures_total", dimensions: labels)
    }

    /// Fires until graceful shutdown or cancellation.
    /// - Throws: `JobError.invalid` where one of the entries cannot work.
    public func run() async throws {
        for entry in entries { try entry.validate() }
        await cancelWhenGracefulShutdown { await self.fireUntilCancelled() }
    }

    private func fireUntilCancelled() async {
        let nudge = table.nudges.add()
        defer { table.nudges.remove(nudge) }
        var failures = 0
        var isPut = entries.isEmpty
        while !Task.isCancelled {
            var rest = Self.restMax
            do {
                if !isPut {
                    for entry in entries { try await table.put(entry) }
                    isPut = true
                }
                let last = try await fireDue()
                if failures > 0 { logger.info("cron entries fire again") }
                failures = 0
                if last.isTableEmpty, !entries.isEmpty {
                    logger.warning("Redis has lost the cron table; its entries are put again")
                    isPut = false
                    continue
                }
                // A millisecond more, as Redis counts whole ones.
                if let next = last.next { rest = min(rest, next - last.now + .milliseconds(1)) }
            } catch {
                failures += 1
                failed.increment()
                if failures == 1, !Task.isCancelled { logger.warning("cron entries wait: \(error)") }
                rest = Self.retryAfter
            }
            await Self.rest(for: rest, or: nudge)
        }
    }

    /// Fires until nothing is due that could be fired; answers what was then.
    private func fireDue() async throws(JobError) -> DueEntries {
        var passedOver = 0
        while true {
            let due = try await table.due(skipping: passedOver)
            if due.entries.isEmpty { return due }
            for entry in due.entries where try await !fire(entry, now: due.now) { passedOver += 1 }
        }
    }

    /// - Returns: false where this version can't read the entry; it is left to one that can.
    private func fire(_ entry: DueEntry, now: Instant) async throws(JobError) -> Bool {
        guard let definition = CronDefinition(entry.head) else {
            return complain(of: entry, "its form is unknown here")
        }
        let schedule: CronSchedule
        do {
            schedule = try CronSchedule(definition.schedule, timeZone: definition.timeZone)
        } catch {
            return complain(of: entry, "\(error)")
        }
        let plan = definition.missed.plan(due: entry.due, now: now, schedule: schedule)
        guard let outcome = try await table.fire(entry, plan) else { return true }
        if now - entry.due > MissedTicks.tolerance {
            logger.notice(
                "ticks since \(entry.due) were missed; \(plan.ticks.count) fire now (\(definition.missed))",
                metadata: ["entry": "\(entry.name)"])
        }
        for (tick, reply) in zip(plan.ticks, outcome) {
            switch reply {
            case .added, .duplicate: fired.increment()
            case .notUnique, .full, .draining:
                refused.increment()
                logger.warning(
                    "the queue refused the tick of \(tick): \(reply)", metadata: ["entry": "\(entry.name)"])
            }
        }
        return true
    }

    /// Says so once, however often the entry is met.
    private func complain(of entry: DueEntry, _ reason: String) -> Bool {
        if unreadable.withLock({ $0.insert(entry).inserted }) {
            logger.error("a cron entry can't be fired: \(reason)", metadata: ["entry": "\(entry.name)"])
        }
        return false
    }

    /// Returns after the time, at the signal, or when cancelled.
    private static func rest(for duration: Duration, or nudge: Signal) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                do {
                    try await Task.sleep(for: duration)
                } catch {
                    return  // Nudged or stopping.
                }
            }
            group.addTask { await nudge.wait() }
            await group.next()
            group.cancelAll()
        }
    }
}

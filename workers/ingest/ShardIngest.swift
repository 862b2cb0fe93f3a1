import GameData
import GameModel
import Logging
import Metrics
import Redis
import ServiceLifecycle
import Telemetry

/// Empties one event shard: reads a batch, stores it in one transaction, settles it, and now and then takes over what
/// dead consumers left.
struct ShardIngest: Sendable {
    let group: EventGroup
    let events: EventsRepository
    let configuration: EventIngestConfiguration
    let logger: Logger
    let health: ShardHealth

    private static let stored = Counter(label: "ingest_events_total", dimensions: [("outcome", "stored")])
    private static let repeated = Counter(label: "ingest_events_total", dimensions: [("outcome", "repeated")])
    private static let quarantined = Counter(label: "ingest_events_total", dimensions: [("outcome", "quarantined")])
    private static let claimed = Counter(label: "ingest_events_claimed_total")
    private static let failures = Counter(label: "ingest_failures_total", dimensions: [("what", "events")])

    /// Runs until graceful shutdown or cancellation. A batch begun is finished before a graceful stop.
    func run() async {
        let clock = ContinuousClock()
        // A new process looks for the dead one's entries at once: it may be its successor.
        var claimDue = clock.now
        var retireDue = clock.now + configuration.retireEvery
        while !Task.isCancelled, !Task.isShuttingDownGracefully {
            do {
                if clock.now >= claimDue {
                    try await takeOver()
                    claimDue = clock.now + configuration.claimEvery
                }
                if clock.now >= retireDue {
                    try await group.retireConsumers(idle: configuration.retireIdle)
                    retireDue = clock.now + configuration.retireEvery
                }
                let entries = try await group.read(limit: configuration.batchMax, block: configuration.block)
                let readAt = clock.now
                try await storeAndSettle(entries)
                health.note(shard: group.shard, trouble: nil)
                // A full batch has more behind it. A smaller one is all there was: more may gather meanwhile, so that
                // few events at a time don't become a transaction each.
                if !entries.isEmpty, entries.count < configuration.batchMax {
                    try await clock.sleep(until: readAt + configuration.linger)
                }
            } catch {
                guard !Task.isCancelled else { return }
                Self.failures.increment()
                health.note(shard: group.shard, trouble: "\(error)")
                logger.warning(
                    "event ingest failed, goes on",
                    metadata: ["shard": "\(group.shard)", "error": "\(error)"])
                // Cancellation ends the wait, and then the loop.
                do { try await clock.sleep(for: configuration.backoff) } catch { return }
            }
        }
    }

    /// Stores and settles what other consumers, or this one in a batch that failed, have held too long.
    private func takeOver() async throws {
        var cursor = EventGroup.firstCursor
        repeat {
            let (entries, next) = try await group.claim(
                idle: configuration.claimIdle, limit: configuration.batchMax, cursor: cursor)
            if !entries.isEmpty {
                Self.claimed.increment(by: entries.count)
                logger.info("claimed events", metadata: ["shard": "\(group.shard)", "count": "\(entries.count)"])
            }
            try await storeAndSettle(entries)
            cursor = next
        } while cursor != EventGroup.firstCursor
    }

    private func storeAndSettle(_ entries: [EventEntry]) async throws {
        guard !entries.isEmpty else { return }
        Failpoint.eventsRead.pass()
        let outcome = try await events.store(entries, shard: group.shard)
        Failpoint.eventsStored.pass()
        Self.stored.increment(by: outcome.events)
        Self.repeated.increment(by: outcome.repeated)
        if outcome.quarantined > 0 {
            Self.quarantined.increment(by: outcome.quarantined)
            logger.warning(
                "events quarantined",
                metadata: ["shard": "\(group.shard)", "count": "\(outcome.quarantined)"])
        }
        try await group.settle(entries.map(\.id))
    }
}

import GameData
import GameModel
import Logging
import Metrics
import Redis
import ServiceLifecycle
import Telemetry

/// Empties one event shard: reads a batch, stores it in a transaction, settles it, and now and then takes over what
/// dead consumers left and counts what was lost.
///
/// A batch that can't be stored is held and tried again, after longer and longer waits, and nothing more is read
/// meanwhile: the other events wait in the stream, where another process may take them.
struct ShardIngest: Sendable {
    let group: EventGroup
    let events: EventsRepository
    let configuration: EventIngestConfiguration
    let logger: Logger
    let health: ShardHealth
    let now: @Sendable () -> Instant

    /// Entries that were read and are not settled, with the life of the stream that they are of.
    private struct Batch {
        var entries: [EventEntry]
        /// Asked after the read: what is read of a life that ended meanwhile counts for the next one, so that no loss
        /// is told that was none. `nil` until it could be asked.
        var life: StreamLife?
    }

    /// What is to be done between batches, and when.
    private struct Chores {
        var claim: ContinuousClock.Instant
        var account: ContinuousClock.Instant
        var retire: ContinuousClock.Instant
        /// When the totals of all days are to be copied, for what a process that ended had not.
        var copyAll: ContinuousClock.Instant
        var lost = 0
        var size: ReadSize
    }

    private static let stored = Counter(label: "ingest_events_total", dimensions: [("outcome", "stored")])
    private static let repeated = Counter(label: "ingest_events_total", dimensions: [("outcome", "repeated")])
    private static let quarantined = Counter(label: "ingest_events_total", dimensions: [("outcome", "quarantined")])
    private static let raw = Counter(label: "ingest_events_raw_total")
    private static let claimed = Counter(label: "ingest_entries_claimed_total")
    private static let failures = Counter(label: "ingest_failures_total", dimensions: [("what", "events")])

    /// Runs until graceful shutdown or cancellation. A batch begun is finished before a graceful stop.
    func run() async {
        let clock = ContinuousClock()
        // A new process looks for the dead one's entries at once: it may be its successor.
        var chores = Chores(
            claim: clock.now, account: clock.now, retire: clock.now + configuration.retireEvery, copyAll: clock.now,
            size: ReadSize(events: configuration.batchMax))
        var held: Batch?
        var wait = configuration.backoff
        while !Task.isCancelled, !Task.isShuttingDownGracefully {
            do {
                try await storeAndSettle(&held, &chores.size)
                try await doChores(&chores)
                let limit = chores.size.entries
                let entries = try await group.read(limit: limit, block: configuration.block)
                let readAt = clock.now
                if !entries.isEmpty {
                    held = Batch(entries: entries, life: nil)
                    try await storeAndSettle(&held, &chores.size)
                }
                health.note(shard: group.shard, trouble: nil)
                wait = configuration.backoff
                // A full batch has more behind it. A smaller one is all there was: more may gather meanwhile, so that
                // few events at a time don't become a transaction each.
                if !entries.isEmpty, entries.count < limit {
                    try await clock.sleep(until: readAt + configuration.linger)
                }
            } catch {
                guard !Task.isCancelled else { return }
                Self.failures.increment()
                health.note(shard: group.shard, trouble: "\(error)")
                logger.warning(
                    "event ingest failed, goes on",
                    metadata: ["shard": "\(group.shard)", "again after": "\(wait)", "error": "\(error)"])
                // Cancellation ends the wait, and then the loop.
                do { try await clock.sleep(for: wait) } catch { return }
                wait = min(wait * 2, configuration.backoffMax)
            }
        }
    }

    private func doChores(_ chores: inout Chores) async throws {
        let clock = ContinuousClock()
        if clock.now >= chores.claim {
            try await takeOver(&chores.size)
            chores.claim = clock.now + configuration.claimEvery
        }
        if clock.now >= chores.account {
            try await account(&chores)
            chores.account = clock.now + configuration.accountEvery
        }
        if clock.now >= chores.retire {
            try await group.retireConsumers(idle: configuration.retireIdle)
            chores.retire = clock.now + configuration.retireEvery
        }
    }

    /// Stores and settles what other consumers, or this one in a batch that failed, have held too long.
    private func takeOver(_ size: inout ReadSize) async throws {
        var cursor = EventGroup.firstCursor
        repeat {
            let (entries, next) = try await group.claim(
                idle: configuration.claimIdle, limit: size.entries, cursor: cursor)
            if !entries.isEmpty {
                Self.claimed.increment(by: entries.count)
                logger.info(
                    "claimed entries of events", metadata: ["shard": "\(group.shard)", "count": "\(entries.count)"])
                var batch: Batch? = Batch(entries: entries, life: nil)
                try await storeAndSettle(&batch, &size)
            }
            cursor = next
        } while cursor != EventGroup.firstCursor
    }

    /// Copies the totals, then holds what Redis has against what is stored.
    ///
    /// What others stored is in files that this process may not have touched, so that losses by the cap are told only
    /// when all days were copied.
    private func account(_ chores: inout Chores) async throws {
        let account = try await group.account()
        let clock = ContinuousClock()
        let isWhole = clock.now >= chores.copyAll
        if isWhole {
            try await events.copyTotals(shard: group.shard)
            chores.copyAll = clock.now + configuration.copyAllEvery
        } else {
            try await events.copyTouchedTotals(shard: group.shard)
        }
        let losses = try await events.noteLosses(account, at: now(), isWhole: isWhole)
        for (how, count) in [("trimmed", losses.trimmed), ("wiped", losses.wiped), ("rewound", losses.rewound)] {
            Gauge(label: "ingest_entries_lost", dimensions: [("shard", "\(group.shard)"), ("how", how)]).record(count)
        }
        if losses.lost > chores.lost {
            logger.warning(
                "entries of events were lost",
                metadata: [
                    "shard": "\(group.shard)", "by the cap": "\(losses.trimmed)", "with Redis": "\(losses.wiped)",
                    "events, about": "\(losses.lostEventsAbout.map { "\($0)" } ?? "not known")",
                ])
        }
        chores.lost = losses.lost
    }

    /// Leaves nothing of the batch once it is settled; where that fails, the batch is there to be tried again.
    private func storeAndSettle(_ held: inout Batch?, _ size: inout ReadSize) async throws {
        guard let entries = held?.entries else { return }
        let life: StreamLife
        if let known = held?.life { life = known } else { life = try await group.life() }
        held?.life = life
        Failpoint.eventsRead.pass()
        let outcome = try await events.store(
            entries, shard: group.shard, life: life, at: now(), rowsMax: configuration.batchMax)
        Failpoint.eventsStored.pass()
        Self.stored.increment(by: outcome.events)
        Self.repeated.increment(by: outcome.repeated)
        Self.raw.increment(by: outcome.raw)
        if outcome.quarantined > 0 {
            Self.quarantined.increment(by: outcome.quarantined)
            logger.warning(
                "events quarantined",
                metadata: ["shard": "\(group.shard)", "count": "\(outcome.quarantined)"])
        }
        size.note(entries: entries.count, events: outcome.total)
        try await group.settle(entries.map(\.id))
        held = nil
    }
}

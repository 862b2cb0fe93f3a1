import Foundation
import GameModel
import Jobs
import Logging
import Metrics
import Redis

/// Ranks one pool, or one rating band of it, while its lease is held: follows the change stream, matches and commits;
/// who holds the first band sees to the pool's deadlines and divides it into bands.
struct PoolRanker: Sendable {
    /// The most matches that one write commits.
    private static let commitMax = 128
    /// The wait after Redis failed.
    private static let failureWait = Duration.milliseconds(200)
    /// How often a pool is looked at that no rules have any more.
    private static let retiredRound = Duration.seconds(1)
    /// How often it is looked whether the bands are of equal size.
    private static let bandsRound = Duration.seconds(5)

    private let lease: PoolLease
    private let service: MatchmakingService
    private let timing: Ranker.Timing
    private let logger: Logger
    private let keys: MatchmakingKeys
    private let metrics: RankerMetrics

    init(lease: PoolLease, _ service: MatchmakingService, _ timing: Ranker.Timing, _ logger: Logger) {
        var logger = logger
        logger[metadataKey: "pool"] = "\(lease.unit)"
        self.lease = lease
        self.service = service
        self.timing = timing
        self.logger = logger
        keys = MatchmakingKeys(lease.pool)
        metrics = RankerMetrics(pool: lease.pool)
    }

    /// Until the lease ends or the task is cancelled.
    func run() async {
        // So that the keeper never renews a lease by which nobody ranks.
        defer { lease.end() }
        while lease.isHeld, !Task.isCancelled {
            do throws(RedisError) {
                if let rules = PoolRules(of: lease.pool, in: service.rules) {
                    try await follow(rules)
                } else {
                    try await retire()
                }
            } catch {
                if error == .cancelled { return }
                logger.warning("view given up", metadata: ["error": "\(error)"])
                do {
                    try await Task.sleep(for: Self.failureWait)
                } catch {
                    return
                }
            }
        }
    }

    /// Sees to it that what waits in a pool without rules ends in its time.
    private func retire() async throws(RedisError) {
        guard lease.unit.band == 0 else {
            do {
                try await Task.sleep(for: Self.retiredRound)
            } catch {
                throw .cancelled
            }
            return
        }
        logger.info("the rules have this pool no more, its tickets run out")
        while lease.isHeld, !Task.isCancelled, PoolRules(of: lease.pool, in: service.rules) == nil {
            _ = try await PoolDeadlines(keys: keys, service: service, logger: logger).settle()
            do {
                try await Task.sleep(for: Self.retiredRound)
            } catch {
                throw .cancelled
            }
        }
    }

    /// Ranks until the lease ends, the view must be loaded anew, or the rules have the pool no more.
    private func follow(_ first: PoolRules) async throws(RedisError) {
        let deadlines = PoolDeadlines(keys: keys, service: service, logger: logger)
        var rules = first
        var view = try await PoolView.load(keys, redis: service.redis)
        metrics.rebuilds.increment()
        var nextDeadlines = ContinuousClock.now
        var nextBands = ContinuousClock.now
        while lease.isHeld, !Task.isCancelled {
            guard rules.follow(service.rules, of: lease.pool) else { return }
            if lease.unit.band == 0, ContinuousClock.now >= nextDeadlines {
                view.clock = try await deadlines.settle()
                nextDeadlines = .now + timing.deadlines
                if ContinuousClock.now >= nextBands {
                    try await divide(view)
                    nextBands = .now + min(Self.bandsRound, timing.round * 4)
                }
            }
            try await matchAll(&view, rules)
            let block = view.waiting.isEmpty ? timing.deadlines : timing.tick
            let read = try await ChangeStream.read(
                [(keys: keys, after: view.place)], block: min(block, timing.deadlines), redis: service.redis)
            for item in read {
                if item.batch.hasGap {
                    logger.info("changes were missed, loading the pool anew")
                    return
                }
                view.apply(item.batch)
            }
        }
    }

    /// Divides the pool into more or fewer bands, where it is too big for one ranker or small enough for fewer.
    private func divide(_ view: PoolView) async throws(RedisError) {
        let around = lease.surroundings
        let next = around.bands.next(
            waiting: view.waiting.count, perBand: timing.bandTickets, rankers: around.rankers,
            ratings: { view.waiting.all.map(\.rating) })
        guard let next else { return }
        let reply = try await service.redis.run(
            RankerScripts.bands, keys: [keys.lease, keys.bands],
            arguments: [
                RedisArgument(lease.value), RedisArgument(next.generation), RedisArgument(next.count),
                RedisArgument(next.borders.map { "\($0)" }.joined(separator: ",")),
            ])
        if reply.int != 0 {
            logger.info("pool divided", metadata: ["bands": "\(next.count)", "waiting": "\(view.waiting.count)"])
        }
    }

    private func matchAll(_ view: inout PoolView, _ rules: PoolRules) async throws(RedisError) {
        while lease.isHeld, !Task.isCancelled {
            let now = view.clock.now
            let started = ContinuousClock.now
            let proposals = rules.matcher.tick(
                &view.waiting, at: now, limit: Self.commitMax,
                band: lease.surroundings.bands.range(of: lease.unit.band))
            metrics.matching.record(duration: ContinuousClock.now - started)
            metrics.waiting.record(view.waiting.count)
            guard !proposals.isEmpty else { return }
            try await commit(proposals, at: now, rules, &view)
            if proposals.count < Self.commitMax { return }
        }
    }

    private func commit(
        _ proposals: [Proposal], at now: Instant, _ rules: PoolRules, _ view: inout PoolView
    ) async throws(RedisError) {
        let committer = ProposalCommitter(
            keys: keys, pool: lease.pool, rules: rules.all, lease: lease.value, band: lease.unit.band,
            matcher: rules.matcher, redis: service.redis)
        let outcomes = try await committer.commit(proposals, at: now)
        for (proposal, outcome) in zip(proposals, outcomes) {
            switch outcome {
            case .proposed:
                metrics.proposed.increment()
                for ticket in proposal.tickets {
                    metrics.waited.recordMilliseconds(max(0, now.milliseconds - ticket.queuedAt.milliseconds))
                }
            case .fenced:
                metrics.refused.increment()
                logger.warning("the pool was taken over")
                lease.end()
                return
            case .notQueued(let gone):
                metrics.refused.increment()
                for ticket in proposal.allTickets where !gone.contains(ticket.id) { view.waiting.insert(ticket) }
            }
        }
    }
}

/// The rules by which a pool is matched at present, and their matcher.
private struct PoolRules: Sendable {
    private(set) var all: MatchmakingRules
    private(set) var matcher: Matcher

    /// `nil` where the rules do not have the pool.
    init?(of pool: Pool, in rules: MatchmakingRules) {
        guard let mode = rules.rules(of: pool) else { return nil }
        all = rules
        matcher = Matcher(rules: mode, regions: rules.regions(of: pool))
    }

    /// From now on by these, where they are others. `false` where they do not have the pool.
    mutating func follow(_ rules: MatchmakingRules, of pool: Pool) -> Bool {
        guard let mode = rules.rules(of: pool) else { return false }
        all = rules
        let regions = rules.regions(of: pool)
        if mode != matcher.rules || regions != matcher.regions { matcher = Matcher(rules: mode, regions: regions) }
        return true
    }
}

/// What a pool's ranker counts. The label is from the closed set of pools.
struct RankerMetrics: Sendable {
    let proposed: Counter
    let refused: Counter
    let rebuilds: Counter
    let matching: Metrics.Timer
    let waited: Metrics.Timer
    let waiting: Gauge

    init(pool: Pool) {
        let labels = [("pool", pool.description)]
        proposed = Counter(label: "matchmaking_proposals_total", dimensions: labels)
        refused = Counter(label: "matchmaking_proposals_refused_total", dimensions: labels)
        rebuilds = Counter(label: "matchmaking_view_loads_total", dimensions: labels)
        matching = Timer(label: "matchmaking_match_seconds", dimensions: labels)
        waited = Timer(label: "matchmaking_waited_seconds", dimensions: labels)
        waiting = Gauge(label: "matchmaking_waiting", dimensions: labels)
    }
}

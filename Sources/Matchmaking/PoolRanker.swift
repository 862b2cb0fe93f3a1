import Foundation
import GameModel
import Jobs
import Logging
import Metrics
import Redis

/// Ranks one pool while its lease is held: follows the change stream, matches, commits, and sees to deadlines.
struct PoolRanker: Sendable {
    /// The most matches that one write commits.
    private static let commitMax = 128
    /// The wait after Redis failed.
    private static let failureWait = Duration.milliseconds(200)

    private let lease: PoolLease
    private let service: MatchmakingService
    private let timing: Ranker.Timing
    private let logger: Logger
    private let keys: MatchmakingKeys
    private let metrics: RankerMetrics

    init(lease: PoolLease, _ service: MatchmakingService, _ timing: Ranker.Timing, _ logger: Logger) {
        var logger = logger
        logger[metadataKey: "pool"] = "\(lease.pool)"
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
        guard let rules = service.rules.rules(of: lease.pool) else { return }
        let matcher = Matcher(rules: rules, regions: service.rules.regions(of: lease.pool))
        while lease.isHeld, !Task.isCancelled {
            do throws(RedisError) {
                var view = try await PoolView.load(keys, redis: service.redis)
                metrics.rebuilds.increment()
                try await follow(&view, matcher)
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

    /// Ranks until the lease ends or the view must be loaded anew.
    private func follow(_ view: inout PoolView, _ matcher: Matcher) async throws(RedisError) {
        let deadlines = PoolDeadlines(keys: keys, service: service, logger: logger)
        var nextDeadlines = ContinuousClock.now
        while lease.isHeld, !Task.isCancelled {
            if ContinuousClock.now >= nextDeadlines {
                view.clock = try await deadlines.settle()
                nextDeadlines = .now + timing.deadlines
            }
            try await matchAll(&view, matcher)
            let block = view.waiting.count < matcher.rules.playersPerMatch ? timing.deadlines : timing.tick
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

    private func matchAll(_ view: inout PoolView, _ matcher: Matcher) async throws(RedisError) {
        while lease.isHeld, !Task.isCancelled {
            let started = ContinuousClock.now
            let proposals = matcher.match(&view.waiting, at: view.clock.now, limit: Self.commitMax)
            metrics.matching.record(duration: ContinuousClock.now - started)
            metrics.waiting.record(view.waiting.count)
            guard !proposals.isEmpty else { return }
            try await commit(proposals, &view)
            if proposals.count < Self.commitMax { return }
        }
    }

    private func commit(_ proposals: [Proposal], _ view: inout PoolView) async throws(RedisError) {
        let committer = ProposalCommitter(
            keys: keys, pool: lease.pool, rules: service.rules, lease: lease.value, redis: service.redis)
        let outcomes = try await committer.commit(proposals)
        for (proposal, outcome) in zip(proposals, outcomes) {
            switch outcome {
            case .proposed:
                metrics.proposed.increment()
                for ticket in proposal.tickets {
                    metrics.waited.recordMilliseconds(
                        max(0, view.clock.now.milliseconds - ticket.queuedAt.milliseconds))
                }
            case .fenced:
                metrics.refused.increment()
                logger.warning("the pool was taken over")
                lease.end()
                return
            case .notQueued(let gone):
                metrics.refused.increment()
                for ticket in proposal.tickets where !gone.contains(ticket.id) { view.waiting.insert(ticket) }
            }
        }
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

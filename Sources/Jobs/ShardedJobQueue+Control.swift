import GameModel

/// The whole queue as operators see it.
extension ShardedJobQueue {
    /// The sums over all shards, each of one moment of its own; of `oldestWaitingMs` the greatest.
    public func counts() async throws(JobError) -> QueueCounts {
        let counts = try await atShards(Array(shards.indices)) { _, shard async throws(JobError) in
            try await shard.counts()
        }
        return counts.reduce(into: QueueCounts()) { $0.add($1) }
    }

    /// As `JobQueue.pause`, shard by shard.
    public func pause() async throws(JobError) {
        _ = try await atShards(Array(shards.indices)) { _, shard async throws(JobError) in try await shard.pause() }
    }

    /// As `JobQueue.drain`, shard by shard.
    public func drain() async throws(JobError) {
        _ = try await atShards(Array(shards.indices)) { _, shard async throws(JobError) in try await shard.drain() }
    }

    /// As `JobQueue.resume`, shard by shard.
    public func resume() async throws(JobError) {
        _ = try await atShards(Array(shards.indices)) { _, shard async throws(JobError) in try await shard.resume() }
    }

    /// As `JobQueue.retain`, over all shards.
    @discardableResult
    public func retain() async throws(JobError) -> (deadLetters: Int, results: Int) {
        let all = try await atShards(Array(shards.indices)) { _, shard async throws(JobError) in
            try await shard.retain()
        }
        return all.reduce((0, 0)) { ($0.0 + $1.deadLetters, $0.1 + $1.results) }
    }

    /// The limits of the whole queue: what `setLimits` shared out, put together again.
    public func limits() async throws(JobError) -> QueueLimits {
        let shares = try await atShards(Array(shards.indices)) { _, shard async throws(JobError) in
            try await shard.limits()
        }
        return QueueLimits(shares: shares)
    }

    /// Sets the limits of the whole queue. Each shard holds its share by itself, without regard to the others:
    /// - `concurrency`, `jobsMax`, `bytesMax`, `deadBytes` and `resultBytes` are divided, so that the shares add up; a
    ///   shard can be at its limit while others are not.
    /// - `rate`: each shard may start `count` jobs in `shards` periods; the burst is divided, but is at least 1.
    /// - All others hold in each shard as they are: a limit key's jobs are in one shard, unless they have unique keys.
    ///
    /// - Throws: `invalid` also where a limit is smaller than the number of shards, as a shard with none would never
    ///   run.
    public func setLimits(_ limits: QueueLimits) async throws(JobError) {
        let shares = try limits.shares(shards.count)
        _ = try await atShards(Array(shards.indices)) { index, shard async throws(JobError) in
            try await shard.setLimits(shares[index])
        }
    }

    /// Changes some limits of the whole queue; limits that were set for a shard alone are evened out.
    @discardableResult
    public func changeLimits(_ body: (inout QueueLimits) -> Void) async throws(JobError) -> QueueLimits {
        var limits = try await limits()
        body(&limits)
        let shares = try limits.shares(shards.count)
        _ = try await atShards(Array(shards.indices)) { index, shard async throws(JobError) in
            try await shard.changeLimits { $0 = shares[index] }
        }
        return limits
    }
}

/// A number shared out: the first shares are greater by one where it does not divide evenly.
func shares(of total: Int, among count: Int) -> [Int] {
    (0..<count).map { total / count + ($0 < total % count ? 1 : 0) }
}

extension QueueLimits {
    private static let dividedCounts: [(name: String, path: any WritableKeyPath<QueueLimits, Int?> & Sendable)] = [
        ("concurrency", \.concurrency), ("jobsMax", \.jobsMax), ("bytesMax", \.bytesMax), ("deadBytes", \.deadBytes),
        ("resultBytes", \.resultBytes),
    ]

    /// What each of so many shards gets.
    func shares(_ count: Int) throws(JobError) -> [QueueLimits] {
        try validate()
        var all = [QueueLimits](repeating: self, count: count)
        for (name, path) in Self.dividedCounts {
            guard let total = self[keyPath: path] else { continue }
            guard total >= count else {
                throw .invalid("\(name) is at least 1 for each of the \(count) shards, not \(total) in all")
            }
            for (index, share) in Jobs.shares(of: total, among: count).enumerated() {
                all[index][keyPath: path] = share
            }
        }
        if let rate {
            for (index, burst) in Jobs.shares(of: rate.burst, among: count).enumerated() {
                all[index].rate = RateLimit(rate.count, per: rate.period * count, burst: max(1, burst))
            }
        }
        return all
    }

    /// The whole that these are the shares of; unlimited where one of them is.
    init(shares: [QueueLimits]) {
        self = shares.first ?? QueueLimits()
        isPaused = shares.allSatisfy(\.isPaused)
        isDraining = shares.allSatisfy(\.isDraining)
        for (_, path) in Self.dividedCounts {
            let known = shares.compactMap { $0[keyPath: path] }
            self[keyPath: path] = known.count == shares.count ? known.reduce(0, +) : nil
        }
        let rates = shares.compactMap(\.rate)
        if let first = rates.first, rates.count == shares.count {
            rate = RateLimit(
                first.count, per: first.period / shares.count, burst: rates.map(\.burst).reduce(0, +))
        } else {
            rate = nil
        }
    }
}

extension QueueCounts {
    private static let summed: [any WritableKeyPath<QueueCounts, Int> & Sendable] = [
        \.waiting, \.later, \.leased, \.dead, \.blocked, \.enqueued, \.completed, \.retried, \.buried, \.recovered,
        \.cancelled, \.released, \.redriven, \.purged, \.shed, \.bytes, \.deadBytes, \.resultBytes,
    ]

    /// Adds those of another queue.
    mutating func add(_ other: QueueCounts) {
        for path in Self.summed { self[keyPath: path] += other[keyPath: path] }
        oldestWaitingMs = [oldestWaitingMs, other.oldestWaitingMs].compactMap { $0 }.max()
    }
}

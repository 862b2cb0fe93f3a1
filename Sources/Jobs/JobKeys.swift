import Redis

/// Every Redis key of the queue, in one place. All keys of a queue carry its name as their hash tag, so that each
/// script runs in one slot of a Redis Cluster; each script declares just the keys that it touches.
public struct JobKeys: Sendable {
    /// HASH, job id → envelope; `x<priority>` where a waiting job was cancelled and its list entry is still to be
    /// dropped.
    let jobs: RedisKey
    /// HASH, job id → state (see lease_fragment.lua), of jobs that were leased at least once.
    let attempts: RedisKey
    /// LIST of job ids per priority, the next one first.
    let ready: [RedisKey]
    /// ZSET, score = due time in Redis ms: delayed, retrying and snoozed jobs.
    let later: RedisKey
    /// ZSET, score = lease expiry in Redis ms.
    let leased: RedisKey
    /// ZSET, score = when it was buried, in Redis ms.
    let dead: RedisKey
    /// LIST of at most one element: what an idle worker blocks on.
    let wake: RedisKey
    /// HASH of counters: enqueued, completed, retried, buried, recovered, cancelled, released, tombstones.
    let stats: RedisKey

    /// HASH, process id → when it counts as silent, and its description.
    static let processes: RedisKey = "muster:procs"

    public init(_ queue: QueueName) {
        let prefix = "muster:jobs:{\(queue.rawValue)}:"
        jobs = RedisKey(prefix + "jobs")
        attempts = RedisKey(prefix + "attempts")
        ready = JobOptions.priorities.map { RedisKey(prefix + "ready:\($0)") }
        later = RedisKey(prefix + "later")
        leased = RedisKey(prefix + "leased")
        dead = RedisKey(prefix + "dead")
        wake = RedisKey(prefix + "wake")
        stats = RedisKey(prefix + "stats")
    }

    /// The keys that `muster_enqueue(first, …)` wants from KEYS[first] on, in its order.
    public var forEnqueue: [RedisKey] { [jobs, later, wake, stats] + ready }

    var forReserve: [RedisKey] { forEnqueue + [attempts, leased, dead] }
    var forComplete: [RedisKey] { [jobs, attempts, leased, stats] }
    var forFail: [RedisKey] { [later, wake, stats, attempts, leased, dead] }
    var forRelease: [RedisKey] { [later, wake, stats] + ready + [attempts, leased] }
    var forRenew: [RedisKey] { [attempts, leased] }
    var forCancel: [RedisKey] { [jobs, later, stats, attempts, leased] }
    var forCounts: [RedisKey] { [jobs, later, stats] + ready + [leased, dead] }
}

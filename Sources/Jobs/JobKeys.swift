import Redis

/// Every Redis key of the queue, in one place. All keys of a queue carry its name as their hash tag, so that each
/// script runs in one slot of a Redis Cluster; each script declares just the keys that it touches.
public final class JobKeys: Sendable {
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
    /// HASH of counters: enqueued, completed, retried, buried, recovered, cancelled, released, redriven, purged, shed;
    /// of what is where: tombstones, blocked, bytes, deadBytes, doneBytes; and of turns: turn, wheel, mixed, sequence,
    /// throttled; of calls that asked for replicas: awaited.
    let stats: RedisKey
    /// HASH: see `QueueLimits`.
    let limits: RedisKey
    /// HASH, unique key → `<job id> <until, Redis ms; 0: while the job lives>`.
    let unique: RedisKey
    /// ZSET, all scores 0, of `<key> <priority><sequence, 16 digits> <job id>`: the waiting jobs that have a key, in
    /// order.
    let groups: RedisKey
    /// ZSET, key → priority · 10^12 + turn: the keys of which a job may be taken, the next one first.
    let ring: RedisKey
    /// ZSET, all scores 0, of `<callback's id> <job id>`: jobs that a callback waits for; without a job id: its seal.
    let waits: RedisKey
    /// ZSET, key → when it may go on, in Redis ms; infinite: when a job of its own ends.
    let gates: RedisKey
    /// ZSET, all scores 0, of `<key> <job id>`: leased jobs that have a key.
    let held: RedisKey
    /// ZSET, key (empty: the queue) → theoretical arrival time of its rate, in Redis ms.
    let rates: RedisKey
    /// HASH, job id → record of a completed job: see `JobResult`.
    let results: RedisKey
    /// ZSET, job id → until when its result is kept, in Redis ms.
    let done: RedisKey
    /// HASH, job id → `<when, Redis ms> <fraction> <text>`.
    let progress: RedisKey

    /// HASH, process id → when it counts as silent, and its description.
    static let processes: RedisKey = "muster:procs"

    public init(_ queue: QueueName) {
        let prefix = "muster:jobs:{\(queue.rawValue)}:"
        func key(_ name: String) -> RedisKey { RedisKey(prefix + name) }
        jobs = key("jobs")
        attempts = key("attempts")
        ready = JobOptions.priorities.map { key("ready:\($0)") }
        later = key("later")
        leased = key("leased")
        dead = key("dead")
        wake = key("wake")
        stats = key("stats")
        limits = key("limits")
        unique = key("unique")
        groups = key("groups")
        ring = key("ring")
        waits = key("waits")
        gates = key("gates")
        held = key("held")
        rates = key("rates")
        results = key("results")
        done = key("done")
        progress = key("progress")
        forEnqueue =
            [jobs, later, wake, stats] + ready + [limits, unique, groups, ring, waits, attempts, dead]
        all = forEnqueue + [leased, gates, held, rates, results, done, progress]
    }

    /// The keys that `muster_enqueue(first, …)` wants from KEYS[first] on, in its order.
    public let forEnqueue: [RedisKey]
    /// The keys that `muster_queue(1)` names, in its order: all that belong to jobs.
    let all: [RedisKey]

    var forComplete: [RedisKey] { [jobs, attempts, leased, stats, wake, progress] }
    var forRenew: [RedisKey] { [attempts, leased] }
    var forProgress: [RedisKey] { [attempts, progress] }
}

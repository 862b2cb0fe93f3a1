import Redis

/// The Redis keys of a queue's cron table; in the queue's slot, as a firing enqueues in the same call.
struct CronKeys: Sendable {
    /// HASH, `d:<name>` → definition, `s:<name>` → state (see cron_fragment.lua).
    let cron: RedisKey
    /// ZSET, name → when its next tick is due, in Redis ms; paused entries are not in it.
    let due: RedisKey
    private let forEnqueue: [RedisKey]

    init(_ queue: QueueName) {
        let prefix = "muster:jobs:{\(queue.rawValue)}:"
        cron = RedisKey(prefix + "cron")
        due = RedisKey(prefix + "crondue")
        forEnqueue = JobKeys(queue).forEnqueue
    }

    var own: [RedisKey] { [cron, due] }
    var forFiring: [RedisKey] { own + forEnqueue }
}

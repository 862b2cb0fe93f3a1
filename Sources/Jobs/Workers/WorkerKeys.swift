import Redis

/// The Redis keys that say who a queue's workers are and what they were told. In the slot of the queue's other keys.
struct WorkerKeys: Sendable {
    /// HASH, worker id → `<ms until it counts as silent, Redis time> <its description as JSON>`.
    let workers: RedisKey
    /// HASH, worker id → `quiet`, `run` or `stop`.
    let orders: RedisKey

    init(_ queue: QueueName) {
        let prefix = "muster:jobs:{\(queue.rawValue)}:"
        workers = RedisKey(prefix + "workers")
        orders = RedisKey(prefix + "orders")
    }

    var all: [RedisKey] { [workers, orders] }
}

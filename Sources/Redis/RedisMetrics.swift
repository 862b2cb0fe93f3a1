import Metrics

/// What the client tells swift-metrics.
struct RedisMetrics: Sendable {
    /// Commands that were answered.
    let commands = Counter(label: "redis_commands_total")
    /// From writing to reply, sampled: the oldest command of each batch of replies.
    let seconds = Timer(label: "redis_command_seconds")
    /// Connections rebuilt after one was lost.
    let reconnects = Counter(label: "redis_reconnects_total")
}

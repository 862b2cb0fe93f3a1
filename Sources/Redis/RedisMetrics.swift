import Metrics
import NIOCore
import Synchronization

/// What the client tells swift-metrics.
final class RedisMetrics: Sendable {
    /// Commands that were answered.
    let commands = Counter(label: "redis_commands_total")
    /// Connections rebuilt after one was lost.
    let reconnects = Counter(label: "redis_reconnects_total")
    /// Commands that wait, sent or not, when replies come; blocking ones apart.
    private let inFlight = Meter(label: "redis_commands_in_flight")

    /// From writing to reply, by command, sampled: the oldest call of each batch of replies, a pipeline by its first
    /// command.
    private let seconds = Mutex<[String: Timer]>([:])

    /// A program uses some dozens of commands; past this many names the rest share one, so that series stay bounded.
    private static let namesMax = 64

    func answered(_ count: Int, oldest: PendingCommand, inFlight waiting: Int) {
        commands.increment(by: count)
        inFlight.set(waiting)
        timer(oldest.name).recordNanoseconds((NIODeadline.now() - oldest.sentAt).nanoseconds)
    }

    private func timer(_ name: String) -> Timer {
        seconds.withLock { timers in
            if let timer = timers[name] { return timer }
            let label = timers.count < Self.namesMax ? name : "other"
            let timer = Timer(label: "redis_command_seconds", dimensions: [("command", label)])
            timers[label] = timer
            return timer
        }
    }
}

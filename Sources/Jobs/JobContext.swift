import GameModel
import Logging

/// What a handler knows of the attempt it runs.
public struct JobContext: Sendable {
    public let id: JobID
    public let kind: String
    public let queue: QueueName
    /// The first is 1.
    public let attempt: Int
    /// How many attempts the job has at most.
    public let maxAttempts: Int
    /// The fencing token: rises with every attempt of the job. A write that carries it can be refused when it is stale.
    public let token: UInt64
    /// By the clock of Redis.
    public let enqueuedAt: Instant
    /// Carries the job's id and attempt.
    public let logger: Logger

    /// Whether a failure of this attempt buries the job.
    public var isLastAttempt: Bool { attempt >= maxAttempts }

    /// Ends this attempt without using it up; the job comes back after a while.
    public func snooze(_ duration: Duration) throws -> Never { throw Snooze(duration) }
}

/// How an attempt ended.
public enum JobOutcome: Sendable, Hashable {
    case completed
    /// It is tried again after its backoff, or buried where this was the last attempt.
    case failed(String)
    case buried(Bury)
    case snoozed(Duration)
    /// The worker stops: the job is handed back, and the attempt does not count.
    case interrupted

    /// What an error thrown by a handler means.
    /// - Parameter cancelled: whether the handler's task was cancelled: whatever it then throws is because of that.
    init(_ error: any Error, cancelled: Bool) {
        switch error {
        case let bury as Bury: self = .buried(bury)
        case let snooze as Snooze: self = .snoozed(snooze.duration)
        default: self = cancelled ? .interrupted : .failed("\(error)")
        }
    }
}

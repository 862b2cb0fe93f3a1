import Foundation
import GameModel
import Logging
import Synchronization

/// What a handler knows of the attempt it runs, and says of it.
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
    /// When this attempt began, by the clock of Redis.
    public let leasedAt: Instant
    /// Carries the job's id.
    public var logger: Logger {
        // Made when it is asked for: most handlers of most jobs log nothing.
        var logger = workerLogger
        logger[metadataKey: "job"] = "\(id)"
        return logger
    }
    private let workerLogger: Logger
    /// Where progress is told, and what the result goes into.
    package let reports: JobReports

    package init(
        id: JobID, kind: String, queue: QueueName, attempt: Int, maxAttempts: Int, token: UInt64, enqueuedAt: Instant,
        leasedAt: Instant, logger: Logger, reports: JobReports
    ) {
        self.id = id
        self.kind = kind
        self.queue = queue
        self.attempt = attempt
        self.maxAttempts = maxAttempts
        self.token = token
        self.enqueuedAt = enqueuedAt
        self.leasedAt = leasedAt
        workerLogger = logger
        self.reports = reports
    }

    /// Whether a failure of this attempt buries the job.
    public var isLastAttempt: Bool { attempt >= maxAttempts }

    /// Ends this attempt without using it up; the job comes back after a while.
    public func snooze(_ duration: Duration) throws -> Never { throw Snooze(duration) }

    /// Says how far the job is, for those who ask with `JobQueue.progress`.
    /// - Parameters:
    ///   - fraction: 0 to 1.
    ///   - text: one line, up to 200 characters.
    /// - Throws: `CancellationError` where the lease is lost: then the work is in vain. `JobError` where Redis is away.
    public func progress(_ fraction: Double, _ text: String = "") async throws {
        guard try await reports.progress(id, token, fraction, text) else { throw CancellationError() }
    }

    /// Leaves a result, kept with the completed job for as long as its `JobOptions.keepResult` says; a later one takes
    /// its place. In JSON at most 512 KiB.
    /// - Throws: `JobError.invalid` where the job's options keep no result.
    public func setResult(_ value: some Encodable) throws {
        guard let result = reports.result else {
            throw JobError.invalid("\(kind) has no keepResult in its options, so its result would be lost")
        }
        let bytes = [UInt8](try JSONEncoder().encode(value))
        guard bytes.count <= EncodedJob.payloadBytesMax else {
            throw JobError.payloadTooLarge(kind: kind, bytes: bytes.count, bytesMax: EncodedJob.payloadBytesMax)
        }
        result.set(bytes)
    }
}

/// The way of a handler's words to those who ask: the queue's, or a test's.
package struct JobReports: Sendable {
    /// Whether the lease is still this attempt's.
    let progress: Progress
    /// `nil` where the job keeps no result.
    package let result: Box?

    /// Takes the job's id, the attempt's token, and what it says: a fraction and a text.
    package typealias Progress = @Sendable (JobID, UInt64, Double, String) async throws -> Bool

    package init(progress: @escaping Progress, result: Box?) {
        self.progress = progress
        self.result = result
    }

    package final class Box: Sendable {
        private let bytes = Mutex<[UInt8]>([])
        package init() {}
        func set(_ value: [UInt8]) { bytes.withLock { $0 = value } }
        package var value: [UInt8] { bytes.withLock { $0 } }
    }
}

/// How an attempt ended.
public enum JobOutcome: Sendable, Hashable {
    case completed
    /// It is tried again after its backoff, or buried where this was the last attempt.
    case failed(String)
    /// It is tried again after this time, or buried where this was the last attempt.
    case retry(after: Duration, String)
    case buried(Bury)
    case snoozed(Duration)
    /// The worker stops: the job is handed back, and the attempt does not count.
    case interrupted

    /// What an error thrown by a handler means.
    /// - Parameter cancelled: whether the handler's task was cancelled: whatever it then throws is because of that.
    init(_ error: any Error, cancelled: Bool, policy: RetryPolicy? = nil, context: JobContext? = nil) {
        switch error {
        case let bury as Bury: self = .buried(bury)
        case let snooze as Snooze: self = .snoozed(snooze.duration)
        case _ where cancelled: self = .interrupted
        default:
            switch context.flatMap({ policy?(error, $0) }) ?? .standard {
            case .standard: self = .failed("\(error)")
            case .after(let wait): self = .retry(after: wait, "\(error)")
            case .bury(let reason): self = .buried(Bury("\(error)", reason: reason))
            }
        }
    }
}

/// Says what is to become of a failed attempt: a function of the error and the attempt, without effects.
public typealias RetryPolicy = @Sendable (any Error, JobContext) -> RetryDecision

/// What is to become of a failed attempt.
public enum RetryDecision: Sendable, Hashable {
    /// As the job's options say.
    case standard
    /// Again after this time, while attempts are left.
    case after(Duration)
    /// To the dead letters at once.
    case bury(ReasonCode)
}

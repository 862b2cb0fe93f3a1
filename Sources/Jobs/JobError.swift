import Redis

/// Why a call on a queue failed, by what the caller can do about it.
public enum JobError: Error, Sendable, CustomStringConvertible {
    /// Redis did not answer or refused. Where `isOutage`, try later: every call of `JobQueue` may be repeated.
    case redis(RedisError)
    /// The payload is over the limit: put it into a database, and its key into the job.
    case payloadTooLarge(kind: String, bytes: Int, bytesMax: Int)
    /// The job's `Codable` form failed.
    case unencodable(kind: String, reason: String)
    /// An id, kind or option out of range; the text says which and what would be right.
    case invalid(String)
    /// The job is enqueued on the master, and fewer replicas than `Durability.replicated` wants had it in time: a
    /// failover now could lose it. The same call with the same ids is safe: it enqueues nothing twice, and waits again.
    /// Of a call with more than 500 jobs the later ones may not be enqueued yet.
    case notReplicated(acknowledged: Int, wanted: Int)
    /// A script answered in a form that this version does not know: two versions are mixed.
    case unexpectedReply(String)

    /// Whether Redis is away for now, so that the same call may succeed later.
    public var isOutage: Bool {
        if case .redis(let error) = self { return error.isOutage }
        return false
    }

    public var description: String {
        switch self {
        case .redis(let error): "\(error)"
        case .payloadTooLarge(let kind, let bytes, let max): "the payload of \(kind) has \(bytes) bytes, over \(max)"
        case .unencodable(let kind, let reason): "\(kind) could not be encoded: \(reason)"
        case .invalid(let text): text
        case .notReplicated(let acknowledged, let wanted):
            "enqueued on the master, but acknowledged in time by \(acknowledged) of the \(wanted) replicas wanted: a "
                + "failover now could lose it; enqueue again with the same ids to wait again"
        case .unexpectedReply(let text): "unexpected reply of a script: \(text)"
        }
    }
}

/// Why a job will not run again.
public enum ReasonCode: String, Sendable, Codable, CaseIterable {
    /// The handler failed on the last allowed attempt, or buried the job itself.
    case handlerError
    case timeout
    /// The worker vanished during the last allowed attempt.
    case crashed
    /// The payload does not decode as the kind's type.
    case undecodable
    case unknownType
    case oversize
    case expired
}

/// Thrown by a handler: the job goes to the dead letters at once, without further attempts.
public struct Bury: Error, Sendable, Hashable {
    public let reason: ReasonCode
    public let message: String

    public init(_ message: String, reason: ReasonCode = .handlerError) {
        self.reason = reason
        self.message = message
    }
}

/// Thrown by a handler: the job comes back after a while, and this attempt does not count.
public struct Snooze: Error, Sendable, Hashable {
    public let duration: Duration

    public init(_ duration: Duration) { self.duration = duration }
}

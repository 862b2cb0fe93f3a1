import Redis

/// What became of an enqueue.
public enum EnqueueReply: Sendable, Hashable {
    case added(JobID)
    /// A job of that id waits, runs or lies among the dead letters; it was left as it is.
    case duplicate(JobID)
    /// Another job, `holder`, lives and has the unique key; this one was not enqueued.
    case notUnique(JobID, holder: JobID)
    /// The queue is over its budget of jobs or bytes (`QueueLimits`); the job was not enqueued. Try later.
    case full(JobID)
    /// The queue is being drained and takes no jobs; the job was not enqueued.
    case draining(JobID)

    init(_ reply: RESPValue, _ id: JobID) {
        switch reply.string ?? reply.int.map(String.init) ?? "" {
        case "1": self = .added(id)
        case "full": self = .full(id)
        case "draining": self = .draining(id)
        case let text where text.hasPrefix("u"): self = .notUnique(id, holder: JobID(String(text.dropFirst())))
        default: self = .duplicate(id)
        }
    }

    public var id: JobID {
        switch self {
        case .added(let id), .duplicate(let id), .notUnique(let id, _), .full(let id), .draining(let id): id
        }
    }

    public var isAdded: Bool {
        if case .added = self { return true }
        return false
    }

    /// Whether a job of that id, or with that unique key, lives in the queue, also where it did before this call.
    public var isInQueue: Bool {
        switch self {
        case .added, .duplicate, .notUnique: true
        case .full, .draining: false
        }
    }
}

import GameModel

/// What a worker does now.
public enum WorkerState: String, Sendable, Codable, CaseIterable {
    /// Takes jobs and runs them.
    case running
    /// Takes no more jobs, and runs those that it has; goes on living.
    case quiet
    /// Takes no more jobs, and ends when those that it has are done or handed back.
    case stopping
}

/// What a worker can be told.
public enum WorkerOrder: String, Sendable, Codable, CaseIterable {
    /// Take no more jobs.
    case quiet
    /// Take jobs again.
    case run
    /// End, as if the process had been asked to; this is not taken back.
    case stop
}

/// What became of an order.
public enum OrderReply: String, Sendable, Codable {
    /// The worker reads it within a second, where it lives.
    case told
    /// No worker of that id is known.
    case unknown
    /// It was told to stop before.
    case stopping
}

/// What a worker says of itself.
public struct WorkerDescription: Sendable, Hashable, Codable {
    /// As its configuration says; the label of its logger unless given.
    public var name: String
    public var version: String?
    public var host: String
    public var pid: Int
    /// The kinds of jobs that it has handlers for, in order of the alphabet.
    public var kinds: [String]
    /// Jobs that it runs at the same time at most.
    public var concurrency: Int
    /// Jobs that it runs now.
    public var running: Int
    public var state: WorkerState
    /// By the worker's clock.
    public var startedAt: Instant
}

/// A worker on the list of its queue.
public struct WorkerEntry: Sendable, Hashable, Codable {
    public let id: String
    public let queue: QueueName
    public let worker: WorkerDescription
    /// Time since it was last heard of, in ms, by the clock of Redis.
    public let silentMs: Int
    /// Whether it was heard of within `JobWorkers.silentAfter`.
    public let isLive: Bool
    /// What it was told last; its state says whether it has obeyed.
    public let order: WorkerOrder?
}

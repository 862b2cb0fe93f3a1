import GameModel

/// How a worker runs its queue; every value has a default that serves a laptop and a server.
public struct JobWorkerConfiguration: Sendable, Equatable {
    /// Jobs that run at the same time; a batch counts as its jobs.
    public var concurrency = 16
    /// Jobs that one reserve takes at most, 1 to 500.
    public var batch = 64
    /// How long a job is ours after each renewal. A vanished worker's job runs again after about this long.
    public var leaseDuration = Duration.seconds(5)
    /// How often all leases are renewed; `nil` = a third of the lease.
    public var renewInterval: Duration?
    /// How long running handlers may go on after the stop was asked for.
    public var stopGrace = Duration.seconds(10)
    /// The longest wait for a wake-up before the queue is looked at anyway.
    public var blockMax = Duration.seconds(5)
    /// How long a job of unknown kind stays away after it was handed back.
    public var unknownKindDelay = Duration.seconds(5)
    /// The worker counts as ready while it heard from the queue within this time.
    public var readyWithin = Duration.seconds(15)
    /// How often the worker says that it lives and asks what it is to do; at most 2 s.
    public var presenceInterval = Duration.seconds(1)
    /// How often, about, the worker has the queue forget dead letters and results that are over its limits.
    public var retainInterval = Duration.seconds(10)
    /// What lists of workers call it; the label of its logger where `nil`.
    public var name: String?
    /// The version of the program around it, for lists of workers.
    public var version: String?

    public init() {}

    /// Refuses settings that cannot work, in words.
    public func validate() throws(JobError) {
        guard (1...100_000).contains(concurrency) else {
            throw .invalid("concurrency is 1 to 100000, not \(concurrency)")
        }
        guard (1...JobScripts.batchMax).contains(batch) else { throw .invalid("batch is 1 to 500, not \(batch)") }
        guard leaseDuration >= .milliseconds(50) else { throw .invalid("a lease lasts 50 ms or more") }
        guard effectiveRenewInterval * 2 < leaseDuration, effectiveRenewInterval > .zero else {
            throw .invalid("leases must be renewed more than twice while they last")
        }
        guard blockMax >= .milliseconds(10), stopGrace >= .zero, unknownKindDelay > .zero else {
            throw .invalid("blockMax is 10 ms or more, stopGrace 0 or more, unknownKindDelay over 0")
        }
        guard retainInterval >= .milliseconds(10) else { throw .invalid("retainInterval is 10 ms or more") }
        guard presenceInterval >= .milliseconds(10), presenceInterval <= .seconds(2) else {
            throw .invalid("presenceInterval is 10 ms to 2 s")
        }
    }

    var effectiveRenewInterval: Duration { renewInterval ?? leaseDuration / 3 }
}

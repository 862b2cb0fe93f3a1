import GameModel
import Jobs

/// One job that a `TestQueue` took, and what came of it.
public struct TestRun: Sendable, Hashable {
    public enum End: Sendable, Hashable {
        case completed
        /// The attempt failed, and the job comes back after this time.
        case failed(String, retryAfter: Duration)
        case snoozed(Duration)
        /// It is a dead letter now: it failed on its last attempt, was too old, did not decode, was not started in
        /// time…
        case buried(Bury)
        /// No handler knows its kind, or the version of its payload; it comes back after 5 s, and the attempt does not
        /// count.
        case handedBack
        /// While it ran, the job was cancelled or buried by hand: what the handler did is done, what it answered is
        /// refused.
        case refused
    }

    public let id: JobID
    public let kind: String
    /// The first is 1; 0 for a job that was buried without having run.
    public let attempt: Int
    public let end: End

    public var isCompleted: Bool { end == .completed }
}

/// Why `TestQueue.runAll` gave up.
public enum TestQueueError: Error, Sendable, Hashable, CustomStringConvertible {
    /// After so many runs there is still a job that can run now; this one ran most often. It is tried again without a
    /// wait, snoozed for no time, or enqueues itself anew.
    case neverDone(runs: Int, kind: String, id: JobID, itsRuns: Int)

    public var description: String {
        switch self {
        case .neverDone(let runs, let kind, let id, let itsRuns):
            "after \(runs) runs jobs can still run now; \(kind) \(id) ran \(itsRuns) times: is it tried again for ever?"
        }
    }
}

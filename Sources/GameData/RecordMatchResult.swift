import GameModel
import Jobs

/// The job that applies a stored result: ratings, totals and the match's end. It names the match only, for the result
/// itself is in SQLite beside the job's outbox row and can't differ from it.
public struct RecordMatchResult: Job, Hashable {
    public static let kind = "data.record-result"
    /// A stored result must be applied some day, however long the database is away and however many workers die.
    public static let options = JobOptions(maxAttempts: 1_000, maxCrashes: 1_000)
    /// The queue that the ingest workers take it from.
    public static let queue = QueueName("results")

    public var matchId: MatchID

    public init(matchId: MatchID) { self.matchId = matchId }

    /// The one id that the job of a match has, so that it can't be enqueued twice.
    public static func jobId(_ match: MatchID) -> JobID { JobID("record-result.\(match)") }
}

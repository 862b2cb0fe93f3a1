/// Where a job is in its life. A cancelled one leaves nothing that could be listed.
public enum JobState: String, Sendable, Hashable, Codable, CaseIterable {
    /// Has a time before which it does not run: delayed, retrying or snoozed.
    case scheduled
    /// May run now: limits, a pause or a want of workers can still hold it up.
    case available
    /// Runs when the jobs that it waits for have ended.
    case blocked
    /// Some worker's, until the lease runs out.
    case leased
    /// Only as long as its result is kept; of other jobs nothing stays.
    case completed
    /// Will not run again, unless an operator redrives it.
    case dead
}

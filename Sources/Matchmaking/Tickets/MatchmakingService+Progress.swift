import GameModel
import Redis

/// How far a waiting ticket is.
public struct TicketProgress: Sendable, Hashable {
    /// Where it is in its queue, by waiting time: 1 is the longest-waiting.
    public var position: Int
    /// How many tickets wait there.
    public var waiting: Int
    /// How long the pool's last tickets waited for their match; `nil` where none was matched yet.
    public var estimate: WaitEstimate?
}

/// Quantiles of the waits of a pool's last tickets.
public struct WaitEstimate: Sendable, Hashable {
    public var p50: Duration
    public var p90: Duration
}

extension MatchmakingService {
    /// How far a ticket is; `nil` where it does not wait in its queue. What all tickets of a pool share is read once a
    /// second at most.
    public func progress(of ticket: Ticket) async throws(MatchmakingError) -> TicketProgress? { nil }

    /// A client asked for its ticket, so it is not abandoned. Writes at most once in a third of the time after which a
    /// ticket counts as abandoned, and fails silently: the next sign of life is another try.
    public func touch(_ ticket: Ticket) async {}
}

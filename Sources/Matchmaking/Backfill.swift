import GameModel
import Redis

/// Players for matches that run: an instance whose players left asks for others, its request waits in the pool like a
/// ticket, and whoever is matched with it accepts as for any match.
///
/// A running match has one request at most. Each change of it raises its generation; a proposal made for an older one
/// is refused. The request ends with its match, at the latest.
extension MatchmakingService {
    /// Asks for players for a running match, or changes what was asked for.
    ///
    /// - Parameters:
    ///   - open: the open seats of each team, those of bots that would give way among them.
    ///   - left: all who have left the match so far; the others of its roster are who plays.
    /// - Returns: the request as a ticket without players; where players are on their way to these seats just now, it is
    ///   `proposed`.
    /// - Throws: ``MatchmakingError/backfillRefused(_:reason:)`` where the mode has no backfill or the seats can't be
    ///   open, ``MatchmakingError/matchGone(_:)`` or ``MatchmakingError/matchState(_:_:action:)`` where the match does
    ///   not run.
    @discardableResult
    public func requestBackfill(
        _ match: MatchID, open: [Int], left: Set<PlayerID> = []
    ) async throws(MatchmakingError) -> Ticket {
        throw .backfillRefused(match, reason: "no backfill")
    }

    /// Takes the request back. Players who were matched for its seats and did not come yet go back to the queue.
    ///
    /// - Returns: `false` where there was none.
    @discardableResult
    public func cancelBackfill(_ match: MatchID) async throws(MatchmakingError) -> Bool {
        false
    }

    /// The request of a running match; `nil` where it has none that lives.
    public func backfill(of match: MatchID) async throws(MatchmakingError) -> Ticket? {
        nil
    }

    /// placing → ready for players who were matched for seats of a running match: they are told where it is played, and
    /// belong to it from now on. Repeating it does nothing.
    ///
    /// - Parameters:
    ///   - proposal: the match as which they were proposed; it ends `finished`, reason `backfilled`.
    ///   - running: the match that they come into.
    /// - Returns: `false` where the seats are gone (the match ended, or took the request back): the players are in the
    ///   queue again with their original time, and what was prepared for them must be undone.
    /// - Throws: ``MatchmakingError/matchGone(_:)`` or ``MatchmakingError/matchState(_:_:action:)`` where the players
    ///   are not waiting for it any more.
    public func joinRunning(_ proposal: MatchID, into running: MatchID) async throws(MatchmakingError) -> Bool {
        throw .matchGone(proposal)
    }
}

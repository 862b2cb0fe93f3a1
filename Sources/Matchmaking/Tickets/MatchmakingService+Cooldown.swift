import GameModel
import Redis

/// Players who declined, kept silent or left a match may not queue for a while.
extension MatchmakingService {
    /// Until when a player may not queue, by Redis `TIME`; `nil` where nothing holds the player back.
    public func cooldown(of player: PlayerID) async throws(MatchmakingError) -> Instant? { nil }

    /// A player left a match before its end. Saying it again of the same match does nothing.
    /// - Returns: until when the player may not queue; `nil` where the mode knows no cooldown.
    @discardableResult
    public func penalise(_ player: PlayerID, for match: MatchID) async throws(MatchmakingError) -> Instant? { nil }
}

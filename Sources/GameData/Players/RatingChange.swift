import GameModel

/// What one rated match did to a player's rating.
public struct RatingChange: Sendable, Hashable, Codable {
    public var matchId: MatchID
    public var playerId: PlayerID
    public var mode: Mode
    /// On the Glicko scale; so are the deviations.
    public var ratingBefore: Double
    public var deviationBefore: Double
    public var ratingAfter: Double
    public var deviationAfter: Double
    public var changedAt: Instant
}

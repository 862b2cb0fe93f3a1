import GameModel

/// A player as others see them: name and standing in each mode they have played.
public struct PlayerProfile: Sendable, Hashable, Codable {
    public var playerId: PlayerID
    public var displayName: String
    public var createdAt: Instant
    /// By mode; a mode never played is absent.
    public var ratings: [String: PlayerStanding]
}

/// A player's rating and totals in one mode.
public struct PlayerStanding: Sendable, Hashable, Codable {
    /// On the Glicko scale; so is the deviation.
    public var rating: Double
    public var deviation: Double
    public var volatility: Double
    public var games: Int
    public var wins: Int
    public var draws: Int
    /// Matches left before their end; each is also lost.
    public var leaves: Int
    public var kills: Int
    public var deaths: Int
    /// Hit points taken from others.
    public var damage: Int
}

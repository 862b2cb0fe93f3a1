import GameModel

/// One line of a leaderboard.
public struct LeaderboardEntry: Sendable, Hashable, Codable {
    /// Counts from 1; of players with the same rating, who came to it first stands before the others.
    public var rank: Int
    public var playerId: PlayerID
    public var displayName: String
    public var rating: Double
    public var games: Int
}

/// Some lines of a leaderboard.
public struct LeaderboardPage: Sendable, Hashable, Codable {
    public var mode: Mode
    /// The season's name.
    public var season: String
    /// How many players are on the board.
    public var total: Int
    /// The rank of the player that was asked for; absent where nobody was.
    public var rank: Int?
    public var entries: [LeaderboardEntry]
    /// Where it was read: Redis, or SQLite where the board is of a past season or not in Redis.
    public var source: LeaderboardSource
}

public enum LeaderboardSource: String, Sendable, Hashable, Codable { case redis, sqlite }

/// What a board is sorted by, and what tells the newer of two.
struct BoardStanding: Sendable, Hashable {
    var player: PlayerID
    var mode: Mode
    /// The number of the season that the rating is of.
    var season: Int
    var rating: Double
    /// When the player came to this rating.
    var reachedAt: Instant
    /// Rated games in the mode, ever: they only grow.
    var games: Int
}

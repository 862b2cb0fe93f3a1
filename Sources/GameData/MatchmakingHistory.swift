import GameModel

/// What a player's past matches in a mode say to the matcher. Goes into a ticket when it is made; no client tells it.
public struct MatchmakingHistory: Sendable, Hashable {
    public var player: PlayerID
    public var mode: Mode
    /// On the public scale (1500 ± 350 for a newcomer), its deviation grown by the days since the last match.
    public var rating: GlickoRating
    /// Rated matches in the mode, ever.
    public var games: Int
    /// Wins in a row, the latest match included; losses in a row where negative; 0 after a draw. Of the last 20
    /// matches.
    public var streak: Int
    /// The opponents of the last matches, the latest first, each once; 20 at most.
    public var recentOpponents: [PlayerID]
    /// The share of rated matches that the player left before their end, 0 to 1.
    public var leaverRate: Double
    /// `nil` for who has no rated match in the mode.
    public var lastPlayedAt: Instant?

    public init(
        player: PlayerID, mode: Mode, rating: GlickoRating = .initial, games: Int = 0, streak: Int = 0,
        recentOpponents: [PlayerID] = [], leaverRate: Double = 0, lastPlayedAt: Instant? = nil
    ) {
        self.player = player
        self.mode = mode
        self.rating = rating
        self.games = games
        self.streak = streak
        self.recentOpponents = recentOpponents
        self.leaverRate = leaverRate
        self.lastPlayedAt = lastPlayedAt
    }

    /// How many matches back a streak is followed.
    public static let matchesMax = 20
    public static let opponentsMax = 20

    /// Wins or losses in a row from outcomes, the latest first.
    static func streak(of outcomes: some Sequence<MatchSummary.Outcome>) -> Int {
        var streak = 0
        for outcome in outcomes {
            switch outcome {
            case .won where streak >= 0: streak += 1
            case .lost where streak <= 0: streak -= 1
            default: return streak
            }
        }
        return streak
    }
}

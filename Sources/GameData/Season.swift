import GameModel

/// A stretch of time after which ratings are pulled together and a new board begins.
public struct Season: Sendable, Hashable, Codable {
    /// Counts from 0: what was played before any season was started.
    public var number: Int
    public var name: String
    public var startedAt: Instant
    /// How much of each rating's distance from 1500 was carried into it, 0 to 1.
    public var carry: Double

    public init(number: Int, name: String, startedAt: Instant, carry: Double) {
        self.number = number
        self.name = name
        self.startedAt = startedAt
        self.carry = carry
    }
}

/// A player's standing in a mode as a season ended. The totals are those of all seasons to then.
public struct SeasonStanding: Sendable, Hashable, Codable {
    public var season: String
    public var playerId: PlayerID
    public var mode: Mode
    public var rating: Double
    public var deviation: Double
    public var games: Int
    public var wins: Int

    public init(
        season: String, playerId: PlayerID, mode: Mode, rating: Double, deviation: Double, games: Int, wins: Int
    ) {
        self.season = season
        self.playerId = playerId
        self.mode = mode
        self.rating = rating
        self.deviation = deviation
        self.games = games
        self.wins = wins
    }
}

/// What `SeasonsRepository.startSeason` did.
public enum StartSeasonReply: Sendable, Hashable {
    /// Begun; so many ratings of the season before were kept and reset.
    case started(Season, ratings: Int)
    /// The season of this name is the current one; so many ratings were still to be reset.
    case alreadyStarted(Season, ratings: Int)
}

/// The soft reset at a season's start, as a pure function: rating and deviation move towards a newcomer's, as though
/// only the share `carry` of what is known still held. 1 changes nothing, 0 makes everyone a newcomer.
enum SoftReset {
    /// 1500 + carry · (rating − 1500), and √(carry² · deviation² + (1 − carry²) · 350²).
    static func after(_ rating: GlickoRating, carry: Double) -> GlickoRating {
        let kept = carry * carry
        let newcomer = GlickoRating.initial
        return GlickoRating(
            rating: newcomer.rating + carry * (rating.rating - newcomer.rating),
            deviation: (kept * rating.deviation * rating.deviation
                + (1 - kept) * newcomer.deviation * newcomer.deviation).squareRoot(),
            volatility: rating.volatility)
    }
}

import GameModel

/// How tickets of one mode are matched: what a match looks like, who may meet whom, how that widens while they wait,
/// and what happens around a match. Times are in seconds, latencies in ms, ratings in points.
///
/// A limit that widens is written once with its value for who has just queued, and then in ``expansions``;
/// ``limits(afterWaiting:)`` is what holds at a moment. The rating window is that of the match's anchor (its
/// longest-waiting ticket); latency limits and avoidance are judged for each player by their own wait.
public struct ModeRules: Sendable, Hashable {
    // MARK: The match

    public var teams: Int
    /// Players per team.
    public var teamSize: Int
    /// The most players of one party; a party never plays apart.
    public var partyMax: Int
    /// What each team is made of; empty where any players make a team. The counts of required roles add up to
    /// ``teamSize`` at most.
    public var roles: [RoleRule] = []
    /// Where matches are played: each region apart, or all of them together by latency.
    public var scope: RegionScope = .apart
    public var backfill = BackfillRule()

    // MARK: Who may meet

    /// Where a player's rating comes from, and what a result does to it.
    public var ratingSystem: RatingSystem
    /// How far apart in rating two players may be who have just queued.
    public var window: Double
    /// By how much the window widens with each second that the anchor of a match has waited.
    public var windowGrowth: Double
    public var windowMax: Double
    /// The most that the predicted chance of the strongest team may be from even, 0 to 0.5; `nil` = no limit.
    public var teamGapMax: Double?
    /// Latency limits; `nil` where latency is of no matter. Wanted by ``RegionScope/together``.
    public var latency: LatencyRule?
    public var attributes: [AttributeRule] = []
    /// Whether players are kept apart from those on their avoid-list.
    public var avoidsListed = false
    /// From how many of their last opponents players are kept apart.
    public var recentOpponents = 0
    public var expansions: [Expansion] = []
    public var history = HistoryRule()

    // MARK: Waiting and accepting

    /// Whether players must accept a match; else it is placed at once.
    public var needsAcceptance = true
    /// How long players have to accept a match.
    public var acceptSeconds: Double
    /// How long a ticket may wait; after that it expires.
    public var waitSecondsMax: Double
    /// How long a ticket stays whose client shows no sign of life; 0 = for ever.
    public var abandonedSeconds: Double = 0
    /// How long the members of a party have to join it.
    public var joinSeconds: Double = 60
    public var cooldown = CooldownRule()

    // MARK: Placing and playing

    /// How long an accepted match may wait for an instance before its players are queued again.
    public var placeSeconds: Double
    /// How often a ticket may be queued again because its match found no instance.
    public var placementsMax: Int
    /// How long a match may be under way before its tickets count as failed.
    public var matchSecondsMax: Double

    public init(
        teams: Int = 2, teamSize: Int, partyMax: Int? = nil, ratingSystem: RatingSystem? = nil, window: Double = 100,
        windowGrowth: Double = 25, windowMax: Double = 2_500, acceptSeconds: Double = 15,
        waitSecondsMax: Double = 600, placeSeconds: Double = 60, placementsMax: Int = 3,
        matchSecondsMax: Double = 3_600
    ) {
        self.teams = teams
        self.teamSize = teamSize
        self.partyMax = partyMax ?? teamSize
        self.ratingSystem = ratingSystem ?? (teams == 2 && teamSize == 1 ? .glicko2 : .openSkill)
        self.window = window
        self.windowGrowth = windowGrowth
        self.windowMax = windowMax
        self.acceptSeconds = acceptSeconds
        self.waitSecondsMax = waitSecondsMax
        self.placeSeconds = placeSeconds
        self.placementsMax = placementsMax
        self.matchSecondsMax = matchSecondsMax
    }

    public var playersPerMatch: Int { teams * teamSize }

    /// The longest that a ticket can live, in ms.
    var lifeMsMax: Int64 {
        Int64((joinSeconds + waitSecondsMax + 2 * acceptSeconds + placeSeconds + matchSecondsMax) * 1_000) + 60_000
    }
}

/// Whether the players of a mode meet within their region only.
public enum RegionScope: String, Sendable, Hashable, Codable, CaseIterable {
    /// One pool for each region; players are matched within the region that they ask for.
    case apart
    /// One pool for all regions; a match is played in the region with the lowest worst latency within everyone's limit.
    case together
}

/// A role that players of a team take.
public struct RoleRule: Sendable, Hashable {
    public var name: String
    /// How many of it a team has.
    public var count: Int
    /// A required role is always filled; a preferred one where players who wish it are there.
    public var isRequired: Bool

    public init(name: String, count: Int, isRequired: Bool = true) {
        self.name = name
        self.count = count
        self.isRequired = isRequired
    }
}

/// How far a player may be from the instance, in ms.
public struct LatencyRule: Sendable, Hashable {
    public var max: Double
    /// Other limits than ``max``, by region.
    public var regions: [Region: Double]

    public init(max: Double, regions: [Region: Double] = [:]) {
        self.max = max
        self.regions = regions
    }

    public func limit(to region: Region) -> Double { regions[region] ?? max }
}

/// A rule about one attribute that tickets carry.
public struct AttributeRule: Sendable, Hashable {
    public enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
        /// All players have the same value.
        case equal
        /// All players' lists have a value in common; a text is a list of one.
        case oneOf = "one-of"
        /// No two players are further apart than ``AttributeRule/max``.
        case distance
        /// No two teams' means are further apart than ``AttributeRule/max``.
        case averageDifference = "average-difference"
    }

    public var name: String
    public var kind: Kind
    /// For kinds `distance` and `average-difference`.
    public var max: Double?
    /// What a player without the attribute counts as; `nil`: such tickets are refused at creation.
    public var fallback: AttributeValue?

    public init(name: String, kind: Kind, max: Double? = nil, fallback: AttributeValue? = nil) {
        self.name = name
        self.kind = kind
        self.max = max
        self.fallback = fallback
    }
}

/// What a match that lost players may ask for.
public struct BackfillRule: Sendable, Hashable {
    public enum Priority: String, Sendable, Hashable, Codable, CaseIterable {
        /// Running matches are filled before new ones are made.
        case first
        /// In the order of waiting, like any ticket.
        case byWait = "by-wait"
        /// Only by who is left over.
        case last
    }

    public var isAllowed = false
    public var priority = Priority.first

    public init(isAllowed: Bool = false, priority: Priority = .first) {
        self.isAllowed = isAllowed
        self.priority = priority
    }
}

/// What a player's past matches mean for the next one.
public struct HistoryRule: Sendable, Hashable {
    /// So many first matches of a player are placement matches.
    public var placementGames = 0
    /// The rating window of a placement player is so many times as wide.
    public var placementWindow: Double = 1
    /// Points by which a player counts as stronger for each win in a row from the second on, weaker for each loss.
    public var streakPoints: Double = 0
    /// The most points of a streak, either way.
    public var streakPointsMax: Double = 0
    /// Seconds of waiting before a player who leaves matches is looked at, at a leaver rate of 1; in proportion below.
    public var leaverHoldSeconds: Double = 0

    public init() {}
}

/// How long players who declined, kept silent or left a match may not queue.
public struct CooldownRule: Sendable, Hashable {
    /// The first time; 0 = never.
    public var seconds: Double = 0
    /// So many times as long with each further time.
    public var factor: Double = 2
    public var secondsMax: Double = 600
    /// After so long without a further one, the next is a first again.
    public var forgetSeconds: Double = 3_600

    public init(seconds: Double = 0, factor: Double = 2, secondsMax: Double = 600, forgetSeconds: Double = 3_600) {
        self.seconds = seconds
        self.factor = factor
        self.secondsMax = secondsMax
        self.forgetSeconds = forgetSeconds
    }
}

import Foundation
import GameModel

/// How tickets of one mode are matched. Times are in seconds.
public struct PoolRules: Sendable, Hashable, Codable {
    public var teams: Int
    /// Players per team.
    public var teamSize: Int
    /// How far apart in rating two players may be who have just queued.
    public var window: Double
    /// By how much the window widens with each second that the anchor of a match has waited.
    public var windowGrowth: Double
    public var windowMax: Double
    /// How long players have to accept a match.
    public var acceptSeconds: Double
    /// How long a ticket may wait; after that it expires.
    public var waitSecondsMax: Double
    /// How long an accepted match may wait for an instance before its players are queued again.
    public var placeSeconds: Double
    /// How often a ticket may be queued again because its match found no instance.
    public var placementsMax: Int
    /// How long a match may be under way before its tickets count as failed.
    public var matchSecondsMax: Double

    public init(
        teams: Int = 2, teamSize: Int, window: Double = 100, windowGrowth: Double = 25, windowMax: Double = 2_500,
        acceptSeconds: Double = 15, waitSecondsMax: Double = 600, placeSeconds: Double = 60, placementsMax: Int = 3,
        matchSecondsMax: Double = 3_600
    ) {
        self.teams = teams
        self.teamSize = teamSize
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

    /// The window of a match whose longest-waiting ticket has waited for so many seconds.
    public func window(afterWaiting seconds: Double) -> Double {
        min(windowMax, window + windowGrowth * max(0, seconds))
    }

    /// The longest that a ticket can live, in ms.
    var lifeMsMax: Int64 {
        Int64((waitSecondsMax + 2 * acceptSeconds + placeSeconds + matchSecondsMax) * 1_000) + 60_000
    }
}

/// The modes and regions that are played, and the rules of each mode. Every API process and every ranker holds the
/// same.
public struct MatchmakingRules: Sendable, Hashable {
    public var modes: [Mode: PoolRules]
    public var regions: [Region]

    public init(modes: [Mode: PoolRules], regions: [Region]) {
        self.modes = modes
        self.regions = regions
    }

    /// Duels, trios and squads in Europe and the United States.
    public static let standard = MatchmakingRules(
        modes: [
            Mode("duel"): PoolRules(teamSize: 1), Mode("trio"): PoolRules(teamSize: 3),
            Mode("squad"): PoolRules(teamSize: 5),
        ],
        regions: [Region("eu"), Region("us")])

    /// Every pool there is, sorted.
    public var pools: [Pool] {
        modes.keys.flatMap { mode in regions.map { Pool(mode: mode, region: $0) } }.sorted()
    }

    public func rules(of pool: Pool) -> PoolRules? {
        regions.contains(pool.region) ? modes[pool.mode] : nil
    }

    /// Refuses rules that can't be played.
    public func validate() throws(MatchmakingError) {
        guard !modes.isEmpty else { throw .invalidRules("no modes") }
        guard !regions.isEmpty, Set(regions).count == regions.count else {
            throw .invalidRules("regions must be some, each once")
        }
        for region in regions where !Pool.isName(region.rawValue) { throw .invalidRules("region '\(region)'") }
        for (mode, rules) in modes {
            guard Pool.isName(mode.rawValue) else { throw .invalidRules("mode '\(mode)'") }
            try rules.validate(mode)
        }
    }
}

extension PoolRules {
    /// The most players of one match: what one script call takes.
    public static let playersPerMatchMax = 100

    func validate(_ mode: Mode) throws(MatchmakingError) {
        guard teams >= 2, teamSize >= 1, teams <= Self.playersPerMatchMax, teamSize <= Self.playersPerMatchMax,
            playersPerMatch <= Self.playersPerMatchMax
        else {
            throw .invalidRules("\(mode): \(teams) teams of \(teamSize); want 2 teams or more, 100 players at most")
        }
        let ranges: [(name: String, value: Double, range: ClosedRange<Double>)] = [
            ("window", window, 0...10_000), ("windowGrowth", windowGrowth, 0...10_000),
            ("windowMax", windowMax, 0...10_000), ("acceptSeconds", acceptSeconds, 0.1...600),
            ("waitSecondsMax", waitSecondsMax, 0.1...86_400), ("placeSeconds", placeSeconds, 0.1...3_600),
            ("placementsMax", Double(placementsMax), 1...100), ("matchSecondsMax", matchSecondsMax, 1...86_400),
        ]
        for item in ranges where !item.range.contains(item.value) {
            throw .invalidRules(
                "\(mode): \(item.name) is \(item.value), must be \(item.range.lowerBound) to \(item.range.upperBound)")
        }
    }
}

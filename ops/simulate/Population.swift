import GameModel

/// What a made-up day of players is like. Every value has a default; a YAML file (see ``PopulationFile``) names those
/// that differ. Times are in seconds, latencies in ms, ratings in points, shares 0 to 1.
public struct Population: Sendable, Hashable {
    /// One of the normal distributions that ratings are mixed from.
    struct RatingPart: Sendable, Hashable {
        var share = 1.0
        var mean = 1_500.0
        var spread = 350.0
    }

    struct Home: Sendable, Hashable {
        var region: Region
        var share: Double
        /// Hours that clocks there are ahead of those of the day that is run.
        var utcOffset: Double
    }

    /// How an attribute of players is drawn: a number, or one of several texts.
    enum Attribute: Sendable, Hashable {
        case number(mean: Double, spread: Double, range: ClosedRange<Double>)
        case text([Pair])

        struct Pair: Sendable, Hashable {
            var text: String
            var share: Double
        }
    }

    /// Players who begin to play on one day; each plays one match or more (``Habits/returns``).
    public var players = 20_000
    var ratings = [RatingPart()]
    var ratingRange = 100.0...3_500
    /// The rating's deviation of players who are known.
    var deviation = 70.0
    /// The share of players of whom little is known yet: deviation 350, fewer than ten games.
    var newcomers = 0.08
    /// Where players live; empty: the regions of the rules, with shares and clocks that this program knows.
    var homes: [Home] = []
    /// The latency between regions, by `a-b` in either order; others by this program's table.
    var distances: [String: Double] = [:]
    /// The latency to the region where a player lives, mean and standard deviation.
    var homeLatency = 25.0
    var homeLatencySpread = 10.0
    /// The share of players with a bad line, which adds a log-normal time of this median.
    var badLines = 0.03
    var badLineLatency = 80.0
    /// Shares of players by the size of the party they come in, from 1 on.
    var parties = [0.55, 0.2, 0.1, 0.05, 0.1]
    /// How far the ratings of a party's members are from its leader's, as a standard deviation.
    var partySpread = 150.0
    /// What players like to be, by role; empty: every role of the rules by its count.
    var roles: [String: Double] = [:]
    /// The share of players who take no other role than the two they name.
    var insists = 0.1
    var attributes: [String: Attribute] = [:]
    /// The share of players who leave matches, and how often these do.
    var leavers = 0.03
    var leaverRate = 0.3
    /// How many come in each hour of their day, in proportion.
    var hours: [Double] = [
        30, 20, 13, 9, 7, 7, 10, 16, 22, 28, 34, 40, 46, 48, 50, 55, 64, 76, 90, 100, 98, 86, 66, 46,
    ]
    var habits = Habits()

    public init() {}
}

extension Population {
    /// The places that this program knows: how players are spread over them, and what their clocks show.
    static let knownHomes: [Region: Home] = Dictionary(
        uniqueKeysWithValues: [
            Home(region: Region("eu"), share: 0.4, utcOffset: 1),
            Home(region: Region("us"), share: 0.35, utcOffset: -6),
            Home(region: Region("ap"), share: 0.25, utcOffset: 8),
            Home(region: Region("sa"), share: 0.1, utcOffset: -3),
            Home(region: Region("oc"), share: 0.06, utcOffset: 10),
            Home(region: Region("me"), share: 0.06, utcOffset: 3),
        ].map { ($0.region, $0) })

    /// Round trips between well-connected hosts of the places, in ms, rounded: of the size that cloud providers
    /// publish.
    static let knownDistances: [String: Double] = [
        "ap-eu": 165, "ap-me": 110, "ap-oc": 95, "ap-sa": 310, "ap-us": 160, "eu-me": 95, "eu-oc": 260, "eu-sa": 190,
        "eu-us": 95, "me-oc": 200, "me-sa": 280, "me-us": 180, "oc-sa": 300, "oc-us": 180, "sa-us": 130,
    ]
    static let unknownDistance = 140.0

    func distance(_ left: Region, _ right: Region) -> Double {
        if left == right { return 0 }
        let (a, b) = (min(left, right), max(left, right))
        return distances["\(a)-\(b)"] ?? distances["\(b)-\(a)"] ?? Self.knownDistances["\(a)-\(b)"]
            ?? Self.unknownDistance
    }

    /// Where players live, given the regions of the rules.
    func homes(for regions: [Region]) -> [Home] {
        guard homes.isEmpty else { return homes }
        return regions.map { Self.knownHomes[$0] ?? Home(region: $0, share: 0.1, utcOffset: 0) }
    }
}

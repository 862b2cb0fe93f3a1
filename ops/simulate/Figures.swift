import GameModel
import Matchmaking

/// What a run came to. Waits are in seconds and counted once for each player, of those who were matched and of those
/// who waited in vain until they expired; chances are 0 to 0.5, ratings in points, latencies in ms.
public struct Figures: Sendable, Hashable, Codable {
    /// How a value is spread.
    public struct Quantiles: Sendable, Hashable, Codable {
        public var count = 0
        public var mean = 0.0
        public var p50 = 0.0
        public var p90 = 0.0
        public var p99 = 0.0
        public var max = 0.0
    }

    /// The same of a part of the players: a tenth by rating, a region, a size of party, an hour.
    public struct Part: Sendable, Hashable, Codable {
        public var name: String
        public var players: Int
        public var wait: Quantiles
        /// The share of players whose ticket expired.
        public var expired: Double
        /// The mean predicted gap of their matches.
        public var gap: Double
        /// The mean latency of the regions they played in, per match the worst of its players.
        public var worstLatency: Double
    }

    /// A shape for plots: how many per bin, and where bins begin.
    public struct Histogram: Sendable, Hashable, Codable {
        public var width: Double
        public var counts: [Int]
    }

    public var rulesVersion: String
    public var tickets = 0
    /// Players who queued, once for each time.
    public var players = 0
    public var matchedPlayers = 0
    public var expiredPlayers = 0
    /// Players whose own party did not accept.
    public var declinedPlayers = 0
    /// Players who still wait when the run ends.
    public var waitingPlayers = 0
    public var busyArrivals = 0

    public var matches = 0
    public var refusedProposals = 0
    /// Matches with fewer players than the mode's full number.
    public var shortMatches = 0
    public var bots = 0

    public var wait = Quantiles()
    public var gap = Quantiles()
    public var ratingSpread = Quantiles()
    /// Of each player to the region of their match.
    public var latency = Quantiles()
    /// The worst of each match.
    public var worstLatency = Quantiles()
    /// Between the best and the worst of each match.
    public var latencySpread = Quantiles()

    public var byRating: [Part] = []
    public var byRegion: [Part] = []
    public var byParty: [Part] = []
    public var byHour: [Part] = []
    /// Where matches were played.
    public var matchesByRegion: [String: Int] = [:]
    public var matchesByHour: [Int] = []
    /// Players who wait, minute by minute.
    public var backlog: [Int] = []
    /// Wait in seconds at each percentile from 0 to 100.
    public var waitPercentiles: [Double] = []
    public var gapHistogram = Histogram(width: 0.01, counts: [])
    public var latencyHistogram = Histogram(width: 5, counts: [])

    /// What no run may do; empty, or the simulator or the matcher is wrong.
    public var faults: [String] = []

    public var expiredShare: Double { players == 0 ? 0 : Double(expiredPlayers) / Double(players) }
}

extension Figures.Quantiles {
    /// By nearest rank: the smallest value that so many are not above.
    init(sorted values: [Double]) {
        self.init()
        guard let last = values.last else { return }
        func rank(_ share: Double) -> Double {
            values[Swift.min(values.count - 1, Swift.max(0, Int((share * Double(values.count)).rounded(.up)) - 1))]
        }
        count = values.count
        mean = values.reduce(0, +) / Double(values.count)
        (p50, p90, p99, max) = (rank(0.5), rank(0.9), rank(0.99), last)
    }

    init(_ values: [Double]) { self.init(sorted: values.sorted()) }
}

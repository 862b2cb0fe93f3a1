import GameModel

/// What `muster load` sends: how many players, over how long, to which API, and what they want.
public struct LoadConfiguration: Sendable, Equatable {
    /// Where the API answers, such as `http://127.0.0.1:8080`; several are used in turn.
    public var apiURLs: [String] = ["http://127.0.0.1:8080"]
    /// How many players arrive in all.
    public var players = 1000
    /// Over how long they arrive, as a Poisson process.
    public var arrivals: Duration = .seconds(60)
    /// How long after the last arrival the journeys may still take.
    public var drain: Duration = .seconds(90)
    /// How long nothing may happen after the last arrival before the run ends: players who are left then have nobody to
    /// be matched with.
    public var idleTimeout: Duration = .seconds(15)
    /// Modes that players queue for, with their weights.
    public var modes: [WeightedMode] = [.init(mode: Mode("duel"), weight: 7), .init(mode: Mode("trio"), weight: 3)]
    /// Where players are at home, each region as often; from there their latency is low.
    public var regions: [Region] = [Region("eu"), Region("us")]
    /// The share of players, 0 to 1, in parties of each size, 2 or more; the others play alone.
    public var parties: [Int: Double] = [:]
    /// The share of players, 0 to 1, whose card is declined.
    public var declinedCards = 0.05
    /// The share of players, 0 to 1, who turn their first proposal down.
    public var decliners = 0.01
    /// The share of queued players, 0 to 1, that must finish a match for the run to pass.
    public var requiredFinished = 0.95
    /// The same seed gives the same arrivals and the same wishes.
    public var seed: UInt64 = 1
    /// Where to write the HTML report; none where `nil`.
    public var reportPath: String?
    /// Print the result as JSON in place of a table.
    public var json = false
    /// Draw the progress line.
    public var showProgress = true

    public init() {}

    public struct WeightedMode: Sendable, Equatable {
        public var mode: Mode
        public var weight: Int

        public init(mode: Mode, weight: Int) {
            self.mode = mode
            self.weight = weight
        }
    }

    /// Refuses what can't be run, naming the setting, its value and what would be right.
    public func validate() throws(LoadError) {
        func require(_ holds: Bool, _ text: String) throws(LoadError) {
            if !holds { throw LoadError.invalidSetting(text) }
        }
        try require(!apiURLs.isEmpty, "api: none given, expected at least one URL")
        try require((1...1_000_000).contains(players), "players: \(players), expected 1 to 1,000,000")
        try require(
            arrivals > .zero && arrivals <= .seconds(86_400),
            "seconds: \(arrivals), expected more than 0, at most a day")
        try require(drain >= .zero && drain <= .seconds(3600), "drain: \(drain), expected 0 to 3,600 seconds")
        try require(
            idleTimeout > .zero && idleTimeout <= .seconds(3600),
            "idle-timeout: \(idleTimeout), expected more than 0, at most 3,600 seconds")
        try require(
            !modes.isEmpty && modes.allSatisfy { $0.weight > 0 }, "modes: expected NAME or NAME=WEIGHT, weight > 0")
        try require(!regions.isEmpty, "regions: none given, expected such as eu,us")
        for (size, share) in parties.sorted(by: { $0.key < $1.key }) {
            try require(
                size >= 2, "parties: a party of \(size), expected SIZE=SHARE, such as 2=0.2,5=0.1, sizes from 2")
            try require((0...1).contains(share), "parties: \(size)=\(share), expected a share of players, 0 to 1")
        }
        let together = parties.values.reduce(0, +)
        try require(together <= 1, "parties: the shares add up to \(together), expected 1 at most")
        for (name, share) in [
            ("declined-cards", declinedCards), ("decliners", decliners), ("require-finished", requiredFinished),
        ] {
            try require((0...1).contains(share), "\(name): \(share), expected 0 to 1")
        }
    }
}

/// Why a run of simulated players could not be made, or did not pass.
public enum LoadError: Error, Equatable, CustomStringConvertible {
    case invalidSetting(String)
    case apiUnreachable(String)
    case reportNotWritten(path: String, reason: String)
    case tooFewFinished(finished: Int, queued: Int, required: Double)

    public var description: String {
        switch self {
        case .invalidSetting(let text): text
        case .apiUnreachable(let reason): "the API does not answer: \(reason). Is `muster up` running?"
        case .reportNotWritten(let path, let reason): "the report could not be written to \(path): \(reason)"
        case .tooFewFinished(let finished, let queued, let required):
            "\(finished) of \(queued) queued players finished a match, \(Int(required * 100)) % required"
        }
    }
}

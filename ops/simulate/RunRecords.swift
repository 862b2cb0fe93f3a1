import GameModel

/// What became of a ticket in a run. Times are in ms since 00:00.
struct TicketRecord: Sendable {
    enum End: UInt8, Sendable {
        /// The run ended first.
        case none
        case matched
        /// It waited as long as the rules let it.
        case expired
        /// One of its players did not accept a match.
        case declined
    }

    /// Its place in ``Crowd/arrivals``.
    let arrival: Int32
    /// How many matches its players had before.
    let visit: Int32
    let queuedAt: Int64
    /// Its place among the pools of the mode.
    var pool: Int32 = 0
    var isWaiting = false
    var end = End.none
    /// When it left the queue for good; for a match, when that was proposed.
    var endedAt: Int64 = 0
    /// Its place in ``RunRecords/matches``.
    var match: Int32 = -1
}

/// A match that all accepted.
struct MatchRecord: Sendable {
    /// When it was proposed, in ms since 00:00.
    let at: Int64
    let region: Int32
    let players: Int32
    let bots: Int32
    /// Between the lowest and the highest rating of its players, in points.
    let spread: Double
    /// How far the predicted chance of the strongest team against the weakest is from even, 0 to 0.5.
    let gap: Double
    /// Of its players to its region, in ms; `nil` where none is known.
    let latency: ClosedRange<Double>?
}

/// All that happened in a run, for ``Figures`` to be made of.
struct RunRecords: Sendable {
    var tickets: [TicketRecord] = []
    var matches: [MatchRecord] = []
    /// The latency of each player to the region of their match, in ms, by match.
    var latencies: [Float] = []
    /// Players who wait, at the end of each minute.
    var backlog: [Int32] = []
    /// Proposals that someone did not accept.
    var refusedProposals = 0
    /// Arrivals whose players still waited or played.
    var busyArrivals = 0
    /// What no run may ever do, in words: a player in two matches, a ticket matched that does not wait.
    var faults: [String] = []
}

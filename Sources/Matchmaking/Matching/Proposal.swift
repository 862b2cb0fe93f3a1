import GameModel

/// A match that the matcher wants; it is made when Redis agrees that all its tickets are still queued.
public struct Proposal: Sendable, Hashable {
    /// The ticket around which it was made, whose window holds. Only one that could not have been an anchor itself may
    /// have waited longer.
    public let anchor: QueuedTicket
    /// The tickets of each team, parties whole; without the backfill ticket, where there is one.
    public let teams: [[QueuedTicket]]
    /// Where it is played.
    public var region: Region
    /// The running match that gets these players.
    public var backfill: QueuedTicket?
    /// Seats of each team that bots take; empty = none.
    public var bots: [Int] = []
    /// Who takes which role; empty where the mode has none.
    public var roles: [PlayerID: String] = [:]
    /// Each rule with its limit at that moment and the match's value, for people.
    public var checks: [RuleCheck] = []

    public init(anchor: QueuedTicket, teams: [[QueuedTicket]], region: Region) {
        self.anchor = anchor
        self.teams = teams
        self.region = region
    }

    /// In the order of the teams.
    public var tickets: [QueuedTicket] { teams.flatMap { $0 } }

    /// The tickets that the commit takes out of the queue: those of the players, and the backfill ticket after them.
    public var allTickets: [QueuedTicket] { tickets + (backfill.map { [$0] } ?? []) }

    public var players: [TicketMember] { tickets.flatMap(\.members) }
}

/// One rule held against a match or a pair of tickets.
public struct RuleCheck: Sendable, Hashable, Codable {
    /// As in the rules file: `rating-window`, `latency`, `role:tank`, `attribute:level`, `team-gap`, …
    public var rule: String
    /// The limit at that moment, in words: `±180`, `60 ms`.
    public var limit: String
    /// What there was: `172`, `75 ms to eu`.
    public var value: String

    public init(rule: String, limit: String, value: String) {
        self.rule = rule
        self.limit = limit
        self.value = value
    }
}

/// Why a waiting ticket is not matched, in the matcher's own terms.
public struct TicketExplanation: Sendable, Hashable, Codable {
    /// Another ticket near this one, and the rules by which the two can't meet; none where they could.
    public struct Candidate: Sendable, Hashable, Codable {
        public var ticket: TicketID
        public var rating: Double
        public var waitedSeconds: Double
        public var refusals: [RuleCheck]

        public init(ticket: TicketID, rating: Double, waitedSeconds: Double, refusals: [RuleCheck]) {
            self.ticket = ticket
            self.rating = rating
            self.waitedSeconds = waitedSeconds
            self.refusals = refusals
        }
    }

    public var ticket: TicketID
    public var waitedSeconds: Double
    /// The rating window at this moment, in points either way.
    public var window: Double
    /// What holds for it now, in words.
    public var limits: [RuleCheck]
    /// The nearest in rating, nearest first.
    public var nearest: [Candidate]
    /// How many players it could meet, of how many that a match wants.
    public var compatiblePlayers: Int
    public var wantedPlayers: Int
    /// What is missing, in words: `3 players`, `a healer`, `a region within everyone's latency`.
    public var missing: [String]
}

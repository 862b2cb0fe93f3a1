import GameModel
import Jobs

/// The job that gives an accepted match a slot on an instance, on the queue named like the pool. It is enqueued by the
/// script that takes the last acceptance (or by the proposal, where the mode wants none), under the name
/// `allocate.<match id>`.
///
/// The form grows by optional fields only: an allocator of an older version reads what it knows.
public struct AllocateInstance: Job, Hashable {
    public struct Player: Codable, Sendable, Hashable {
        public let ticketId: TicketID
        public let playerId: PlayerID
        public let character: String?
        public let rating: Double
        /// The role that the player takes; `nil` where the mode has none.
        public let role: String?

        public init(
            ticketId: TicketID, playerId: PlayerID, character: String?, rating: Double, role: String? = nil
        ) {
            self.ticketId = ticketId
            self.playerId = playerId
            self.character = character
            self.rating = rating
            self.role = role
        }
    }

    public static let kind = "fleet.allocate"

    /// Quick and many: players wait for it, and the match's own deadline ends the tries.
    public static let options = JobOptions(
        maxAttempts: 60, backoff: .exponential(base: .milliseconds(200), cap: .seconds(2), jitter: 0.2), maxCrashes: 60)

    public let matchId: MatchID
    public let pool: Pool
    /// The players of each team; with ``backfill``, those who come into the running match.
    public let teams: [[Player]]
    /// Seats of each team that bots take; empty = none.
    public let bots: [Int]
    /// The running match that gets these players: they need no slot, but seats there, and then
    /// ``MatchmakingService/joinRunning(_:into:)``.
    public let backfill: MatchID?
    /// The version of the rules by which the match was made; `nil` from a ranker of an older version.
    public let rules: String?

    public init(
        matchId: MatchID, pool: Pool, teams: [[Player]], bots: [Int] = [], backfill: MatchID? = nil,
        rules: String? = nil
    ) {
        self.matchId = matchId
        self.pool = pool
        self.teams = teams
        self.bots = bots
        self.backfill = backfill
        self.rules = rules
    }

    /// Where it is to be placed.
    public var region: Region { matchId.region ?? pool.region }

    private enum CodingKeys: String, CodingKey {
        case matchId, pool, teams, bots, backfill, rules
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        matchId = try container.decode(MatchID.self, forKey: .matchId)
        let name = try container.decode(String.self, forKey: .pool)
        guard let pool = Pool(name) else {
            throw DecodingError.dataCorruptedError(
                forKey: .pool, in: container, debugDescription: "expected 'mode:region', not '\(name)'")
        }
        self.pool = pool
        teams = try container.decode([[Player]].self, forKey: .teams)
        bots = try container.decodeIfPresent([Int].self, forKey: .bots) ?? []
        backfill = try container.decodeIfPresent(MatchID.self, forKey: .backfill)
        rules = try container.decodeIfPresent(String.self, forKey: .rules)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(matchId, forKey: .matchId)
        try container.encode(pool.description, forKey: .pool)
        try container.encode(teams, forKey: .teams)
        if !bots.isEmpty { try container.encode(bots, forKey: .bots) }
        try container.encodeIfPresent(backfill, forKey: .backfill)
        try container.encodeIfPresent(rules, forKey: .rules)
    }

    public static func id(of match: MatchID) -> JobID { JobID("allocate.\(match)") }

    /// The queue that a pool's matches are placed from.
    public static func queue(of pool: Pool) -> QueueName { QueueName(pool.description) }
}

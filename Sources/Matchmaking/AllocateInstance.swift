import GameModel
import Jobs

/// The job that gives an accepted match a slot on an instance, on the queue named like the pool. It is enqueued by the
/// script that takes the last acceptance, under the name `allocate.<match id>`.
public struct AllocateInstance: Job, Hashable {
    public struct Player: Codable, Sendable, Hashable {
        public let ticketId: TicketID
        public let playerId: PlayerID
        public let character: String?
        public let rating: Double

        public init(ticketId: TicketID, playerId: PlayerID, character: String?, rating: Double) {
            self.ticketId = ticketId
            self.playerId = playerId
            self.character = character
            self.rating = rating
        }
    }

    public static let kind = "fleet.allocate"

    /// Quick and many: players wait for it, and the match's own deadline ends the tries.
    public static let options = JobOptions(
        maxAttempts: 60, backoff: .exponential(base: .milliseconds(200), cap: .seconds(2), jitter: 0.2), maxCrashes: 60)

    public let matchId: MatchID
    public let pool: Pool
    public let teams: [[Player]]

    public init(matchId: MatchID, pool: Pool, teams: [[Player]]) {
        self.matchId = matchId
        self.pool = pool
        self.teams = teams
    }

    private enum CodingKeys: String, CodingKey {
        case matchId, pool, teams
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
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(matchId, forKey: .matchId)
        try container.encode(pool.description, forKey: .pool)
        try container.encode(teams, forKey: .teams)
    }

    public static func id(of match: MatchID) -> JobID { JobID("allocate.\(match)") }

    /// The queue that a pool's matches are placed from.
    public static func queue(of pool: Pool) -> QueueName { QueueName(pool.description) }
}

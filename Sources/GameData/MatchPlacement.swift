import GameModel

/// A match that an allocator has found a slot for: what is written to SQLite before any player is told.
public struct MatchPlacement: Sendable, Hashable {
    public var matchId: MatchID
    public var mode: Mode
    public var region: Region
    public var instanceId: InstanceID
    /// The balance that the match is played with to its end.
    public var patch: PatchVersion
    public var placedAt: Instant
    /// Who plays; the members of a party have their ticket in common.
    public var roster: [MatchSeat]
    /// How many bots each team has; empty where none plays. A match with bots is not rated.
    public var bots: [Int]
    /// The version of the rules that the match was made by.
    public var rules: String

    public init(
        matchId: MatchID, mode: Mode, region: Region, instanceId: InstanceID, patch: PatchVersion,
        roster: [MatchSeat], bots: [Int] = [], rules: String = "standard", placedAt: Instant = .now
    ) {
        self.matchId = matchId
        self.mode = mode
        self.region = region
        self.instanceId = instanceId
        self.patch = patch
        self.roster = roster
        self.bots = bots
        self.rules = rules
        self.placedAt = placedAt
    }

    /// The most seats of one match, bots' among them.
    public static let seatsMax = 1_000

    /// How many teams the match has, those of bots alone among them.
    var teamCount: Int { max(bots.count, (roster.map(\.team).max() ?? -1) + 1) }

    /// Teams are numbered from 0 without a gap and each has someone, there are two at least, and nobody sits twice.
    func validate() throws(GameDataError) {
        guard bots.allSatisfy({ (0...Self.seatsMax).contains($0) }), bots.reduce(roster.count, +) <= Self.seatsMax
        else {
            throw .invalid(field: "bots", detail: "a match has \(Self.seatsMax) seats at most")
        }
        guard !roster.isEmpty else { throw .invalid(field: "roster", detail: "nobody plays") }
        let bots = Set(self.bots.indices.filter { self.bots[$0] > 0 })
        let teams = Set(roster.map(\.team)).union(bots)
        guard teams.count >= 2, teams == Set(0..<teamCount) else {
            throw .invalid(field: "roster", detail: "teams must be numbered from 0 without a gap, two at least")
        }
        guard Set(roster.map(\.playerId)).count == roster.count else {
            throw .invalid(field: "roster", detail: "a player has two seats")
        }
        let parties = Dictionary(grouping: roster, by: \.ticketId)
        for (ticket, party) in parties where Set(party.map(\.team)).count > 1 {
            throw .invalid(field: "roster", detail: "the party of ticket \(ticket) is in two teams")
        }
    }
}

/// A player's place in a match.
public struct MatchSeat: Sendable, Hashable, Codable {
    /// The index of the team, from 0.
    public var team: Int
    public var ticketId: TicketID
    public var playerId: PlayerID
    public var character: String
    /// The rating that the player was matched by.
    public var rating: Double
    /// What the player does in the team; `nil` where the mode has no roles.
    public var role: String?

    public init(
        team: Int, ticketId: TicketID, playerId: PlayerID, character: String, rating: Double, role: String? = nil
    ) {
        self.team = team
        self.ticketId = ticketId
        self.playerId = playerId
        self.character = character
        self.rating = rating
        self.role = role
    }
}

/// What `MatchesRepository.place` did.
public enum PlaceReply: Sendable, Hashable {
    case placed
    /// The same match was placed before, on the same instance; nothing changed.
    case alreadyPlaced
    /// The same match was placed before on another instance and has not reported; it is on the new one now, with the
    /// patch that it had.
    case moved(from: InstanceID)
}

/// What `MatchesRepository.addSeats` did.
public enum AddSeatsReply: Sendable, Hashable {
    /// So many seats are new.
    case added(Int)
    /// All of them were there before; nothing changed.
    case alreadyAdded
}

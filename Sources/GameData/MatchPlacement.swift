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
    public var roster: [MatchSeat]

    public init(
        matchId: MatchID, mode: Mode, region: Region, instanceId: InstanceID, patch: PatchVersion,
        roster: [MatchSeat], placedAt: Instant = .now
    ) {
        self.matchId = matchId
        self.mode = mode
        self.region = region
        self.instanceId = instanceId
        self.patch = patch
        self.roster = roster
        self.placedAt = placedAt
    }

    /// Teams are numbered from 0 without a gap, there are two at least, and nobody sits twice.
    func validate() throws(GameDataError) {
        let teams = Set(roster.map(\.team))
        guard teams.count >= 2, teams == Set(0..<teams.count) else {
            throw .invalid(field: "roster", detail: "teams must be numbered from 0 without a gap, two at least")
        }
        guard Set(roster.map(\.playerId)).count == roster.count else {
            throw .invalid(field: "roster", detail: "a player has two seats")
        }
        guard Set(roster.map(\.ticketId)).count == roster.count else {
            throw .invalid(field: "roster", detail: "a ticket has two seats")
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

    public init(team: Int, ticketId: TicketID, playerId: PlayerID, character: String, rating: Double) {
        self.team = team
        self.ticketId = ticketId
        self.playerId = playerId
        self.character = character
        self.rating = rating
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

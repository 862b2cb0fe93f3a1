import GameModel
import Redis

/// Why matchmaking refused or could not do something; each case says what the caller can do.
public enum MatchmakingError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The player has this ticket already: go on with it, or cancel it.
    case ticketActive(TicketID)
    /// Ask for a mode that is played.
    case unknownMode(Mode, known: [Mode])
    /// Ask for a region that is played in.
    case unknownRegion(Region, known: [Region])
    /// A latency to a region that is not played in.
    case latencyElsewhere(Region, known: [Region])
    /// A latency that can't have been measured; the number as text, for NaN has no other.
    case invalidLatency(Region, value: String)
    /// A rating that can't have been reckoned: a fault of the caller.
    case invalidSkill(Skill)
    case invalidCharacter(String)
    /// A ticket that could never be matched, or is out of bounds: the field as the client named it, with the value and
    /// what would be right.
    case invalidTicket(field: String, reason: String)
    /// The player declined, kept silent or left a match, and may queue again at that time of Redis.
    case coolingDown(until: Instant)
    /// The rules can't be played with.
    case invalidRules(String)
    /// The ticket is another player's.
    case foreignTicket(TicketID)
    /// Not the name of a ticket of a pool that is played.
    case unknownTicket(TicketID)
    /// Redis knows the ticket no more (it ended long ago, or Redis was lost): queue again.
    case ticketGone(TicketID)
    /// The ticket's state does not allow it.
    case ticketState(TicketID, TicketState, action: String)
    /// The time to accept is over.
    case tooLate(TicketID)
    /// Redis knows the match no more: its players are told that their tickets expired.
    case matchGone(MatchID)
    /// The match's state does not allow it: another was faster, or its deadline passed.
    case matchState(MatchID, MatchState, action: String)
    /// The running match can't ask for players.
    case backfillRefused(MatchID, reason: String)
    /// See ``RedisError/isOutage`` for whether trying later helps.
    case redis(RedisError)

    public var description: String {
        switch self {
        case .ticketActive(let ticket): "the player has an active ticket, \(ticket)"
        case .unknownMode(let mode, let known): "no mode '\(mode)'; there are \(Self.list(known))"
        case .unknownRegion(let region, let known), .latencyElsewhere(let region, let known):
            "no region '\(region)'; there are \(Self.list(known))"
        case .invalidLatency(let region, let value):
            "latency to '\(region)' is \(value), must be a number of ms from 0 to \(Int(TicketRequest.latencyMsMax))"
        case .invalidSkill(let skill): "rating \(skill.rating) ± \(skill.deviation) can't be"
        case .invalidCharacter(let character):
            "character '\(character.prefix(40))' must be 1 to 64 lower-case letters, digits, '-' and '_'"
        case .invalidTicket(let field, let reason): "\(field): \(reason)"
        case .coolingDown(let until): "the player may queue again at \(until)"
        case .invalidRules(let reason): "rules: \(reason)"
        case .foreignTicket(let ticket): "ticket \(ticket) is another player's"
        case .unknownTicket(let ticket): "'\(ticket)' is no ticket of a pool that is played"
        case .ticketGone(let ticket): "ticket \(ticket) is gone"
        case .ticketState(let ticket, let state, let action): "can't \(action) ticket \(ticket), it is \(state)"
        case .tooLate(let ticket): "the time to accept is over for ticket \(ticket)"
        case .matchGone(let match): "match \(match) is gone"
        case .matchState(let match, let state, let action): "can't \(action) match \(match), it is \(state)"
        case .backfillRefused(let match, let reason): "no backfill for match \(match): \(reason)"
        case .redis(let error): "\(error)"
        }
    }

    private static func list(_ known: [some Identifier]) -> String {
        known.map(\.rawValue).sorted().joined(separator: ", ")
    }
}

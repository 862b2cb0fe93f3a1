import GameModel

/// What the game data room refuses, each case saying what the caller can do about it. Failures of the file itself are
/// `RecordsError`.
public enum GameDataError: Error, Sendable, Hashable, CustomStringConvertible {
    /// A value out of its range; `field` is its path as the caller wrote it, `detail` says what would be right.
    case invalid(field: String, detail: String)
    case unknownCharacter(String)
    case unknownPatch(PatchVersion)
    /// A path of the balance that leads nowhere: `characters.shde`.
    case unknownThing(String)
    /// All that is wrong with a balance document, or that keeps the draft from being published.
    case invalidBalance([BalanceFault])
    case unknownMatch(MatchID)
    /// A ticket can be in one match only, abandoned ones apart: this one is already in another.
    case ticketTaken(TicketID, by: MatchID)
    /// The match was placed before with another roster.
    case rosterConflict(MatchID)
    /// The match has ended and can't be placed again.
    case matchEnded(MatchID, MatchRecord.State)

    public var description: String {
        switch self {
        case .invalid(let field, let detail): "\(field): \(detail)"
        case .unknownCharacter(let id): "there is no character \(id)"
        case .unknownPatch(let patch): "there is no patch \(patch)"
        case .unknownThing(let path): "there is no \(path) in the balance"
        case .invalidBalance(let faults): faults.map(\.description).joined(separator: "; ")
        case .unknownMatch(let match): "there is no match \(match)"
        case .ticketTaken(let ticket, let match): "ticket \(ticket) is already in match \(match)"
        case .rosterConflict(let match): "match \(match) was placed before with another roster"
        case .matchEnded(let match, let state): "match \(match) has ended: \(state.rawValue)"
        }
    }
}

import GameModel
import Redis

/// Parties: who is invited joins with what the rules judge by, or turns the party down.
extension MatchmakingService {
    /// Joins a party; the last to join puts its ticket in the queue. Joining again does nothing.
    /// - Parameter member: the player who joins; rating and history are the server's to fill in.
    /// - Throws: ``MatchmakingError/foreignTicket(_:)`` where the player is not invited,
    ///   ``MatchmakingError/ticketActive(_:)`` where the player has another ticket, and the cases for what the member
    ///   has wrong.
    public func join(_ id: TicketID, _ member: TicketMember) async throws(MatchmakingError) -> Ticket {
        throw .ticketGone(id)
    }

    /// A member of a party that is forming will not play: its ticket ends as cancelled, reason `turned-down`.
    public func turnDown(_ id: TicketID, by player: PlayerID) async throws(MatchmakingError) -> Ticket {
        throw .ticketGone(id)
    }

    /// The tickets of the parties that a player is invited to and has not joined yet, the newest first.
    public func invitations(of player: PlayerID) async throws(MatchmakingError) -> [Ticket] { [] }
}

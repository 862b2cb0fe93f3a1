import GameModel

extension Matcher {
    /// Why a ticket still waits, in words and numbers for people: what holds for it now, the nearest tickets in rating
    /// and what refused each, and what is missing.
    ///
    /// - Returns: `nil` where the ticket does not wait here.
    public func explain(
        _ id: TicketID, in waiting: WaitingTickets, at now: Instant, nearest: Int = 3
    ) -> TicketExplanation? {
        nil
    }

    /// Each rule of the mode with its limit at the time of the match, and the match's value.
    public func checks(of proposal: Proposal, at now: Instant) -> [RuleCheck] { [] }
}

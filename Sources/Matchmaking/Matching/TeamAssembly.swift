import GameModel

/// Divides the tickets of a match into teams: parties whole, required roles filled in each, recent opponents never
/// opposed, average differences and the predicted gap within their limits, and of all such divisions the one with the
/// least predicted gap.
///
/// Up to ``exhaustiveMax`` players every division is tried; beyond that, a start by turns and exchanges of equally many
/// players come near it. Scratch memory is kept between calls: one assembly per matcher thread.
struct TeamAssembly: Sendable {
    /// Up to so many players, every division is tried.
    static let exhaustiveMax = 12

    let rules: CompiledRules
    /// The team of each ticket, in the order they were given.
    private(set) var teamOf: ContiguousArray<Int> = []
    /// How many teams there are: fewer than the rules' in a free-for-all that begins with fewer players.
    private(set) var teamCount = 0
    /// Seats of each team that bots take; teams without a player, of bots alone, come last.
    private(set) var bots: ContiguousArray<Int> = []
    /// The predicted chance of the strongest team against the weakest, less one half: 0 to 0.5.
    private(set) var gap = 0.0

    init(_ rules: CompiledRules) { self.rules = rules }

    /// Divides tickets whose players fill all seats, or (with ``Limits/playersMin``) fewer: then teams differ by one
    /// player at most and bots take seats up to ``Limits/botsMax``. With a backfill ticket, the tickets take seats of
    /// its match, as many as there are tickets for.
    ///
    /// - Parameters:
    ///   - slots: The tickets, without the backfill ticket.
    ///   - step: The step of waiting whose limits hold, the anchor's.
    ///   - backfill: The slot of the backfill ticket, or -1.
    /// - Returns: Whether there is a division that holds to the rules; the properties describe it.
    mutating func assemble(
        _ slots: ContiguousArray<Int32>, in tickets: CompiledTickets, step: Int, at now: Instant, backfill: Int32 = -1
    ) -> Bool {
        false
    }

    /// Who takes which role in the last division, for a match that is made; empty where the mode has none.
    func roles(of teams: [[QueuedTicket]], step: Int) -> [PlayerID: String] { [:] }
}

import GameModel

/// What the rules judge each waiting ticket by, as numbers in flat arrays by slot: the search reads them without a
/// string, an allocation or a reference count.
///
/// Players, and values of `equal` attributes, are 64-bit hashes of their texts; values of `one-of` attributes are bits,
/// given out while they are in use.
struct CompiledTickets: Sendable {
    /// The part of a ticket that every search touches.
    struct Row: Sendable {
        /// Mean of the members' ratings with their streaks.
        var rating = 0.0
        /// Sum of the same, and of the squares of their deviations.
        var ratingSum = 0.0
        var varianceSum = 0.0
        /// In ms.
        var queuedAt: Int64 = 0
        /// From when on it is looked at, in ms: leavers are held back.
        var heldUntil: Int64 = 0
        /// What its rating window is multiplied by when it is the anchor.
        var windowFactor = 1.0
        /// Players who want seats; 0 for a backfill ticket.
        var size: Int32 = 0
        /// Entries of ``CompiledTickets/lists`` that are players of the ticket, then avoided ones; the rest are recent
        /// opponents.
        var playerCount: Int32 = 0
        var avoidedCount: Int32 = 0
        var isBackfill = false
        /// One bit of each player, of each avoided one and of each recent opponent: where two of these sets have no bit
        /// in common, the lists have nothing in common either.
        var players: UInt64 = 0
        var avoided: UInt64 = 0
        var recent: UInt64 = 0
    }

    let rules: CompiledRules
    private(set) var rows: ContiguousArray<Row> = []

    init(_ rules: CompiledRules) { self.rules = rules }

    /// Takes a ticket in at a slot, in place of what was there.
    mutating func store(_ ticket: QueuedTicket, at slot: Int32) {
        while rows.count <= Int(slot) { rows.append(Row()) }
    }

    /// Forgets the ticket of a slot.
    mutating func remove(at slot: Int32) {}

    /// How long a ticket has waited, in ms, never negative.
    func waited(_ slot: Int32, at now: Instant) -> Int64 { max(0, now.milliseconds - rows[Int(slot)].queuedAt) }

    /// The step of waiting that a ticket is in.
    func step(_ slot: Int32, at now: Instant) -> Int { rules.step(ofWait: waited(slot, at: now)) }

    /// The window of a ticket as an anchor, in points either way.
    func window(_ slot: Int32, at now: Instant) -> Double {
        rules.window(ofWait: waited(slot, at: now)) * rows[Int(slot)].windowFactor
    }

    /// The open seats of a backfill ticket by team; `nil` for any other.
    func openSeats(_ slot: Int32) -> [Int]? { nil }
}

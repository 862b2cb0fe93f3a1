import GameModel

/// Makes matches of waiting tickets: a pure function of the tickets, the rules and the time.
///
/// It promises:
/// - The longest-waiting ticket with enough others in its reach is the anchor of the first match, and so on; none that
///   could be an anchor is passed over. Where rules other than ratings and party sizes hold, the search for one anchor
///   is bounded (see ``MatchSearch``).
/// - All tickets of a match are within the window of its anchor, which widens with the anchor's waiting.
/// - Among those, the nearest in rating are taken, of equally near ones the longest-waiting.
/// - Parties stay whole; teams are split so that the predicted chances differ least (see ``TeamAssembly``).
/// - No ticket and no player is in a match twice.
/// - A match with fewer players than seats is made only when no full one can be.
public struct Matcher: Sendable {
    let plan: MatchingPlan

    public var rules: ModeRules { plan.rules }
    /// Where matches may be played.
    public var regions: [Region] { plan.compiled.regions }

    public init(rules: ModeRules, regions: [Region] = []) {
        plan = MatchingPlan(rules, regions: regions)
    }

    /// Sorts the tickets by this matcher's rules, where they are sorted by others; the calls below do so by themselves.
    public func prepare(_ waiting: inout WaitingTickets) { waiting.adopt(plan) }

    /// Takes matches out of the waiting tickets, at most `limit`, with every ticket tried as an anchor.
    ///
    /// - Parameter band: Only tickets whose rating is inside are anchors; those that join them come from anywhere.
    public func match(
        _ waiting: inout WaitingTickets, at now: Instant, limit: Int = .max, band: ClosedRange<Double>? = nil
    ) -> [Proposal] {
        waiting.adopt(plan)
        waiting.advance(to: now)
        waiting.agenda.forgetChanges()
        var round = MatchingRound(waiting.plan, at: now, limit: limit, band: band)
        round.reserve(waiting.count)
        if rules.backfill.priority == .first { round.fill(waiting.backfills, from: &waiting) }
        var next = waiting.first
        while let anchor = next, !round.isFull {
            let isBackfill = waiting.isBackfill(anchor)
            guard !isBackfill || rules.backfill.priority == .byWait else {
                next = waiting.next(after: anchor)
                continue
            }
            next = round.take(anchor, isBackfill ? .backfill : .full, from: &waiting)
        }
        if plan.playersMin < plan.seats {
            next = waiting.first
            while let anchor = next, !round.isFull { next = round.take(anchor, .short, from: &waiting) }
        }
        if rules.backfill.priority == .last { round.fill(waiting.backfills, from: &waiting) }
        return round.proposals
    }
}

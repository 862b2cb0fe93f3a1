import GameModel

/// One call of a matcher: the matches made so far, and how the next is made.
struct MatchingRound {
    let plan: MatchingPlan
    let now: Instant
    let limit: Int
    let band: ClosedRange<Double>?
    var search: MatchSearch
    private(set) var proposals: [Proposal] = []

    init(_ plan: MatchingPlan, at now: Instant, limit: Int, band: ClosedRange<Double>?) {
        self.plan = plan
        self.now = now
        self.limit = limit
        self.band = band
        search = MatchSearch(plan)
    }

    /// Whether as many matches are made as may be.
    var isFull: Bool { proposals.count >= limit }

    /// Whether a ticket may be an anchor here.
    func isAnchor(_ slot: Int32, in waiting: borrowing WaitingTickets) -> Bool {
        guard waiting.nodes[Int(slot)].isListed || waiting.isBackfill(slot) else { return false }
        return band?.contains(waiting.rating(at: slot)) ?? true
    }

    /// Makes room for all matches that so many tickets can be.
    mutating func reserve(_ tickets: Int) {
        proposals.reserveCapacity(min(limit, tickets / min(plan.seats, 4) + 1))
    }

    /// Makes the match of an anchor, where one can be; whether or not, answers who is next in the order of waiting.
    mutating func take(_ anchor: Int32, _ kind: MatchSearch.Kind, from waiting: inout WaitingTickets) -> Int32? {
        guard isAnchor(anchor, in: waiting), search.find(anchor, kind, in: waiting, at: now) else {
            return waiting.next(after: anchor)
        }
        var next = waiting.next(after: anchor)
        while let slot = next, search.group.contains(slot) { next = waiting.next(after: slot) }
        commit(anchor, kind, &waiting)
        return next
    }

    /// Makes the match of an anchor, where one can be.
    mutating func makeMatch(_ anchor: Int32, _ kind: MatchSearch.Kind, from waiting: inout WaitingTickets) -> Bool {
        guard isAnchor(anchor, in: waiting), search.find(anchor, kind, in: waiting, at: now) else { return false }
        commit(anchor, kind, &waiting)
        return true
    }

    /// Fills running matches, the longest-waiting first.
    mutating func fill(_ backfills: ContiguousArray<Int32>, from waiting: inout WaitingTickets) {
        guard !backfills.isEmpty else { return }
        let order = backfills.sorted { waiting.isOlder($0, than: $1) }
        for slot in order where !isFull { _ = makeMatch(slot, .backfill, from: &waiting) }
    }

    /// Takes the tickets of the match that was found out of the view.
    private mutating func commit(_ anchor: Int32, _ kind: MatchSearch.Kind, _ waiting: inout WaitingTickets) {
        let region = search.region(in: waiting)
        let step = waiting.compiled.step(anchor, at: now)
        guard let anchorTicket = waiting.ticket(at: anchor) else { return }
        if kind == .backfill { waiting.remove(at: anchor) }
        var teams = [[QueuedTicket]](repeating: [], count: search.teamCount)
        for (place, slot) in search.group.enumerated() {
            if let ticket = waiting.remove(at: slot) { teams[search.team(of: place)].append(ticket) }
        }
        var proposal = Proposal(anchor: anchorTicket, teams: teams, region: region)
        if let seats = anchorTicket.backfill {
            proposal.backfill = anchorTicket
            proposal.region = seats.region
        }
        if kind == .short { proposal.bots = search.bots }
        if !plan.rules.roles.isEmpty { proposal.roles = search.assembly.roles(of: teams, step: step) }
        proposals.append(proposal)
    }
}

extension WaitingTickets {
    func isBackfill(_ slot: Int32) -> Bool { nodes[Int(slot)].size == 0 && ticket(at: slot)?.backfill != nil }
}

import GameModel

/// Makes matches of waiting tickets: a pure function of the tickets, the rules and the time.
///
/// It promises:
/// - The longest-waiting ticket with enough others in its window is the anchor of the first match, and so on; none that
///   could be an anchor is passed over.
/// - All players of a match are within the window of its anchor, which widens with the anchor's waiting.
/// - Among those, the nearest in rating are taken, of equally near ones the longest-waiting.
/// - Teams are split so that the predicted chances differ least (see ``TeamBalance``).
/// - No ticket and no player is in a match twice.
public struct Matcher: Sendable {
    public let rules: ModeRules
    /// Where matches may be played.
    public let regions: [Region]

    public init(rules: ModeRules, regions: [Region] = []) {
        self.rules = rules
        self.regions = regions
    }

    /// Takes matches out of the waiting tickets, at most `limit`.
    public func match(_ waiting: inout WaitingTickets, at now: Instant, limit: Int = .max) -> [Proposal] {
        var proposals: [Proposal] = []
        guard waiting.count >= rules.playersPerMatch else { return proposals }
        var chosen: [Int32] = []
        chosen.reserveCapacity(rules.playersPerMatch)
        var next = waiting.first
        while let anchor = next, proposals.count < limit, waiting.count >= rules.playersPerMatch {
            let waited = Double(now.milliseconds - waiting.queuedAt(at: anchor)) / 1_000
            let window = rules.window(afterWaiting: waited)
            choose(for: anchor, within: window, from: waiting, into: &chosen)
            guard chosen.count == rules.playersPerMatch else {
                next = waiting.next(after: anchor)
                continue
            }
            let tickets = chosen.compactMap { waiting.ticket(at: $0) }
            // The next anchor is found before the match's places in the list are given up.
            next = following(anchor, in: waiting, except: chosen)
            for ticket in tickets { waiting.remove(ticket.id) }
            proposals.append(proposal(of: tickets, window: window))
        }
        return proposals
    }

    private func choose(
        for anchor: Int32, within window: Double, from waiting: WaitingTickets, into chosen: inout [Int32]
    ) {
        chosen.removeAll(keepingCapacity: true)
        chosen.append(anchor)
        let wanted = rules.playersPerMatch
        waiting.visitNeighbours(of: anchor, within: window) { candidate in
            let player = waiting.ticket(at: candidate)?.members.first?.player
            // A player with two tickets is possible after a process died between claiming and creating.
            if chosen.contains(where: { waiting.ticket(at: $0)?.members.first?.player == player }) { return true }
            chosen.append(candidate)
            return chosen.count < wanted
        }
    }

    private func following(_ anchor: Int32, in waiting: WaitingTickets, except chosen: [Int32]) -> Int32? {
        var next = waiting.next(after: anchor)
        while let slot = next, chosen.contains(slot) { next = waiting.next(after: slot) }
        return next
    }

    private func proposal(of tickets: [QueuedTicket], window: Double) -> Proposal {
        let ratings = tickets.map(\.rating)
        let split = TeamBalance.split(ratings, teams: rules.teams, size: rules.teamSize)
        return Proposal(
            anchor: tickets[0], teams: split.map { $0.map { tickets[$0] } }, region: regions.first ?? .everywhere)
    }
}

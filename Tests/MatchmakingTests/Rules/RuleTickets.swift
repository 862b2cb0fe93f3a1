import GameModel

@testable import Matchmaking

/// Tickets for tests of rules: each is stored in the numbers that the matcher judges by, at the place it was made.
struct RuleTickets {
    let now = Instant(milliseconds: 1_000_000_000)
    let rules: CompiledRules
    private(set) var compiled: CompiledTickets
    private(set) var tickets: [QueuedTicket] = []

    init(_ rules: ModeRules, regions: [Region] = [Region("eu")]) {
        self.rules = CompiledRules(rules, regions: regions)
        compiled = CompiledTickets(self.rules)
    }

    /// Adds a ticket that has waited so many seconds; answers its slot.
    @discardableResult
    mutating func add(
        _ members: [TicketMember], waited: Double = 0, backfill: BackfillSeats? = nil
    ) -> Int32 {
        let slot = Int32(tickets.count)
        let ticket = QueuedTicket(
            id: TicketID("t\(slot)"), queuedAt: Instant(milliseconds: now.milliseconds - Int64(waited * 1_000)),
            members: members, backfill: backfill)
        tickets.append(ticket)
        compiled.store(ticket, at: slot)
        return slot
    }

    /// Whether tickets can be in one match, by all that ``GroupCheck`` judges, the first being the anchor.
    func canMeet(_ slots: Int32...) -> Bool { canMeet(slots) }

    func canMeet(_ slots: [Int32]) -> Bool { group(slots) != nil }

    /// The group of the tickets; `nil` where they can't meet.
    func group(_ slots: [Int32]) -> GroupCheck? {
        var check = GroupCheck(rules)
        guard let anchor = slots.first, check.begin(anchor, in: compiled, at: now) else { return nil }
        for slot in slots.dropFirst() {
            guard check.admits(slot, in: compiled, at: now) else { return nil }
            check.add(slot, in: compiled, at: now)
        }
        return check
    }

    /// Where a match of the tickets is played; `nil` where they can't meet.
    func region(_ slots: Int32...) -> Region? {
        group(slots).map { rules.regions[$0.region(in: compiled)] }
    }

    /// The division of tickets into teams by the limits of the first; `nil` where there is none.
    func divide(
        _ slots: [Int32], backfill: Int32 = -1, method: TeamAssembly.Method = .best
    ) -> TeamAssembly? {
        var assembly = TeamAssembly(rules)
        let anchor = backfill >= 0 ? backfill : slots[0]
        let hasTeams = assembly.assemble(
            ContiguousArray(slots), in: compiled, step: compiled.step(anchor, at: now), at: now, backfill: backfill,
            method: method)
        return hasTeams ? assembly : nil
    }

    /// The tickets of each team.
    func teams(_ slots: [Int32], backfill: Int32 = -1) -> [Set<Int32>]? {
        guard let assembly = divide(slots, backfill: backfill) else { return nil }
        var teams = [Set<Int32>](repeating: [], count: assembly.teamCount)
        for (place, slot) in slots.enumerated() { teams[assembly.teamOf[place]].insert(slot) }
        return teams
    }
}

/// A player named by the test.
func rulePlayer(_ name: String, rating: Double = 1500, deviation: Double = 80) -> TicketMember {
    TicketMember(player: PlayerID(name), skill: Skill(rating: rating, deviation: deviation))
}

extension TicketMember {
    /// The same player with something else about them.
    func with(_ change: (inout Self) -> Void) -> Self {
        var changed = self
        change(&changed)
        return changed
    }
}

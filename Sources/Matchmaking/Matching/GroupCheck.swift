import GameModel

/// The tickets of a match as the search gathers them, and what they allow yet: who else may join by the regions they
/// share, their attributes, avoid-lists and recent opponents.
///
/// It does not judge rating windows or sizes (the search does), nor what only a division into teams decides (roles,
/// average differences, the team gap: ``TeamAssembly``). Nothing is allocated once the arrays have grown.
struct GroupCheck: Sendable {
    /// What the tickets so far have in common; one for each that joined, so that the last can be taken out.
    private struct Common: Sendable {
        /// A bit for each region that all allow.
        var regions: UInt64 = .max
        /// A bit of each player, of each avoided one and of each recent opponent.
        var players: UInt64 = 0
        var avoided: UInt64 = 0
        var recent: UInt64 = 0
    }

    let rules: CompiledRules
    /// In the order of joining, the anchor first.
    private(set) var slots: ContiguousArray<Int32> = []
    /// Players in all.
    private(set) var playerCount = 0
    /// The step of waiting of the anchor, whose limits hold for the match.
    private(set) var step = 0

    /// By ticket.
    private var common: ContiguousArray<Common> = []
    /// By ticket and attribute rule.
    private var attributes: ContiguousArray<CompiledAttribute> = []

    init(_ rules: CompiledRules) { self.rules = rules }

    /// Starts anew with an anchor. `false` where it can't be matched at all yet: no region is within its limit, or its
    /// own players' attributes don't agree.
    mutating func begin(_ anchor: Int32, in tickets: CompiledTickets, at now: Instant) -> Bool {
        slots.removeAll(keepingCapacity: true)
        common.removeAll(keepingCapacity: true)
        attributes.removeAll(keepingCapacity: true)
        playerCount = 0
        step = tickets.step(anchor, at: now)
        let regions = tickets.allowedRegions(anchor, step: step)
        guard regions != 0 else { return false }
        let limits = rules.steps[step].attributeMax
        for (index, rule) in rules.rules.attributes.enumerated() {
            let own = tickets.attribute(index, of: anchor)
            guard own.agrees(with: own, rule.kind, max: limits[index]) else { return false }
            attributes.append(own)
        }
        append(anchor, Common(regions: regions), tickets)
        return true
    }

    /// Whether a ticket may join those that are here.
    func admits(_ slot: Int32, in tickets: CompiledTickets, at now: Instant) -> Bool {
        guard let all = common.last else { return false }
        let ownStep = tickets.step(slot, at: now)
        guard all.regions & tickets.allowedRegions(slot, step: ownStep) != 0 else { return false }
        let count = rules.rules.attributes.count
        if count > 0 {
            let start = attributes.count - count
            for index in 0..<count {
                let isAllowed = attributes[start + index].agrees(
                    with: tickets.attribute(index, of: slot), rules.rules.attributes[index].kind,
                    max: rules.steps[step].attributeMax[index])
                if !isAllowed { return false }
            }
        }
        let row = tickets.rows[Int(slot)]
        let mayConflict =
            all.players & (row.players | row.avoided | row.recent) | row.players & (all.avoided | all.recent)
        return mayConflict == 0 || hasNoConflict(slot, ownStep, tickets, now)
    }

    /// Takes a ticket in that ``admits(_:in:at:)`` allowed.
    mutating func add(_ slot: Int32, in tickets: CompiledTickets, at now: Instant) {
        guard var all = common.last else { return }
        all.regions &= tickets.allowedRegions(slot, step: tickets.step(slot, at: now))
        let count = rules.rules.attributes.count
        let start = attributes.count - count
        for index in 0..<count {
            let own = tickets.attribute(index, of: slot)
            // A rule that holds no more may have anything joined.
            attributes.append(attributes[start + index].joined(with: own, rules.rules.attributes[index].kind))
        }
        append(slot, all, tickets)
    }

    /// Takes the last ticket that joined out again; the anchor stays.
    mutating func removeLast(in tickets: CompiledTickets) {
        guard slots.count > 1 else { return }
        playerCount -= Int(tickets.rows[Int(slots.removeLast())].size)
        common.removeLast()
        attributes.removeLast(rules.rules.attributes.count)
    }

    /// Where the match is played: the shared region with the lowest worst latency, as a place in
    /// ``CompiledRules/regions``; of equal ones the first.
    func region(in tickets: CompiledTickets) -> Int {
        tickets.bestRegion(of: slots, among: common.last?.regions ?? 0) ?? 0
    }

    private mutating func append(_ slot: Int32, _ before: Common, _ tickets: CompiledTickets) {
        let row = tickets.rows[Int(slot)]
        var all = before
        all.players |= row.players
        all.avoided |= row.avoided
        all.recent |= row.recent
        common.append(all)
        slots.append(slot)
        playerCount += Int(row.size)
    }

    /// The exact answer, for the few whose bits overlap.
    private func hasNoConflict(_ slot: Int32, _ ownStep: Int, _ tickets: CompiledTickets, _ now: Instant) -> Bool {
        // Recent opponents must be in one team, so there must be room for all of them in it.
        var together = Int(tickets.rows[Int(slot)].size)
        for other in slots {
            guard tickets.mayConflict(slot, other) else { continue }
            switch tickets.conflict(slot, step: ownStep, other, step: tickets.step(other, at: now)) {
            case nil: break
            case .samePlayer, .avoided: return false
            case .recentOpponents:
                together += Int(tickets.rows[Int(other)].size)
                // Which team a backfill ticket's player is in, the division knows.
                let isOpen = tickets.rows[Int(other)].isBackfill
                if rules.isEveryoneAlone || !isOpen && together > rules.rules.teamSize { return false }
            }
        }
        return true
    }
}

import GameModel

/// Looks for the match of one anchor; scratch memory is kept from one search to the next.
///
/// Where only ratings and party sizes matter, the search is exact: tickets are gathered nearest first, the nearest of
/// each size, until some recipe of the mode is among them; of several, the one nearest to the anchor is taken. Where
/// other rules hold, groups are tried nearest first with each candidate checked against all who are in already
/// (``MatchSearch+Trial``); that search gives up after a fixed number of steps.
struct MatchSearch {
    enum Kind: Sendable {
        /// Every seat is taken.
        case full
        /// Fewer players than seats, as the anchor's limits allow.
        case short
        /// Players for a running match.
        case backfill
    }

    /// So many tickets are looked at before the counts are asked whether there is any use.
    private static let freeLooks = 64

    let plan: MatchingPlan
    var check: GroupCheck
    var assembly: TeamAssembly
    /// The tickets of the match that was found, the anchor first (except for backfill: the new tickets only).
    var group: ContiguousArray<Int32> = []
    /// Whether the division into teams is in ``assembly``; else each ticket is a team.
    private(set) var isAssembled = false
    var trial = TrialScratch()

    /// The nearest tickets of each size, ``MatchingPlan/seats`` places for each, and the sums of their distances.
    private var nearest: ContiguousArray<Int32>
    private var distances: ContiguousArray<Double>
    private var counts = MatchingPlan.Recipe()
    private var totals: ContiguousArray<Int32>
    private var excluded: ContiguousArray<Int32> = []
    private var kind = Kind.full

    init(_ plan: MatchingPlan) {
        self.plan = plan
        check = GroupCheck(plan.compiled)
        assembly = TeamAssembly(plan.compiled)
        let sizes = min(plan.sizes, MatchingPlan.sizesMax)
        nearest = ContiguousArray(repeating: -1, count: sizes * plan.seats)
        distances = ContiguousArray(repeating: 0, count: sizes * (plan.seats + 1))
        totals = ContiguousArray(repeating: 0, count: plan.columns)
    }

    var teamCount: Int { isAssembled ? assembly.teamCount : group.count }
    var bots: [Int] { isAssembled && !assembly.bots.allSatisfy { $0 == 0 } ? Array(assembly.bots) : [] }
    func team(of place: Int) -> Int { isAssembled ? assembly.teamOf[place] : place }

    /// Where the match is played.
    func region(in waiting: borrowing WaitingTickets) -> Region {
        let regions = plan.compiled.regions
        guard plan.compiled.judgesRegions, !regions.isEmpty else { return regions.first ?? .everywhere }
        return regions[check.region(in: waiting.compiled)]
    }

    /// Finds the match of an anchor; the properties describe it.
    mutating func find(_ anchor: Int32, _ kind: Kind, in waiting: borrowing WaitingTickets, at now: Instant) -> Bool {
        self.kind = kind
        let window = waiting.compiled.window(anchor, at: now)
        if kind == .backfill { return findBackfill(anchor, within: window, in: waiting, at: now) }
        let size = Int(waiting.nodes[Int(anchor)].size)
        guard size >= 1, size <= plan.sizes else { return false }
        let fewest = kind == .full ? plan.seats : fewestPlayers(of: anchor, in: waiting, at: now)
        guard kind == .full || fewest < plan.seats, plan.couldMatch(fewest, with: size, waiting.counts.all) else {
            return false
        }
        guard plan.isPlain else {
            guard couldMatch(anchor, fewest, within: window, in: waiting) else { return false }
            return findByTrial(anchor, within: window, fewest: fewest, kind, in: waiting, at: now)
        }
        excluded.removeAll(keepingCapacity: true)
        while gather(anchor, fewest, within: window, in: waiting) {
            guard let twice = firstTwice(in: waiting) else { return divide(anchor, in: waiting, at: now) }
            // A player with two tickets is possible after a process died between claiming and creating.
            excluded.append(twice)
        }
        return false
    }

    /// With how few players the anchor's match may begin by now.
    func fewestPlayers(of anchor: Int32, in waiting: borrowing WaitingTickets, at now: Instant) -> Int {
        guard plan.playersMin < plan.seats else { return plan.seats }
        let step = waiting.compiled.step(anchor, at: now)
        return max(1, min(plan.compiled.steps[step].playersMin, plan.seats))
    }

    // MARK: Gathering by recipe

    private mutating func gather(
        _ anchor: Int32, _ fewest: Int, within window: Double, in waiting: borrowing WaitingTickets
    ) -> Bool {
        let rating = waiting.rating(at: anchor)
        let size = Int(waiting.nodes[Int(anchor)].size)
        counts = MatchingPlan.Recipe()
        keep(anchor, size, 0)
        var players = size
        var looks = 0
        var isCounted = false
        let isFull = fewest == plan.seats
        var walk = NeighbourWalk(around: rating, within: window, in: waiting)
        while true {
            let slot = walk.next(in: waiting)
            guard slot != WaitingTickets.none else { break }
            looks += 1
            if !isCounted, looks >= Self.freeLooks || walk.hasPassed {
                guard couldMatch(anchor, fewest, within: window, in: waiting) else { return false }
                isCounted = true
            }
            let size = Int(waiting.nodes[Int(slot)].size)
            guard slot != anchor, size <= plan.sizes, counts[size - 1] < plan.mostOfSize[size - 1],
                excluded.isEmpty || !excluded.contains(slot)
            else { continue }
            keep(slot, size, abs(waiting.rating(at: slot) - rating))
            if counts[size - 1] == plan.mostOfSize[size - 1] { walk.unwanted |= 1 << UInt32(size - 1) }
            players += size
            if isFull, players >= plan.seats, choose(plan.seats, with: size, anchor, waiting) { return true }
        }
        guard !isFull else { return false }
        for seats in stride(from: min(players, plan.seats - 1), through: fewest, by: -1)
        where choose(seats, with: size, anchor, waiting) {
            return true
        }
        return false
    }

    private mutating func keep(_ slot: Int32, _ size: Int, _ distance: Double) {
        let place = Int(counts[size - 1])
        nearest[(size - 1) * plan.seats + place] = slot
        let sum = (size - 1) * (plan.seats + 1) + place
        distances[sum + 1] = (place == 0 ? 0 : distances[sum]) + distance * Double(size)
        counts[size - 1] += 1
    }

    /// Takes the recipe that is nearest to the anchor, of those that can be made with a ticket of a size.
    private mutating func choose(
        _ players: Int, with size: Int, _ anchor: Int32, _ waiting: borrowing WaitingTickets
    ) -> Bool {
        let anchorSize = Int(waiting.nodes[Int(anchor)].size)
        var best = -1
        var bestDistance = Double.infinity
        for (index, recipe) in plan.recipes[players].enumerated() {
            guard recipe[anchorSize - 1] > 0, recipe[size - 1] > 0, all(recipe .<= counts) else { continue }
            var distance = 0.0
            for lane in 0..<plan.sizes where recipe[lane] > 0 {
                distance += distances[lane * (plan.seats + 1) + Int(recipe[lane])]
            }
            if distance < bestDistance { (best, bestDistance) = (index, distance) }
        }
        guard best >= 0 else { return false }
        let recipe = plan.recipes[players][best]
        group.removeAll(keepingCapacity: true)
        group.append(anchor)
        for lane in 0..<plan.sizes {
            for place in 0..<Int(recipe[lane]) {
                let slot = nearest[lane * plan.seats + place]
                if slot != anchor { group.append(slot) }
            }
        }
        return true
    }

    private mutating func divide(_ anchor: Int32, in waiting: borrowing WaitingTickets, at now: Instant) -> Bool {
        isAssembled = plan.rules.teamSize > 1 || kind == .short
        guard isAssembled else { return true }
        let step = waiting.compiled.step(anchor, at: now)
        return assembly.assemble(group, in: waiting.compiled, step: step, at: now)
    }

    // MARK: What counts say

    /// Whether there are enough tickets of the right sizes, and players of the right roles, within a window.
    private mutating func couldMatch(
        _ anchor: Int32, _ fewest: Int, within window: Double, in waiting: borrowing WaitingTickets
    ) -> Bool {
        waiting.sum(around: waiting.rating(at: anchor), within: window, into: &totals)
        return plan.couldMatch(fewest, with: Int(waiting.nodes[Int(anchor)].size), totals)
    }

    /// A player who is in the group twice: the ticket to do without.
    func firstTwice(in waiting: borrowing WaitingTickets) -> Int32? {
        var seen: UInt64 = 0
        for place in group.indices {
            let players = waiting.compiled.rows[Int(group[place])].players
            defer { seen |= players }
            guard seen & players != 0, let later = waiting.ticket(at: group[place]) else { continue }
            for earlier in 0..<place {
                guard let other = waiting.ticket(at: group[earlier]) else { continue }
                for member in later.members where other.members.contains(where: { $0.player == member.player }) {
                    return group[place]
                }
            }
        }
        return nil
    }

    /// Says that the division is in ``assembly``.
    mutating func setAssembled() { isAssembled = true }
}

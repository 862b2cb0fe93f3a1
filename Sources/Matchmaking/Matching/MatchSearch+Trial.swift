import GameModel

/// Scratch memory of ``MatchSearch``'s trials.
struct TrialScratch: Sendable {
    /// Candidates level by level: at each level those that go with all who are in the group there.
    var candidates: ContiguousArray<Int32> = []
    var levels: ContiguousArray<Level> = []
    /// Whether there are enough candidates for each required role.
    var hasRoles = true
    /// The end of the first level.
    var firstEnd = 0
    /// Steps left for this anchor.
    var steps = 0
    /// Looks at whether a candidate goes with the group that are left for this anchor.
    var looks = 0
    /// Divisions into teams left for this anchor.
    var divisions = 0
    var roles = RoleSeats()

    struct Level: Sendable {
        /// The next candidate to try, and the end of the level's candidates.
        var next: Int
        var end: Int
        /// Players of the candidates that are still to be tried.
        var players: Int
    }

    /// By mask of required roles: single players of it among the candidates.
    var singles: ContiguousArray<Int> = []
}

/// The search where more than ratings and party sizes matters: depth first, nearest first, each candidate checked
/// against the whole group; whoever doesn't go with the group is struck out of what is below it. It tries every group
/// of the nearest ``poolMax`` candidates, if it gets so far within ``stepsMax`` and ``checksMax``.
extension MatchSearch {
    /// Candidates looked at for one anchor, where a match has fewer seats than a third of them.
    static let poolMax = 64
    /// Tickets of the window looked at for candidates.
    static let looksMax = 1_024
    static let stepsMax = 1_000
    static let stepsMin = 100
    /// Steps for all who wait together, by which the steps for one are measured: in a large pool another anchor does.
    static let stepsOfPool = 50_000
    static let divisionsMax = 48
    /// A free-for-all of a hundred takes so many to be put together once.
    static let checksMax = 30_000

    mutating func findByTrial(
        _ anchor: Int32, within window: Double, fewest: Int, _ kind: Kind, in waiting: borrowing WaitingTickets,
        at now: Instant
    ) -> Bool {
        trial.steps = max(Self.stepsMin, min(Self.stepsMax, Self.stepsOfPool / max(waiting.count, 1)))
        trial.looks = Self.checksMax
        trial.divisions = Self.divisionsMax
        let isFull = kind == .full
        // The nearest first; most often they do, and the rest need not be looked at.
        for most in [2 * plan.seats + 4, max(Self.poolMax, 3 * plan.seats)] {
            let players = isFull ? plan.seats : plan.seats - 1
            guard let isAll = gatherCandidates(anchor, within: window, most, largest: plan.sizes, waiting, now) else {
                return false
            }
            for seats in stride(from: players, through: isFull ? players : fewest, by: -1) {
                if tryGroups(of: seats, anchor: anchor, backfill: -1, waiting, now) { return true }
                guard restart(anchor, waiting, now) else { return false }
            }
            if isAll { return false }
        }
        return false
    }

    /// Players for a running match: as many as can be.
    mutating func findBackfill(
        _ anchor: Int32, within window: Double, in waiting: borrowing WaitingTickets, at now: Instant
    ) -> Bool {
        guard let open = waiting.compiled.openSeats(anchor), let most = open.max(), most > 0 else { return false }
        trial.steps = max(Self.stepsMin, min(Self.stepsMax, Self.stepsOfPool / max(waiting.count, 1)))
        trial.looks = Self.checksMax
        trial.divisions = Self.divisionsMax
        guard gatherCandidates(anchor, within: window, Self.poolMax, largest: most, waiting, now) != nil else {
            return false
        }
        let wanted = min(open.reduce(0, +), trial.levels[0].players)
        for seats in stride(from: wanted, through: 1, by: -1) {
            if tryGroups(of: seats, anchor: anchor, backfill: anchor, waiting, now) { return true }
            guard restart(anchor, waiting, now) else { return false }
        }
        return false
    }

    /// Begins the group with the anchor and fills the first level. Answers whether nobody else is in the window; `nil`
    /// where the anchor can't be matched at all.
    private mutating func gatherCandidates(
        _ anchor: Int32, within window: Double, _ most: Int, largest: Int, _ waiting: borrowing WaitingTickets,
        _ now: Instant
    ) -> Bool? {
        guard check.begin(anchor, in: waiting.compiled, at: now) else { return nil }
        trial.roles.begin(plan, step: check.step)
        if trial.roles.isNeeded {
            trial.roles.add(waiting.roleMasks[Int(anchor)], Int(waiting.nodes[Int(anchor)].size))
            trial.singles = ContiguousArray(repeating: 0, count: 1 << RoleMasks.rolesMax)
        }
        trial.candidates.removeAll(keepingCapacity: true)
        trial.levels.removeAll(keepingCapacity: true)
        var players = 0
        var looks = 0
        var isAll = true
        var roles = SIMD8<Int32>()
        var walk = NeighbourWalk(around: waiting.rating(at: anchor), within: window, in: waiting)
        while true {
            let slot = walk.next(in: waiting)
            guard slot != WaitingTickets.none else { break }
            looks += 1
            guard looks <= Self.looksMax, trial.candidates.count < most else {
                isAll = looks > Self.looksMax
                break
            }
            let size = Int(waiting.nodes[Int(slot)].size)
            guard slot != anchor, size <= largest, isUsable(slot, size, most, waiting),
                check.admits(slot, in: waiting.compiled, at: now)
            else { continue }
            if trial.roles.isNeeded {
                roles &+= trial.roles.count(waiting.roleMasks[Int(slot)], size)
                if size == 1 { trial.singles[mask(of: slot, waiting)] += 1 }
            }
            trial.candidates.append(slot)
            players += size
        }
        trial.firstEnd = trial.candidates.count
        trial.hasRoles = !trial.roles.isNeeded || trial.roles.areEnough(roles)
        trial.levels.append(.init(next: 0, end: trial.firstEnd, players: players))
        return isAll
    }

    /// Whether a candidate adds to the choice: of single players who take the same roles some are enough, so that rarer
    /// roles come within sight.
    private func isUsable(_ slot: Int32, _ size: Int, _ most: Int, _ waiting: borrowing WaitingTickets) -> Bool {
        guard trial.roles.isNeeded, size == 1 else { return true }
        return trial.singles[mask(of: slot, waiting)] < max(16, most / 2)
    }

    private func mask(of slot: Int32, _ waiting: borrowing WaitingTickets) -> Int {
        Int(trial.roles.bits(waiting.roleMasks[Int(slot)])) & (1 << RoleMasks.rolesMax - 1)
    }

    /// Goes back to the first level, with all its candidates.
    private mutating func restart(
        _ anchor: Int32, _ waiting: borrowing WaitingTickets, _ now: Instant
    ) -> Bool {
        guard trial.steps > 0, trial.looks > 0, check.begin(anchor, in: waiting.compiled, at: now) else { return false }
        trial.roles.begin(plan, step: check.step)
        if trial.roles.isNeeded {
            trial.roles.add(waiting.roleMasks[Int(anchor)], Int(waiting.nodes[Int(anchor)].size))
        }
        let end = trial.firstEnd
        trial.levels.removeAll(keepingCapacity: true)
        let players = trial.candidates[0..<end].reduce(0) { $0 + Int(waiting.nodes[Int($1)].size) }
        trial.levels.append(.init(next: 0, end: end, players: players))
        return true
    }

    private mutating func tryGroups(
        of seats: Int, anchor: Int32, backfill: Int32, _ waiting: borrowing WaitingTickets, _ now: Instant
    ) -> Bool {
        let judgesRoles = seats == plan.seats && backfill < 0 && trial.roles.isNeeded
        if judgesRoles, !trial.hasRoles { return false }
        if check.playerCount == seats { return divideTrial(backfill, waiting, now) }
        while let level = trial.levels.last {
            let depth = trial.levels.count - 1
            guard level.next < level.end, check.playerCount + level.players >= seats else {
                trial.levels.removeLast()
                if depth > 0 { takeBack(waiting) }
                continue
            }
            let slot = trial.candidates[level.next]
            let size = Int(waiting.nodes[Int(slot)].size)
            trial.levels[depth].next += 1
            trial.levels[depth].players -= size
            guard check.playerCount + size <= seats else { continue }
            if judgesRoles, !trial.roles.admits(waiting.roleMasks[Int(slot)], size) { continue }
            trial.steps -= 1
            guard trial.steps > 0, trial.looks > 0 else { return false }
            check.add(slot, in: waiting.compiled, at: now)
            if trial.roles.isNeeded { trial.roles.add(waiting.roleMasks[Int(slot)], size) }
            if check.playerCount == seats {
                if divideTrial(backfill, waiting, now) { return true }
                guard trial.divisions > 0 else { return false }
                takeBack(waiting)
                continue
            }
            if !descend(from: level.next + 1, seats, waiting, now), judgesRoles {
                trial.levels.removeLast()
                takeBack(waiting)
            }
        }
        return false
    }

    /// The next level: of the candidates after the one that joined, those that go with the group now. Answers whether
    /// there are enough among them for each required role.
    private mutating func descend(
        from start: Int, _ seats: Int, _ waiting: borrowing WaitingTickets, _ now: Instant
    ) -> Bool {
        let end = trial.levels[trial.levels.count - 1].end
        trial.candidates.removeSubrange(end...)
        var players = 0
        var roles = SIMD8<Int32>()
        trial.looks -= end - start
        for index in start..<end {
            let slot = trial.candidates[index]
            let size = Int(waiting.nodes[Int(slot)].size)
            guard check.playerCount + size <= seats, check.admits(slot, in: waiting.compiled, at: now) else { continue }
            if trial.roles.isNeeded { roles &+= trial.roles.count(waiting.roleMasks[Int(slot)], size) }
            trial.candidates.append(slot)
            players += size
        }
        trial.levels.append(.init(next: end, end: trial.candidates.count, players: players))
        return !trial.roles.isNeeded || trial.roles.areEnough(roles)
    }

    private mutating func takeBack(_ waiting: borrowing WaitingTickets) {
        if trial.roles.isNeeded, let last = check.slots.last {
            trial.roles.remove(waiting.roleMasks[Int(last)], Int(waiting.nodes[Int(last)].size))
        }
        check.removeLast(in: waiting.compiled)
    }

    private mutating func divideTrial(
        _ backfill: Int32, _ waiting: borrowing WaitingTickets, _ now: Instant
    ) -> Bool {
        group.removeAll(keepingCapacity: true)
        for slot in check.slots where slot != backfill { group.append(slot) }
        guard firstTwice(in: waiting) == nil else { return false }
        trial.divisions -= 1
        setAssembled()
        return assembly.assemble(group, in: waiting.compiled, step: check.step, at: now, backfill: backfill)
    }
}

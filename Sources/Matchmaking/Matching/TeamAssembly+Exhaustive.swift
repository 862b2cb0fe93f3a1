extension TeamAssembly {
    /// The most ways to give units teams that are all tried, whatever the number of players.
    private static let waysMax = 20_000

    /// Whether tickets are so few (because parties are large, or seats of a running match few) that every division can
    /// be tried.
    var areUnitsFew: Bool {
        var ways = 1
        for _ in units.dropFirst(isBackfill ? 0 : 1) {
            ways *= teams.count
            if ways > Self.waysMax { return false }
        }
        return true
    }

    /// Tries every division, but for those that are the same with teams exchanged, or can't be better than the best.
    mutating func tryEveryDivision(_ tickets: CompiledTickets) {
        if teams.count == 2, !isBackfill {
            splitInTwo(tickets)
        } else if isBackfill {
            tryTeams(for: 0, tickets)
        } else {
            // A good division to begin with, so that most others are seen to be worse early.
            if pack(0) { keepIfBest(tickets) }
            for unit in units.indices where placed[unit] >= 0 { takeOut(unit) }
            areAlike = teams.allSatisfy { $0.room == teams[0].room }
            fill(0, from: 0, tickets)
        }
    }

    // MARK: Two teams

    private mutating func splitInTwo(_ tickets: CompiledTickets) {
        var value = 0.0
        var variance = 2 * WinChance.variance(deviations: 0)
        for unit in units {
            value += unit.value
            variance += unit.variance
        }
        let split = Split(
            total: value, scale: 1 / variance.squareRoot(), areAlike: teams[0].room == teams[1].room,
            players: units.reduce(0) { $0 + $1.size })
        choose(0, room: teams[0].room, left: split.players, value: 0, chosen: 0, split, tickets)
        for unit in units.indices { placed[unit] = -1 }
    }

    private struct Split {
        let total: Double
        let scale: Double
        /// Both teams have the same number of seats, so the first unit can stay in the first.
        let areAlike: Bool
        let players: Int
    }

    /// Puts units into the first team, or leaves them to the second, until the first is full.
    private mutating func choose(
        _ unit: Int, room: Int, left: Int, value: Double, chosen: UInt64, _ split: Split, _ tickets: CompiledTickets
    ) {
        if room == 0 {
            // The gap depends on the difference alone: its variance is that of all players, however they are divided.
            let cost = abs(2 * value - split.total) * split.scale
            if cost < bestCost - 1e-12 { keep(chosen, cost, tickets) }
            return
        }
        guard left >= room else { return }
        let size = units[unit].size
        if size <= room {
            choose(
                unit + 1, room: room - size, left: left - size, value: value + units[unit].value,
                chosen: chosen | 1 << UInt64(unit), split, tickets)
        }
        if unit == 0 && split.areAlike { return }
        choose(unit + 1, room: room, left: left - size, value: value, chosen: chosen, split, tickets)
    }

    private mutating func keep(_ chosen: UInt64, _ cost: Double, _ tickets: CompiledTickets) {
        for unit in units.indices { placed[unit] = chosen >> UInt64(unit) & 1 == 1 ? 0 : 1 }
        guard violations(tickets) == 0 else { return }
        bestCost = cost
        bestPlaced.removeAll(keepingCapacity: true)
        bestPlaced.append(contentsOf: placed)
    }

    // MARK: More teams

    /// Fills one team after the other, so that a bad first team is seen before the rest is tried.
    private mutating func fill(_ team: Int, from start: Int, _ tickets: CompiledTickets) {
        if teams[team].room == 0 {
            guard !isHopeless(through: team) else { return }
            if team + 2 < teams.count {
                fill(team + 1, from: 0, tickets)
            } else {
                fillLast(tickets)
            }
            return
        }
        for unit in start..<units.count where placed[unit] < 0 && units[unit].size <= teams[team].room {
            place(unit, in: team)
            fill(team, from: unit + 1, tickets)
            takeOut(unit)
            // Of teams that are alike, the first takes the first unit that is left: else the same comes again with
            // teams exchanged.
            if areAlike, teams[team].units == 0 { return }
        }
    }

    private mutating func fillLast(_ tickets: CompiledTickets) {
        let last = teams.count - 1
        var taken: UInt64 = 0
        for unit in units.indices where placed[unit] < 0 {
            place(unit, in: last)
            taken |= 1 << UInt64(unit)
        }
        keepIfBest(tickets)
        while taken != 0 {
            takeOut(taken.trailingZeroBitCount)
            taken &= taken - 1
        }
    }

    /// Whether the teams up to one, which are full, leave no way to be better than the best so far: the others have
    /// what is left between them, so one of them has its share or more, and one its share or less.
    private func isHopeless(through team: Int) -> Bool {
        var (low, high, sum) = (Double.infinity, -Double.infinity, 0.0)
        for full in 0...team {
            low = min(low, teams[full].value)
            high = max(high, teams[full].value)
            sum += teams[full].value
        }
        let share = -sum / Double(teams.count - 1 - team)
        return max(high, share) - min(low, share) >= bestCost * varianceRoot
    }

    // MARK: Running matches

    private mutating func tryTeams(for unit: Int, _ tickets: CompiledTickets) {
        guard unit < units.count else {
            keepIfBest(tickets)
            return
        }
        for team in teams.indices where canPlace(unit, in: team) {
            place(unit, in: team)
            tryTeams(for: unit + 1, tickets)
            takeOut(unit)
        }
    }

    func canPlace(_ unit: Int, in team: Int) -> Bool {
        units[unit].size <= teams[team].room && units[unit].allowed >> UInt64(min(team, 63)) & 1 == 1
    }
}

extension TeamAssembly {
    /// The most ways to put tickets into a running match that are all tried.
    private static let waysMax = 20_000

    /// Whether trying every division is cheap enough.
    var isSmallEnough: Bool {
        guard isBackfill else { return true }
        var ways = 1
        for _ in units {
            ways *= teams.count
            if ways > Self.waysMax { return false }
        }
        return true
    }

    /// Tries every division, but for those that are the same with teams exchanged, or can't be better than the best.
    mutating func tryEveryDivision(_ tickets: CompiledTickets) {
        if teams.count == 2, !isBackfill {
            splitInTwo(tickets)
        } else {
            // A good division to begin with, so that most others are seen to be worse early.
            if !isBackfill { exchange(tickets) }
            for unit in units.indices where placed[unit] >= 0 { takeOut(unit) }
            tryTeams(for: 0, tickets)
        }
    }

    // MARK: Two teams

    private mutating func splitInTwo(_ tickets: CompiledTickets) {
        var value = 0.0
        var variance = 0.0
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

    // MARK: Any number of teams

    private mutating func tryTeams(for unit: Int, _ tickets: CompiledTickets) {
        guard unit < units.count else {
            keepIfBest(tickets)
            return
        }
        for team in teams.indices where canPlace(unit, in: team) && !isLikeEarlier(team) {
            place(unit, in: team)
            if !isHopeless(team) { tryTeams(for: unit + 1, tickets) }
            takeOut(unit)
        }
    }

    func canPlace(_ unit: Int, in team: Int) -> Bool {
        units[unit].size <= teams[team].room && units[unit].allowed >> UInt64(min(team, 63)) & 1 == 1
    }

    /// Whether an earlier team is empty as well and has the same seats.
    private func isLikeEarlier(_ team: Int) -> Bool {
        guard teams[team].units == 0 else { return false }
        for earlier in 0..<team where teams[earlier].units == 0 && teams[earlier].kind == teams[team].kind {
            return true
        }
        return false
    }

    /// Whether a team that is full is too strong or weak for anything better than the best so far.
    private func isHopeless(_ team: Int) -> Bool {
        guard !isBackfill, teams[team].room == 0 else { return false }
        // All values add up to 0, so the others are as far the other way together, and one of them by its share.
        var spread = abs(teams[team].value) * Double(teams.count) / Double(teams.count - 1)
        for other in teams.indices where teams[other].room == 0 {
            spread = max(spread, abs(teams[team].value - teams[other].value))
        }
        return spread >= bestCost * varianceMax.squareRoot()
    }
}

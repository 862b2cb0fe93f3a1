import GameModel

/// The heuristic for many players: a start that packs parties into teams, then exchanges of equally many players
/// between the strongest or weakest team and another while that helps, and again from a few disturbed divisions.
extension TeamAssembly {
    /// Below this cost (a gap of less than 0.002) nothing better is looked for.
    private static let costEnough = 0.004
    /// So many exchanges of one descent.
    private static let roundsMax = 400
    /// With so many units in a team, pairs are exchanged too.
    private static let pairsMax = 12
    /// Descents from a disturbed division, of two teams and of more.
    private static let restarts = (two: 8, more: 3)
    /// With more units than this, one descent comes near enough.
    private static let restartUnitsMax = 40

    /// Units of two teams that change places; -1 = none.
    private struct Exchange {
        let team: Int
        let other: Int
        var ours = (-1, -1)
        var theirs = (-1, -1)
    }

    /// Finds a good division and keeps it.
    mutating func exchange(_ tickets: CompiledTickets) {
        guard pack(0) else { return }
        descend(tickets)
        keepIfBest(tickets)
        guard units.count <= Self.restartUnitsMax, !isBackfill else { return }
        // The same tickets are always divided the same way.
        var random = SplitMix64(seed: 0x7EA3)
        for _ in 0..<(teams.count == 2 ? Self.restarts.two : Self.restarts.more) where bestCost > Self.costEnough {
            disturb(&random)
            descend(tickets)
            keepIfBest(tickets)
        }
    }

    /// Places units from the `unit`th on, the strong ones in weak teams and the other way round, going back where
    /// parties don't fit.
    mutating func pack(_ unit: Int) -> Bool {
        guard unit < units.count else { return true }
        steps += 1
        guard steps <= Self.packingStepsMax else { return false }
        var tried: UInt128 = 0
        for _ in teams.indices {
            var best = -1
            for team in teams.indices where tried >> UInt128(team) & 1 == 0 && canPlace(unit, in: team) {
                if best < 0 || isBetter(team, than: best, for: unit) { best = team }
            }
            guard best >= 0 else { return false }
            tried |= 1 << UInt128(best)
            place(unit, in: best)
            if pack(unit + 1) { return true }
            takeOut(unit)
        }
        return false
    }

    private func isBetter(_ team: Int, than other: Int, for unit: Int) -> Bool {
        if isBackfill, teams[team].players != teams[other].players { return teams[team].players < teams[other].players }
        return units[unit].value >= 0
            ? teams[team].value < teams[other].value : teams[team].value > teams[other].value
    }

    // MARK: Descending

    private mutating func descend(_ tickets: CompiledTickets) {
        var broken = violations(tickets)
        for _ in 0..<Self.roundsMax where broken > 0 || cost() > Self.costEnough {
            guard let (exchange, rest) = bestExchange(broken, tickets) else { return }
            apply(exchange)
            broken = rest
        }
    }

    /// The exchange that breaks fewest rules and of those has the least gap; `nil` where none is better than the
    /// present division. Answers also how many rules are broken after it.
    private mutating func bestExchange(
        _ broken: Int, _ tickets: CompiledTickets
    ) -> (exchange: Exchange, broken: Int)? {
        var best: (exchange: Exchange, broken: Int, cost: Double)?
        let present = cost()
        let (weakest, strongest) = extremes()
        for team in teams.indices where broken > 0 || team == weakest || team == strongest {
            for other in teams.indices where other != team {
                // Each pair once.
                if other < team, broken > 0 || other == weakest || other == strongest { continue }
                visitExchanges(of: team, with: other) { assembly, exchange in
                    let most = best.map { ($0.broken, $0.cost) } ?? (broken, present - 1e-9)
                    guard most.0 > 0 || assembly.leastCost(after: exchange) < most.1 else { return }
                    assembly.apply(exchange)
                    let cost = assembly.isAllowed(exchange) ? assembly.cost() : .infinity
                    if cost < .infinity, most.0 > 0 || cost < most.1 {
                        let rest = assembly.violations(tickets)
                        if (rest, cost) < most { best = (exchange, rest, cost) }
                    }
                    assembly.undo(exchange)
                }
            }
        }
        return best.map { ($0.exchange, $0.broken) }
    }

    /// A lower bound of what the division costs after an exchange, without making it.
    private func leastCost(after exchange: Exchange) -> Double {
        if isBackfill { return -.infinity }
        var moved = 0.0
        if exchange.ours.0 >= 0 { moved += units[exchange.ours.0].value }
        if exchange.ours.1 >= 0 { moved += units[exchange.ours.1].value }
        if exchange.theirs.0 >= 0 { moved -= units[exchange.theirs.0].value }
        if exchange.theirs.1 >= 0 { moved -= units[exchange.theirs.1].value }
        let spread = abs(teams[exchange.team].value - teams[exchange.other].value - 2 * moved)
        return spread / varianceRoot
    }

    private mutating func apply(_ exchange: Exchange) {
        move(exchange.ours, to: exchange.other)
        move(exchange.theirs, to: exchange.team)
    }

    private mutating func undo(_ exchange: Exchange) {
        move(exchange.ours, to: exchange.team)
        move(exchange.theirs, to: exchange.other)
    }

    private mutating func move(_ pair: (Int, Int), to team: Int) {
        if pair.0 >= 0 {
            takeOut(pair.0)
            place(pair.0, in: team)
        }
        if pair.1 >= 0 {
            takeOut(pair.1)
            place(pair.1, in: team)
        }
    }

    /// Whether all who moved have a seat, and may be where they are.
    private func isAllowed(_ exchange: Exchange) -> Bool {
        guard isBackfill else { return true }
        guard teams[exchange.team].room >= 0, teams[exchange.other].room >= 0 else { return false }
        return units.indices.allSatisfy { units[$0].allowed >> UInt64(min(placed[$0], 63)) & 1 == 1 }
    }

    /// Exchanges some units at random, as many players each way.
    private mutating func disturb(_ random: inout SplitMix64) {
        for _ in 0..<3 {
            let one = Int.random(in: 0..<units.count, using: &random)
            let start = Int.random(in: 0..<units.count, using: &random)
            for offset in units.indices {
                let other = (start + offset) % units.count
                guard placed[one] != placed[other], units[one].size == units[other].size else { continue }
                let (team, otherTeam) = (placed[one], placed[other])
                move((one, -1), to: otherTeam)
                move((other, -1), to: team)
                break
            }
        }
    }

    private func extremes() -> (weakest: Int, strongest: Int) {
        var (low, high) = (0, 0)
        for team in teams.indices {
            if teams[team].value < teams[low].value { low = team }
            if teams[team].value > teams[high].value { high = team }
        }
        return (low, high)
    }

    /// Visits the ways to exchange one or two units of a team with one or two of another, as many players each way; in
    /// a running match, also the moves to an open seat.
    private mutating func visitExchanges(
        of team: Int, with other: Int, _ visit: (inout Self, Exchange) -> Void
    ) {
        let ours = units.indices.filter { placed[$0] == team }
        let theirs = units.indices.filter { placed[$0] == other }
        let ownPairs = ours.count <= Self.pairsMax && theirs.count <= Self.pairsMax
        for i in ours.indices {
            if isBackfill { visit(&self, Exchange(team: team, other: other, ours: (ours[i], -1))) }
            // Where the second is the first, it is none.
            for i2 in i..<(ownPairs ? ours.count : i + 1) {
                let pair = (ours[i], i2 > i ? ours[i2] : -1)
                let size = units[ours[i]].size + (i2 > i ? units[ours[i2]].size : 0)
                for j in theirs.indices where units[theirs[j]].size <= size {
                    for j2 in j..<(ownPairs ? theirs.count : j + 1) {
                        guard units[theirs[j]].size + (j2 > j ? units[theirs[j2]].size : 0) == size else { continue }
                        let answer = (theirs[j], j2 > j ? theirs[j2] : -1)
                        visit(&self, Exchange(team: team, other: other, ours: pair, theirs: answer))
                    }
                }
            }
        }
        if isBackfill { for unit in theirs { visit(&self, Exchange(team: team, other: other, theirs: (unit, -1))) } }
    }
}

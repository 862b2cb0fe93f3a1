import GameModel

/// Divides the tickets of a match into teams: parties whole, required roles filled in each, recent opponents never
/// opposed, average differences and the predicted gap within their limits, and of all such divisions the one with the
/// least predicted gap (see ``WinChance``).
///
/// Up to ``exhaustiveMax`` players, or where tickets are few, every division is tried; beyond that, a start by turns
/// and exchanges of equally many players come near the best. Scratch memory is kept between calls: one assembly for
/// each matcher.
struct TeamAssembly: Sendable {
    /// How a division is looked for.
    enum Method: Sendable {
        /// By trying every division up to ``exhaustiveMax`` players, or where that is cheap; else by exchanges.
        case best
        case everyDivision
        case exchanges
    }

    /// Up to so many players, every division is tried.
    static let exhaustiveMax = 12
    /// The same for two teams, of which there are far fewer divisions.
    static let twoTeamsExhaustiveMax = 16
    /// So many steps of packing parties into teams, before it is given up.
    static let packingStepsMax = 20_000
    /// A difference in the number of players weighs more than any gap.
    static let weightOfImbalance = 1e6

    let rules: CompiledRules
    /// The team of each ticket, in the order they were given.
    private(set) var teamOf: ContiguousArray<Int> = []
    /// How many teams there are: fewer than the rules' in a free-for-all that begins with fewer players.
    private(set) var teamCount = 0
    /// Seats of each team that bots take; teams without a player, of bots alone, come last.
    private(set) var bots: ContiguousArray<Int> = []
    /// The predicted chance of the strongest team against the weakest, less one half: 0 to 0.5.
    private(set) var gap = 0.0

    // MARK: What is divided: tickets, those that must be together as one unit

    struct Unit: Sendable {
        var size = 0
        /// Sum of ratings from the mean of all players.
        var value = 0.0
        /// Sum of their squared deviations.
        var variance = 0.0
        /// A bit for each team that it may be in.
        var allowed = UInt64.max
        /// The tickets of the unit are linked; the last ends with -1.
        var firstTicket = -1
    }

    struct Team: Sendable {
        /// Seats yet to be filled.
        var room = 0
        var players = 0
        var value = 0.0
        var variance = WinChance.variance(deviations: 0)
        var units = 0
    }

    var units: ContiguousArray<Unit> = []
    var nextTicket: ContiguousArray<Int> = []
    var teams: ContiguousArray<Team> = []
    /// The team of each unit while a division is being made.
    var placed: ContiguousArray<Int> = []
    var bestPlaced: ContiguousArray<Int> = []
    var bestCost = Double.infinity
    /// No less than the deviation of the difference of any two teams.
    private(set) var varianceRoot = 0.0
    /// Whether all teams have the same number of seats.
    var areAlike = false
    var steps = 0
    private(set) var isBackfill = false
    var constraints: TeamConstraints

    init(_ rules: CompiledRules) {
        self.rules = rules
        constraints = TeamConstraints(rules)
    }

    /// Divides tickets whose players fill all seats, or (with ``Limits/playersMin``) fewer: then teams differ by one
    /// player at most and bots take seats up to ``Limits/botsMax``. With a backfill ticket, the tickets take seats of
    /// its match, as many as there are tickets for.
    ///
    /// - Parameters:
    ///   - slots: The tickets, without the backfill ticket.
    ///   - step: The step of waiting whose limits hold, the anchor's.
    ///   - backfill: The slot of the backfill ticket, or -1.
    ///   - method: How to look for it.
    /// - Returns: Whether there is a division that holds to the rules; the properties describe it.
    mutating func assemble(
        _ slots: ContiguousArray<Int32>, in tickets: CompiledTickets, step: Int, at now: Instant, backfill: Int32 = -1,
        method: Method = .best
    ) -> Bool {
        let running = backfill >= 0 ? tickets.backfill(backfill) : nil
        isBackfill = running != nil
        var players = 0
        for slot in slots { players += Int(tickets.rows[Int(slot)].size) }
        guard players > 0, setUpTeams(players, running, limits: rules.steps[step]),
            setUpUnits(slots, players, tickets, now, backfill)
        else { return false }
        constraints.begin(slots, tickets, step: step, running)
        guard isBackfill || constraints.areThinkable(teams: teams.count, bots: bots) else { return false }
        bestCost = .infinity
        steps = 0
        if !isBackfill, rules.isEveryoneAlone {
            placeEachAlone(tickets)
        } else if triesEveryDivision(of: players, method) {
            tryEveryDivision(tickets)
        } else {
            exchange(tickets)
        }
        guard bestCost < .infinity else { return false }
        return finish(slots.count, rules.steps[step])
    }

    private func triesEveryDivision(of players: Int, _ method: Method) -> Bool {
        switch method {
        case .everyDivision: return true
        case .exchanges: return false
        case .best:
            let most = teams.count == 2 ? Self.twoTeamsExhaustiveMax : Self.exhaustiveMax
            return areUnitsFew || !isBackfill && players <= most
        }
    }

    /// Who takes which role, for a match that is made; empty where the mode has none.
    func roles(of teams: [[QueuedTicket]], step: Int) -> [PlayerID: String] {
        guard !rules.rules.roles.isEmpty else { return [:] }
        let assignment = RoleAssignment(rules.rules.roles)
        var result: [PlayerID: String] = [:]
        for team in teams {
            let members = team.flatMap(\.members)
            let wishes = members.map { RoleWish($0, in: rules.rules.roles) }
            let roles = assignment.assign(wishes, fills: rules.steps[step].fillsRoles)
            for (member, role) in zip(members, roles ?? []) {
                if let role { result[member.player] = rules.rules.roles[role].name }
            }
        }
        return result
    }

    // MARK: Setting up

    /// The teams with their room. `false` where so many players make no match.
    private mutating func setUpTeams(_ players: Int, _ running: CompiledBackfill?, limits: Limits) -> Bool {
        teams.removeAll(keepingCapacity: true)
        bots.removeAll(keepingCapacity: true)
        if let running {
            guard running.open.reduce(0, +) >= players else { return false }
            // What plays already has its ratings counted from the mean once that is known.
            for index in running.open.indices {
                let count = running.playerCounts[index]
                teams.append(
                    Team(
                        room: running.open[index], players: count, value: running.ratingSums[index],
                        variance: WinChance.variance(deviations: running.deviationSums[index])))
                bots.append(0)
            }
            teamCount = teams.count
            return true
        }
        let (wanted, size) = (rules.rules.teams, rules.rules.teamSize)
        guard players <= wanted * size else { return false }
        let count = size == 1 ? players : wanted
        guard count >= 2, players >= count else { return false }
        let (least, more) = players.quotientAndRemainder(dividingBy: count)
        for index in 0..<count {
            teams.append(Team(room: least + (index < more ? 1 : 0)))
            bots.append(0)
        }
        teamCount = count
        addBots(min(limits.botsMax, wanted * size - players), size, wanted)
        return true
    }

    /// Bots level the teams first; then each team gets one more as long as there are enough for all.
    private mutating func addBots(_ most: Int, _ size: Int, _ wanted: Int) {
        var left = most
        if size == 1 {
            while left > 0, bots.count < wanted {
                bots.append(1)
                left -= 1
            }
            teamCount = bots.count
            return
        }
        let largest = teams.reduce(0) { max($0, $1.room) }
        for index in teams.indices where teams[index].room < largest && left > 0 {
            bots[index] = 1
            left -= 1
        }
        let isLevel = teams.indices.allSatisfy { teams[$0].room + bots[$0] == largest }
        let rounds = isLevel ? min(left / teams.count, size - largest) : 0
        for index in teams.indices { bots[index] += rounds }
    }

    /// The units with their values. `false` where those who must be together don't fit in a team.
    private mutating func setUpUnits(
        _ slots: ContiguousArray<Int32>, _ players: Int, _ tickets: CompiledTickets, _ now: Instant,
        _ backfill: Int32
    ) -> Bool {
        let running = backfill >= 0 ? tickets.backfill(backfill) : nil
        units.removeAll(keepingCapacity: true)
        nextTicket.removeAll(keepingCapacity: true)
        var sum = 0.0
        var count = players
        for slot in slots { sum += tickets.rows[Int(slot)].ratingSum }
        if let running {
            sum += running.ratingSums.reduce(0, +)
            count += running.playerCounts.reduce(0, +)
        }
        let mean = sum / Double(count)
        for index in teams.indices { teams[index].value -= mean * Double(teams[index].players) }
        for (index, slot) in slots.enumerated() {
            let row = tickets.rows[Int(slot)]
            let size = Int(row.size)
            var unit = Unit(size: size, value: row.ratingSum - mean * Double(size), firstTicket: index)
            unit.variance = row.deviationSum
            if running != nil { unit.allowed = tickets.teamsWithoutOpponents(of: slot, in: backfill, at: now) }
            units.append(unit)
            nextTicket.append(-1)
        }
        if rules.recentMax > 0 { joinRecentOpponents(slots, tickets, now) }
        let largest = teams.reduce(0) { max($0, $1.room) }
        for unit in units where unit.size > largest || unit.allowed == 0 { return false }
        let total = units.reduce(0) { $0 + $1.variance }
        let worst = units.reduce(0) { max($0, $1.variance / Double($1.size)) }
        varianceRoot = (2 * WinChance.variance(deviations: 0) + min(total, worst * Double(2 * largest))).squareRoot()
        // Large parties first, as they fit in fewest ways; then the strongest and weakest, which decide most.
        units.sort { ($0.size, abs($0.value), $1.firstTicket) > ($1.size, abs($1.value), $0.firstTicket) }
        placed.removeAll(keepingCapacity: true)
        placed.append(contentsOf: repeatElement(-1, count: units.count))
        return true
    }

    /// Makes one unit of those who may not be opposed.
    private mutating func joinRecentOpponents(
        _ slots: ContiguousArray<Int32>, _ tickets: CompiledTickets, _ now: Instant
    ) {
        for (later, slot) in slots.enumerated() {
            for earlier in 0..<later {
                guard tickets.mayConflict(slot, slots[earlier]) else { continue }
                let conflict = tickets.conflict(
                    slot, step: tickets.step(slot, at: now), slots[earlier],
                    step: tickets.step(slots[earlier], at: now))
                guard conflict == .recentOpponents, let into = unit(of: earlier), let from = unit(of: later),
                    into != from
                else { continue }
                units[into].size += units[from].size
                units[into].value += units[from].value
                units[into].variance += units[from].variance
                units[into].allowed &= units[from].allowed
                var last = units[into].firstTicket
                while nextTicket[last] >= 0 { last = nextTicket[last] }
                nextTicket[last] = units[from].firstTicket
                units.remove(at: from)
            }
        }
    }

    private func unit(of ticket: Int) -> Int? {
        units.firstIndex { unit in
            var member = unit.firstTicket
            while member >= 0, member != ticket { member = nextTicket[member] }
            return member == ticket
        }
    }

    // MARK: Ending

    /// Reads the best division out. `false` where even that is too uneven.
    private mutating func finish(_ ticketCount: Int, _ limits: Limits) -> Bool {
        for unit in units.indices where placed[unit] >= 0 { takeOut(unit) }
        for unit in units.indices { place(unit, in: bestPlaced[unit]) }
        gap = WinChance.gap(ofDistance: distance())
        if let most = limits.teamGapMax, gap > most { return false }
        teamOf.removeAll(keepingCapacity: true)
        teamOf.append(contentsOf: repeatElement(0, count: ticketCount))
        for unit in units.indices {
            var ticket = units[unit].firstTicket
            while ticket >= 0 {
                teamOf[ticket] = bestPlaced[unit]
                ticket = nextTicket[ticket]
            }
        }
        return true
    }

    private mutating func placeEachAlone(_ tickets: CompiledTickets) {
        guard units.count == teams.count else { return }
        for unit in units.indices { place(unit, in: unit) }
        keepIfBest(tickets)
    }

    // MARK: Placing

    mutating func place(_ unit: Int, in team: Int) {
        placed[unit] = team
        teams[team].room -= units[unit].size
        teams[team].players += units[unit].size
        teams[team].value += units[unit].value
        teams[team].variance += units[unit].variance
        teams[team].units += 1
    }

    mutating func takeOut(_ unit: Int) {
        let team = placed[unit]
        placed[unit] = -1
        teams[team].room += units[unit].size
        teams[team].players -= units[unit].size
        teams[team].value -= units[unit].value
        teams[team].variance -= units[unit].variance
        teams[team].units -= 1
    }

    /// How far the strongest team is above the weakest, in deviations of their difference.
    func distance() -> Double {
        var (low, high) = (0, 0)
        for team in teams.indices {
            if teams[team].value < teams[low].value { low = team }
            if teams[team].value > teams[high].value { high = team }
        }
        let variance = teams[low].variance + teams[high].variance
        return variance > 0 ? (teams[high].value - teams[low].value) / variance.squareRoot() : 0
    }

    /// What is made least, once all are placed.
    func cost() -> Double {
        guard isBackfill else { return distance() }
        var (fewest, most) = (Int.max, 0)
        for team in teams {
            fewest = min(fewest, team.players)
            most = max(most, team.players)
        }
        return distance() + Self.weightOfImbalance * Double(most - fewest)
    }

    /// Keeps the present division where it is better than the best so far and holds to the rules.
    mutating func keepIfBest(_ tickets: CompiledTickets) {
        let cost = cost()
        guard cost < bestCost - 1e-12, violations(tickets) == 0 else { return }
        bestCost = cost
        bestPlaced.removeAll(keepingCapacity: true)
        bestPlaced.append(contentsOf: placed)
    }
}

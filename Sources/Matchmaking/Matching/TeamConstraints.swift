import GameModel

/// What a division into teams must hold to beside its gap: the roles of each team, and how far the teams' means of an
/// attribute may differ.
struct TeamConstraints: Sendable {
    struct Average: Sendable {
        var rule: Int
        var limit: Double
    }

    private let rules: CompiledRules
    var roles: RoleAssignment
    private(set) var fills = false
    private(set) var hasRoles = false
    /// The average differences in force.
    private(set) var averages: ContiguousArray<Average> = []
    private(set) var slots: ContiguousArray<Int32> = []
    private(set) var running: CompiledBackfill?
    /// The wishes of one team while it is judged.
    var wishes: ContiguousArray<RoleWish> = []

    init(_ rules: CompiledRules) {
        self.rules = rules
        roles = RoleAssignment(rules.rules.roles)
        hasRoles = !rules.rules.roles.isEmpty
    }

    /// Whether there is anything to hold to.
    var isEmpty: Bool { !hasRoles && averages.isEmpty }

    mutating func begin(
        _ slots: ContiguousArray<Int32>, _ tickets: CompiledTickets, step: Int, _ running: CompiledBackfill?
    ) {
        let limits = rules.steps[step]
        fills = limits.fillsRoles
        averages.removeAll(keepingCapacity: true)
        for (index, rule) in rules.rules.attributes.enumerated()
        where rule.kind == .averageDifference && limits.attributeMax[index] < .infinity {
            averages.append(Average(rule: index, limit: limits.attributeMax[index]))
        }
        guard !isEmpty else { return }
        self.running = running
        self.slots.removeAll(keepingCapacity: true)
        self.slots.append(contentsOf: slots)
        wishes.removeAll(keepingCapacity: true)
        if hasRoles { for slot in slots { wishes.append(contentsOf: tickets.wishes[Int(slot)]) } }
    }

    /// Whether the players fill the roles of all teams if they could be divided at will: where not, no division does.
    mutating func areThinkable(teams: Int, bots: ContiguousArray<Int>) -> Bool {
        guard hasRoles else { return true }
        let unfilled = bots.prefix(teams).reduce(0, +)
        return roles.canFill(wishes, fills: fills, unfilled: unfilled, teams: teams)
    }
}

extension TeamAssembly {
    /// How many rules the present division breaks: once for each team without its roles, once for each average.
    mutating func violations(_ tickets: CompiledTickets) -> Int {
        guard !constraints.isEmpty else { return 0 }
        var count = 0
        for average in constraints.averages where !isEven(average, tickets) { count += 1 }
        guard constraints.hasRoles else { return count }
        for team in teams.indices where !hasRoles(team, tickets) { count += 1 }
        return count
    }

    private func isEven(_ average: TeamConstraints.Average, _ tickets: CompiledTickets) -> Bool {
        var (low, high) = (Double.infinity, -Double.infinity)
        for team in teams.indices {
            var sum = 0.0
            var count = 0
            if let running = constraints.running {
                sum = running.averages[average.rule][team].sum
                count = running.averages[average.rule][team].count
            }
            for unit in units.indices where placed[unit] == team {
                var ticket = units[unit].firstTicket
                while ticket >= 0 {
                    let slot = constraints.slots[ticket]
                    sum += tickets.attribute(average.rule, of: slot).low
                    count += Int(tickets.rows[Int(slot)].size)
                    ticket = nextTicket[ticket]
                }
            }
            guard count > 0 else { continue }
            low = min(low, sum / Double(count))
            high = max(high, sum / Double(count))
        }
        // Room for rounding, so that a limit that is exactly met passes.
        return high - low <= average.limit + 1e-9
    }

    private mutating func hasRoles(_ team: Int, _ tickets: CompiledTickets) -> Bool {
        constraints.wishes.removeAll(keepingCapacity: true)
        if let running = constraints.running { constraints.wishes.append(contentsOf: running.wishes[team]) }
        var players = 0
        for unit in units.indices where placed[unit] == team {
            players += units[unit].size
            var ticket = units[unit].firstTicket
            while ticket >= 0 {
                constraints.wishes.append(contentsOf: tickets.wishes[Int(constraints.slots[ticket])])
                ticket = nextTicket[ticket]
            }
        }
        // Seats of a running match that stay open may be for the roles that are not taken yet.
        let unfilled = constraints.running.map { $0.open[team] - players } ?? bots[team]
        return constraints.roles.canFill(constraints.wishes, fills: constraints.fills, unfilled: unfilled)
    }
}

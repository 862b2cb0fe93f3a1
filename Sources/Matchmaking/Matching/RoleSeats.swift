import GameModel

/// Whether the players of a growing group leave room for the required roles that none of them takes: for each set of
/// roles, no more players that take none of them than seats that are not theirs (Hall's condition). Parties and teams
/// are not judged here; that is for the division into teams.
struct RoleSeats: Sendable {
    /// The most required roles that are looked at together.
    private static let rolesMax = 6

    private var names: [String] = []
    private var isFilled = false
    /// By set of roles: players who take none of them, and the most that there may be.
    private var without: ContiguousArray<Int> = []
    private var withoutMost: ContiguousArray<Int> = []

    /// Whether there is anything to judge.
    var isNeeded: Bool { !names.isEmpty }

    mutating func begin(_ plan: MatchingPlan, step: Int) {
        let fills = plan.compiled.steps[step].fillsRoles
        isFilled = fills
        if withoutMost.isEmpty, !plan.roleNames.isEmpty {
            names = Array(plan.roleNames.prefix(Self.rolesMax))
            withoutMost = ContiguousArray(
                (0..<1 << names.count).map { set in
                    plan.seats - names.indices.reduce(0) { $0 + (set >> $1 & 1 == 1 ? Int(plan.roleSeats[$1]) : 0) }
                })
            without = ContiguousArray(repeating: 0, count: withoutMost.count)
        }
        for set in without.indices { without[set] = 0 }
    }

    mutating func add(_ ticket: QueuedTicket) { change(ticket, by: 1) }
    mutating func remove(_ ticket: QueuedTicket) { change(ticket, by: -1) }

    /// Whether the members of a ticket leave room.
    mutating func admits(_ ticket: QueuedTicket) -> Bool {
        guard isNeeded else { return true }
        add(ticket)
        defer { remove(ticket) }
        for set in without.indices where without[set] > withoutMost[set] { return false }
        return true
    }

    private mutating func change(_ ticket: QueuedTicket, by amount: Int) {
        guard isNeeded else { return }
        for member in ticket.members {
            var mask = 0
            for (index, name) in names.enumerated() where member.takes(name, everFilled: isFilled) {
                mask |= 1 << index
            }
            for set in without.indices where set & mask == 0 { without[set] += amount }
        }
    }
}

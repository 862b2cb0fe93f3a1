import GameModel

/// Which required roles the members of a ticket take: a byte of bits for each of the first eight members.
struct RoleMasks: Sendable {
    /// The most required roles that are looked at together, and the most members.
    static let rolesMax = 6
    static let membersMax = 8

    /// By what they asked for.
    private(set) var asked: UInt64 = 0
    /// As soon as roles are filled by those who did not ask for them.
    private(set) var filled: UInt64 = 0

    init() {}

    init(_ ticket: QueuedTicket, _ names: [String]) {
        for (index, member) in ticket.members.prefix(Self.membersMax).enumerated() {
            for (role, name) in names.prefix(Self.rolesMax).enumerated() {
                let bit: UInt64 = 1 << UInt64(8 * index + role)
                if member.takes(name, everFilled: false) { asked |= bit }
                if member.takes(name, everFilled: true) { filled |= bit }
            }
        }
    }
}

/// Whether the players of a growing group leave room for the required roles that none of them takes: for each set of
/// roles, no more players that take none of them than seats that are not theirs (Hall's condition). Parties and teams
/// are not judged here; that is for the division into teams.
struct RoleSeats: Sendable {
    private var roleSeats: ContiguousArray<Int> = []
    private var isFilled = false
    /// By set of roles: players who take none of them, and the most that there may be.
    private var without: ContiguousArray<Int> = []
    private var withoutMost: ContiguousArray<Int> = []
    /// By role: players of the group who take it.
    private var able: ContiguousArray<Int> = []

    /// Whether there is anything to judge.
    var isNeeded: Bool { !roleSeats.isEmpty }

    mutating func begin(_ plan: MatchingPlan, step: Int) {
        guard !plan.roleNames.isEmpty else { return }
        isFilled = plan.compiled.steps[step].fillsRoles
        if roleSeats.isEmpty {
            roleSeats = ContiguousArray(plan.roleSeats.prefix(RoleMasks.rolesMax).map(Int.init))
            withoutMost = ContiguousArray(
                (0..<1 << roleSeats.count).map { set in
                    plan.seats - roleSeats.indices.reduce(0) { $0 + (set >> $1 & 1 == 1 ? roleSeats[$1] : 0) }
                })
            without = ContiguousArray(repeating: 0, count: withoutMost.count)
            able = ContiguousArray(repeating: 0, count: roleSeats.count)
        }
        for set in without.indices { without[set] = 0 }
        for role in able.indices { able[role] = 0 }
    }

    /// The roles that members of a ticket take by now.
    func bits(_ masks: RoleMasks) -> UInt64 { isFilled ? masks.filled : masks.asked }

    mutating func add(_ masks: RoleMasks, _ size: Int) { change(bits(masks), size, by: 1) }
    mutating func remove(_ masks: RoleMasks, _ size: Int) { change(bits(masks), size, by: -1) }

    /// Whether the members of a ticket leave room.
    mutating func admits(_ masks: RoleMasks, _ size: Int) -> Bool {
        let bits = bits(masks)
        change(bits, size, by: 1)
        defer { change(bits, size, by: -1) }
        for set in without.indices where without[set] > withoutMost[set] { return false }
        return true
    }

    /// Whether the group and so many more players who take each role are enough for it.
    func areEnough(_ more: SIMD8<Int32>) -> Bool {
        for role in roleSeats.indices where able[role] + Int(more[role]) < roleSeats[role] { return false }
        return true
    }

    /// How many members take each role.
    func count(_ masks: RoleMasks, _ size: Int) -> SIMD8<Int32> {
        var counts = SIMD8<Int32>()
        let bits = bits(masks)
        for member in 0..<min(size, RoleMasks.membersMax) {
            for role in roleSeats.indices where bits >> UInt64(8 * member + role) & 1 == 1 { counts[role] += 1 }
        }
        // Of those beyond nothing is known.
        return size > RoleMasks.membersMax ? counts &+ Int32(size - RoleMasks.membersMax) : counts
    }

    private mutating func change(_ bits: UInt64, _ size: Int, by amount: Int) {
        for member in 0..<min(size, RoleMasks.membersMax) {
            let mask = Int(bits >> UInt64(8 * member) & 0xFF)
            for role in able.indices where mask >> role & 1 == 1 { able[role] += amount }
            for set in without.indices where set & mask == 0 { without[set] += amount }
        }
        if size > RoleMasks.membersMax {
            for role in able.indices { able[role] += amount * (size - RoleMasks.membersMax) }
        }
    }
}

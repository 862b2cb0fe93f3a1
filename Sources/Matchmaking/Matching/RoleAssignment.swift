import GameModel

/// What roles a player would take, as numbers.
struct RoleWish: Sendable, Hashable {
    /// One bit of each role, by its place in ``ModeRules/roles``.
    var roles: UInt16
    /// Whether the player takes no other.
    var insists: Bool
    /// Four bits for each role: its place among the player's wishes, 0 the best.
    var ranks: UInt64 = 0

    /// A player who would take any role: one without wishes.
    static let any = RoleWish(roles: .max, insists: false)

    /// Roles that the mode does not have are left out; a player who wishes no other takes a seat without a role.
    init(_ member: TicketMember, in rules: [RoleRule]) {
        guard !member.roles.isEmpty else {
            self = .any
            return
        }
        self.init(roles: 0, insists: member.insistsOnRoles)
        for (rank, name) in member.roles.enumerated() {
            guard let role = rules.prefix(CompiledRules.rolesMax).firstIndex(where: { $0.name == name }) else {
                continue
            }
            if roles & 1 << role != 0 { continue }
            roles |= 1 << role
            ranks |= UInt64(min(rank, 15)) << UInt64(4 * role)
        }
    }

    init(roles: UInt16, insists: Bool) {
        self.roles = roles
        self.insists = insists
    }

    func rank(of role: Int) -> Int { Int(ranks >> UInt64(4 * role) & 15) }
}

/// Who takes which role.
///
/// A team's seats are those of its required roles, of its preferred roles, and the rest without a role. A player takes
/// a role that they wish (or any, without wishes), or a seat without one unless they insist; with `fills`, who does not
/// insist takes any role. Required roles must be filled but for `unfilled` of them, which bots take.
struct RoleAssignment: Sendable {
    private static let none: Int8 = -1

    let rules: ArraySlice<RoleRule>
    private let required: [Int]
    private let offered: [Int]
    /// The role that each player holds while a question is answered.
    private var holds: ContiguousArray<Int8> = []

    init(_ rules: [RoleRule]) {
        self.rules = rules.prefix(CompiledRules.rolesMax)
        required = self.rules.map { $0.isRequired ? $0.count : 0 }
        offered = self.rules.map(\.count)
    }

    /// Whether so many teams can be made of these players as far as roles go: that all required roles are filled but
    /// for `unfilled`, and that all who insist get a role they wish.
    ///
    /// The two are asked apart: where one matching fills the roles and another serves the insisting players, there is
    /// one that does both (Mendelsohn and Dulmage, 1958).
    mutating func canFill(
        _ wishes: ContiguousArray<RoleWish>, fills: Bool, unfilled: Int, teams: Int = 1
    ) -> Bool {
        if holds.count < wishes.count {
            holds.append(contentsOf: repeatElement(Self.none, count: wishes.count - holds.count))
        }
        return leastUnfilled(wishes, fills: fills, teams: teams, enough: unfilled) <= unfilled
            && servesInsisting(wishes, teams: teams)
    }

    /// How many seats of required roles stay empty at best; stops counting past `enough`.
    private mutating func leastUnfilled(
        _ wishes: ContiguousArray<RoleWish>, fills: Bool, teams: Int, enough: Int
    ) -> Int {
        for player in wishes.indices { holds[player] = Self.none }
        var unfilled = 0
        for role in required.indices {
            for _ in 0..<(required[role] * teams) {
                var tried: UInt16 = 0
                if !takePlayer(for: role, wishes, fills: fills, tried: &tried) {
                    unfilled += 1
                    if unfilled > enough { return unfilled }
                }
            }
        }
        return unfilled
    }

    /// Finds a player for one more seat of a role, by an augmenting path: a free one, or one whose present role finds
    /// another.
    private mutating func takePlayer(
        for role: Int, _ wishes: ContiguousArray<RoleWish>, fills: Bool, tried: inout UInt16
    ) -> Bool {
        tried |= 1 << role
        let bit: UInt16 = 1 << role
        for player in wishes.indices where holds[player] == Self.none && takes(wishes[player], bit, fills) {
            holds[player] = Int8(role)
            return true
        }
        for player in wishes.indices where holds[player] != Self.none && takes(wishes[player], bit, fills) {
            let other = Int(holds[player])
            guard tried & 1 << other == 0 else { continue }
            if takePlayer(for: other, wishes, fills: fills, tried: &tried) {
                holds[player] = Int8(role)
                return true
            }
        }
        return false
    }

    private func takes(_ wish: RoleWish, _ bit: UInt16, _ fills: Bool) -> Bool {
        wish.roles & bit != 0 || fills && !wish.insists
    }

    private mutating func servesInsisting(_ wishes: ContiguousArray<RoleWish>, teams: Int) -> Bool {
        for player in wishes.indices { holds[player] = Self.none }
        for player in wishes.indices where wishes[player].insists {
            var tried: UInt16 = 0
            guard seat(player, wishes, teams: teams, tried: &tried) else { return false }
        }
        return true
    }

    /// Gives a player a role they wish, where need be by moving others who insist to another that they wish.
    private mutating func seat(
        _ player: Int, _ wishes: ContiguousArray<RoleWish>, teams: Int, tried: inout UInt16
    ) -> Bool {
        for role in offered.indices where wishes[player].roles & 1 << role != 0 && tried & 1 << role == 0 {
            tried |= 1 << role
            var holders = 0
            for other in wishes.indices where holds[other] == Int8(role) { holders += 1 }
            if holders < offered[role] * teams {
                holds[player] = Int8(role)
                return true
            }
            for other in wishes.indices where holds[other] == Int8(role) {
                if seat(other, wishes, teams: teams, tried: &tried) {
                    holds[player] = Int8(role)
                    return true
                }
            }
        }
        return false
    }
}

extension RoleAssignment {
    /// The role of each player of one team, as a place in ``ModeRules/roles``, `nil` for none: as many required roles
    /// filled as can be, then as many players as can be with a role they wish, then the best wishes. Exact for any team
    /// (the Hungarian method).
    /// - Returns: `nil` where someone insists in vain.
    func assign(_ wishes: [RoleWish], fills: Bool) -> [Int?]? {
        var seats: [Int?] = rules.indices.flatMap { role in [Int?](repeating: role, count: rules[role].count) }
        // A seat of a preferred role that nobody wishes is one without a role, so there are always enough of those.
        seats += [Int?](repeating: nil, count: wishes.count)
        let costs = wishes.map { wish in seats.map { cost(of: $0, for: wish, fills: fills) } }
        let chosen = leastCost(costs, columns: seats.count)
        for (player, seat) in chosen.enumerated() where costs[player][seat] >= Self.forbidden { return nil }
        return chosen.map { seats[$0] }
    }

    private static let forbidden = 1e9

    private func cost(of role: Int?, for wish: RoleWish, fills: Bool) -> Double {
        guard let role else { return wish.insists ? Self.forbidden : wish == .any ? 0 : 10_000 }
        // A filled required role is worth more than all wishes; a preferred one decides between equals.
        let worth = rules[role].isRequired ? 1e6 : 0.5
        if wish.roles & 1 << role != 0 { return Double(wish.rank(of: role)) - worth }
        return fills && !wish.insists && rules[role].isRequired ? 10_001 - worth : Self.forbidden
    }

    /// The column of each row such that the sum of costs is least; no column twice.
    /// Source: the Hungarian method by shortest augmenting paths (Jonker and Volgenant, 1987), O(rows² · columns).
    /// - Precondition: no more rows than columns.
    private func leastCost(_ costs: [[Double]], columns: Int) -> [Int] {
        var rowPotential = [Double](repeating: 0, count: costs.count + 1)
        var columnPotential = [Double](repeating: 0, count: columns + 1)
        // Row and column 0 stand for "none".
        var rowOf = [Int](repeating: 0, count: columns + 1)
        var way = [Int](repeating: 0, count: columns + 1)
        for row in costs.indices {
            rowOf[0] = row + 1
            var column = 0
            var least = [Double](repeating: .infinity, count: columns + 1)
            var isUsed = [Bool](repeating: false, count: columns + 1)
            repeat {
                isUsed[column] = true
                let current = rowOf[column]
                var delta = Double.infinity
                var next = 0
                for other in 1...columns where !isUsed[other] {
                    let reduced = costs[current - 1][other - 1] - rowPotential[current] - columnPotential[other]
                    if reduced < least[other] { (least[other], way[other]) = (reduced, column) }
                    if least[other] < delta { (delta, next) = (least[other], other) }
                }
                for other in 0...columns {
                    if isUsed[other] {
                        rowPotential[rowOf[other]] += delta
                        columnPotential[other] -= delta
                    } else {
                        least[other] -= delta
                    }
                }
                column = next
            } while rowOf[column] != 0
            while column != 0 {
                rowOf[column] = rowOf[way[column]]
                column = way[column]
            }
        }
        var result = [Int](repeating: 0, count: costs.count)
        for column in 1...columns where rowOf[column] != 0 { result[rowOf[column] - 1] = column - 1 }
        return result
    }
}

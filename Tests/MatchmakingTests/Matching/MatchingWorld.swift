import GameModel

@testable import Matchmaking

/// Random rules and tickets, small enough that every group of tickets can be tried.
struct MatchingWorld {
    var random: SplitMix64
    let rules: ModeRules
    let regions: [Region]
    let now = Instant(milliseconds: 1_000_000_000)

    /// - Parameter isPlain: Only ratings, windows and party sizes matter.
    init(seed: UInt64, isPlain: Bool) {
        random = SplitMix64(seed: seed)
        let shapes = [(2, 1), (2, 2), (2, 3), (3, 2), (4, 1), (2, 5)]
        let (teams, size) = shapes[Int.random(in: 0..<shapes.count, using: &random)]
        var rules = ModeRules(
            teams: teams, teamSize: size, partyMax: Int.random(in: 1...size, using: &random),
            window: Double.random(in: 20...150, using: &random), windowGrowth: Double.random(in: 0...8, using: &random),
            windowMax: 600)
        var expansion = Expansion(after: 10)
        if Bool.random(using: &random) { expansion.window = 250 }
        rules.history.placementGames = Int.random(in: 0...1, using: &random) * 5
        rules.history.placementWindow = 2
        rules.history.streakPoints = Double.random(in: 0...10, using: &random)
        rules.history.streakPointsMax = 30
        rules.history.leaverHoldSeconds = Bool.random(using: &random) ? 20 : 0
        var regions = [Region("eu")]
        if !isPlain {
            if Bool.random(using: &random) {
                regions = [Region("eu"), Region("us"), Region("ap")]
                rules.scope = .together
                rules.latency = LatencyRule(max: 60)
                expansion.latencyPlus = 40
            }
            rules.avoidsListed = Bool.random(using: &random)
            rules.recentOpponents = Bool.random(using: &random) ? 2 : 0
            expansion.recentOpponents = Bool.random(using: &random) ? 0 : nil
            if Bool.random(using: &random) { rules.teamGapMax = Double.random(in: 0.05...0.3, using: &random) }
            switch Int.random(in: 0..<5, using: &random) {
            case 0: rules.attributes = [AttributeRule(name: "a", kind: .equal, fallback: .text("x"))]
            case 1: rules.attributes = [AttributeRule(name: "a", kind: .oneOf, fallback: .list(["x", "y"]))]
            case 2: rules.attributes = [AttributeRule(name: "n", kind: .distance, max: 4, fallback: .number(3))]
            case 3:
                rules.attributes = [AttributeRule(name: "n", kind: .averageDifference, max: 2, fallback: .number(3))]
            default: break
            }
            if size >= 2, Bool.random(using: &random) {
                rules.roles = [RoleRule(name: "healer", count: 1), RoleRule(name: "tank", count: 1)]
                expansion.fillsRoles = Bool.random(using: &random)
            }
        }
        rules.expansions = [expansion]
        self.rules = rules
        self.regions = regions
    }

    mutating func ticket(_ index: Int, queuedAt: Instant? = nil) -> QueuedTicket {
        let size = min(Int.random(in: 1...rules.partyMax, using: &random), Int.random(in: 1...5, using: &random))
        let waited = Int64.random(in: 0...25_000, using: &random)
        return QueuedTicket(
            id: TicketID("t\(index)"), queuedAt: queuedAt ?? Instant(milliseconds: now.milliseconds - waited),
            members: (0..<size).map { member("p\(index)-\($0)") })
    }

    private mutating func member(_ name: String) -> TicketMember {
        var member = TicketMember(player: PlayerID(name))
        member.skill = Skill(rating: Double.random(in: 1_200...1_800, using: &random), deviation: 80)
        member.games = Int.random(in: 0...20, using: &random)
        member.streak = Int.random(in: -4...4, using: &random)
        member.leaverRate = Int.random(in: 0..<4, using: &random) == 0 ? 0.5 : 0
        for region in regions { member.latencies[region] = Double.random(in: 10...110, using: &random) }
        let values = ["x", "y", "z"]
        if Bool.random(using: &random) {
            let value = values[Int.random(in: 0..<3, using: &random)]
            member.attributes["a"] = rules.attributes.first?.kind == .oneOf ? .list([value, "w"]) : .text(value)
            member.attributes["n"] = .number(Double.random(in: 0...8, using: &random))
        }
        member.roles = [[], ["healer"], ["tank"], ["tank", "healer"]][Int.random(in: 0..<4, using: &random)]
        member.insistsOnRoles = Bool.random(using: &random)
        let others = (0..<3).map { _ in PlayerID("p\(Int.random(in: 0..<20, using: &random))-0") }
        member.avoids = Int.random(in: 0..<3, using: &random) == 0 ? others.filter { $0.rawValue != name } : []
        member.recentOpponents = others.filter { $0.rawValue != name }
        return member
    }
}

/// What the rules say, written plainly: each question is answered from the tickets themselves, by trying everything.
struct PlainReferee {
    let rules: ModeRules
    let regions: [Region]
    let now: Instant

    func waited(_ ticket: QueuedTicket) -> Double { Double((now - ticket.queuedAt).milliseconds) / 1_000 }
    func limits(_ ticket: QueuedTicket) -> Limits { rules.limits(afterWaiting: waited(ticket)) }

    func isHeld(_ ticket: QueuedTicket) -> Bool {
        waited(ticket) < rules.history.leaverHoldSeconds * (ticket.members.map(\.leaverRate).max() ?? 0)
    }

    func rating(_ ticket: QueuedTicket) -> Double {
        let ratings = ticket.members.map { member in
            let beyond = max(0, abs(member.streak) - 1)
            let points = min(rules.history.streakPointsMax, rules.history.streakPoints * Double(beyond))
            return member.skill.rating + (member.streak < 0 ? -points : points)
        }
        return ratings.reduce(0, +) / Double(ratings.count)
    }

    func window(_ anchor: QueuedTicket) -> Double {
        let isPlacement = anchor.members.contains { $0.games < rules.history.placementGames }
        return limits(anchor).window * (isPlacement ? rules.history.placementWindow : 1)
    }

    /// Whether tickets can be one match around an anchor, as far as that does not depend on the teams.
    func mayMeet(_ group: [QueuedTicket], anchor: QueuedTicket) -> Bool {
        for ticket in group where isHeld(ticket) || abs(rating(ticket) - rating(anchor)) > window(anchor) + 1e-9 {
            return false
        }
        guard Set(group.flatMap(\.members).map(\.player)).count == group.reduce(0, { $0 + $1.members.count }) else {
            return false
        }
        return !allowedRegions(group).isEmpty && attributesAgree(group, limits(anchor)) && noneAvoided(group)
    }

    func allowedRegions(_ group: [QueuedTicket]) -> [Region] {
        guard let latency = rules.latency else { return regions }
        return regions.filter { region in
            group.allSatisfy { ticket in
                ticket.members.allSatisfy { member in
                    member.latencies[region].map { $0 <= latency.max + limits(ticket).latencyPlus } ?? false
                }
            }
        }
    }

    private func attributesAgree(_ group: [QueuedTicket], _ limits: Limits) -> Bool {
        let members = group.flatMap(\.members)
        for (index, rule) in rules.attributes.enumerated() {
            let values = members.compactMap { $0.attributes[rule.name] ?? rule.fallback }
            switch rule.kind {
            case .equal: if Set(values).count > 1 { return false }
            case .oneOf:
                let lists = values.map { value -> Set<String> in
                    if case .list(let list) = value { return Set(list) }
                    return [value.description]
                }
                if lists.dropFirst().reduce(lists[0], { $0.intersection($1) }).isEmpty { return false }
            case .distance:
                let numbers = values.map(number)
                if (numbers.max() ?? 0) - (numbers.min() ?? 0) > limits.attributeMax[index] { return false }
            case .averageDifference: break
            }
        }
        return true
    }

    func number(_ value: AttributeValue) -> Double {
        if case .number(let number) = value { return number }
        return 0
    }

    private func noneAvoided(_ group: [QueuedTicket]) -> Bool {
        for ticket in group where limits(ticket).avoidsListed {
            for member in ticket.members {
                for other in group
                where other.id != ticket.id && other.members.contains(where: { member.avoids.contains($0.player) }) {
                    return false
                }
            }
        }
        return true
    }

    /// Whether a division into teams holds to what depends on it, predicted gap aside.
    func mayOppose(_ teams: [[QueuedTicket]], anchor: QueuedTicket) -> Bool {
        for (index, team) in teams.enumerated() {
            for other in teams.indices where other != index {
                let opponents = Set(teams[other].flatMap(\.members).map(\.player))
                for ticket in team {
                    for member in ticket.members {
                        let recent = member.recentOpponents.prefix(limits(ticket).recentOpponents)
                        if recent.contains(where: { opponents.contains($0) }) { return false }
                    }
                }
            }
        }
        for (index, rule) in rules.attributes.enumerated() where rule.kind == .averageDifference {
            let means = teams.map { team in
                let numbers = team.flatMap(\.members).map {
                    number($0.attributes[rule.name] ?? rule.fallback ?? .number(0))
                }
                return numbers.reduce(0, +) / Double(numbers.count)
            }
            if (means.max() ?? 0) - (means.min() ?? 0) > limits(anchor).attributeMax[index] + 1e-9 { return false }
        }
        return true
    }
}

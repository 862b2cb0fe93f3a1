import GameModel

extension Matcher {
    /// Each rule of the mode with its limit at the time of the match, and the match's value, for people: made for those
    /// matches that are made only, so that it costs the search nothing.
    public func checks(of proposal: Proposal, at now: Instant) -> [RuleCheck] {
        MatchChecks(rules: plan.compiled, proposal: proposal, now: now).all
    }
}

/// The rules held against one proposal.
private struct MatchChecks {
    let rules: CompiledRules
    let proposal: Proposal
    let now: Instant
    let tickets: CompiledTickets
    /// The step of waiting of the anchor.
    let step: Int

    init(rules: CompiledRules, proposal: Proposal, now: Instant) {
        self.rules = rules
        self.proposal = proposal
        self.now = now
        var tickets = CompiledTickets(rules)
        tickets.store(proposal.anchor, at: 0)
        for (index, ticket) in proposal.tickets.enumerated() { tickets.store(ticket, at: Int32(index + 1)) }
        self.tickets = tickets
        step = tickets.step(0, at: now)
    }

    private var limits: Limits { rules.steps[step] }
    /// Slots of the new tickets, in the order of ``Proposal/tickets``.
    private var slots: Range<Int32> { 1..<Int32(proposal.tickets.count + 1) }
    /// Players by team, those of a running match with them.
    private var teams: [[TicketMember]] {
        proposal.teams.enumerated().map { index, team in
            let playing = proposal.backfill?.backfill.map { index < $0.teams.count ? $0.teams[index] : [] } ?? []
            return playing + team.flatMap(\.members)
        }
    }

    var all: [RuleCheck] {
        [ratingWindow, players] + [bots, latency].compactMap { $0 } + roles + attributes
            + [avoidList, recentOpponents].compactMap { $0 } + [teamGap]
    }

    private var ratingWindow: RuleCheck {
        let far = slots.map { abs(tickets.rows[Int($0)].rating - tickets.rows[0].rating) }.max() ?? 0
        return RuleCheck(
            rule: "rating-window", limit: RuleWords.window(tickets.window(0, at: now)), value: RuleWords.number(far))
    }

    private var players: RuleCheck {
        let count = proposal.players.count
        if let seats = proposal.backfill?.backfill {
            return RuleCheck(rule: "players", limit: "\(seats.open.reduce(0, +)) open", value: "\(count)")
        }
        let (least, full) = (min(limits.playersMin, rules.rules.playersPerMatch), rules.rules.playersPerMatch)
        return RuleCheck(rule: "players", limit: least < full ? "\(least) to \(full)" : "\(full)", value: "\(count)")
    }

    private var bots: RuleCheck? {
        let count = proposal.bots.reduce(0, +)
        guard count > 0 || limits.botsMax > 0 else { return nil }
        return RuleCheck(rule: "bots", limit: "\(limits.botsMax) at most", value: "\(count)")
    }

    /// That of the player's ticket which is nearest to its limit.
    private var latency: RuleCheck? {
        guard rules.judgesRegions else { return nil }
        var nearest: (latency: Double, limit: Double)?
        for (ticket, slot) in zip(proposal.tickets, slots) {
            let latency = rules.worstLatency(of: ticket, to: proposal.region)
            let limit = rules.latencyLimit(to: proposal.region, rules.steps[tickets.step(slot, at: now)])
            if nearest.map({ limit - latency < $0.limit - $0.latency }) ?? true { nearest = (latency, limit) }
        }
        return nearest.map {
            RuleCheck(
                rule: "latency", limit: $0.limit.isFinite ? RuleWords.milliseconds($0.limit) : "none",
                value: "\(RuleWords.milliseconds($0.latency)) to \(proposal.region)")
        }
    }

    private var roles: [RuleCheck] {
        rules.rules.roles.map { role in
            let counts = proposal.teams.map { team in
                team.flatMap(\.members).count { proposal.roles[$0.player] == role.name }
            }
            return RuleCheck(
                rule: "role:\(role.name)", limit: "\(role.count) a team\(role.isRequired ? "" : ", preferred")",
                value: counts.map(String.init).joined(separator: ", "))
        }
    }

    private var attributes: [RuleCheck] {
        zip(rules.rules.attributes, limits.attributeMax).map { rule, limit in
            RuleCheck(
                rule: "attribute:\(rule.name)", limit: RuleWords.limit(of: rule, max: limit), value: value(of: rule))
        }
    }

    private func value(of rule: AttributeRule) -> String {
        let everyone = teams.flatMap { $0 }
        switch rule.kind {
        case .equal: return RuleWords.values(of: rule, everyone)
        case .oneOf:
            let common = everyone.map { Set(rule.value(of: $0)?.texts ?? []) }
                .reduce(nil) { (sum: Set<String>?, next) in sum?.intersection(next) ?? next }
            return (common ?? []).sorted().joined(separator: ", ")
        case .distance:
            let numbers = everyone.compactMap { rule.value(of: $0)?.number }
            return "\(RuleWords.number((numbers.max() ?? 0) - (numbers.min() ?? 0))) apart"
        case .averageDifference:
            let means = teams.compactMap { team -> Double? in
                let numbers = team.compactMap { rule.value(of: $0)?.number }
                return numbers.isEmpty ? nil : numbers.reduce(0, +) / Double(numbers.count)
            }
            return "\(RuleWords.number((means.max() ?? 0) - (means.min() ?? 0))) apart"
        }
    }

    private var avoidList: RuleCheck? {
        guard rules.judgesAvoided else { return nil }
        let holds = slots.contains { rules.steps[tickets.step($0, at: now)].avoidsListed }
        let players = Set(teams.flatMap { $0.map(\.player) })
        let pairs = teams.joined().reduce(0) { $0 + $1.avoids.count { players.contains($0) } }
        return RuleCheck(
            rule: "avoid-list", limit: holds ? "apart" : "any, after so long a wait",
            value: RuleWords.count(pairs, "listed pair"))
    }

    private var recentOpponents: RuleCheck? {
        guard rules.recentMax > 0 else { return nil }
        let last = slots.map { rules.steps[tickets.step($0, at: now)].recentOpponents }.max() ?? 0
        var opposed = 0
        for (index, team) in teams.enumerated() {
            let others = Set(teams.enumerated().filter { $0.offset != index }.flatMap { $0.element.map(\.player) })
            for player in team { opposed += player.recentOpponents.prefix(last).count { others.contains($0) } }
        }
        return RuleCheck(
            rule: "recent-opponents", limit: "none of the last \(last) opposed", value: "\(opposed) opposed")
    }

    private var teamGap: RuleCheck {
        let skills = teams.map { team in
            team.map { Skill(rating: rules.rating(of: $0), deviation: $0.skill.deviation) }
        }
        // A team of bots alone counts as an even one, as the division did.
        let gap = WinChance.gap(of: skills)
        return RuleCheck(
            rule: "team-gap", limit: limits.teamGapMax.map { "\(RuleWords.gap($0)) at most" } ?? "none",
            value: RuleWords.gap(gap))
    }
}

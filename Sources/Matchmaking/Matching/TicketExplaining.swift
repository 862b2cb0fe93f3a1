import GameModel

extension Matcher {
    /// Why a ticket still waits, in words and numbers for people: what holds for it now, the nearest tickets in rating
    /// and what refused each, and what is missing. It costs a copy of the view, so it is for people who ask.
    ///
    /// - Returns: `nil` where the ticket does not wait here.
    public func explain(
        _ id: TicketID, in waiting: WaitingTickets, at now: Instant, nearest: Int = 3
    ) -> TicketExplanation? {
        var view = waiting
        prepare(&view)
        view.advance(to: now)
        guard let slot = view.slot(of: id), let ticket = view.ticket(at: slot) else { return nil }
        let explaining = TicketExplaining(
            plan: plan, view: view, slot: slot, ticket: ticket, now: now, window: view.compiled.window(slot, at: now))
        let reach = explaining.reach()
        return TicketExplanation(
            ticket: id, waitedSeconds: Double(view.compiled.waited(slot, at: now)) / 1_000, window: explaining.window,
            limits: explaining.limits, nearest: explaining.candidates(nearest),
            compatiblePlayers: reach.players.count, wantedPlayers: explaining.wantedPlayers,
            missing: explaining.missing(reach))
    }
}

/// One ticket, looked at as the anchor of a match.
private struct TicketExplaining {
    /// Whom it could meet, one at a time.
    struct Reach {
        var tickets: [QueuedTicket] = []
        var players: [TicketMember] { tickets.flatMap(\.members) }
    }

    let plan: MatchingPlan
    let view: WaitingTickets
    let slot: Int32
    let ticket: QueuedTicket
    let now: Instant
    let window: Double

    private var rules: CompiledRules { plan.compiled }
    private var step: Int { view.compiled.step(slot, at: now) }
    private var stepLimits: Limits { rules.steps[step] }
    private var compatibility: Compatibility { Compatibility(rules: rules) }

    /// Beside its own.
    var wantedPlayers: Int {
        if let seats = ticket.backfill { return seats.open.reduce(0, +) }
        return rules.rules.playersPerMatch - ticket.members.count
    }

    // MARK: What holds

    var limits: [RuleCheck] {
        let rating = RuleWords.number(view.compiled.rows[Int(slot)].rating)
        var limits = [RuleCheck(rule: "rating-window", limit: RuleWords.window(window), value: rating)]
        if let hold = compatibility.leaverHold(of: ticket, row: view.compiled.rows[Int(slot)], at: now) {
            limits.append(hold)
        }
        limits += latencies
        limits += rules.rules.roles.map { role in
            let takers = ticket.members.count { takes(role.name, $0) }
            return RuleCheck(
                rule: "role:\(role.name)", limit: "\(role.count) a team\(role.isRequired ? "" : ", preferred")",
                value: "\(takers) of its players")
        }
        for (rule, limit) in zip(rules.rules.attributes, stepLimits.attributeMax) {
            limits.append(
                RuleCheck(
                    rule: "attribute:\(rule.name)", limit: RuleWords.limit(of: rule, max: limit),
                    value: RuleWords.values(of: rule, ticket.everyone)))
        }
        if rules.judgesAvoided {
            let listed = ticket.everyone.reduce(0) { $0 + $1.avoids.count }
            limits.append(
                RuleCheck(
                    rule: "avoid-list", limit: stepLimits.avoidsListed ? "apart" : "any, after so long a wait",
                    value: RuleWords.count(listed, "player")))
        }
        if rules.recentMax > 0 {
            let last = stepLimits.recentOpponents
            let known = ticket.everyone.reduce(0) { $0 + min(last, $1.recentOpponents.count) }
            limits.append(
                RuleCheck(
                    rule: "recent-opponents", limit: "last \(last)", value: RuleWords.count(known, "player")))
        }
        if let gap = stepLimits.teamGapMax {
            limits.append(RuleCheck(rule: "team-gap", limit: "\(RuleWords.gap(gap)) at most", value: "of the match"))
        }
        return limits + seats
    }

    private var latencies: [RuleCheck] {
        guard rules.judgesRegions, ticket.backfill == nil else { return [] }
        return rules.regions.map { region in
            let limit = rules.latencyLimit(to: region, stepLimits)
            return RuleCheck(
                rule: "latency", limit: limit.isFinite ? RuleWords.milliseconds(limit) : "none",
                value: "\(RuleWords.milliseconds(rules.worstLatency(of: ticket, to: region))) to \(region)")
        }
    }

    private var seats: [RuleCheck] {
        let full = rules.rules.playersPerMatch
        guard ticket.backfill == nil, stepLimits.playersMin < full else { return [] }
        return [
            RuleCheck(rule: "players", limit: "\(stepLimits.playersMin) to \(full)", value: "of the match"),
            RuleCheck(rule: "bots", limit: "\(stepLimits.botsMax) at most", value: "of the match"),
        ]
    }

    private func takes(_ role: String, _ member: TicketMember) -> Bool {
        member.roles.isEmpty || member.roles.contains(role) || stepLimits.fillsRoles && !member.insistsOnRoles
    }

    // MARK: Whom it could meet

    /// The nearest in rating, within its window or not.
    func candidates(_ count: Int) -> [TicketExplanation.Candidate] {
        var found: [TicketExplanation.Candidate] = []
        var walk = NeighbourWalk(around: view.rating(at: slot), within: .infinity, in: view)
        while found.count < count {
            let other = walk.next(in: view)
            guard other != WaitingTickets.none else { break }
            guard other != slot, let candidate = view.ticket(at: other) else { continue }
            found.append(
                TicketExplanation.Candidate(
                    ticket: candidate.id, rating: view.rating(at: other),
                    waitedSeconds: Double(view.compiled.waited(other, at: now)) / 1_000,
                    refusals: compatibility.refusals(of: candidate, by: ticket, at: now)))
        }
        return found
    }

    func reach() -> Reach {
        var reach = Reach()
        var check = GroupCheck(rules)
        guard check.begin(slot, in: view.compiled, at: now) else { return reach }
        let largest = ticket.backfill.map { $0.open.max() ?? 0 } ?? plan.sizes
        var walk = NeighbourWalk(around: view.rating(at: slot), within: window, in: view)
        while true {
            let other = walk.next(in: view)
            guard other != WaitingTickets.none else { return reach }
            guard other != slot, let candidate = view.ticket(at: other), candidate.members.count <= largest,
                check.admits(other, in: view.compiled, at: now)
            else { continue }
            reach.tickets.append(candidate)
        }
    }

    // MARK: What is missing

    func missing(_ reach: Reach) -> [String] {
        var missing: [String] = []
        if let hold = compatibility.leaverHold(of: ticket, row: view.compiled.rows[Int(slot)], at: now) {
            missing.append("\(hold.value) of the wait that leaving matches costs")
        }
        if view.compiled.allowedRegions(slot, step: step) == 0 {
            missing.append("a region within its latency limit")
        }
        let least = ticket.backfill == nil ? max(0, stepLimits.playersMin - ticket.members.count) : 1
        let wanted = min(wantedPlayers, least)
        if reach.players.count < wanted {
            missing.append(RuleWords.count(wanted - reach.players.count, "player"))
        }
        missing += missingRoles(reach)
        if missing.isEmpty, !canBeMatched { missing.append(whatNoGroupHas(reach)) }
        return missing
    }

    private func missingRoles(_ reach: Reach) -> [String] {
        guard ticket.backfill == nil, stepLimits.playersMin >= rules.rules.playersPerMatch else { return [] }
        let players = ticket.members + reach.players
        return rules.rules.roles.filter(\.isRequired).compactMap { role in
            let short = role.count * rules.rules.teams - players.count { takes(role.name, $0) }
            return short > 0 ? "\(RuleWords.count(short, "player")) for the role \(role.name)" : nil
        }
    }

    /// Whether it would be the anchor of a match at the next tick.
    private var canBeMatched: Bool {
        var search = MatchSearch(plan)
        if ticket.backfill != nil { return search.find(slot, .backfill, in: view, at: now) }
        return search.find(slot, .full, in: view, at: now) || search.find(slot, .short, in: view, at: now)
    }

    private func whatNoGroupHas(_ reach: Reach) -> String {
        var needs: [String] = []
        if (reach.tickets + [ticket]).contains(where: { $0.members.count > 1 }) {
            needs.append("parties that fill teams")
        }
        if rules.rules.scope == .together { needs.append("a region within everyone's latency") }
        if !rules.rules.roles.isEmpty { needs.append("its roles in each team") }
        if !rules.rules.attributes.isEmpty { needs.append("attributes that agree") }
        if rules.judgesAvoided || rules.recentMax > 0 { needs.append("nobody who is kept apart") }
        if stepLimits.teamGapMax != nil { needs.append("a team gap within the limit") }
        guard !needs.isEmpty else { return "a group that fills the teams" }
        return "a group of players with " + needs.joined(separator: ", ")
    }
}

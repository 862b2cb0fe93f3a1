import GameModel

/// Why two tickets can't be in one match, in words: the same questions that the search asks of numbers (see
/// ``GroupCheck``), answered for people.
struct Compatibility {
    let rules: CompiledRules

    /// The rules by which a ticket can't join an anchor's match now; none where it can.
    ///
    /// The window and attribute rules are the anchor's at its wait; latency, avoid-lists and recent opponents are
    /// judged by each ticket's own.
    func refusals(of candidate: QueuedTicket, by anchor: QueuedTicket, at now: Instant) -> [RuleCheck] {
        var tickets = CompiledTickets(rules)
        tickets.store(anchor, at: 0)
        tickets.store(candidate, at: 1)
        var refusals: [RuleCheck] = []
        let window = tickets.window(0, at: now)
        let distance = abs(tickets.rows[0].rating - tickets.rows[1].rating)
        if distance > window {
            refusals.append(
                RuleCheck(
                    rule: "rating-window", limit: RuleWords.window(window),
                    value: "\(RuleWords.number(distance)) away"))
        }
        refusals += partyRefusal(candidate, anchor)
        if let hold = leaverHold(of: candidate, row: tickets.rows[1], at: now) { refusals.append(hold) }
        refusals += latencyRefusal(tickets, candidate, anchor, now)
        let step = tickets.step(0, at: now)
        for (index, rule) in rules.rules.attributes.enumerated() {
            let limit = rules.steps[step].attributeMax[index]
            let own = tickets.attribute(index, of: 0)
            guard !own.agrees(with: tickets.attribute(index, of: 1), rule.kind, max: limit) else { continue }
            refusals.append(
                RuleCheck(
                    rule: "attribute:\(rule.name)", limit: RuleWords.limit(of: rule, max: limit),
                    value: RuleWords.values(of: rule, anchor.everyone) + " and "
                        + RuleWords.values(of: rule, candidate.everyone)))
        }
        refusals += conflictRefusal(tickets, candidate, anchor, now)
        return refusals
    }

    /// How long a leaver's ticket is held back yet; `nil` where it is not.
    func leaverHold(of ticket: QueuedTicket, row: CompiledTickets.Row, at now: Instant) -> RuleCheck? {
        let left = row.heldUntil - now.milliseconds
        guard left > 0 else { return nil }
        return RuleCheck(
            rule: "leaver-hold",
            limit: "\(RuleWords.number(Double(row.heldUntil - row.queuedAt) / 1_000)) s of waiting",
            value: "\(RuleWords.number(Double(left) / 1_000)) s left")
    }

    private func partyRefusal(_ candidate: QueuedTicket, _ anchor: QueuedTicket) -> [RuleCheck] {
        let wanted = anchor.backfill.map { $0.open.max() ?? 0 } ?? rules.rules.teamSize
        guard candidate.members.count > wanted else { return [] }
        let limit = anchor.backfill == nil ? "\(wanted) in a team" : "\(wanted) open in a team"
        return [
            RuleCheck(
                rule: "party", limit: limit, value: RuleWords.count(candidate.members.count, "player"))
        ]
    }

    private func latencyRefusal(
        _ tickets: CompiledTickets, _ candidate: QueuedTicket, _ anchor: QueuedTicket, _ now: Instant
    ) -> [RuleCheck] {
        let steps = (tickets.step(0, at: now), tickets.step(1, at: now))
        guard tickets.allowedRegions(0, step: steps.0) & tickets.allowedRegions(1, step: steps.1) == 0 else {
            return []
        }
        if let seats = anchor.backfill {
            let worst = rules.worstLatency(of: candidate, to: seats.region)
            let limit = rules.latencyLimit(to: seats.region, rules.steps[steps.1])
            return [
                RuleCheck(
                    rule: "latency", limit: RuleWords.milliseconds(limit),
                    value: "\(RuleWords.milliseconds(worst)) to \(seats.region)")
            ]
        }
        let values = rules.regions.map { region in
            let pair = [(anchor, steps.0), (candidate, steps.1)].map { ticket, step in
                let worst = RuleWords.milliseconds(rules.worstLatency(of: ticket, to: region))
                return "\(worst) of \(RuleWords.number(rules.latencyLimit(to: region, rules.steps[step])))"
            }
            return "\(region): \(pair.joined(separator: " and "))"
        }
        return [
            RuleCheck(
                rule: "latency", limit: "a region within both limits", value: values.joined(separator: "; "))
        ]
    }

    private func conflictRefusal(
        _ tickets: CompiledTickets, _ candidate: QueuedTicket, _ anchor: QueuedTicket, _ now: Instant
    ) -> [RuleCheck] {
        let steps = (tickets.step(0, at: now), tickets.step(1, at: now))
        switch tickets.conflict(0, step: steps.0, 1, step: steps.1) {
        case nil: return []
        case .samePlayer: return [RuleCheck(rule: "player", limit: "once in a match", value: "the same player")]
        case .avoided:
            let pairs = [(anchor, candidate), (candidate, anchor)].flatMap { one, other in
                one.everyone.flatMap { player in
                    other.everyone.filter { player.avoids.contains($0.player) }.map {
                        "\(player.player) avoids \($0.player)"
                    }
                }
            }
            return [RuleCheck(rule: "avoid-list", limit: "apart", value: pairs.first ?? "one avoids the other")]
        case .recentOpponents:
            let size = candidate.members.count + anchor.members.count
            if anchor.backfill != nil, !rules.isEveryoneAlone { return [] }
            guard rules.isEveryoneAlone || size > rules.rules.teamSize else { return [] }
            let last = max(rules.steps[steps.0].recentOpponents, rules.steps[steps.1].recentOpponents)
            return [RuleCheck(rule: "recent-opponents", limit: "not among the last \(last)", value: "met of late")]
        }
    }
}

extension QueuedTicket {
    /// Its players, or who plays in the match that it wants players for.
    var everyone: [TicketMember] { backfill.map { $0.teams.flatMap { $0 } } ?? members }
}

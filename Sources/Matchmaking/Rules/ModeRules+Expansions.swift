import GameModel

extension ModeRules {
    /// Expansions that come in no order, never come, have nothing to widen, or narrow what held before them.
    ///
    /// That they only loosen is what lets a ranker look at a ticket again only when one of its limits has stepped.
    func problemsOfExpansions() -> [RulesProblem] {
        var problems: [RulesProblem] = []
        var before = limits(afterWaiting: -1)
        before.window = window
        for (index, expansion) in expansions.enumerated() {
            let key = "expansions[\(index)]"
            problems += problemsOfTime(expansion, index, key)
            problems += problemsOfNames(expansion, key)
            problems += problemsOfPlayers(expansion, before, key)
            problems += problemsOfNarrowing(expansion, before, key)
            before.apply(expansion, attributes)
        }
        return problems
    }

    private func problemsOfTime(_ expansion: Expansion, _ index: Int, _ key: String) -> [RulesProblem] {
        var problems: [RulesProblem] = []
        let after = RulesText.number(expansion.after)
        if index > 0, expansion.after <= expansions[index - 1].after {
            problems.append(
                .init(
                    "\(key).after", "\(after) does not come after \(RulesText.number(expansions[index - 1].after))",
                    "write expansions in rising order of after", needs: ["expansions[\(index - 1)].after"]))
        }
        if expansion.after >= waitSecondsMax {
            problems.append(
                .init(
                    "\(key).after", "\(after) never comes: tickets expire after \(RulesText.number(waitSecondsMax))",
                    "give less, or raise wait.seconds-max", needs: ["wait.seconds-max"]))
        }
        return problems
    }

    private func problemsOfNames(_ expansion: Expansion, _ key: String) -> [RulesProblem] {
        var problems: [RulesProblem] = []
        let known = attributes.map(\.name)
        for name in expansion.attributes.keys.sorted() where !known.contains(name) {
            problems.append(
                .init(
                    "\(key).attributes", "there is no rule about '\(name)'",
                    known.isEmpty
                        ? "add one to attributes, or take it out"
                        : "there are \(known.joined(separator: ", "))", needs: ["attributes"]))
        }
        if expansion.fillsRoles == true, roles.isEmpty {
            problems.append(.init("\(key).fill-roles", "the mode has no roles", "take it out, or add roles"))
        }
        if let plus = expansion.latencyPlus, plus > 0, latency == nil {
            problems.append(
                .init(
                    "\(key).latency-plus", "the mode has no latency limit", "take it out, or add latency.max",
                    needs: ["latency.max"]))
        }
        return problems
    }

    private func problemsOfPlayers(_ expansion: Expansion, _ before: Limits, _ key: String) -> [RulesProblem] {
        var problems: [RulesProblem] = []
        let players = expansion.playersMin ?? before.playersMin
        if let min = expansion.playersMin, min > playersPerMatch {
            problems.append(
                .init(
                    "\(key).players-min", "\(min) is more than the \(playersPerMatch) of a full match",
                    "give 2 to \(playersPerMatch)", needs: ["teams.size", "teams.count"]))
        } else if let bots = expansion.botsMax, bots > 0, players == playersPerMatch {
            problems.append(
                .init(
                    "\(key).bots-max", "a match may not begin with fewer than all \(playersPerMatch) players",
                    "add players-min, the fewest", needs: ["teams.size", "teams.count"]))
        }
        return problems
    }

    /// Limits that would be narrower than before.
    private func problemsOfNarrowing(_ expansion: Expansion, _ before: Limits, _ key: String) -> [RulesProblem] {
        var problems: [RulesProblem] = []
        func narrower(_ name: String, _ now: Double?, _ held: Double, mustRise: Bool) {
            guard let now, mustRise ? now < held : now > held else { return }
            problems.append(
                .init(
                    "\(key).\(name)",
                    "\(RulesText.number(now)) narrows the limit, \(RulesText.number(held)) held before",
                    "give \(RulesText.number(held)) or \(mustRise ? "more" : "less"): expansions only loosen",
                    needs: ["rating", "avoid", "teams", "attributes"]))
        }
        narrower("window", expansion.window, before.window, mustRise: true)
        narrower("latency-plus", expansion.latencyPlus, before.latencyPlus, mustRise: true)
        narrower("bots-max", expansion.botsMax.map(Double.init), Double(before.botsMax), mustRise: true)
        if expansion.playersMin.map({ $0 <= playersPerMatch }) ?? false {
            narrower("players-min", expansion.playersMin.map(Double.init), Double(before.playersMin), mustRise: false)
        }
        narrower(
            "recent-opponents", expansion.recentOpponents.map(Double.init), Double(before.recentOpponents),
            mustRise: false)
        if let gap = before.teamGapMax {
            narrower("team-gap-max", expansion.teamGapMax, gap, mustRise: true)
        } else if expansion.teamGapMax != nil {
            problems.append(
                .init(
                    "\(key).team-gap-max", "there was no limit before", "add rating.team-gap-max, or take it out",
                    needs: ["rating.team-gap-max"]))
        }
        if expansion.avoidsListed == true, !before.avoidsListed {
            problems.append(
                .init(
                    "\(key).avoid-listed", "avoid-lists did not hold before", "give avoid.listed: true, or false here",
                    needs: ["avoid.listed"]))
        }
        for (index, rule) in attributes.enumerated() where rule.kind.hasMax {
            narrower(
                "attributes.\(rule.name)", expansion.attributes[rule.name], before.attributeMax[index], mustRise: true)
        }
        return problems
    }
}

import GameModel

extension MatchmakingRules {
    /// Refuses rules that can't be played.
    public func validate() throws(MatchmakingError) {
        guard let first = problems().first else { return }
        throw .invalidRules(first.description)
    }

    /// All that is wrong, with keys as in the rules file.
    func problems() -> [RulesProblem] {
        var problems: [RulesProblem] = []
        if modes.isEmpty {
            problems.append(.init("modes", "there are none", "name one, like duel: {teams: {size: 1}}"))
        }
        if modes.count > RulesKeys.modesMax {
            problems.append(
                .init("modes", "\(modes.count) are too many", "give \(RulesKeys.modesMax) at most"))
        }
        problems += problemsOfRegions()
        for (mode, rules) in modes.sorted(by: { $0.key < $1.key }) {
            let key = "modes.\(mode)"
            if !Pool.isName(mode.rawValue) {
                problems.append(
                    .init(key, "'\(mode)' is no mode's name", "use 1 to 32 lower-case letters, digits and '-'"))
            }
            problems += rules.problems(regions: regions).map { problem in
                var problem = problem
                problem.key = "\(key).\(problem.key)"
                problem.needs = problem.needs.map { $0 == "regions" ? $0 : "\(key).\($0)" }
                return problem
            }
        }
        return problems
    }

    private func problemsOfRegions() -> [RulesProblem] {
        var problems: [RulesProblem] = []
        if regions.isEmpty { problems.append(.init("regions", "there are none", "name one, like [eu]")) }
        if regions.count > RulesKeys.regionsMax {
            problems.append(
                .init("regions", "\(regions.count) are too many", "give \(RulesKeys.regionsMax) at most"))
        }
        for (index, region) in regions.enumerated() {
            if !Pool.isName(region.rawValue) || region == .everywhere {
                problems.append(
                    .init(
                        "regions[\(index)]", "'\(region)' is no region's name",
                        "use 1 to 32 lower-case letters, digits and '-', and not 'everywhere'"))
            } else if regions[..<index].contains(region) {
                problems.append(.init("regions[\(index)]", "'\(region)' is there twice", "take one of them out"))
            }
        }
        return problems
    }
}

extension ModeRules {
    /// The most players of one match: what one script call takes.
    public static let playersPerMatchMax = 100

    /// All that is wrong: values out of their ranges first, then what does not go together.
    func problems(regions: [Region]) -> [RulesProblem] {
        var problems = RulesKeys.groups.flatMap { group in Self.faults(of: self, group.keys, at: group.name) }
        for (index, role) in roles.enumerated() {
            problems += Self.faults(of: role, RulesKeys.role, at: "roles[\(index)]")
        }
        for (index, rule) in attributes.enumerated() {
            problems += Self.faults(of: rule, RulesKeys.attribute, at: "attributes[\(index)]")
        }
        for (index, expansion) in expansions.enumerated() {
            problems += Self.faults(of: expansion, RulesKeys.expansion, at: "expansions[\(index)]")
        }
        for (name, count, max) in [
            ("roles", roles.count, RulesKeys.rolesMax), ("attributes", attributes.count, RulesKeys.attributesMax),
            ("expansions", expansions.count, RulesKeys.expansionsMax),
        ] where count > max {
            problems.append(.init(name, "\(count) are too many", "give \(max) at most"))
        }
        return problems + problemsOfMatch() + problemsOfMeeting(regions) + problemsOfAttributes()
            + problemsOfExpansions()
    }

    private static func faults<Target>(
        of target: Target, _ keys: [RulesKey<Target>], at path: String
    ) -> [RulesProblem] {
        keys.compactMap { key in
            guard let value = key.read(target), let fault = key.form.fault(of: value) else { return nil }
            return RulesProblem("\(path).\(key.name)", fault, "give \(key.form.wanted)")
        }
    }

    /// What a match is made of.
    private func problemsOfMatch() -> [RulesProblem] {
        var problems: [RulesProblem] = []
        if (2...100).contains(teams), (1...100).contains(teamSize), playersPerMatch > Self.playersPerMatchMax {
            problems.append(
                .init(
                    "teams.size", "\(teams) teams of \(teamSize) are \(playersPerMatch) players",
                    "make it \(Self.playersPerMatchMax) players a match at most", needs: ["teams.count"]))
        }
        if partyMax > teamSize {
            problems.append(
                .init(
                    "party.max", "\(partyMax) players don't fit into a team of \(teamSize)",
                    "give \(teamSize) at most, or make teams larger", needs: ["teams.size"]))
        }
        let wanted = roles.reduce(0) { $0 + $1.count }
        if !roles.isEmpty, wanted > teamSize {
            problems.append(
                .init(
                    "roles", "\(wanted) roles don't fit into a team of \(teamSize)",
                    "take some out, or make teams larger",
                    needs: ["teams.size"] + roles.indices.map { "roles[\($0)].count" }))
        }
        problems += Self.doubles(roles.map(\.name), in: "roles")
        return problems
    }

    private static func doubles(_ names: [String], in list: String) -> [RulesProblem] {
        names.indices.filter { names[..<$0].contains(names[$0]) }.map { index in
            RulesProblem(
                "\(list)[\(index)].name", "'\(names[index])' is there twice", "take one of them out")
        }
    }

    /// Who may meet, and what happens around a match.
    private func problemsOfMeeting(_ regions: [Region]) -> [RulesProblem] {
        var problems: [RulesProblem] = []
        if scope == .together, latency == nil {
            problems.append(
                .init(
                    "latency.scope", "regions together want a limit by which to choose one",
                    "add latency.max, like 100, or give scope: apart", needs: ["latency.max"]))
        }
        for region in (latency?.regions ?? [:]).keys.sorted() where !regions.contains(region) {
            let known = regions.map(\.rawValue).joined(separator: ", ")
            problems.append(
                .init(
                    "latency.regions", "'\(region)' is no region that is played in", "there are \(known)",
                    needs: ["regions"]))
        }
        if history.streakPoints > 0, history.streakPointsMax == 0 {
            problems.append(
                .init(
                    "history.streak-points", "points without a most have no effect", "add streak-points-max",
                    needs: ["history.streak-points-max"]))
        }
        if cooldown.seconds > cooldown.secondsMax {
            problems.append(
                .init(
                    "cooldown.seconds", "\(RulesText.number(cooldown.seconds)) is more than the longest",
                    "give \(RulesText.number(cooldown.secondsMax)) at most, or raise seconds-max",
                    needs: ["cooldown.seconds-max"]))
        }
        return problems
    }

    private func problemsOfAttributes() -> [RulesProblem] {
        var problems = Self.doubles(attributes.map(\.name), in: "attributes")
        for (index, rule) in attributes.enumerated() {
            let key = "attributes[\(index)]"
            if rule.kind.hasMax != (rule.max != nil) {
                problems.append(
                    rule.kind.hasMax
                        ? .init(
                            "\(key).max", "rule \(rule.kind.rawValue) wants a limit", "add max",
                            needs: ["\(key).rule"])
                        : .init(
                            "\(key).max", "rule \(rule.kind.rawValue) has no limit", "take max out",
                            needs: ["\(key).rule"]))
            }
            if let fallback = rule.fallback, !rule.kind.admits(fallback) {
                problems.append(
                    .init(
                        "\(key).default", "rule \(rule.kind.rawValue) can't judge \(fallback)",
                        "give \(rule.kind.wanted)", needs: ["\(key).rule"]))
            }
        }
        return problems
    }
}

extension AttributeRule.Kind {
    var hasMax: Bool { self == .distance || self == .averageDifference }

    /// Whether a value is of a form that such a rule can judge.
    func admits(_ value: AttributeValue) -> Bool {
        switch (self, value) {
        case (.distance, .number), (.averageDifference, .number), (.equal, .number), (.equal, .text): true
        case (.oneOf, .text), (.oneOf, .list): true
        default: false
        }
    }

    var wanted: String {
        switch self {
        case .equal: "a number or a text"
        case .oneOf: "a text or a list of texts"
        case .distance, .averageDifference: "a number"
        }
    }
}

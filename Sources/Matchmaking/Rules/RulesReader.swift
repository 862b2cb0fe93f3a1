import Foundation
import GameModel
import Yams

extension MatchmakingRules {
    /// The most bytes of a rules file.
    public static let fileBytesMax = 1 << 20

    /// Reads a rules file.
    ///
    /// - Throws: ``RulesFileError`` with all that is wrong, each with its line, key, value and remedy.
    public static func read(file path: String) throws(RulesFileError) -> MatchmakingRules {
        let bytes: Data
        do {
            // Bounded: the path may name anything.
            guard let file = FileHandle(forReadingAtPath: path) else {
                throw CocoaError(.fileReadNoSuchFile)
            }
            defer { try? file.close() }  // Was only read.
            bytes = try file.read(upToCount: fileBytesMax + 1) ?? Data()
        } catch {
            throw RulesFileError(
                file: path,
                problems: [.init(key: "", problem: "the file can't be read", remedy: "check its name and rights")])
        }
        guard bytes.count <= fileBytesMax else {
            throw RulesFileError(
                file: path,
                problems: [
                    .init(key: "", problem: "more than \(fileBytesMax) bytes", remedy: "is this the rules file?")
                ])
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw RulesFileError(
                file: path, problems: [.init(key: "", problem: "the text is not UTF-8", remedy: "save it as UTF-8")])
        }
        return try read(yaml: text, named: path)
    }

    /// Reads rules from YAML; ``version`` is a digest of what they say.
    ///
    /// - Parameter name: what errors call the text.
    /// - Throws: ``RulesFileError`` with all that is wrong.
    public static func read(yaml: String, named name: String = "rules") throws(RulesFileError) -> MatchmakingRules {
        var reader = RulesReader()
        let rules = reader.read(yaml)
        guard reader.problems.isEmpty, var rules else {
            let sorted = reader.problems.enumerated().sorted { left, right in
                (left.element.line ?? 0, left.offset) < (right.element.line ?? 0, right.offset)
            }
            throw RulesFileError(file: name, problems: sorted.map(\.element))
        }
        rules.version = rules.digest
        return rules
    }
}

/// Reads the YAML of a rules file by the tables in ``RulesKeys``, and goes on after a fault, so that all are told at
/// once. Then what was read is judged as a whole, leaving out what would only follow from a fault that is told already.
struct RulesReader {
    var problems: [RulesProblem] = []
    /// Where each key's value stands.
    var marks: [String: RulesMark] = [:]
    /// Keys whose value could not be read.
    var failed: Set<String> = []

    /// `nil` where there is nothing to judge.
    mutating func read(_ yaml: String) -> MatchmakingRules? {
        guard let root = compose(yaml) else { return nil }
        let names = RulesKeys.top.map(\.name)
        let pairs = mapping(root, at: "", known: names, open: "x-")
        guard !failed.contains("") else { return nil }
        var rules = MatchmakingRules(modes: [:], regions: MatchmakingRules.standard.regions)
        if let node = pairs["regions"] { rules.regions = regions(node) ?? rules.regions }
        guard let node = pairs["modes"] else {
            problem("", "there are no modes", "add them, like modes: {duel: {teams: {size: 1}}}", at: Self.mark(root))
            return nil
        }
        for (name, value, _) in entries(node, at: "modes") ?? [] {
            rules.modes[Mode(name)] = mode(value, at: "modes.\(name)")
        }
        if failed.contains("modes") { return nil }
        for var problem in rules.problems() where !isMoot(problem) {
            let mark = mark(of: problem.key)
            problem.line = mark?.line
            problem.column = mark?.column
            problems.append(problem)
        }
        return rules
    }

    /// Whether a problem follows from one that is told already.
    private func isMoot(_ problem: RulesProblem) -> Bool {
        ([problem.key] + problem.needs).contains { key in
            failed.contains(key) || failed.contains { $0.hasPrefix("\(key)[") || $0.hasPrefix("\(key).") }
                || parents(of: key).contains { failed.contains($0) }
        }
    }

    private func parents(of key: String) -> [String] {
        var parents: [String] = []
        var key = Substring(key)
        while let end = key.lastIndex(where: { $0 == "." || $0 == "[" }) {
            key = key[..<end]
            parents.append(String(key))
        }
        return parents
    }

    private func mark(of key: String) -> RulesMark? {
        marks[key] ?? parents(of: key).lazy.compactMap { marks[$0] }.first
    }

    private mutating func regions(_ node: Node) -> [Region]? {
        guard let items = list(node, at: "regions", like: "[eu, us]") else { return nil }
        var regions: [Region] = []
        for (index, item) in items.enumerated() {
            // Its form is judged with the rest.
            guard let text = text(item, at: "regions[\(index)]", wanted: "a region's name") else { return nil }
            regions.append(Region(text))
        }
        return regions
    }

    private mutating func mode(_ node: Node, at path: String) -> ModeRules {
        let names = RulesKeys.groups.map(\.name) + RulesKeys.lists.map(\.name) + [RulesKeys.botsName]
        let pairs = mapping(node, at: path, known: names)
        var rules = ModeRules(teamSize: 1)
        let teams = RulesKeys.groups[0]
        if let node = pairs[teams.name] {
            fill(&rules, teams.keys, from: node, at: "\(path).\(teams.name)")
        } else if !failed.contains(path) {
            problem(path, "the mode has no teams", "add them, like teams: {count: 2, size: 5}", at: Self.mark(node))
            failed.insert("\(path).\(teams.name)")
        }
        // Other defaults follow from the teams.
        rules = ModeRules(teams: rules.teams, teamSize: rules.teamSize)
        for group in RulesKeys.groups.dropFirst() {
            guard let node = pairs[group.name] else { continue }
            fill(&rules, group.keys, from: node, at: "\(path).\(group.name)")
        }
        checkLatency(pairs["latency"], at: "\(path).latency")
        rules.roles = elements(pairs["roles"], RulesKeys.role, at: "\(path).roles") { RoleRule(name: "", count: 1) }
        rules.attributes = elements(pairs["attributes"], RulesKeys.attribute, at: "\(path).attributes") {
            AttributeRule(name: "", kind: .equal)
        }
        rules.expansions = elements(pairs["expansions"], RulesKeys.expansion, at: "\(path).expansions") {
            Expansion(after: 0)
        }
        if let node = pairs[RulesKeys.botsName] { addBots(to: &rules, from: node, at: path) }
        return rules
    }

    /// Limits of some regions stand beside that of all others.
    private mutating func checkLatency(_ node: Node?, at path: String) {
        guard node?.mapping != nil, marks["\(path).regions"] != nil, marks["\(path).max"] == nil else { return }
        problem(
            "\(path).regions", "limits of some regions want one of the others", "add max", at: node.flatMap(Self.mark))
        failed.insert(path)
    }

    /// The elements of a list of mappings.
    private mutating func elements<Target>(
        _ node: Node?, _ keys: [RulesKey<Target>], at path: String, _ make: () -> Target
    ) -> [Target] {
        guard let node, let items = list(node, at: path, like: "a list of mappings") else { return [] }
        return items.enumerated().map { index, item in
            var target = make()
            fill(&target, keys, from: item, at: "\(path)[\(index)]")
            return target
        }
    }

    /// `bots` is an expansion, put at its time among the others.
    private mutating func addBots(to rules: inout ModeRules, from node: Node, at path: String) {
        let key = "\(path).\(RulesKeys.botsName)"
        var bots = Expansion(after: 0)
        fill(&bots, RulesKeys.bots, from: node, at: key)
        guard !isAnyFailed(under: key), !isAnyFailed(under: "\(path).teams"), let max = bots.botsMax else { return }
        bots.playersMin = bots.playersMin ?? Swift.max(2, rules.playersPerMatch - max)
        guard !rules.expansions.contains(where: { $0.botsMax != nil || $0.playersMin != nil }) else {
            problem(
                key, "expansions speak of bots-max or players-min too", "write it all as expansions",
                at: Self.mark(node))
            failed.insert("\(path).expansions")
            return
        }
        if max > rules.playersPerMatch - 2 {
            problem(
                "\(key).max", "\(max) bots leave less than 2 of \(rules.playersPerMatch) seats to players",
                "give \(Swift.max(0, rules.playersPerMatch - 2)) at most", at: marks["\(key).max"] ?? Self.mark(node))
            failed.insert("\(path).expansions")
        }
        if let same = rules.expansions.firstIndex(where: { $0.after == bots.after }) {
            rules.expansions[same].botsMax = bots.botsMax
            rules.expansions[same].playersMin = bots.playersMin
        } else {
            let place = rules.expansions.firstIndex { $0.after > bots.after } ?? rules.expansions.endIndex
            rules.expansions.insert(bots, at: place)
            moveMarks(of: path, from: place, by: key)
        }
    }

    /// Keeps the lines of the expansions right, of which one more stands among them now.
    private mutating func moveMarks(of path: String, from place: Int, by key: String) {
        var moved: [String: RulesMark] = [:]
        for (name, mark) in marks {
            guard let match = name.wholeMatch(of: /(.*\.expansions)\[(\d+)\](.*)/), match.1 == "\(path).expansions",
                let index = Int(match.2), index >= place
            else {
                moved[name] = mark
                continue
            }
            moved["\(match.1)[\(index + 1)]\(match.3)"] = mark
        }
        moved["\(path).expansions[\(place)]"] = marks[key]
        marks = moved
    }

    private func isAnyFailed(under key: String) -> Bool {
        failed.contains { $0 == key || $0.hasPrefix("\(key).") }
    }
}

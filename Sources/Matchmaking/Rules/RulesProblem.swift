/// One thing that is wrong with rules: where, what, and what would be right.
public struct RulesProblem: Error, Sendable, Hashable, CustomStringConvertible {
    /// The place in the file, from 1; `nil` for rules that were made in code.
    public var line: Int?
    public var column: Int?
    /// `modes.squad.rating.window`
    public var key: String
    /// What is wrong, with the value.
    public var problem: String
    /// What to do.
    public var remedy: String
    /// The keys by which it was judged; where one of them is wrong itself, this is not worth a word.
    var needs: [String] = []

    public init(key: String, problem: String, remedy: String) {
        self.key = key
        self.problem = problem
        self.remedy = remedy
    }

    init(_ key: String, _ problem: String, _ remedy: String, needs: [String] = []) {
        self.init(key: key, problem: problem, remedy: remedy)
        self.needs = needs
    }

    public var description: String {
        let place = line.map { "\($0):\(column ?? 1): " } ?? ""
        return "\(place)\(key.isEmpty ? "" : "\(key): ")\(problem); \(remedy)"
    }
}

/// All that is wrong with a rules file.
public struct RulesFileError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The file's path.
    public var file: String
    /// In the order of the file; at least one.
    public var problems: [RulesProblem]

    public init(file: String, problems: [RulesProblem]) {
        self.file = file
        self.problems = problems
    }

    /// A line for each.
    public var description: String {
        problems.map { "\(file):\($0.line == nil ? " " : "")\($0)" }.joined(separator: "\n")
    }
}

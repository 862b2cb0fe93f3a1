/// What one rule of the audit found: how many things it looked at, how many broke the rule, and a few of them by name.
///
/// Every domain answers with these, so that `muster audit` prints them in one table.
public struct AuditFinding: Hashable, Sendable, Codable {
    /// The most examples that a finding carries.
    public static let examplesMax = 10

    /// The rule as a claim: "each paid order is booked once, with its amount".
    public let rule: String
    /// How many things the rule was held against.
    public let checked: Int
    /// How many of them broke it.
    public let failed: Int
    /// Identifiers of the first that broke it, at most ``examplesMax``.
    public let examples: [String]
    /// What a reader should know besides: "3 orders are still open".
    public let note: String?

    public init(rule: String, checked: Int, failed: Int, examples: [String] = [], note: String? = nil) {
        self.rule = rule
        self.checked = checked
        self.failed = failed
        self.examples = Array(examples.prefix(Self.examplesMax))
        self.note = note
    }

    /// Whether nothing broke the rule.
    public var holds: Bool { failed == 0 }
}

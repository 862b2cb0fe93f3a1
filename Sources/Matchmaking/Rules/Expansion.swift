import GameModel

/// Limits that hold from a time of waiting on; what an expansion does not name stays as it was.
public struct Expansion: Sendable, Hashable {
    /// Seconds of waiting.
    public var after: Double
    /// The rating window is this wide at least.
    public var window: Double?
    /// Added to every latency limit, in ms.
    public var latencyPlus: Double?
    public var teamGapMax: Double?
    /// A match may begin with so many players.
    public var playersMin: Int?
    /// So many seats of a match may be left to bots.
    public var botsMax: Int?
    public var recentOpponents: Int?
    public var avoidsListed: Bool?
    /// Whether players who did not ask for it may be given a role.
    public var fillsRoles: Bool?
    /// Limits of attribute rules of kinds `distance` and `average-difference`, by the attribute's name; of the other
    /// kinds any number drops the rule.
    public var attributes: [String: Double]

    public init(after: Double, attributes: [String: Double] = [:]) {
        self.after = after
        self.attributes = attributes
    }
}

/// What holds for who has waited for so long.
public struct Limits: Sendable, Hashable {
    /// How far from the anchor's rating, in points.
    public var window: Double
    /// Added to every latency limit, in ms.
    public var latencyPlus: Double
    public var teamGapMax: Double?
    public var playersMin: Int
    public var botsMax: Int
    public var recentOpponents: Int
    public var avoidsListed: Bool
    public var fillsRoles: Bool
    /// In the order of ``ModeRules/attributes``; infinite where a rule does not hold any more.
    public var attributeMax: [Double]
}

extension ModeRules {
    /// What holds for who has waited so many seconds: the mode's values, then each expansion that is due, in order.
    public func limits(afterWaiting seconds: Double) -> Limits {
        var limits = Limits(
            window: window, latencyPlus: 0, teamGapMax: teamGapMax, playersMin: playersPerMatch, botsMax: 0,
            recentOpponents: recentOpponents, avoidsListed: avoidsListed, fillsRoles: false,
            attributeMax: attributes.map { $0.max ?? 0 })
        for expansion in expansions where expansion.after <= seconds { limits.apply(expansion, attributes) }
        limits.window = max(limits.window, window(afterWaiting: seconds))
        return limits
    }

    /// The window that widens steadily, without expansions.
    public func window(afterWaiting seconds: Double) -> Double {
        min(max(windowMax, window), window + windowGrowth * max(0, seconds))
    }
}

extension Limits {
    mutating func apply(_ expansion: Expansion, _ rules: [AttributeRule]) {
        window = expansion.window ?? window
        latencyPlus = expansion.latencyPlus ?? latencyPlus
        teamGapMax = expansion.teamGapMax ?? teamGapMax
        playersMin = expansion.playersMin ?? playersMin
        botsMax = expansion.botsMax ?? botsMax
        recentOpponents = expansion.recentOpponents ?? recentOpponents
        avoidsListed = expansion.avoidsListed ?? avoidsListed
        fillsRoles = expansion.fillsRoles ?? fillsRoles
        for (index, rule) in rules.enumerated() {
            guard let widened = expansion.attributes[rule.name] else { continue }
            let hasLimit = rule.kind == .distance || rule.kind == .averageDifference
            attributeMax[index] = hasLimit ? widened : .infinity
        }
    }
}

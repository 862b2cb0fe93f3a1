import GameModel

/// A mode's rules made ready for the matcher: which checks there are at all, and the limits of each step of waiting, so
/// that nothing is worked out twice.
///
/// A *step* is a span of waiting in which no expansion falls due; only the rating window moves within one.
struct CompiledRules: Sendable {
    /// The most regions and kinds of roles that a mode can have: as many as their bit sets hold.
    static let regionsMax = 64
    static let rolesMax = 16

    let rules: ModeRules
    /// Where matches may be played; places in it are what the matcher calls a region.
    let regions: [Region]
    /// Seconds of waiting at which each step begins, rising, the first 0.
    let stepStarts: [Double]
    /// What holds in each step; the window is that of the step's beginning.
    let steps: [Limits]
    /// Whether anything is said of where a match is played.
    let judgesRegions: Bool
    /// Whether players are kept apart by avoid-lists at any time of waiting.
    let judgesAvoided: Bool
    /// The most recent opponents that are looked at at any time of waiting.
    let recentMax: Int
    /// Whether recent opponents can't be in one match, because no two players of it are in one team.
    let isEveryoneAlone: Bool

    init(_ rules: ModeRules, regions: [Region]) {
        self.rules = rules
        self.regions = Array(regions.prefix(Self.regionsMax))
        let later = Set(rules.expansions.map(\.after)).filter { $0 > 0 }.sorted()
        stepStarts = [0] + later
        steps = stepStarts.map { rules.limits(afterWaiting: $0) }
        judgesRegions = rules.scope == .together || rules.latency != nil
        judgesAvoided = steps.contains { $0.avoidsListed }
        recentMax = min(steps.map(\.recentOpponents).max() ?? 0, 255)
        isEveryoneAlone = rules.teamSize == 1
    }

    /// Whether any two tickets within the window can meet, and any players make a team.
    var isPlain: Bool {
        !judgesRegions && !judgesAvoided && recentMax == 0 && rules.attributes.isEmpty && rules.roles.isEmpty
            && steps.allSatisfy { $0.teamGapMax == nil }
    }

    /// The step of waiting that a wait in ms is in.
    func step(ofWait ms: Int64) -> Int {
        var step = stepStarts.count - 1
        let seconds = Double(ms) / 1_000
        while step > 0, stepStarts[step] > seconds { step -= 1 }
        return step
    }

    /// The rating window of an anchor that has waited so long, in points either way, without its placement factor.
    func window(ofWait ms: Int64) -> Double {
        max(steps[step(ofWait: ms)].window, rules.window(afterWaiting: Double(ms) / 1_000))
    }

    /// A player's rating with their streak: ``HistoryRule/streakPoints`` for each win or loss in a row from the second
    /// on, ``HistoryRule/streakPointsMax`` at most.
    func rating(of member: TicketMember) -> Double {
        let history = rules.history
        guard history.streakPoints != 0, abs(member.streak) > 1 else { return member.skill.rating }
        let points = min(history.streakPoints * Double(abs(member.streak) - 1), history.streakPointsMax)
        return member.skill.rating + (member.streak > 0 ? points : -points)
    }
}

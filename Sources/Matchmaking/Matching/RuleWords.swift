import GameModel

/// Limits and values in the words that people read in `why` and `matches show`.
enum RuleWords {
    /// With one decimal at most, without one where it is whole.
    static func number(_ value: Double, decimals: Double = 10) -> String {
        guard value.isFinite else { return value > 0 ? "any" : "none" }
        let rounded = (value * decimals).rounded() / decimals
        return rounded == rounded.rounded() && abs(rounded) < 1e15 ? "\(Int(rounded))" : "\(rounded)"
    }

    static func milliseconds(_ value: Double) -> String { value.isFinite ? "\(number(value)) ms" : "not measured" }

    /// A predicted gap: three decimals tell any two apart that players could.
    static func gap(_ value: Double) -> String { number(value, decimals: 1_000) }

    static func window(_ value: Double) -> String { "±\(number(value))" }

    /// `1 player`, `3 players`.
    static func count(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }

    /// What an attribute rule demands.
    static func limit(of rule: AttributeRule, max limit: Double) -> String {
        guard limit < .infinity else { return "any, after so long a wait" }
        return switch rule.kind {
        case .equal: "equal"
        case .oneOf: "one in common"
        case .distance: "\(number(limit)) apart at most"
        case .averageDifference: "teams' means \(number(limit)) apart at most"
        }
    }

    /// The values that players have of an attribute, each once.
    static func values(of rule: AttributeRule, _ players: [TicketMember]) -> String {
        var seen: [String] = []
        for player in players {
            let text = rule.value(of: player).map { $0.number.map { number($0) } ?? $0.description } ?? "none"
            if !seen.contains(text) { seen.append(text) }
        }
        return seen.isEmpty ? "none" : seen.joined(separator: ", ")
    }
}

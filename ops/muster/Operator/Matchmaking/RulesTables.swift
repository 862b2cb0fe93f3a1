import Foundation
import GameModel
import Matchmaking

/// How rules are drawn in the terminal.
enum RulesTables {
    static func summary(_ rules: MatchmakingRules) -> String {
        let count = rules.modes.count == 1 ? "1 mode" : "\(rules.modes.count) modes"
        return "rules \(rules.version): \(count) in \(rules.regions.map(\.rawValue).joined(separator: ", "))"
    }

    /// A line for each mode.
    static func modes(_ rules: MatchmakingRules) -> String {
        var table = TextTable(["mode", "teams", "party", "regions", "rating", "window", "accept", "waits", "steps"])
        for (mode, rules) in rules.modes.sorted(by: { $0.key < $1.key }) {
            table.add([
                mode.rawValue, "\(rules.teams) × \(rules.teamSize)",
                rules.partyMax == 1 ? "-" : "to \(rules.partyMax)",
                rules.scope.rawValue, rules.ratingSystem.rawValue,
                "±\(number(rules.window)) to ±\(number(max(rules.window, rules.windowMax)))",
                rules.needsAcceptance ? "\(number(rules.acceptSeconds)) s" : "no", "\(number(rules.waitSecondsMax)) s",
                rules.expansions.isEmpty ? "-" : rules.expansions.map { number($0.after) }.joined(separator: " "),
            ])
        }
        return table.text
    }

    /// Each setting by its key.
    static func settings(_ rules: ModeRules) -> String {
        var table = TextTable(["setting", "value"])
        for setting in rules.settings { table.add([setting.key, setting.value]) }
        return table.text
    }

    /// When something changes: at once, with each expansion, and when the window has widened as far as it does by
    /// itself.
    static func steps(_ rules: ModeRules) -> [Double] {
        var steps = [0] + rules.expansions.map(\.after)
        if rules.windowGrowth > 0, rules.windowMax > rules.window {
            let widest = ((rules.windowMax - rules.window) / rules.windowGrowth).rounded(.up)
            if widest < rules.waitSecondsMax { steps.append(widest) }
        }
        return Set(steps).sorted()
    }

    /// What holds at these times of waiting, a line each.
    static func limits(_ rules: ModeRules, at times: [Double]) -> String {
        var table = TextTable(["after"] + columns(rules).map(\.name))
        for time in times {
            let limits = rules.limits(afterWaiting: time)
            table.add(["\(number(time)) s"] + columns(rules).map { $0.text(limits) })
        }
        return table.text
    }

    /// What holds in each mode at one time of waiting.
    static func limits(_ rules: MatchmakingRules, at time: Double) -> String {
        rules.modes.sorted { $0.key < $1.key }.map { "\n\($0.key)\n\(limits($0.value, at: [time]))" }
            .joined(separator: "\n")
    }

    private struct Column {
        let name: String
        let text: (Limits) -> String
    }

    /// Only what the mode has.
    private static func columns(_ rules: ModeRules) -> [Column] {
        var columns = [Column(name: "window") { "±\(number($0.window))" }]
        if let latency = rules.latency {
            columns.append(Column(name: "latency") { "\(number(latency.max + $0.latencyPlus)) ms" })
            for (region, max) in latency.regions.sorted(by: { $0.key < $1.key }) {
                columns.append(Column(name: "to \(region)") { "\(number(max + $0.latencyPlus)) ms" })
            }
        }
        if rules.teamGapMax != nil {
            columns.append(Column(name: "team gap") { $0.teamGapMax.map { "\(number($0))" } ?? "any" })
        }
        if rules.expansions.contains(where: { $0.playersMin != nil }) {
            columns.append(Column(name: "players") { "\($0.playersMin)" })
            columns.append(Column(name: "bots") { "\($0.botsMax)" })
        }
        if rules.recentOpponents > 0 {
            columns.append(Column(name: "recent opponents") { "\($0.recentOpponents)" })
        }
        if rules.avoidsListed { columns.append(Column(name: "avoid-lists") { $0.avoidsListed ? "hold" : "-" }) }
        if !rules.roles.isEmpty {
            columns.append(Column(name: "roles") { $0.fillsRoles ? "filled with anyone" : "as wished" })
        }
        for (index, rule) in rules.attributes.enumerated() {
            columns.append(
                Column(name: rule.name) { limits in
                    let max = limits.attributeMax[index]
                    guard max.isFinite else { return "any" }
                    return rule.max == nil ? rule.kind.rawValue : number(max)
                })
        }
        return columns
    }

    static func number(_ number: Double) -> String {
        number == number.rounded() && abs(number) < 1e15 ? String(Int64(number)) : String(number)
    }
}

/// What `muster rules show --json` prints.
struct RulesOutput: Encodable {
    struct Step: Encodable {
        var after: Double
        var window: Double
        var latencyPlus: Double
        var teamGapMax: Double?
        var playersMin: Int
        var botsMax: Int
        var recentOpponents: Int
        var avoidListed: Bool
        var fillRoles: Bool
        /// By attribute; one that is not there does not hold any more.
        var attributes: [String: Double]
    }

    struct OneMode: Encodable {
        /// By key, as the file would say it.
        var settings: [String: String]
        var limits: [Step]
    }

    var version: String
    var regions: [Region]
    var modes: [String: OneMode] = [:]

    init(_ rules: MatchmakingRules, only mode: Mode?, at time: Double?) {
        version = rules.version
        regions = rules.regions
        for (name, rules) in rules.modes where mode == nil || mode == name {
            modes[name.rawValue] = OneMode(
                settings: Dictionary(rules.settings.map { ($0.key, $0.value) }) { $1 },
                limits: (time.map { [$0] } ?? RulesTables.steps(rules)).map { Self.step(rules, at: $0) })
        }
    }

    private static func step(_ rules: ModeRules, at time: Double) -> Step {
        let limits = rules.limits(afterWaiting: time)
        let attributes = zip(rules.attributes, limits.attributeMax).filter { $0.1.isFinite }
        return Step(
            after: time, window: limits.window, latencyPlus: limits.latencyPlus, teamGapMax: limits.teamGapMax,
            playersMin: limits.playersMin, botsMax: limits.botsMax, recentOpponents: limits.recentOpponents,
            avoidListed: limits.avoidsListed, fillRoles: limits.fillsRoles,
            attributes: Dictionary(attributes.map { ($0.0.name, $0.1) }) { $1 })
    }
}

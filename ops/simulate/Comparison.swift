import Foundation
import GameModel

/// The figures of one rule file beside those of others that ran the same crowd.
public struct Comparison: Sendable, Codable {
    public struct Run: Sendable, Codable {
        /// The rule file.
        public var name: String
        public var figures: Figures

        public init(name: String, figures: Figures) {
            self.name = name
            self.figures = figures
        }
    }

    public var mode: String
    public var seed: UInt64
    /// Who arrived, whatever the rules.
    public var players: Int
    public var hours: Double
    public var tickSeconds: Double
    public var runs: [Run]
    public var remarks: [String]

    public init(_ simulation: Simulation, runs: [Run]) {
        mode = simulation.mode.rawValue
        seed = simulation.seed
        players = simulation.crowd.playerCount
        hours = Double(simulation.crowd.span.upperBound - simulation.crowd.span.lowerBound) / 3_600_000
        tickSeconds = Double(simulation.tickMs) / 1_000
        self.runs = runs
        remarks = simulation.crowd.remarks
    }

    /// What was simulated, in a line.
    public var headline: String {
        let rules = runs.map(\.name).joined(separator: " and ")
        return "\(mode): \(players) players over \(Shown.number(hours)) h, a tick of \(Shown.number(tickSeconds)) s, "
            + "seed \(seed), by \(rules)"
    }

    /// As JSON: the same run, the same bytes.
    public func jsonText() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }
}

/// Numbers as people read them.
enum Shown {
    /// With so many digits that three count, at most two behind the point.
    static func number(_ value: Double) -> String {
        let size = abs(value)
        if value == value.rounded() || size >= 100 { return String(format: "%.0f", value) }
        let digits = String(format: size >= 10 ? "%.1f" : "%.2f", value)
        return digits.replacing(/\.?0+$/, with: "")
    }

    /// `8.4 s`, `3 min 20 s`.
    static func seconds(_ value: Double) -> String {
        if abs(value) < 120 { return String(format: "%.1f s", value) }
        let whole = Int(abs(value).rounded())
        return "\(value < 0 ? "-" : "")\(whole / 60) min \(whole % 60) s"
    }

    /// Of a share.
    static func percent(_ share: Double) -> String { String(format: "%.2f %%", share * 100) }
}

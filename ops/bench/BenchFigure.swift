import Foundation

/// One measured number, beside the limit of the same run and what it should be. `met` is `nil` where no target is set,
/// or where there is no number.
struct BenchFigure: Sendable, Encodable {
    let name: String
    /// `nil` where it could not be measured.
    let value: Double?
    let unit: String
    /// Why it could not be measured.
    let unmeasured: String?
    /// What `redis-benchmark` reached in this run, in the same unit, and by which commands.
    var limit: Double?
    var limitBy: String?
    /// In words, such as "at least 100000".
    var target: String?
    var met: Bool?

    /// - Parameters:
    ///   - value: one that is no number, such as a rate over no time, counts as not measured.
    ///   - reason: why there may be no value.
    init(_ name: String, _ value: Double?, _ unit: String, orSay reason: String = "there was too little to measure") {
        let number = value.flatMap { $0.isFinite ? $0 : nil }
        self.name = name
        self.value = number
        self.unit = unit
        unmeasured = number == nil ? reason : nil
    }

    /// Beside a limit, where it could be measured.
    func beside(_ limit: Double?, _ by: String) -> BenchFigure {
        guard let limit, limit.isFinite else { return self }
        var figure = self
        (figure.limit, figure.limitBy) = (limit, by)
        return figure
    }

    func atLeast(_ bound: Double?) -> BenchFigure { judged("at least", bound) { $0 >= $1 } }

    func atMost(_ bound: Double?) -> BenchFigure { judged("at most", bound) { $0 <= $1 } }

    private func judged(_ word: String, _ bound: Double?, _ holds: (Double, Double) -> Bool) -> BenchFigure {
        guard let bound, bound.isFinite else { return self }
        var figure = self
        figure.target = "\(word) \(Self.text(bound))"
        figure.met = value.map { holds($0, bound) }
        return figure
    }

    /// One line of the table.
    var line: String {
        let number = Self.padded(value.map(Self.text) ?? "-", to: 10, left: true)
        var line = "\(Self.padded(name, to: 50)) \(number) \(Self.padded(unit, to: 9))"
        if let limit, let limitBy { line += "  limit \(Self.text(limit)) (\(limitBy))" }
        if let target {
            line += "  target \(target): \(met.map { $0 ? "met" : "NOT MET" } ?? "not measured")"
        }
        if let unmeasured { line += "  (not measured: \(unmeasured))" }
        return line
    }

    /// Whole from 100 on; otherwise with two digits.
    static func text(_ value: Double) -> String {
        if value.magnitude >= 100 {
            return value.rounded().formatted(.number.grouping(.never).precision(.fractionLength(0)))
        }
        return value.formatted(.number.grouping(.never).precision(.fractionLength(2)))
    }

    private static func padded(_ text: String, to width: Int, left: Bool = false) -> String {
        let spaces = String(repeating: " ", count: max(0, width - text.count))
        return left ? spaces + text : text + spaces
    }
}

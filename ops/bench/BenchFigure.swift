import Foundation

/// One measured number, beside the limit of the same run and what it should be. `met` is `nil` where no target is set.
struct BenchFigure: Sendable, Encodable {
    let name: String
    let value: Double
    let unit: String
    /// What `redis-benchmark` reached in this run, in the same unit, and by which commands.
    var limit: Double?
    var limitBy: String?
    /// In words, such as "at least 100000".
    var target: String?
    var met: Bool?

    init(_ name: String, _ value: Double, _ unit: String) {
        self.name = name
        self.value = value
        self.unit = unit
    }

    /// Beside a limit, where it could be measured.
    func beside(_ limit: Double?, _ by: String) -> BenchFigure {
        guard let limit else { return self }
        var figure = self
        (figure.limit, figure.limitBy) = (limit, by)
        return figure
    }

    func atLeast(_ bound: Double?) -> BenchFigure { judged("at least", bound) { $0 >= $1 } }

    func atMost(_ bound: Double?) -> BenchFigure { judged("at most", bound) { $0 <= $1 } }

    private func judged(_ word: String, _ bound: Double?, _ holds: (Double, Double) -> Bool) -> BenchFigure {
        guard let bound else { return self }
        var figure = self
        figure.target = "\(word) \(Self.text(bound))"
        figure.met = holds(value, bound)
        return figure
    }

    /// One line of the table.
    var line: String {
        let number = Self.padded(Self.text(value), to: 10, left: true)
        var line = "\(Self.padded(name, to: 50)) \(number) \(Self.padded(unit, to: 9))"
        if let limit, let limitBy { line += "  limit \(Self.text(limit)) (\(limitBy))" }
        if let target, let met { line += "  target \(target): \(met ? "met" : "NOT MET")" }
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

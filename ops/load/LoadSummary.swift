import Foundation
import GameModel
import Histogram

/// What a run of simulated players came to.
struct LoadSummary: Sendable {
    let configuration: LoadConfiguration
    let took: Duration
    let population: StepRecorder.Population
    let steps: [Step: StepRecorder.Record]
    let seconds: [StepRecorder.Second]
    /// By the size of the party.
    var waits: [Int: StepRecorder.Record] = [:]

    /// A row of the table: times in milliseconds.
    struct Row: Encodable {
        let step: String
        let count: Int
        let errors: Int
        let p50: Double
        let p95: Double
        let p99: Double
        let max: Double
        let errorReasons: [String: Int]
    }

    var rows: [Row] {
        Step.allCases.compactMap { step in
            guard let record = steps[step] else { return nil }
            func milliseconds(_ percentile: Double) -> Double {
                guard record.times.totalCount > 0 else { return 0 }
                return Double(record.times.valueAtPercentile(percentile)) / 1000
            }
            return Row(
                step: step.rawValue, count: record.done, errors: record.errors, p50: milliseconds(50),
                p95: milliseconds(95), p99: milliseconds(99), max: milliseconds(100), errorReasons: record.errorReasons)
        }
    }

    /// How long tickets waited for a match, by the size of their party, 1 for players alone; times in milliseconds.
    struct PartyRow: Encodable {
        let size: Int
        let tickets: Int
        let p50: Double
        let p95: Double
        let max: Double
    }

    var partyRows: [PartyRow] {
        waits.sorted { $0.key < $1.key }.map { size, record in
            func milliseconds(_ percentile: Double) -> Double {
                Double(record.times.valueAtPercentile(percentile)) / 1000
            }
            return PartyRow(
                size: size, tickets: record.done, p50: milliseconds(50), p95: milliseconds(95), max: milliseconds(100))
        }
    }

    /// The share of players that queued who finished a match, 0 to 1.
    var finishedShare: Double {
        population.queuedEver == 0 ? 0 : Double(population.finished) / Double(population.queuedEver)
    }

    func table() -> String {
        var lines = [
            "step        count      p50      p95      p99      max  errors", String(repeating: "─", count: 64),
        ]
        for row in rows {
            lines.append(
                padRight(row.step, 9) + padLeft(String(row.count), 8)
                    + [row.p50, row.p95, row.p99, row.max].map { padLeft(timeText($0), 9) }.joined()
                    + padLeft(String(row.errors), 8))
        }
        lines.append("")
        lines.append(
            "\(population.arrived) players arrived over \(Int(configuration.arrivals.inSeconds)) s; the run took "
                + "\(Int(took.inSeconds.rounded())) s")
        lines.append(
            "\(population.queuedEver) queued, \(population.finished) finished a match "
                + "(\(String(format: "%.1f", finishedShare * 100)) %), \(population.requeued) queued again, "
                + "\(population.gaveUp) gave up")
        lines.append("\(population.paid) orders paid, \(population.declined) declined")
        if population.cooledDown > 0 {
            lines.append("\(population.cooledDown) times a player had to wait before queueing again")
        }
        lines += partyLines()
        let reasons = rows.flatMap { row in row.errorReasons.map { (row.step, $0.key, $0.value) } }
        for (step, reason, count) in reasons.sorted(by: { ($1.2, $0.0, $0.1) < ($0.2, $1.0, $1.1) }).prefix(8) {
            lines += Self.wrapped("\(count) × \(step): \(reason.prefix(140))", width: 79)
        }
        return lines.joined(separator: "\n")
    }

    /// Waits in the queue, where there were parties.
    private func partyLines() -> [String] {
        let rows = partyRows
        guard rows.contains(where: { $0.size > 1 }) else { return [] }
        return ["", "wait for a match  tickets      p50      p95      max"]
            + rows.map { row in
                padRight(row.size == 1 ? "alone" : "party of \(row.size)", 17) + padLeft(String(row.tickets), 8)
                    + [row.p50, row.p95, row.max].map { padLeft(timeText($0), 9) }.joined()
            }
    }

    /// Indented, and broken between words into lines of at most `width` characters.
    private static func wrapped(_ text: String, width: Int) -> [String] {
        var lines: [String] = []
        var line = " "
        for word in text.split(separator: " ") {
            if line.count + word.count + 1 > width, !line.allSatisfy({ $0 == " " }) {
                lines.append(line)
                line = "     "
            }
            line += " \(word)"
        }
        return lines + [line]
    }

    private struct JSONForm: Encodable {
        let players: Int
        let arrivalSeconds: Double
        let tookSeconds: Double
        let finishedShare: Double
        let population: StepRecorder.Population
        let steps: [Row]
        let waits: [PartyRow]
        let seconds: [StepRecorder.Second]
    }

    func jsonText() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        let form = JSONForm(
            players: configuration.players, arrivalSeconds: configuration.arrivals.inSeconds,
            tookSeconds: took.inSeconds, finishedShare: finishedShare, population: population, steps: rows,
            waits: partyRows, seconds: seconds)
        return String(decoding: try encoder.encode(form), as: UTF8.self)
    }
}

/// Milliseconds with the unit that keeps them short: `0.42 ms`, `13 ms`, `2.31 s`.
func timeText(_ milliseconds: Double) -> String {
    switch milliseconds {
    case ..<10: String(format: "%.2f ms", milliseconds)
    case ..<1000: String(format: "%.0f ms", milliseconds)
    case ..<100_000: String(format: "%.2f s", milliseconds / 1000)
    default: String(format: "%.0f s", milliseconds / 1000)
    }
}

private func padLeft(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
}

private func padRight(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
}

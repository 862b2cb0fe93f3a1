import Foundation
import GameData
import GameModel
import Jobs

/// How jobs are shown: lines of at most 100 columns, as far as ids allow.
enum JobText {
    static let columnsMax = 100

    /// Cells in columns; those of the columns named by `flexible` are cut where a line would be too long.
    static func table(
        _ head: [String], _ rows: [[String]], right: Set<Int> = [], flexible: [Int], most: Int = columnsMax
    ) -> String {
        var widths = head.indices.map { column in ([head] + rows).map { $0[column].count }.max() ?? 0 }
        let gaps = 2 * (head.count - 1)
        while widths.reduce(gaps, +) > most {
            guard let widest = flexible.max(by: { widths[$0] < widths[$1] }), widths[widest] > flexibleMin else {
                break
            }
            widths[widest] -= 1
        }
        var table = TextTable(head, right: right)
        for row in rows { table.add(row.enumerated().map { cut($1, widths[$0]) }) }
        return table.text
    }

    private static let flexibleMin = 8

    /// One line of at most so many characters.
    static func cut(_ text: String, _ most: Int) -> String {
        let line = text.replacing(/\s+/, with: " ")
        return line.count <= most ? line : String(line.prefix(max(0, most - 1))) + "…"
    }

    /// Words on lines of at most 100 columns, all but the first line set in.
    static func wrapped(_ text: String, first: String, indent: Int) -> String {
        var lines: [String] = []
        var line = first
        var isFresh = true
        for word in text.split(whereSeparator: \.isWhitespace) {
            if !isFresh, line.count + 1 + word.count > columnsMax {
                lines.append(line)
                line = String(repeating: " ", count: indent)
                isFresh = true
            }
            line += (isFresh ? "" : " ") + word
            isFresh = false
        }
        return (lines + [line]).joined(separator: "\n")
    }

    /// With milliseconds, in UTC.
    static func time(_ instant: Instant) -> String {
        instant.textWithMilliseconds
    }

    /// What matters of the state in a few words.
    static func detail(_ job: JobRecord, at now: Instant) -> String {
        func span(_ instant: Instant) -> String { (instant > now ? instant - now : now - instant).inWords }
        switch job.state {
        case .scheduled:
            let when = job.dueAt.map { $0 > now ? "due in \(span($0))" : "due now" } ?? ""
            return when + (job.error.map { ", failed: \($0)" } ?? "")
        case .leased:
            let lease = job.leaseEndsAt.map { $0 > now ? "\(span($0)) left" : "lease ran out" } ?? ""
            let progress = job.progress.map { ", \(Int(($0.fraction * 100).rounded())) %" } ?? ""
            return lease + progress + (job.worker.map { ", \($0)" } ?? "")
        case .dead: return "\(job.reason ?? "-")" + (job.error.map { ": \($0)" } ?? "")
        case .completed: return job.keptUntil.map { $0 > now ? "kept for \(span($0))" : "" } ?? ""
        case .available, .blocked: return job.key.map { "key \($0)" } ?? ""
        }
    }

    /// `3 of 20`, or `-` before the first.
    static func attempts(_ job: JobRecord) -> String {
        job.attempt == 0 ? "-" : "\(job.attempt)" + (job.maxAttempts.map { "/\($0)" } ?? "")
    }

    /// How long ago it was enqueued, or ended.
    static func age(_ job: JobRecord, at now: Instant) -> String {
        job.since.map { DepthTable.age(Int((now - $0).milliseconds)) } ?? "-"
    }

    /// A list of jobs; the queue is a column where there are several.
    static func list(_ jobs: [JobRecord], at now: Instant) -> String {
        let hasQueues = Set(jobs.map(\.queue)).count > 1
        let rows = jobs.map { job in
            [job.id.rawValue] + (hasQueues ? [job.queue.rawValue] : [])
                + [job.state.rawValue, job.kind, attempts(job), age(job, at: now), detail(job, at: now)]
        }
        let head = ["job"] + (hasQueues ? ["queue"] : []) + ["state", "kind", "attempt", "age", "detail"]
        let last = head.count - 1
        return table(
            head, rows, right: [last - 2, last - 1], flexible: (hasQueues ? [1] : []) + [last - 3, last])
    }

    /// Bytes as text, where they are text; JSON indented.
    static func payload(_ bytes: [UInt8]) -> String {
        let value = JobJSON.value(bytes)
        if case .string(let text) = value.value { return value.form == "base64" ? "base64 \(text)" : text }
        do {
            return try value.value.pretty()
        } catch {
            return String(decoding: bytes, as: UTF8.self)
        }
    }
}

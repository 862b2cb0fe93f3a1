import GameModel

/// Something that happened to a job, or will.
public struct LifeEvent: Sendable, Hashable, Codable {
    public enum What: String, Sendable, Hashable, Codable {
        case enqueued
        /// How an attempt ended that began at `at`.
        case failed, handedBack, snoozed, crashed, buried
        case redriven
        /// The attempt that runs began.
        case leased
        case progressed
        case leaseEnds
        case due
        /// A dead letter since.
        case dead
        case completed
        case resultDropped
    }

    public var at: Instant
    public var what: What
    /// How long it took, in ms, where it took time.
    public var durationMs: Int64?
    /// In words.
    public var text: String

    /// The events of a job, oldest first.
    static func all(of job: JobRecord, at now: Instant) -> [LifeEvent] {
        var events: [LifeEvent] = []
        func add(_ at: Instant?, _ what: What, _ text: String, took duration: Duration? = nil) {
            if let at { events.append(LifeEvent(at: at, what: what, durationMs: duration?.milliseconds, text: text)) }
        }
        add(job.enqueuedAt, .enqueued, enqueuedText(job))
        for (index, past) in job.history.enumerated() {
            let isFirstKept = index == 0 && job.history.count == PastAttempt.keptMax
            let took = past.endedAt - past.beganAt
            let (what, at, text) = ending(past, took)
            add(
                at, what, text + (isFirstKept ? " (what was before is not kept)" : ""),
                took: past.end == .redriven ? nil : took)
        }
        let attempt = "attempt \(job.attempt)" + (job.maxAttempts.map { " of \($0)" } ?? "")
        switch job.state {
        case .leased:
            add(job.leasedAt, .leased, "\(attempt) began" + by(job.worker))
            if let progress = job.progress {
                let percent = Int((progress.fraction * 100).rounded())
                add(progress.at, .progressed, "at \(percent) %" + (progress.text.isEmpty ? "" : ": \(progress.text)"))
            }
            if let end = job.leaseEndsAt {
                add(end, .leaseEnds, end > now ? "the lease runs out, unless renewed" : "the lease ran out")
            }
        case .scheduled: add(job.dueAt, .due, dueText(job, at: now))
        case .dead: add(job.buriedAt, .dead, deadText(job, attempt))
        case .completed:
            let took = job.leasedAt.flatMap { begin in job.completedAt.map { $0 - begin } }
            add(job.completedAt, .completed, "\(attempt) completed it" + by(job.worker), took: took)
            add(job.keptUntil, .resultDropped, "its result is dropped")
        case .available, .blocked: break
        }
        // A snooze or a clock step can make times cross; an event that comes later in the life stays later.
        return events.enumerated().sorted { ($0.element.at, $0.offset) < ($1.element.at, $1.offset) }.map(\.element)
    }

    private static func by(_ worker: String?) -> String { worker.map { ", by \($0)" } ?? "" }

    private static func enqueuedText(_ job: JobRecord) -> String {
        var text = "enqueued as \(job.kind)"
        if let priority = job.priority { text += ", priority \(priority)" }
        if let key = job.key { text += ", key \(key)" }
        return text
    }

    private static func dueText(_ job: JobRecord, at now: Instant) -> String {
        let next = job.attempt == 0 ? "it may run" : "it may run again"
        guard let due = job.dueAt, due > now else { return "\(next), from now on" }
        return "\(next), in \((due - now).inWords)"
    }

    private static func deadText(_ job: JobRecord, _ attempt: String) -> String {
        "dead after \(attempt)" + (job.reason.map { ": \($0)" } ?? "") + (job.error.map { ": \($0)" } ?? "")
    }

    private static func ending(_ past: PastAttempt, _ took: Duration) -> (What, Instant, String) {
        switch past.end {
        case .failed: (.failed, past.beganAt, "an attempt failed after \(took.inWords)")
        case .handedBack: (.handedBack, past.beganAt, "handed back after \(took.inWords); the attempt does not count")
        case .snoozed: (.snoozed, past.beganAt, "snoozed after \(took.inWords); the attempt does not count")
        case .crashed: (.crashed, past.beganAt, "the worker vanished; noticed after \(took.inWords)")
        case .buried: (.buried, past.beganAt, "an attempt ended in its burial after \(took.inWords)")
        case .redriven: (.redriven, past.endedAt, "put back by an operator")
        }
    }
}

import GameModel

/// Why a job does not run, or that it does, in words: a function of what was read of it.
struct JobReasons {
    let facts: JobFacts

    init(_ facts: JobFacts) { self.facts = facts }

    /// The weightiest first; never empty.
    var lines: [String] {
        guard let record = facts.record else { return unknown }
        switch record.state {
        case .scheduled: return scheduled(record)
        case .available: return available(record)
        case .blocked: return blocked
        case .leased: return leased(record)
        case .completed: return [completed(record)]
        case .dead: return dead(record)
        }
    }

    private var unknown: [String] {
        if facts.sighting.isTombstone { return ["cancelled: its place in line is dropped when its turn comes"] }
        var lines = [
            "not known to queue \(facts.queue): never enqueued, cancelled, removed, or completed without a kept result"
        ]
        if facts.limits.isDraining { lines.append("the queue is draining: it takes no new jobs") }
        return lines
    }

    // MARK: Jobs that wait

    private func scheduled(_ record: JobRecord) -> [String] {
        var lines: [String] = []
        if let due = record.dueAt, due > facts.now {
            lines.append("due in \((due - facts.now).inWords)\(afterAttempt(record))")
        } else if let due = record.dueAt {
            lines.append("due for \((facts.now - due).inWords): the next look of a worker makes it available")
        }
        return lines + paused + workers(record)
    }

    private func afterAttempt(_ record: JobRecord) -> String {
        guard let last = record.history.last else { return "" }
        switch last.end {
        case .failed:
            let error = record.error.map { ": \($0)" } ?? ""
            return ", as attempt \(record.attempt) of \(record.maxAttempts ?? record.attempt) failed\(error)"
        case .snoozed: return ", as its handler put it off"
        case .handedBack, .crashed, .buried, .redriven: return ""
        }
    }

    private func available(_ record: JobRecord) -> [String] {
        var lines = paused + workers(record) + queueLimits + keyLimits(record)
        let isHeldUp = !lines.isEmpty
        if let position = position(record, isHeldUp: isHeldUp) { lines.append(position) }
        if let last = record.startBefore, record.attempt == 0 {
            lines.append(
                last > facts.now
                    ? "it must start within \((last - facts.now).inWords), else it is buried as expired"
                    : "too late to start: it is buried as expired when its turn comes")
        }
        if facts.limits.isDraining { lines.append("the queue is draining: it takes no new jobs, and those it has run") }
        return lines.isEmpty ? ["it may run now: the next free worker takes it"] : lines
    }

    private var paused: [String] {
        facts.limits.isPaused
            ? ["paused: no job of queue \(facts.queue) starts until `muster queues resume \(facts.queue)`"] : []
    }

    private func workers(_ record: JobRecord) -> [String] {
        guard !facts.workers.isEmpty else { return ["no worker of queue \(facts.queue) lives"] }
        let knowing = facts.workers.filter { $0.kinds.contains(record.kind) }
        if knowing.isEmpty {
            return ["no live worker knows kind \(record.kind): \(facts.workers.count) live, none has a handler for it"]
        }
        if knowing.allSatisfy(\.isQuiet) {
            let names = knowing.prefix(JobReader.holdersMax).map { facts.name(of: $0.id) }.joined(separator: ", ")
            return ["only quiet workers know kind \(record.kind), and they take no new jobs: \(names)"]
        }
        return []
    }

    private var queueLimits: [String] {
        var lines: [String] = []
        if let most = facts.limits.concurrency, facts.leased >= most {
            lines.append(reached("queue \(facts.queue)", facts.leased, most, facts.leasedFirst))
        }
        if let free = facts.queueFreeAt, free > facts.now, let rate = facts.limits.rate {
            lines.append(rateReached("queue \(facts.queue)", rate, free))
        }
        return lines
    }

    private func keyLimits(_ record: JobRecord) -> [String] {
        guard let key = record.key else { return [] }
        var lines: [String] = []
        if let most = facts.keyConcurrency, facts.held >= most {
            lines.append(reached("key \(key)", facts.held, most, facts.heldFirst))
        }
        if let free = facts.keyFreeAt, free > facts.now, let rate = facts.keyRate {
            lines.append(rateReached("key \(key)", rate, free))
        }
        return lines
    }

    private func reached(_ what: String, _ running: Int, _ most: Int, _ holders: [JobFacts.Holder]) -> String {
        let named = holders.map { holder in
            "job \(holder.job)" + (holder.worker.map { ", leased to worker \(facts.name(of: $0))" } ?? "")
        }
        let more = running - holders.count
        let all = named + (more > 0 && !named.isEmpty ? ["\(more) more"] : [])
        let by = all.isEmpty ? "" : ": held by \(all.joined(separator: "; "))"
        return "limit reached: \(what) has \(running) of \(most) running\(by)"
    }

    private func rateReached(_ what: String, _ rate: RateLimit, _ free: Instant) -> String {
        "rate limit reached: \(what) starts \(rate.count) each \(rate.period.inWords), free again in "
            + (free - facts.now).inWords
    }

    private func position(_ record: JobRecord, isHeldUp: Bool) -> String? {
        let priority = "at priority \(record.priority ?? 0)"
        switch facts.position {
        case nil: return nil
        case .inQueue(0), .inKey(0, 0):
            return "next in line \(priority)" + (isHeldUp ? "" : ": the next free worker takes it")
        case .inQueue(let ahead): return "behind \(Self.jobs(ahead)) of its queue \(priority)"
        case .inQueuePast(let ahead): return "behind more than \(ahead) jobs of its queue \(priority)"
        case .inKey(let ahead, let keysAhead):
            var parts: [String] = []
            if ahead > 0 { parts.append("\(Self.jobs(ahead)) of key \(record.key ?? "")") }
            if let keysAhead, keysAhead > 0 {
                parts.append(keysAhead == 1 ? "the turn of another key" : "the turns of \(keysAhead) other keys")
            }
            return parts.isEmpty ? "next of its key" : "behind \(parts.joined(separator: " and ")) \(priority)"
        }
    }

    private static func jobs(_ count: Int) -> String { count == 1 ? "1 job" : "\(count) jobs" }

    private var blocked: [String] {
        var lines: [String] = []
        let sighting = facts.sighting
        if sighting.waitsForCount > 0 {
            let more = sighting.waitsForCount - sighting.waitsFor.count
            let names =
                sighting.waitsFor.map(\.rawValue).joined(separator: ", ") + (more > 0 ? " and \(more) more" : "")
            lines.append("waits for \(Self.jobs(sighting.waitsForCount)) to end: \(names)")
        }
        if sighting.isBatchOpen {
            lines.append("its batch is still being enqueued: not all jobs it waits for are there")
        }
        return lines.isEmpty ? ["waits for other jobs, all of which have just ended"] : lines
    }

    // MARK: Jobs that run, or ran

    private func leased(_ record: JobRecord) -> [String] {
        let worker = record.worker.map { "worker \(facts.name(of: $0))" } ?? "a worker that gave no name"
        let attempt = "attempt \(record.attempt) of \(record.maxAttempts ?? record.attempt)"
        let begun = record.leasedAt.map { ", begun \((facts.now - $0).inWords) ago" } ?? ""
        var lines: [String] = []
        if let end = record.leaseEndsAt, end <= facts.now {
            lines.append(
                "the lease of \(worker) ran out \((facts.now - end).inWords) ago: "
                    + "the next look of a worker gives it to another (\(attempt)\(begun))")
            if facts.workers.isEmpty { lines.append("no worker of queue \(facts.queue) lives") }
        } else if let end = record.leaseEndsAt {
            lines.append(
                "running: leased to \(worker) for \((end - facts.now).inWords) more unless renewed (\(attempt)\(begun))"
            )
            if !facts.workers.isEmpty, !facts.workers.contains(where: { $0.id == record.worker }) {
                lines.append("\(worker) is not among the live workers: when the lease runs out, another takes it")
            }
        }
        if let progress = record.progress {
            let text = progress.text.isEmpty ? "" : ": \(progress.text)"
            let percent = Int((progress.fraction * 100).rounded())
            lines.append("it said \((facts.now - progress.at).inWords) ago that it is at \(percent) %\(text)")
        }
        return lines
    }

    private func completed(_ record: JobRecord) -> String {
        let ago = record.completedAt.map { " \((facts.now - $0).inWords) ago" } ?? ""
        let by = record.worker.map { " by worker \(facts.name(of: $0))" } ?? ""
        let kept = record.keptUntil.map { until in
            until > facts.now
                ? "; its result is kept for \((until - facts.now).inWords) more" : "; its result may go now"
        }
        return "completed\(ago) on attempt \(record.attempt)\(by)\(kept ?? "")"
    }

    private func dead(_ record: JobRecord) -> [String] {
        let reason = record.reason ?? "no reason given"
        let ago = record.buriedAt.map { " \((facts.now - $0).inWords) ago" } ?? ""
        let attempts = "after \(record.attempt) of \(record.maxAttempts ?? record.attempt) attempts"
        let error = record.error.map { ": \($0)" } ?? ""
        return [
            "dead: buried\(ago) as \(reason) \(attempts)\(error)",
            "run it again with `muster jobs retry \(record.id)`, or remove it with `muster jobs rm \(record.id)`",
        ]
    }
}

@testable import Jobs

/// The queue's specification: what each transition does, as plain Swift over plain values. The Lua scripts must agree
/// with it on every sequence of calls (ModelTests). Time is an order only: scores are given, and what is due is due.
struct QueueModel {
    enum Place: Hashable {
        case ready(priority: Int)
        case later(due: Int)
        case leased(expiry: Int)
        case dead
    }

    struct Job: Hashable {
        var place: Place
        var priority: Int
        var maxAttempts: Int
        var attempt = 0
        var crashes = 0
        /// Which reserve gave the current or last lease; stands for the token.
        var token = 0
        var reason = "-"
        var error = ""
    }

    private(set) var jobs: [String: Job] = [:]
    private(set) var ready: [[String]] = [[], [], [], []]
    private(set) var counts = QueueCounts()

    mutating func enqueue(_ id: String, priority: Int, maxAttempts: Int, due: Int?) -> Bool {
        guard jobs[id] == nil else { return false }
        jobs[id] = Job(
            place: due.map { .later(due: $0) } ?? .ready(priority: priority), priority: priority,
            maxAttempts: maxAttempts)
        if due == nil, !waitsAlready(id, priority) { ready[priority].append(id) }
        forsake(id, unless: due == nil ? priority : nil)
        counts.enqueued += 1
        return true
    }

    /// Everything in `leased` and `later` with a score up to `now` is due; all of it is within one sweep.
    mutating func reserve(limit: Int, expiry: Int, token: Int, now: Int) -> (taken: [String], crashed: [String]) {
        var crashed: [String] = []
        let expired = jobs.compactMap { id, job -> (Int, String)? in
            if case .leased(let expiry) = job.place, expiry <= now { return (expiry, id) }
            return nil
        }.sorted { $0 < $1 }
        for (_, id) in expired.reversed() {
            jobs[id]?.crashes += 1
            guard let job = jobs[id] else { continue }
            if job.attempt >= job.maxAttempts || job.crashes >= 2 {
                jobs[id]?.place = .dead
                jobs[id]?.reason = "crashed"
                jobs[id]?.error = "the worker vanished \(job.crashes) times, last tester"
                counts.buried += 1
                crashed.append(id)
            } else {
                jobs[id]?.place = .ready(priority: job.priority)
                ready[job.priority].insert(id, at: 0)
                counts.recovered += 1
            }
        }
        let due = jobs.compactMap { id, job -> (Int, String)? in
            if case .later(let due) = job.place, due <= now { return (due, id) }
            return nil
        }.sorted { $0 < $1 }
        for (_, id) in due {
            guard let priority = jobs[id]?.priority else { continue }
            jobs[id]?.place = .ready(priority: priority)
            ready[priority].append(id)
        }
        var popped: [String] = []
        let shares = shares(limit)
        for count in [shares, [limit, limit, limit, limit]] {
            for priority in 0..<4 {
                let count = min(count[priority], limit - popped.count, ready[priority].count)
                popped += ready[priority].prefix(count)
                ready[priority].removeFirst(count)
            }
        }
        let taken = popped.filter { jobs[$0] != nil && !forsaken.contains($0) }
        forsaken.subtract(popped)
        for id in taken {
            jobs[id]?.attempt += 1
            jobs[id]?.token = token
            jobs[id]?.place = .leased(expiry: expiry)
        }
        return (taken, crashed)
    }

    mutating func complete(_ id: String, token: Int) -> Bool {
        guard holds(id, token) else { return false }
        jobs[id] = nil
        counts.completed += 1
        return true
    }

    mutating func retry(_ id: String, token: Int, due: Int, error: String) -> Bool {
        guard holds(id, token) else { return false }
        jobs[id]?.place = .later(due: due)
        jobs[id]?.error = error
        counts.retried += 1
        return true
    }

    mutating func bury(_ id: String, token: Int, reason: String, error: String) -> Bool {
        guard holds(id, token) else { return false }
        jobs[id]?.place = .dead
        jobs[id]?.reason = reason
        jobs[id]?.error = error
        counts.buried += 1
        return true
    }

    mutating func release(_ id: String, token: Int, due: Int?) -> Bool {
        guard holds(id, token), let priority = jobs[id]?.priority else { return false }
        jobs[id]?.attempt -= 1
        if let due {
            jobs[id]?.place = .later(due: due)
        } else {
            jobs[id]?.place = .ready(priority: priority)
            ready[priority].insert(id, at: 0)
        }
        counts.released += 1
        return true
    }

    mutating func renew(_ id: String, token: Int, expiry: Int) -> Bool {
        guard holds(id, token) else { return false }
        jobs[id]?.place = .leased(expiry: expiry)
        return true
    }

    mutating func cancel(_ id: String) -> CancelReply {
        guard let job = jobs[id] else { return .unknown }
        if job.place == .dead { return .dead }
        if case .ready = job.place { forsaken.insert(id) }
        jobs[id] = nil
        counts.cancelled += 1
        return .cancelled
    }

    func holds(_ id: String, _ token: Int) -> Bool {
        guard let job = jobs[id], case .leased = job.place else { return false }
        return job.token == token
    }

    /// The counts as `JobQueue.counts` gives them, without the age.
    var snapshot: QueueCounts {
        var snapshot = counts
        for job in jobs.values {
            switch job.place {
            case .ready: snapshot.waiting += 1
            case .later: snapshot.later += 1
            case .leased: snapshot.leased += 1
            case .dead: snapshot.dead += 1
            }
        }
        return snapshot
    }

    // MARK: Weights

    private var wheel = 0

    /// The next slots of a wheel of 85 that has 64 slots of the first priority, then 16, 4 and 1.
    private mutating func shares(_ want: Int) -> [Int] {
        var share = [0, 0, 0, 0]
        let levels = ready.indices.filter { !ready[$0].isEmpty }
        guard levels.count > 1 else {
            share[levels.first ?? 0] = want
            return share
        }
        for slot in wheel..<(wheel + want) {
            let at = slot % 85
            var level = at < 64 ? 0 : at < 80 ? 1 : at < 84 ? 2 : 3
            if share[level] >= ready[level].count { level = ready.indices.first { share[$0] < ready[$0].count } ?? 3 }
            share[level] += 1
        }
        wheel += want
        return share
    }

    // MARK: Cancelled jobs whose entry is still in its list

    private var forsaken: Set<String> = []

    /// A cancelled job's place in its list is taken over by a new job of that id and priority.
    private func waitsAlready(_ id: String, _ priority: Int) -> Bool {
        forsaken.contains(id) && ready[priority].contains(id)
    }

    private mutating func forsake(_ id: String, unless priority: Int?) {
        guard forsaken.remove(id) != nil else { return }
        for level in ready.indices where level != priority { ready[level].removeAll { $0 == id } }
    }
}

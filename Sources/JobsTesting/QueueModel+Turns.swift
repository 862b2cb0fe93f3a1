import GameModel
import Jobs

/// Whose turn it is: priorities by weight, keys one after the other, within limits.
extension QueueModel {
    /// Reaps leases that ran out, lets due jobs wait for their turn, and leases up to so many that may run.
    /// - Returns: the jobs taken, and those buried: as `crashed` (quarantined too), or `expired`.
    package mutating func reserve(
        limit: Int, expiry: Int64, token: UInt64, worker: String, now: Int64
    ) -> (taken: [JobID], buried: [JobID]) {
        var buried = reap(now)
        promote(now)
        let popped = pop(room(limit, now), now)
        var taken: [JobID] = []
        for id in popped where forsaken.remove(id) == nil {
            guard let entry = jobs[id] else { continue }
            let within = entry.hasBegun ? nil : entry.job.options.startWithin?.milliseconds
            if let within, now > entry.enqueuedAt + within {
                die(id, .expired, "not started within \(within) ms", now)
                buried.append(id)
            } else {
                jobs[id]?.place = .leased(expiry: expiry)
                jobs[id]?.token = token
                jobs[id]?.leasedAt = Int64(token / 1000)
                jobs[id]?.attempt += 1
                jobs[id]?.worker = worker
                jobs[id]?.hasBegun = true
                taken.append(id)
            }
        }
        if let rate = limits.rate, !taken.isEmpty { use(rate, "", taken.count, now) }
        return (taken, buried)
    }

    /// Whether some job could be leased at once; rates are not asked.
    package var canTake: Bool {
        guard !limits.isPaused, jobs.leased.count < limits.concurrency ?? .max else { return false }
        return jobs.values.contains { entry in
            guard entry.place == .waiting, let key = entry.key else { return entry.place == .waiting }
            return jobs.leased(of: key) < concurrency(of: key)
        }
    }

    /// When something that waits for a time may go on next, in ms; `nil` where nothing does.
    package func nextDue(_ now: Int64) -> Int64? {
        var times = jobs.later.union(jobs.leased).compactMap { jobs[$0]?.place.time }
        for case .at(let time) in gates.values { times.append(time) }
        if let rate = limits.rate { times.append(allowed(rate, "", 1, now).freeAt) }
        return times.filter { $0 > now }.min()
    }

    // MARK: Waiting

    /// Puts a job where it waits: at the end or the front of its list; one with a key at its own place in its key's
    /// line.
    mutating func wait(_ id: JobID, atFront: Bool = false) {
        guard let entry = jobs[id] else { return }
        jobs[id]?.place = .waiting
        if let key = entry.key {
            queueUp(key, entry.priority)
        } else {
            ready[entry.priority].insert(id, at: atFront ? 0 : ready[entry.priority].endIndex)
        }
    }

    /// A key that waits for its turn keeps it, unless it now has a job of a better priority.
    private mutating func queueUp(_ key: String, _ priority: Int) {
        let last = Turn(priority: priority, number: turn)
        turns[key] = min(turns[key] ?? last, last)
    }

    /// A key that was held back goes on, where jobs of it wait.
    mutating func reopen(_ key: String) {
        if let first = jobs.line(of: key).first { queueUp(key, first.priority) }
    }

    /// Whether a new job takes over the place in its list of a cancelled one of its id.
    func takesOver(_ id: JobID, _ priority: Int) -> Bool {
        forsaken.contains(id) && ready[priority].contains(id)
    }

    /// Takes the entry of a cancelled job out of its list.
    mutating func forsake(_ id: JobID) {
        guard forsaken.remove(id) != nil else { return }
        for priority in ready.indices { ready[priority].removeAll { $0 == id } }
    }

    // MARK: What time brings

    private mutating func reap(_ now: Int64) -> [JobID] {
        var buried: [JobID] = []
        // From the last to the first, as each goes to the front.
        for id in due(jobs.leased, now).reversed() {
            jobs[id]?.crashes += 1
            jobs[id]?.note("c", now)
            jobs[id]?.progress = nil
            guard let entry = jobs[id] else { continue }
            let options = entry.job.options
            if entry.attempt >= options.maxAttempts || entry.crashes >= options.maxCrashes {
                let text = "the worker vanished \(entry.crashes) times, last \(entry.worker ?? "-")"
                die(id, .crashed, text, now)
                buried.append(id)
            } else {
                wait(id, atFront: true)
                leaseEnded(entry)
                counts.recovered += 1
            }
        }
        return buried
    }

    private mutating func promote(_ now: Int64) {
        for case (let key, .at(let time)) in gates where time <= now {
            gates[key] = nil
            reopen(key)
        }
        for id in due(jobs.later, now) { wait(id) }
    }

    /// Those whose time has come, in its order.
    private func due(_ ids: Set<JobID>, _ now: Int64) -> [JobID] {
        ids.compactMap { id in jobs[id]?.place.time.flatMap { $0 <= now ? (time: $0, id: id) : nil } }
            .sorted { ($0.time, $0.id) < ($1.time, $1.id) }.map(\.id)
    }

    // MARK: Taking

    /// How many may be leased now.
    private func room(_ limit: Int, _ now: Int64) -> Int {
        guard !limits.isPaused else { return 0 }
        let free = max(0, (limits.concurrency ?? .max) - jobs.leased.count)
        let want = min(limit, free)
        return limits.rate.map { allowed($0, "", want, now).count } ?? want
    }

    /// Takes so many from the lists and from the keys: each priority its share, those of a key first, and of both
    /// together every other one; what a share leaves free, the others then take.
    private mutating func pop(_ want: Int, _ now: Int64) -> [JobID] {
        guard want > 0 else { return [] }
        var popped: [JobID] = []
        let withKeys = ready.indices.map { priority in turns.values.contains { $0.priority == priority } }
        let hasKeys = !turns.isEmpty
        let shares = shares(want, withKeys)
        for isShare in [true, false] where popped.count < want {
            for priority in ready.indices {
                var most = isShare ? shares[priority] : want - popped.count
                if most > 0, withKeys[priority] || !isShare && hasKeys {
                    let part = isShare && !ready[priority].isEmpty ? half(most) : most
                    let taken = takeByKey(priority, part, now)
                    popped += taken
                    most -= taken.count
                }
                let first = ready[priority].prefix(max(0, most))
                popped += first
                ready[priority].removeFirst(first.count)
            }
        }
        return popped
    }

    /// The next slots of a wheel on which each priority has as many as it weighs. A slot of one that has no more jobs
    /// is given to the best one that has; where only one has jobs, the wheel stands still.
    private mutating func shares(_ want: Int, _ withKeys: [Bool]) -> [Int] {
        var share = [0, 0, 0, 0]
        let supply = ready.indices.map { withKeys[$0] ? Int.max : ready[$0].count }
        let some = supply.indices.filter { supply[$0] > 0 }
        guard some.count > 1 else {
            share[some.first ?? 0] = want
            return share
        }
        let slots = limits.weights.enumerated().flatMap { [Int](repeating: $0.offset, count: $0.element) }
        for slot in wheel..<(wheel + want) {
            var priority = slots[slot % slots.count]
            if share[priority] >= supply[priority] {
                priority = supply.indices.first { share[$0] < supply[$0] } ?? 3
            }
            share[priority] += 1
        }
        wheel += want
        return share
    }

    /// Every other place is for a job with a key, counted on from call to call.
    private mutating func half(_ places: Int) -> Int {
        defer { mixed += places }
        return (mixed..<(mixed + places)).count { $0.isMultiple(of: 2) }
    }

    /// Takes one job of each key in turn, again and again.
    private mutating func takeByKey(_ priority: Int, _ want: Int, _ now: Int64) -> [JobID] {
        var taken: [JobID] = []
        while taken.count < want {
            let next = turns.filter { $0.value.priority == priority }.sorted { ($0.value, $0.key) < ($1.value, $1.key) }
            guard !next.isEmpty else { break }
            for (key, _) in next.prefix(want - taken.count) {
                if let id = takeFirst(of: key, priority, now) { taken.append(id) }
            }
        }
        return taken
    }

    /// Takes the first job of a key, unless it is of another priority or the key has its fill. A key that was served
    /// takes its next turn behind the others.
    private mutating func takeFirst(of key: String, _ priority: Int, _ now: Int64) -> JobID? {
        var line = jobs.line(of: key)[...]
        var taken: JobID?
        if let first = line.first, first.priority == priority {
            if let gate = gate(of: key, now) {
                turns[key] = nil
                gates[key] = gate
                return nil
            }
            // What the lease is, `reserve` says; it counts among those of its key from now on.
            jobs[first.id]?.place = .leased(expiry: .max)
            taken = first.id
            line.removeFirst()
            turn += 1
        }
        turns[key] = line.first.map { Turn(priority: $0.priority, number: turn) }
        return taken
    }

    // MARK: Limits of keys, and rates

    private func concurrency(of key: String) -> Int {
        limits.ofKeys[key]?.concurrency ?? limits.ofEachKey.concurrency ?? .max
    }

    /// What holds the key back; `nil` where it may go on, which its rate then counts.
    private mutating func gate(of key: String, _ now: Int64) -> Gate? {
        if jobs.leased(of: key) >= concurrency(of: key) { return .whenOneEnds }
        guard let rate = limits.ofKeys[key]?.rate ?? limits.ofEachKey.rate else { return nil }
        let allowed = allowed(rate, key, 1, now)
        if allowed.count == 0 { return .at(allowed.freeAt) }
        use(rate, key, 1, now)
        return nil
    }

    /// The generic cell rate algorithm (ITU-T I.371): how many of so many starts the rate allows now, and when it
    /// allows one.
    private func allowed(_ rate: RateLimit, _ name: String, _ want: Int, _ now: Int64) -> (count: Int, freeAt: Int64) {
        let interval = Double(rate.period.milliseconds) / Double(rate.count)
        let ahead = Double(rate.burst - 1) * interval
        let base = max(Double(now), rates[name] ?? 0)
        let most = ((Double(now) + ahead - base) / interval + 1e-6).rounded(.down) + 1
        return (max(0, Int(min(Double(want), most))), Int64((base - ahead).rounded(.up)))
    }

    private mutating func use(_ rate: RateLimit, _ name: String, _ count: Int, _ now: Int64) {
        let interval = Double(rate.period.milliseconds) / Double(rate.count)
        rates[name] = max(Double(now), rates[name] ?? 0) + Double(count) * interval
    }
}

extension QueueModel.Place {
    /// When a job leaves the place by itself.
    var time: Int64? {
        switch self {
        case .later(let due): due
        case .leased(let expiry): expiry
        case .waiting, .blocked, .dead: nil
        }
    }
}

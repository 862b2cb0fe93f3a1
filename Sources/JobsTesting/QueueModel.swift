import GameModel
import Jobs

/// The queue's specification: what each transition does, as plain Swift over plain values. The Lua scripts must agree
/// with it on every sequence of calls, which a test holds them to; `TestQueue` runs on it.
///
/// Times are Unix ms and given by the caller. What is due is due: the bound on how much one script call sweeps is not
/// of the model, nor is the forgetting of old dead letters.
package struct QueueModel: Sendable {
    package enum Place: Hashable, Sendable {
        case waiting
        case later(due: Int64)
        case leased(expiry: Int64)
        /// Until the jobs that name it as their callback have ended.
        case blocked
        case dead(since: Int64)
    }

    /// The job that waits for this one, and for which end of it.
    package struct Callback: Hashable, Sendable {
        package let id: JobID
        package let policy: BatchPolicy

        package init(id: JobID, policy: BatchPolicy) {
            self.id = id
            self.policy = policy
        }
    }

    package struct Entry: Sendable {
        package let job: EncodedJob
        package let callback: Callback?
        package let enqueuedAt: Int64
        /// In which order the jobs were enqueued.
        let sequence: Int
        package let bytes: Int
        package internal(set) var place: Place
        package internal(set) var attempt = 0
        package internal(set) var crashes = 0
        /// Of the current or last lease; 0 before the first.
        package internal(set) var token: UInt64 = 0
        package internal(set) var leasedAt: Int64 = 0
        package internal(set) var worker: String?
        package internal(set) var reason: ReasonCode?
        package internal(set) var error = ""
        /// What the handler said last of how far it is; gone when its lease ends.
        package internal(set) var progress: String?
        /// How leases and deaths ended, the last twenty: f failed, h handed back, s snoozed, c crashed, b buried, r
        /// redriven; with begin and end.
        package internal(set) var history: [String] = []
        /// It was leased or dead before: the time in which it had to be started is no matter any more.
        package internal(set) var hasBegun = false

        package var priority: Int { job.options.priority }
        package var key: String? { job.options.key }
        var isLeased: Bool { if case .leased = place { true } else { false } }
        var isDead: Bool { if case .dead = place { true } else { false } }

        mutating func note(_ what: Character, _ now: Int64) {
            history = Array((history + ["\(what)\(leasedAt)-\(now)"]).suffix(20))
        }
    }

    package internal(set) var jobs = JobShelf()
    package internal(set) var limits = QueueLimits()
    /// The counters alone; `snapshot` says what is where.
    var counts = QueueCounts()
    /// The waiting jobs without a key, next one first; entries of cancelled ones stay until their turn comes.
    var ready: [[JobID]] = [[], [], [], []]
    /// Cancelled jobs whose entry is still in `ready`.
    var forsaken: Set<JobID> = []
    /// The keys of which a job may be taken, each with its turn.
    var turns: [String: Turn] = [:]
    var turn = 0
    /// Keys that had their fill.
    var gates: [String: Gate] = [:]
    /// How many slots of the wheel of weights, and of the one of jobs with and without a key, were used up.
    var wheel = 0
    var mixed = 0
    /// Theoretical arrival times of the rates, in ms, by key; that of the whole queue by the empty one.
    var rates: [String: Double] = [:]
    private var locks: [String: Lock] = [:]
    /// What each callback waits for; `nil` stands for the rest of its batch, which is still being enqueued.
    private var awaited: [JobID: Set<JobID?>] = [:]
    private var sequence = 0

    private struct Lock { var holder: JobID, until: Int64? }

    /// The place of a key among the keys: better priorities first, then the one that waited longest.
    struct Turn: Hashable, Comparable {
        var priority: Int, number: Int
        static func < (left: Self, right: Self) -> Bool {
            (left.priority, left.number) < (right.priority, right.number)
        }
    }

    /// When a key that had its fill may go on.
    enum Gate: Hashable, Sendable {
        case whenOneEnds
        case at(Int64)
    }

    package init() {}
}

// MARK: Putting in

extension QueueModel {
    /// Enqueues jobs of one call, in order: what one of them is refused for, or sheds, the next one sees.
    /// - Parameter isBlocked: they wait for those that name them as their callback, whatever their `due`.
    package mutating func enqueue(
        _ new: [EncodedJob], callback: Callback? = nil, isBlocked: Bool = false, now: Int64
    ) -> [EnqueueReply] {
        // They join the lists at the end of the call, so that none of them is shed for another.
        var joining: [JobID] = []
        var replies: [EnqueueReply] = []
        for job in new {
            let bytes = Self.bytes(job, callback, now)
            if let refusal = refusal(of: job, bytes, now) {
                replies.append(refusal)
                continue
            }
            sequence += 1
            jobs[job.id] = Entry(
                job: job, callback: callback, enqueuedAt: now, sequence: sequence, bytes: bytes,
                place: isBlocked ? .blocked : Self.place(job.due, now))
            if let unique = job.options.unique {
                locks[unique.key] = Lock(holder: job.id, until: unique.window.map { now + $0.milliseconds })
            }
            if let callback { awaited[callback.id, default: []].insert(job.id) }
            if isBlocked { awaited[job.id, default: []].insert(nil) }
            let joins = jobs[job.id]?.place == .waiting
            let takesOver = joins && job.options.key == nil && takesOver(job.id, job.options.priority)
            if takesOver {
                forsaken.remove(job.id)
            } else {
                forsake(job.id)
                if joins { joining.append(job.id) }
            }
            counts.enqueued += 1
            replies.append(.added(job.id))
        }
        for id in joining { wait(id) }
        return replies
    }

    /// All jobs that name the callback are enqueued.
    package mutating func unseal(_ callback: JobID) { arrive(callback, nil) }

    /// The job's id, then its unique key, then a drain, then the budgets: the first that refuses it is the answer.
    ///
    /// In a queue that sheds, a cancelled job's entry goes when its id comes back: the new job is no older than others.
    private mutating func refusal(of job: EncodedJob, _ bytes: Int, _ now: Int64) -> EnqueueReply? {
        let sheds = limits.overflow == .shed && (limits.jobsMax != nil || limits.bytesMax != nil)
        if sheds { forsake(job.id) }
        if jobs[job.id] != nil { return .duplicate(job.id) }
        if let key = job.options.unique?.key, let lock = locks[key], lock.holder != job.id, lock.until ?? .max > now {
            return .notUnique(job.id, holder: lock.holder)
        }
        if limits.isDraining { return .draining(job.id) }
        return makeRoom(for: bytes) ? nil : .full(job.id)
    }

    private mutating func makeRoom(for bytes: Int) -> Bool {
        guard limits.jobsMax != nil || limits.bytesMax != nil else { return true }
        let (jobsMax, bytesMax) = (limits.jobsMax ?? .max, limits.bytesMax ?? .max)
        while true {
            let living = jobs.values.filter { !$0.isDead }
            if living.count < jobsMax, living.map(\.bytes).reduce(bytes, +) <= bytesMax { return true }
            guard limits.overflow == .shed, bytes <= bytesMax, shedOldest() else { return false }
        }
    }

    /// Drops the oldest waiting job without a key of the lowest priority.
    private mutating func shedOldest() -> Bool {
        for priority in ready.indices.reversed() {
            while let id = ready[priority].first {
                ready[priority].removeFirst()
                if forsaken.remove(id) == nil, let entry = jobs.remove(id) {
                    counts.shed += 1
                    ended(entry)
                    return true
                }
            }
        }
        return false
    }

    private static func place(_ due: Due, _ now: Int64) -> Place {
        switch due {
        case .now: .waiting
        case .after(let delay): delay <= .zero ? .waiting : .later(due: now + delay.milliseconds)
        case .at(let instant): .later(due: instant.milliseconds)
        }
    }

    /// Of the envelope: its version, the time, the header and the payload, and the place among those of its key.
    private static func bytes(_ job: EncodedJob, _ callback: Callback?, _ now: Int64) -> Int {
        let word = callback.map { "\($0.policy.word)=\($0.id)" }
        return "1 \(now) ".utf8.count + job.header(callback: word).utf8.count + job.payload.count
            + (job.options.key == nil ? 0 : " q=".count + 16)
    }
}

// MARK: Ends

extension QueueModel {
    /// Whether the job is leased under just this token.
    package func holds(_ id: JobID, _ token: UInt64) -> Bool {
        guard let entry = jobs[id] else { return false }
        return entry.isLeased && entry.token == token
    }

    package mutating func complete(_ id: JobID, token: UInt64) -> Bool {
        guard holds(id, token), let entry = jobs.remove(id) else { return false }
        counts.completed += 1
        leaseEnded(entry)
        ended(entry)
        return true
    }

    package mutating func retry(_ id: JobID, token: UInt64, after delay: Int64, error: String, now: Int64) -> Bool {
        guard holds(id, token) else { return false }
        counts.retried += 1
        jobs[id]?.note("f", now)
        jobs[id]?.error = error
        settle(id, .later(due: now + delay))
        return true
    }

    package mutating func bury(_ id: JobID, token: UInt64, as bury: Bury, now: Int64) -> Bool {
        guard holds(id, token) else { return false }
        jobs[id]?.note("b", now)
        die(id, bury.reason, bury.message, now)
        return true
    }

    /// The attempt does not count; the job comes back first, or after a delay.
    package mutating func release(_ id: JobID, token: UInt64, after delay: Int64, now: Int64) -> Bool {
        guard holds(id, token) else { return false }
        counts.released += 1
        jobs[id]?.attempt -= 1
        jobs[id]?.note(delay == 0 ? "h" : "s", now)
        if delay > 0 {
            settle(id, .later(due: now + delay))
        } else {
            settle(id, .waiting)
            wait(id, atFront: true)
        }
        return true
    }

    package mutating func renew(_ id: JobID, token: UInt64, expiry: Int64) -> Bool {
        guard holds(id, token) else { return false }
        jobs[id]?.place = .leased(expiry: expiry)
        return true
    }

    /// - Returns: whether the lease is still this attempt's.
    package mutating func note(_ progress: String, of id: JobID, token: UInt64) -> Bool {
        guard holds(id, token) else { return false }
        jobs[id]?.progress = progress
        return true
    }

    /// Moves a job to the dead letters, wherever it is.
    mutating func die(_ id: JobID, _ reason: ReasonCode, _ error: String, _ now: Int64) {
        guard let entry = jobs[id] else { return }
        jobs[id]?.reason = reason
        jobs[id]?.error = error
        jobs[id]?.hasBegun = true
        counts.buried += 1
        settle(id, .dead(since: now))
        ended(entry, isBuried: true)
    }

    /// Moves a job out of its lease, if it has one.
    private mutating func settle(_ id: JobID, _ place: Place) {
        guard let entry = jobs[id] else { return }
        jobs[id]?.place = place
        jobs[id]?.progress = nil
        leaseEnded(entry)
    }

    /// A key that had its fill may go on when one of its own ends.
    mutating func leaseEnded(_ entry: Entry) {
        guard entry.isLeased, let key = entry.key, gates.removeValue(forKey: key) != nil else { return }
        reopen(key)
    }

    /// What ends with a job: its unique key, and its callback's wait. A dead letter is waited for on, unless the batch
    /// is one whose jobs need only end.
    private mutating func ended(_ entry: Entry, isBuried: Bool = false) {
        if let key = entry.job.options.unique?.key, locks[key]?.holder == entry.job.id { locks[key] = nil }
        guard let callback = entry.callback, !isBuried || callback.policy == .ended else { return }
        arrive(callback.id, entry.job.id)
    }

    private mutating func arrive(_ callback: JobID, _ job: JobID?) {
        guard awaited[callback]?.remove(job) != nil, awaited[callback]?.isEmpty == true else { return }
        awaited[callback] = nil
        if jobs[callback]?.place == .blocked { wait(callback) }
    }
}

// MARK: By hand

extension QueueModel {
    package mutating func cancel(_ id: JobID) -> CancelReply {
        guard let entry = jobs[id] else { return .unknown }
        if entry.isDead { return .dead }
        if entry.place == .waiting, entry.key == nil { forsaken.insert(id) }
        jobs[id] = nil
        counts.cancelled += 1
        if entry.place == .blocked { awaited[id] = nil }
        leaseEnded(entry)
        ended(entry)
        return .cancelled
    }

    package mutating func bury(_ id: JobID, by hand: Bury, now: Int64) -> BuryReply {
        guard let entry = jobs[id] else { return .unknown }
        switch entry.place {
        case .dead: return .dead
        case .leased: jobs[id]?.note("b", now)
        case .blocked: awaited[id] = nil
        case .waiting: for priority in ready.indices { ready[priority].removeAll { $0 == id } }
        case .later: break
        }
        die(id, hand.reason, hand.message, now)
        return .buried
    }

    package mutating func redrive(_ id: JobID, now: Int64) -> RedriveReply {
        guard let entry = jobs[id] else { return .unknown }
        switch entry.place {
        case .later: break
        case .waiting, .leased, .blocked: return .notDead
        case .dead:
            if let unique = entry.job.options.unique {
                if let lock = locks[unique.key], lock.holder != id, lock.until ?? .max > now {
                    return .notUnique(holder: lock.holder)
                }
                locks[unique.key] = Lock(holder: id, until: unique.window.map { now + $0.milliseconds })
            }
            counts.redriven += 1
            jobs[id]?.note("r", now)
            jobs[id]?.attempt = 0
            jobs[id]?.crashes = 0
            jobs[id]?.reason = nil
        }
        wait(id)
        return .available
    }

    package mutating func purge(_ id: JobID) -> Bool {
        guard let entry = jobs[id], entry.isDead else { return false }
        jobs[id] = nil
        counts.purged += 1
        ended(entry)
        return true
    }

    /// What the former limits held back is judged anew, and a rate that is changed begins anew.
    package mutating func set(_ limits: QueueLimits) {
        if limits.rate != self.limits.rate { rates[""] = nil }
        if limits.ofEachKey.rate != self.limits.ofEachKey.rate { rates = rates.filter { $0.key.isEmpty } }
        let own = { (key: String) in limits.ofKeys[key]?.rate }
        for key in Array(rates.keys) where own(key) != self.limits.ofKeys[key]?.rate { rates[key] = nil }
        self.limits = limits
        let held = gates.keys
        gates = [:]
        for key in held { reopen(key) }
    }

    /// Where the jobs are, and the counters; without the age, and the bytes of results.
    package var snapshot: QueueCounts {
        var snapshot = counts
        for entry in jobs.values {
            snapshot.bytes += entry.bytes
            switch entry.place {
            case .waiting: snapshot.waiting += 1
            case .later: snapshot.later += 1
            case .leased: snapshot.leased += 1
            case .blocked: snapshot.blocked += 1
            case .dead:
                snapshot.dead += 1
                snapshot.deadBytes += entry.bytes
            }
        }
        return snapshot
    }
}

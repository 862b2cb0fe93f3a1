import GameModel
import Redis

/// All that decides whether a job may run now: what `JobReasons` puts into words.
struct JobFacts: Sendable {
    /// A job that takes a place of a limit.
    struct Holder: Sendable, Hashable {
        var job: JobID
        var worker: String?
    }

    /// A worker that says it lives.
    struct LiveWorker: Sendable, Hashable {
        var id: String
        /// For people: its name and host.
        var label: String
        var kinds: Set<String>
        /// Takes no new jobs, because it was told so or because it stops.
        var isQuiet: Bool
    }

    /// Where the job stands in line.
    enum Position: Sendable, Hashable {
        /// So many entries of its priority's list are before it; some may be of cancelled jobs.
        case inQueue(ahead: Int)
        /// It stands farther back than is looked.
        case inQueuePast(Int)
        /// So many jobs of its key are before it, and so many keys have their turn before its key; `nil` while its key
        /// has no turn.
        case inKey(ahead: Int, keysAhead: Int?)
    }

    var sighting: JobSighting
    var queue: QueueName
    var limits = QueueLimits()
    var leased = 0
    var leasedFirst: [Holder] = []
    /// When the queue's rate lets a job start.
    var queueFreeAt: Instant?
    /// Leased jobs of the job's key.
    var held = 0
    var heldFirst: [Holder] = []
    /// When the key's rate lets a job start.
    var keyFreeAt: Instant?
    var position: Position?
    var workers: [LiveWorker] = []

    var now: Instant { sighting.now }
    var record: JobRecord? { sighting.record }

    var keyConcurrency: Int? {
        record?.key.flatMap { limits.ofKeys[$0]?.concurrency } ?? limits.ofEachKey.concurrency
    }

    var keyRate: RateLimit? { record?.key.flatMap { limits.ofKeys[$0]?.rate } ?? limits.ofEachKey.rate }

    /// A worker as people know it.
    func name(of worker: String) -> String {
        workers.first { $0.id == worker }.map { "\(worker) (\($0.label))" } ?? worker
    }
}

extension JobReader {
    /// How many holders of a limit are named.
    static let holdersMax = 3
    /// How far into a list of waiting jobs is looked, so that the look is over in some milliseconds.
    static let positionMax = 200_000

    /// Reads what decides whether the job may run.
    func facts(_ sighting: JobSighting) async throws(JobError) -> JobFacts {
        var facts = JobFacts(sighting: sighting, queue: queue.name)
        facts.limits = try await queue.limits()
        facts.workers = try await liveWorkers()
        let replies = try await read([
            ["ZCARD", RedisArgument(keys.leased)],
            ["ZRANGE", RedisArgument(keys.leased), 0, RedisArgument(Self.holdersMax - 1)],
            ["ZSCORE", RedisArgument(keys.rates), ""],
        ])
        facts.leased = replies[0].int ?? 0
        facts.leasedFirst = try await holders((replies[1].array ?? []).compactMap(\.string))
        facts.queueFreeAt = Self.freeAt(facts.limits.rate, arrival: replies[2].double)
        guard let record = sighting.record, record.state == .available || record.state == .scheduled else {
            return facts
        }
        if let key = record.key {
            try await readKey(key, record, &facts)
        } else if record.state == .available {
            let list = keys.ready[min(max(record.priority ?? 0, 0), keys.ready.count - 1)]
            let place = try await read([
                [
                    "LPOS", RedisArgument(list), RedisArgument(record.id.rawValue), "MAXLEN",
                    RedisArgument(Self.positionMax),
                ],
                ["LLEN", RedisArgument(list)],
            ])
            if let ahead = place[0].int {
                facts.position = .inQueue(ahead: ahead)
            } else if (place[1].int ?? 0) > Self.positionMax {
                facts.position = .inQueuePast(Self.positionMax)
            }
        }
        return facts
    }

    private func readKey(_ key: String, _ record: JobRecord, _ facts: inout JobFacts) async throws(JobError) {
        let from = RedisArgument("[\(key) ")
        let to = RedisArgument("(\(key)!")
        let level = record.priority ?? 0
        let member = "\(key) \(level)\(facts.sighting.sequence ?? "") \(record.id)"
        let replies = try await read([
            ["ZLEXCOUNT", RedisArgument(keys.held), from, to],
            ["ZRANGEBYLEX", RedisArgument(keys.held), from, to, "LIMIT", 0, RedisArgument(Self.holdersMax)],
            ["ZSCORE", RedisArgument(keys.rates), RedisArgument(key)],
            ["ZSCORE", RedisArgument(keys.groups), RedisArgument(member)],
            ["ZLEXCOUNT", RedisArgument(keys.groups), from, RedisArgument("(" + member)],
            ["ZRANK", RedisArgument(keys.ring), RedisArgument(key)],
            ["ZCOUNT", RedisArgument(keys.ring), "-inf", RedisArgument("(\(Int64(level) * Self.turnsOfLevel)")],
        ])
        facts.held = replies[0].int ?? 0
        facts.heldFirst = try await holders(
            (replies[1].array ?? []).compactMap(\.string).map { String($0.dropFirst(key.count + 1)) })
        facts.keyFreeAt = Self.freeAt(facts.keyRate, arrival: replies[2].double)
        guard !replies[3].isNull else { return }
        let keysAhead = replies[5].int.map { max(0, $0 - (replies[6].int ?? 0)) }
        facts.position = .inKey(ahead: replies[4].int ?? 0, keysAhead: keysAhead)
    }

    private func holders(_ ids: [String]) async throws(JobError) -> [JobFacts.Holder] {
        guard !ids.isEmpty else { return [] }
        let states = try await read([["HMGET", RedisArgument(keys.attempts)] + ids.map { RedisArgument($0) }])[0]
        return zip(ids, states.array ?? []).map { id, state in
            JobFacts.Holder(job: JobID(id), worker: state.string.flatMap { StoredState($0)?.worker })
        }
    }

    private func liveWorkers() async throws(JobError) -> [JobFacts.LiveWorker] {
        try await JobWorkers(queue: queue).list().map { entry in
            JobFacts.LiveWorker(
                id: entry.id, label: "\(entry.worker.name) on \(entry.worker.host)", kinds: Set(entry.worker.kinds),
                isQuiet: entry.worker.state != .running)
        }
    }

    /// The ring orders keys by priority · this + turn.
    private static let turnsOfLevel: Int64 = 1_000_000_000_000

    /// When a rate lets one more start, by its theoretical arrival time in ms (GCRA, as reserve.lua judges it).
    private static func freeAt(_ rate: RateLimit?, arrival: Double?) -> Instant? {
        guard let rate, let arrival else { return nil }
        let interval = Double(rate.period.milliseconds) / Double(rate.count)
        return Instant(milliseconds: Int64((arrival - Double(rate.burst - 1) * interval).rounded(.up)))
    }
}

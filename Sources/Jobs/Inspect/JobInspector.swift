import GameModel
import Redis

/// The operator's view of a queue's jobs: which are where, what is kept of one, why it does not move, and its life.
///
/// It only reads, in pages, by the queue's own keys, and never holds Redis up. What it says is not of one moment: a job
/// that moves meanwhile may be missed.
public struct JobInspector: Sendable {
    public let queue: JobQueue
    let reader: JobReader

    public init(queue: JobQueue) {
        self.queue = queue
        reader = JobReader(queue: queue)
    }

    /// The clock of Redis, by which all times of records go.
    public func now() async throws(JobError) -> Instant { try await reader.now() }

    /// The jobs of one state for which the filter holds: the next ones first where they wait, the newest first where
    /// they have ended. Without their payloads and results.
    ///
    /// It looks at jobs until it has `limit` of them: a filter that few hold for may look at all.
    public func list(
        state: JobState, matching filter: JobFilter = JobFilter(), limit: Int = 100
    ) async throws(JobError) -> [JobRecord] {
        let now = try await reader.now()
        var pages = JobPages(reader, state)
        var found: [JobRecord] = []
        let pageMax = filter == JobFilter() ? min(max(limit, 1), JobReader.pageMax) : JobReader.pageMax
        while found.count < limit, let entries = try await pages.page(pageMax) {
            found += try await reader.records(entries, in: state).filter { filter.matches($0, at: now) }
        }
        return Array(found.prefix(max(limit, 0)))
    }

    /// What is kept of a job, with its payload or its result; `nil` where it was never enqueued, was cancelled, or was
    /// completed and no result is kept.
    public func job(_ id: JobID) async throws(JobError) -> JobRecord? { try await reader.sight(id).record }

    /// Why the job is where it is and does not run, or does: sentences for a person, the weightiest first; never empty.
    public func why(_ id: JobID) async throws(JobError) -> [String] {
        let sighting = try await reader.sight(id)
        return JobReasons(try await reader.facts(sighting)).lines
    }

    /// What happened to the job and when, as far as it is kept, oldest first; then what is to come. Empty where no such
    /// job is known.
    public func life(_ id: JobID) async throws(JobError) -> [LifeEvent] {
        let sighting = try await reader.sight(id)
        return sighting.record.map { LifeEvent.all(of: $0, at: sighting.now) } ?? []
    }
}

/// What one look at a job shows.
struct JobSighting: Sendable {
    let id: JobID
    /// By the clock of Redis.
    let now: Instant
    var record: JobRecord?
    /// Its place among the waiting jobs of its key.
    var sequence: String?
    /// It was cancelled while it waited, and its place in the list is not dropped yet.
    var isTombstone = false
    /// The first of the jobs that a blocked one waits for, and how many they are.
    var waitsFor: [JobID] = []
    var waitsForCount = 0
    /// The jobs of its batch are not all enqueued yet.
    var isBatchOpen = false
}

extension JobReader {
    /// How many of the jobs that a blocked one waits for are named.
    static let waitsForMax = 5

    /// Finds a job, wherever it is.
    func sight(_ id: JobID) async throws(JobError) -> JobSighting {
        let name = RedisArgument(id.rawValue)
        func hash(_ key: RedisKey) -> [RedisArgument] { ["HGET", RedisArgument(key), name] }
        func score(_ key: RedisKey) -> [RedisArgument] { ["ZSCORE", RedisArgument(key), name] }
        let from = RedisArgument("[\(id) ")
        let to = RedisArgument("(\(id)!")
        let replies = try await read([
            ["TIME"], hash(keys.jobs), hash(keys.attempts), score(keys.later), score(keys.leased), score(keys.dead),
            hash(keys.results), score(keys.done), hash(keys.progress),
            ["ZLEXCOUNT", RedisArgument(keys.waits), from, to],
            ["ZRANGEBYLEX", RedisArgument(keys.waits), from, to, "LIMIT", 0, RedisArgument(Self.waitsForMax + 1)],
        ])
        var sighting = JobSighting(id: id, now: try Self.instant(replies[0]))
        let envelope = replies[1].bytes
        sighting.isTombstone = envelope.map(JobRecord.isTombstone) ?? false
        sighting.sequence = envelope.flatMap { Envelope($0)?.words.sequence }
        let stored = replies[2].string
        let waits = (replies[10].array ?? []).compactMap(\.string).map { $0.dropFirst(id.rawValue.count + 1) }
        let (state, time): (JobState, Double?) =
            if let buried = replies[5].double {
                (.dead, buried)
            } else if let expiry = replies[4].double {
                (.leased, expiry)
            } else if let due = replies[3].double {
                (.scheduled, due)
            } else if stored == Self.waitingState {
                (.blocked, nil)
            } else {
                (.available, nil)
            }
        sighting.record =
            JobRecord(
                id, of: queue.name, in: state, score: time, envelope: envelope, stored: stored,
                progress: replies[8].string, keepsPayload: true)
            ?? replies[6].bytes.flatMap { JobResult(id: id, $0) }
            .map { JobRecord($0, of: queue.name, keptUntil: replies[7].double, keepsResult: true) }
        if state == .blocked {
            sighting.isBatchOpen = waits.contains { $0.isEmpty }
            sighting.waitsFor = waits.filter { !$0.isEmpty }.prefix(Self.waitsForMax).map { JobID(String($0)) }
            sighting.waitsForCount = (replies[9].int ?? 0) - (sighting.isBatchOpen ? 1 : 0)
        }
        return sighting
    }

    /// The value in `attempts` of a job that waits for others.
    private static let waitingState = "W"
}

import GameModel
import Redis

/// The dead letters of a queue, many at once: look, count, put back, forget.
///
/// Each call goes once through the letters that were there when it began, oldest first, in pages: a job that is put
/// back and buried again is not met a second time. What is buried or taken away meanwhile may be missed.
public struct DeadLetters: Sendable {
    public let queue: JobQueue
    private let reader: JobReader

    public init(queue: JobQueue) {
        self.queue = queue
        reader = JobReader(queue: queue)
    }

    /// What a filter holds for.
    public struct Tally: Sendable, Hashable, Codable {
        public var count = 0
        public var payloadBytes = 0
        public var byReason: [String: Int] = [:]
        public var byKind: [String: Int] = [:]

        public init() {}

        fileprivate mutating func add(_ record: JobRecord) {
            count += 1
            payloadBytes += record.payloadBytes ?? 0
            byReason[record.reason ?? "-", default: 0] += 1
            byKind[record.kind, default: 0] += 1
        }
    }

    /// What became of the letters that a filter held for.
    public struct Redriven: Sendable, Hashable, Codable {
        /// They wait for their turn now.
        public var redriven = 0
        /// Another job has their unique key now; they stay dead.
        public var notUnique = 0
        /// They left the dead letters while this went on.
        public var gone = 0

        public init() {}
    }

    /// The letters for which the filter holds, the newest first.
    public func list(matching filter: JobFilter = JobFilter(), limit: Int = 100) async throws(JobError) -> [JobRecord] {
        try await JobInspector(queue: queue).list(state: .dead, matching: filter, limit: limit)
    }

    /// For how many letters the filter holds: what `redrive` and `purge` would do, without doing it.
    /// - Parameter limit: stop at so many.
    public func count(matching filter: JobFilter = JobFilter(), limit: Int? = nil) async throws(JobError) -> Tally {
        var tally = Tally()
        try await each(filter, limit) { records throws(JobError) in
            for record in records { tally.add(record) }
            return []
        }
        return tally
    }

    /// Lets the letters run again, as if new: attempts and crashes begin anew, the history stays.
    /// - Parameter limit: the oldest so many.
    @discardableResult
    public func redrive(matching filter: JobFilter = JobFilter(), limit: Int? = nil) async throws(JobError) -> Redriven
    {
        var total = Redriven()
        try await each(filter, limit) { records throws(JobError) in
            let ids = records.map(\.id)
            var left: Set<JobID> = []
            for (id, reply) in zip(ids, try await queue.redrive(ids)) {
                switch reply {
                case .available:
                    total.redriven += 1
                    left.insert(id)
                case .notUnique: total.notUnique += 1
                case .unknown, .notDead:
                    total.gone += 1
                    left.insert(id)
                }
            }
            return left
        }
        return total
    }

    /// Forgets the letters for good; answers how many.
    /// - Parameter limit: the oldest so many.
    @discardableResult
    public func purge(matching filter: JobFilter = JobFilter(), limit: Int? = nil) async throws(JobError) -> Int {
        var total = 0
        try await each(filter, limit) { records throws(JobError) in
            let ids = records.map(\.id)
            total += try await queue.purge(ids).count { $0 }
            return Set(ids)
        }
        return total
    }

    /// Gives the letters for which the filter holds to the body, a page at a time; it answers which of them have left.
    private func each(
        _ filter: JobFilter, _ limit: Int?, _ body: ([JobRecord]) async throws(JobError) -> Set<JobID>
    ) async throws(JobError) {
        let begin = try await reader.now()
        var left = limit ?? .max
        if let ids = filter.ids {
            for chunk in Array(ids).sorted().chunks(of: JobReader.pageMax) where left > 0 {
                let matching = try await matching(try await entries(of: chunk), filter, begin).prefix(left)
                if !matching.isEmpty { _ = try await body(Array(matching)) }
                left -= matching.count
            }
            return
        }
        // The place is a score and how many of that score stay behind, as letters that leave shift all ranks.
        var (score, skip) = ("-inf", 0)
        while left > 0 {
            let entries = JobReader.entries(
                try await reader.read([
                    [
                        "ZRANGEBYSCORE", RedisArgument(reader.keys.dead), RedisArgument(score),
                        RedisArgument(begin.milliseconds), "WITHSCORES", "LIMIT", RedisArgument(skip),
                        RedisArgument(JobReader.pageMax),
                    ]
                ])[0])
            guard let last = entries.last?.score else { return }
            let matching = try await matching(entries, filter, begin).prefix(left)
            let gone = matching.isEmpty ? [] : try await body(Array(matching))
            left -= matching.count
            guard entries.count == JobReader.pageMax else { return }
            let staying = entries.count { $0.score == last && !gone.contains($0.id) }
            let next = String(Int64(last))
            skip = (next == score ? skip : 0) + staying
            score = next
        }
    }

    private func matching(
        _ entries: [JobReader.Entry], _ filter: JobFilter, _ now: Instant
    ) async throws(JobError) -> [JobRecord] {
        try await reader.records(entries, in: .dead).filter { filter.matches($0, at: now) }
    }

    /// Of named jobs, those that are dead.
    private func entries(of ids: [JobID]) async throws(JobError) -> [JobReader.Entry] {
        let scores =
            try await reader.read([
                ["ZMSCORE", RedisArgument(reader.keys.dead)] + ids.map { RedisArgument($0.rawValue) }
            ])[0].array ?? []
        return zip(ids, scores).compactMap { id, score in
            score.double.map { JobReader.Entry(id: id, score: $0) }
        }
    }
}

extension Array {
    fileprivate func chunks(of count: Int) -> [[Element]] {
        stride(from: 0, to: self.count, by: count).map { Array(self[$0..<Swift.min($0 + count, self.count)]) }
    }
}

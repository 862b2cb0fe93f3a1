import GameModel
import Redis

/// Plain reads of one queue's keys, many in one write: what the inspector and the dead letters are made from. They are
/// not of one moment, so a job that moves meanwhile may be missed, or be seen where it was.
struct JobReader: Sendable {
    let queue: JobQueue

    var keys: JobKeys { queue.keys }

    /// The most jobs that one round reads.
    static let pageMax = JobScripts.batchMax
    /// Bytes of envelopes that one round reads at most, where not a single one is larger.
    private static let roundBytesMax = 8 << 20

    /// A job and, where its state has one, its time in ms.
    struct Entry: Sendable {
        var id: JobID
        var score: Double?
    }

    func read(_ commands: [[RedisArgument]]) async throws(JobError) -> [RESPValue] {
        let replies: [RESPValue]
        do {
            replies = try await queue.redis.pipeline(commands.map { RedisCommand($0, isSafeToRepeat: true) })
        } catch {
            throw .redis(error)
        }
        for case .error(let text) in replies { throw .redis(.server(text)) }
        guard replies.count == commands.count else { throw .unexpectedReply("\(replies.count) replies") }
        return replies
    }

    /// The clock of Redis.
    func now() async throws(JobError) -> Instant { try Self.instant(await read([["TIME"]])[0]) }

    static func instant(_ reply: RESPValue) throws(JobError) -> Instant {
        guard let parts = reply.array, parts.count == 2, let seconds = parts[0].int, let micros = parts[1].int else {
            throw .unexpectedReply("TIME answered \(reply)")
        }
        return Instant(milliseconds: Int64(seconds) * 1000 + Int64(micros) / 1000)
    }

    /// What is kept of these jobs, in their order; those that are not in this state (any more) are left out.
    func records(_ entries: [Entry], in state: JobState) async throws(JobError) -> [JobRecord] {
        guard !entries.isEmpty else { return [] }
        let place = state == .completed ? keys.results : keys.jobs
        // Sizes first: 500 payloads of half a megabyte would be too much for one reply, and for this process.
        let sizes = try await read(
            entries.map { ["HSTRLEN", RedisArgument(place), RedisArgument($0.id.rawValue)] })
        var records: [JobRecord] = []
        var start = 0
        var bytes = 0
        for index in entries.indices {
            bytes += sizes[index].int ?? 0
            let isFull = index + 1 < entries.count && bytes + (sizes[index + 1].int ?? 0) > Self.roundBytesMax
            guard isFull || index + 1 == entries.count else { continue }
            records += try await round(Array(entries[start...index]), in: state)
            (start, bytes) = (index + 1, 0)
        }
        return records
    }

    private func round(_ entries: [Entry], in state: JobState) async throws(JobError) -> [JobRecord] {
        func values(_ key: RedisKey) -> [RedisArgument] {
            ["HMGET", RedisArgument(key)] + entries.map { RedisArgument($0.id.rawValue) }
        }
        guard state != .completed else {
            let replies = try await read([values(keys.results)])
            return zip(entries, replies[0].array ?? []).compactMap { entry, bytes in
                bytes.bytes.flatMap { JobResult(id: entry.id, $0) }
                    .map { JobRecord($0, of: queue.name, keptUntil: entry.score, keepsResult: false) }
            }
        }
        let replies = try await read([values(keys.jobs), values(keys.attempts), values(keys.progress)])
        let columns = replies.map { $0.array ?? [] }
        guard columns.allSatisfy({ $0.count == entries.count }) else {
            throw .unexpectedReply("HMGET answered \(columns.map(\.count)) values for \(entries.count) jobs")
        }
        return entries.indices.compactMap { index in
            JobRecord(
                entries[index].id, of: queue.name, in: state, score: entries[index].score,
                envelope: columns[0][index].bytes, stored: columns[1][index].string,
                progress: columns[2][index].string, keepsPayload: false)
        }
    }

    /// The flat reply of a range `WITHSCORES`.
    static func entries(_ reply: RESPValue) -> [Entry] {
        let flat = reply.array ?? []
        return stride(from: 0, to: flat.count - 1, by: 2).compactMap { index in
            flat[index].string.map { Entry(id: JobID($0), score: flat[index + 1].double) }
        }
    }
}

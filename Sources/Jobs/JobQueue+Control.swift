import GameModel
import Redis

/// What operators, and code that looks after a queue, do with it at run time.
extension JobQueue {
    /// The limits in force.
    public func limits() async throws(JobError) -> QueueLimits { QueueLimits(fields: try await limitFields()) }

    /// Sets all limits as given; those that other processes set meanwhile are lost: see `changeLimits`.
    public func setLimits(_ limits: QueueLimits) async throws(JobError) {
        try limits.validate()
        let fields = limits.fields
        let gone = try await limitFields().keys.filter { fields[$0] == nil }
        try await setLimitFields(fields.merging(gone.map { ($0, "") }) { value, _ in value })
    }

    /// Changes some limits; only the fields that the body changes are written.
    @discardableResult
    public func changeLimits(_ body: (inout QueueLimits) -> Void) async throws(JobError) -> QueueLimits {
        let before = try await limits()
        var after = before
        body(&after)
        try after.validate()
        let (old, new) = (before.fields, after.fields)
        var changes = new.filter { old[$0.key] != $0.value }
        for field in old.keys where new[field] == nil { changes[field] = "" }
        if !changes.isEmpty { try await setLimitFields(changes) }
        return after
    }

    /// No worker takes a job any more, until `resume`; jobs that run go on, and jobs may be enqueued.
    public func pause() async throws(JobError) { try await setLimitFields(["paused": "1"]) }

    /// No job is taken in any more, until `resume`; those that are in are run. Enqueues are answered `.draining`.
    public func drain() async throws(JobError) { try await setLimitFields(["draining": "1"]) }

    /// Ends a pause and a drain.
    public func resume() async throws(JobError) { try await setLimitFields(["paused": "", "draining": ""]) }

    /// Lets dead letters run again as if new, and scheduled jobs (delayed, retrying, snoozed) run now.
    public func redrive(_ ids: [JobID]) async throws(JobError) -> [RedriveReply] {
        try await each(JobScripts.redrive, ids).map { reply in
            switch reply.string ?? reply.int.map(String.init) ?? "" {
            case "1": .available
            case "2": .notDead
            case let text where text.hasPrefix("u"): .notUnique(holder: JobID(String(text.dropFirst())))
            default: .unknown
            }
        }
    }

    /// Forgets dead letters for good; answers for each whether there was one.
    public func purge(_ ids: [JobID]) async throws(JobError) -> [Bool] {
        try await each(JobScripts.purge, ids).map { $0.int == 1 }
    }

    /// Moves a job to the dead letters by hand. A leased one's handler is cancelled at its worker's next renewal.
    public func bury(_ id: JobID, as bury: Bury) async throws(JobError) -> BuryReply {
        let reply = try await run(
            JobScripts.bury, keys: keys.all,
            [RedisArgument(id.rawValue), RedisArgument(bury.reason.rawValue), RedisArgument(bury.message)])
        return reply.int == 1 ? .buried : reply.int == 2 ? .dead : .unknown
    }

    /// Forgets dead letters and results that are over their limits; workers do this by themselves now and then.
    /// - Returns: how many of each were forgotten.
    @discardableResult
    public func retain() async throws(JobError) -> (deadLetters: Int, results: Int) {
        var total = (deadLetters: 0, results: 0)
        while true {
            let reply = try await run(JobScripts.retain, keys: keys.all, [RedisArgument(200)])
            guard let parts = reply.array?.compactMap(\.int), parts.count == 3 else {
                throw .unexpectedReply("retain answered \(reply)")
            }
            total.deadLetters += parts[0]
            total.results += parts[1]
            if parts[2] == 0 { return total }
        }
    }

    private func limitFields() async throws(JobError) -> [String: String] {
        let reply: RESPValue
        do {
            reply = try await redis.send(RedisCommand(["HGETALL", RedisArgument(keys.limits)], isSafeToRepeat: true))
        } catch {
            throw .redis(error)
        }
        var fields: [String: String] = [:]
        let flat = reply.array ?? []
        for index in stride(from: 0, to: flat.count - 1, by: 2) {
            if let field = flat[index].string { fields[field] = flat[index + 1].string }
        }
        return fields
    }

    private func setLimitFields(_ fields: [String: String]) async throws(JobError) {
        let arguments = fields.flatMap { [RedisArgument($0.key), RedisArgument($0.value)] }
        _ = try await run(JobScripts.limits, keys: keys.all, arguments, isSafeToRepeat: true)
    }
}

/// What became of a redrive.
public enum RedriveReply: Sendable, Hashable {
    /// The job waits, and runs when its turn comes.
    case available
    case unknown
    /// The job waits, runs, or waits for others already.
    case notDead
    /// Another job has its unique key now.
    case notUnique(holder: JobID)
}

/// What became of a burial by hand.
public enum BuryReply: Sendable, Hashable {
    case buried
    case unknown
    case dead
}

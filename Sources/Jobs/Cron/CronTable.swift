import GameModel
import Redis

/// The cron entries of a queue: what `CronScheduler` fires. Every call but `runNow` may be repeated.
public struct CronTable: Sendable {
    public let queue: JobQueue
    let nudges = CronNudges()
    private let keys: CronKeys

    public init(queue: JobQueue) {
        self.queue = queue
        keys = CronKeys(queue.name)
    }

    /// Adds an entry, or makes the one of that name like it. Processes may put the same entry at each start: one that
    /// is paused stays so, and the next tick stays due unless the schedule or its time zone changed. A new schedule
    /// begins now; ticks that the old one missed do not fire.
    /// - Throws: `invalid` where a limit is passed or the schedule has no tick within nine years; `redis`.
    @discardableResult
    public func put(_ entry: CronEntry) async throws(JobError) -> CronPutReply {
        let now = try await due(skipping: 0, limit: 0).now
        guard let due = entry.schedule.next(after: now) else {
            throw .invalid("the schedule '\(entry.schedule.text)' of \(entry.name) has no tick within nine years")
        }
        return try await put(entry, due: due)
    }

    /// - Parameter due: the first tick, where the entry is new or has another schedule.
    func put(_ entry: CronEntry, due: Instant) async throws(JobError) -> CronPutReply {
        try entry.validate()
        let reply = try await run(
            JobScripts.cronPut,
            [RedisArgument(entry.name.rawValue), RedisArgument(entry.definition), RedisArgument(due.milliseconds)])
        guard let number = reply.int, let change = CronPutReply(rawValue: number) else {
            throw .unexpectedReply("cron put answered \(reply)")
        }
        nudges.raise()
        return change
    }

    /// Removes an entry. Jobs that it has enqueued stay.
    /// - Returns: whether there was one.
    @discardableResult
    public func remove(_ name: CronName) async throws(JobError) -> Bool {
        try await run(JobScripts.cronRemove, [RedisArgument(name.rawValue)]).int == 1
    }

    /// All entries, by name.
    public func list() async throws(JobError) -> [CronStatus] {
        try await read(nil).entries.sorted { $0.name < $1.name }
    }

    /// Lets no tick fire until `resume`. Jobs that are enqueued already stay.
    /// - Returns: whether there is such an entry.
    @discardableResult
    public func pause(_ name: CronName) async throws(JobError) -> Bool {
        try await run(JobScripts.cronPause, [RedisArgument(name.rawValue)]).int == 1
    }

    /// Lets ticks fire again, from the next one on; those that passed meanwhile do not.
    /// - Returns: whether there is such an entry.
    /// - Throws: `invalid` where the stored schedule is none to this version; `redis`.
    @discardableResult
    public func resume(_ name: CronName) async throws(JobError) -> Bool {
        while true {
            let (now, entries) = try await read(name)
            guard let entry = entries.first else { return false }
            let due: Instant?
            do {
                due = try CronSchedule(entry.schedule, timeZone: entry.timeZone).next(after: now)
            } catch {
                throw .invalid("\(name) cannot be resumed: \(error)")
            }
            guard let due else { throw .invalid("the schedule of \(name) has no tick within nine years") }
            let reply = try await run(
                JobScripts.cronResume,
                [RedisArgument(name.rawValue), RedisArgument(entry.revision), RedisArgument(due.milliseconds)])
            // Otherwise the entry was changed or removed since it was read.
            if reply.int == 1 {
                nudges.raise()
                return true
            }
        }
    }

    /// Enqueues the entry's job at once, also where it is paused; its next tick stays due. The job's id is
    /// `cron-run.<name>.<Redis time in µs>`. Not to be repeated without need: each call is another job.
    /// - Returns: `nil` where there is no such entry.
    public func runNow(_ name: CronName) async throws(JobError) -> EnqueueReply? {
        let reply = try await queue.run(
            JobScripts.cronRun, keys: keys.forFiring, [RedisArgument(name.rawValue)])
        guard let parts = reply.array else { throw .unexpectedReply("cron run answered \(reply)") }
        if parts.isEmpty { return nil }
        guard parts.count == 2, let id = parts[0].string else {
            throw .unexpectedReply("cron run answered \(reply)")
        }
        return EnqueueReply(parts[1], JobID(id))
    }

    /// The entries whose tick has come, by the clock of Redis; at most 100 unless said.
    /// - Parameter skipping: so many of them, the longest due ones.
    func due(skipping: Int, limit: Int = Self.dueMax) async throws(JobError) -> DueEntries {
        let reply = try await run(JobScripts.cronDue, [RedisArgument(skipping), RedisArgument(limit)])
        guard let due = DueEntries(reply) else { throw .unexpectedReply("cron due answered \(reply)") }
        return due
    }

    static let dueMax = 100

    /// Fires what was planned, if the entry is still due at the same tick by the same definition.
    /// - Returns: what became of each tick's job; `nil` where another scheduler was first, or the entry was changed,
    ///   paused or removed.
    func fire(_ entry: DueEntry, _ plan: TickPlan) async throws(JobError) -> [EnqueueReply]? {
        var arguments = [
            RedisArgument(entry.name), RedisArgument(entry.due.milliseconds), RedisArgument(entry.revision),
            plan.next.map { RedisArgument($0.milliseconds) } ?? "",
        ]
        arguments += plan.ticks.map { RedisArgument($0.milliseconds) }
        // Safe to repeat: the second run finds another tick due and does nothing.
        let reply = try await queue.run(
            JobScripts.cronFire, keys: keys.forFiring, arguments, isSafeToRepeat: true)
        guard let parts = reply.array, let isFirst = parts.first?.int,
            isFirst == 0 || parts.count == plan.ticks.count + 1
        else { throw .unexpectedReply("cron fire answered \(reply)") }
        guard isFirst == 1 else { return nil }
        return zip(plan.ticks, parts.dropFirst()).map { tick, reply in
            EnqueueReply(reply, JobID("cron.\(entry.name).\(tick.milliseconds)"))
        }
    }

    private func read(_ name: CronName?) async throws(JobError) -> (now: Instant, entries: [CronStatus]) {
        let reply = try await run(JobScripts.cronList, name.map { [RedisArgument($0.rawValue)] } ?? [])
        guard let fields = reply.array, let time = fields.first?.int, fields.count % 4 == 1 else {
            throw .unexpectedReply("cron list answered \(reply)")
        }
        let now = Instant(milliseconds: Int64(time))
        let entries = try stride(from: 1, to: fields.count, by: 4).map { index throws(JobError) in
            guard let entry = CronStatus(fields[index..<index + 4], now: now) else {
                throw .unexpectedReply("the cron entry \(fields[index].string ?? "?") is of a form unknown here")
            }
            return entry
        }
        return (now, entries)
    }

    private func run(_ script: RedisScript, _ arguments: [RedisArgument]) async throws(JobError) -> RESPValue {
        try await queue.run(script, keys: keys.own, arguments, isSafeToRepeat: true)
    }
}

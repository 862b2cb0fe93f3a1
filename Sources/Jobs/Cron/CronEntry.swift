import GameModel

/// The name of a cron entry, unique in its queue: 1 to 120 visible ASCII characters.
public struct CronName: Identifier {
    public let rawValue: String

    /// Wraps a name that is known to be valid (a literal, or one made of valid parts).
    public init(_ text: String) { rawValue = text }

    /// Wraps a name from outside; `nil` where it is not of the form above.
    public init?(rawValue: String) {
        // The ids of its jobs are longer by up to 26 characters, and have 200 at most.
        guard rawValue.utf8.count <= 120, JobID(rawValue: rawValue) != nil else { return nil }
        self.init(rawValue)
    }
}

/// A job that is enqueued again and again: at each tick of a schedule, once, whichever of any number of schedulers sees
/// it first. The job of a tick has the id `cron.<name>.<tick in Unix ms>`; see `CronTick`.
public struct CronEntry: Sendable, Hashable {
    public let name: CronName
    public let schedule: CronSchedule
    public let missed: MissedTicks
    /// What is enqueued; its id and time are those of the tick.
    let job: EncodedJob

    /// - Parameters:
    ///   - schedule: see `CronSchedule`.
    ///   - timeZone: an IANA name.
    ///   - options: those of the kind, unless given. With `unique`, a tick at which the last job still lives passes.
    /// - Throws: `CronScheduleError`, or `JobError` where the job can't be encoded.
    public init<J: Job>(
        name: CronName, schedule: String, timeZone: String = "UTC", job: J, options: JobOptions? = nil,
        missed: MissedTicks = .skip
    ) throws {
        try self.init(
            name: name, schedule: CronSchedule(schedule, timeZone: timeZone),
            job: EncodedJob(job, id: Self.template(name), options: options), missed: missed)
    }

    /// - Parameter job: its id, time and trace are not used.
    public init(name: CronName, schedule: CronSchedule, job: EncodedJob, missed: MissedTicks = .skip) {
        self.name = name
        self.schedule = schedule
        self.missed = missed
        // A trace would be that of the process that put the entry, and make every put another definition.
        self.job = EncodedJob(
            id: Self.template(name), kind: job.kind, payload: job.payload, payloadVersion: job.payloadVersion,
            options: job.options, trace: [:])
    }

    private static func template(_ name: CronName) -> JobID { JobID("cron.\(name.rawValue)") }

    /// Refuses what the scripts could not carry.
    func validate() throws(JobError) {
        guard CronName(rawValue: name.rawValue) != nil else {
            throw .invalid("a cron entry's name has 1 to 120 visible ASCII characters, unlike \"\(name.rawValue)\"")
        }
        if case .all(let max) = missed, !MissedTicks.limits.contains(max) {
            throw .invalid("missed ticks of \(name) are limited to 1 to 500 firings, not \(max)")
        }
        try job.validate()
    }

    /// What Redis keeps, after the version and the revision: `<when> <missed> <kind> <zone> <schedule>`, a line feed,
    /// and the job's specification.
    var definition: [UInt8] {
        let head = "\(job.when) \(missed) \(job.kind) \(schedule.timeZone) \(schedule.text)\n"
        return Array(head.utf8) + job.specification
    }
}

/// Of which entry and which tick a job is, read from its id: so a handler knows for which hour it makes its report,
/// also when it runs late.
public struct CronTick: Sendable, Hashable {
    public let entry: CronName
    /// When the tick was due.
    public let due: Instant

    /// `nil` where the job is of no tick: of no cron entry, or run by hand.
    public init?(_ id: JobID) {
        let text = id.rawValue
        guard text.hasPrefix("cron."), let dot = text.lastIndex(of: "."),
            let due = Int64(text[text.index(after: dot)...])
        else { return nil }
        guard let entry = CronName(rawValue: String(text[..<dot].dropFirst("cron.".count))) else { return nil }
        self.entry = entry
        self.due = Instant(milliseconds: due)
    }
}

import GameModel
import Redis

/// What a cron table says of an entry, all of one moment.
public struct CronStatus: Sendable, Hashable {
    public let name: CronName
    /// The expression; see `CronSchedule`.
    public let schedule: String
    /// An IANA name.
    public let timeZone: String
    public let kind: String
    public let missed: MissedTicks
    public let isPaused: Bool
    /// The next tick; `nil` while the entry is paused.
    public let nextDue: Instant?
    /// How long until then, by the clock of Redis; negative where no scheduler has fired it yet.
    public let nextIn: Duration?
    /// The last tick whose job was enqueued.
    public let lastTick: Instant?
    /// When a job was last enqueued, by a tick or by hand, in Redis time.
    public let lastFiredAt: Instant?
    public let lastJob: JobID?
    /// How many jobs it has put in.
    public let fired: Int
    /// How many ticks the queue refused: the unique job of an earlier one still lived, or the queue was full or
    /// draining.
    public let refused: Int
    let revision: String

    /// - Parameter fields: four of a reply of cron_list.lua.
    init?(_ fields: ArraySlice<RESPValue>, now: Instant) {
        let texts = fields.compactMap(\.string)
        guard texts.count == 4, let name = CronName(rawValue: texts[0]), let definition = CronDefinition(texts[1])
        else { return nil }
        let state = texts[2].split(separator: " ")
        guard state.count == 6, let tick = Int64(state[1]), let firedAt = Int64(state[2]), let fired = Int(state[3]),
            let refused = Int(state[4])
        else { return nil }
        self.name = name
        schedule = definition.schedule
        timeZone = definition.timeZone
        kind = definition.kind
        missed = definition.missed
        revision = definition.revision
        isPaused = state[0] == "1"
        nextDue = Int64(texts[3]).map { Instant(milliseconds: $0) }
        nextIn = nextDue.map { $0 - now }
        lastTick = tick == 0 ? nil : Instant(milliseconds: tick)
        lastFiredAt = firedAt == 0 ? nil : Instant(milliseconds: firedAt)
        lastJob = state[5] == "-" ? nil : JobID(String(state[5]))
        self.fired = fired
        self.refused = refused
    }
}

/// What became of a put.
public enum CronPutReply: Int, Sendable, Hashable {
    case unchanged
    case added
    case changed
}

import Redis

/// One consistent view of a queue. `isBalanced` holds at every moment: no job is lost or doubled by a transition.
public struct QueueCounts: Sendable, Hashable, Codable {
    /// Jobs that could run now.
    public var waiting = 0
    /// Delayed, retrying and snoozed jobs.
    public var later = 0
    public var leased = 0
    public var dead = 0
    /// Jobs that wait until others have ended.
    public var blocked = 0
    /// How long ago the oldest of the jobs next in line was enqueued, in ms; `nil` where none waits.
    public var oldestWaitingMs: Int?

    // Counters since the queue's keys came to be.
    public var enqueued = 0
    public var completed = 0
    /// Failed attempts that will be tried again.
    public var retried = 0
    public var buried = 0
    /// Leases that ran out and whose job went back to the ready ones.
    public var recovered = 0
    public var cancelled = 0
    /// Attempts handed back or snoozed.
    public var released = 0
    /// Dead letters that were made to run again.
    public var redriven = 0
    /// Dead letters that were forgotten, by hand or by the queue's limits.
    public var purged = 0
    /// Waiting jobs that were dropped to make room: see `QueueLimits.overflow`.
    public var shed = 0

    /// Bytes of all jobs that live or are dead, as enqueued; those of the dead letters alone; those of kept results.
    public var bytes = 0
    public var deadBytes = 0
    public var resultBytes = 0

    public init() {}

    /// enqueued = completed + waiting + leased + later + blocked + dead + cancelled + purged + shed.
    public var isBalanced: Bool { enqueued == accounted }

    /// Jobs of which it is known what became of them.
    public var accounted: Int {
        completed + waiting + leased + later + blocked + dead + cancelled + purged + shed
    }

    init?(_ reply: RESPValue) {
        guard let parts = reply.array, parts.count == 6, let stats = parts[5].array else { return nil }
        let numbers = parts[0..<5].compactMap(\.int)
        guard numbers.count == 5 else { return nil }
        waiting = numbers[0]
        later = numbers[1]
        leased = numbers[2]
        dead = numbers[3]
        oldestWaitingMs = numbers[4] < 0 ? nil : numbers[4]
        for index in stride(from: 0, to: stats.count - 1, by: 2) {
            guard let name = stats[index].string, let value = stats[index + 1].int else { return nil }
            switch name {
            case "enqueued": enqueued = value
            case "completed": completed = value
            case "retried": retried = value
            case "buried": buried = value
            case "recovered": recovered = value
            case "cancelled": cancelled = value
            case "released": released = value
            case "redriven": redriven = value
            case "purged": purged = value
            case "shed": shed = value
            case "blocked": blocked = value
            case "bytes": bytes = value
            case "deadBytes": deadBytes = value
            case "doneBytes": resultBytes = value
            default: break
            }
        }
    }
}

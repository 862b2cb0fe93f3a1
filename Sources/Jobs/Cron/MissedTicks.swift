import GameModel

/// What becomes of ticks at which no scheduler ran, or Redis was away.
public enum MissedTicks: Sendable, Hashable, CustomStringConvertible {
    /// Ticks that are more than 60 s late do not fire.
    case skip
    /// All missed ticks together fire once, as the oldest of them.
    case once
    /// Each fires, the oldest first, at most so many (1 to 500); the newer ones beyond that do not.
    case all(max: Int)

    /// How late a tick may be under `skip`.
    public static let tolerance = Duration.seconds(60)
    /// What one call of the script enqueues.
    static let limits = 1...500

    /// Which ticks fire now, oldest first, and when the next one is due. Replicas that judge the same due time at
    /// nearly the same moment may come to other plans; the script carries out one of them.
    /// - Parameters:
    ///   - due: the oldest tick that has not fired, not later than `now`.
    ///   - now: the time of Redis.
    func plan(due: Instant, now: Instant, schedule: CronSchedule) -> TickPlan {
        var ticks: [Instant] = []
        var tick: Instant? = due
        let limit: Int
        switch self {
        case .once: limit = 1
        case .all(let max): limit = max
        case .skip:
            limit = Self.limits.upperBound
            if now - due > Self.tolerance {
                tick = schedule.next(after: now - Self.tolerance - .milliseconds(1))
            }
        }
        while let late = tick, late <= now, ticks.count < limit {
            ticks.append(late)
            tick = schedule.next(after: late)
        }
        if let late = tick, late <= now { tick = schedule.next(after: now) }
        return TickPlan(ticks: ticks, next: tick)
    }

    /// `skip`, `once` or `all:10`; also the form in Redis.
    public var description: String {
        switch self {
        case .skip: "skip"
        case .once: "once"
        case .all(let max): "all:\(max)"
        }
    }

    /// Reads the form in Redis; `nil` where it is of another form.
    init?(text: some StringProtocol) {
        switch text {
        case "skip": self = .skip
        case "once": self = .once
        default:
            guard text.hasPrefix("all:"), let max = Int(text.dropFirst("all:".count)), Self.limits.contains(max) else {
                return nil
            }
            self = .all(max: max)
        }
    }
}

/// What a scheduler does about an entry that is due.
struct TickPlan: Sendable, Hashable {
    let ticks: [Instant]
    let next: Instant?
}

import GameModel

/// How a job is run. Set per kind; an enqueue may give others.
public struct JobOptions: Sendable, Hashable {
    /// Lower runs first, more often: see `QueueLimits.weights`.
    public static let priorities = 0...3

    /// How often the job may be started, 1 or more. Attempts that are handed back or snoozed don't count.
    public var maxAttempts: Int
    /// 0 to 3, lower first.
    public var priority: Int
    /// The wait between attempts.
    public var backoff: Backoff
    /// How long one attempt may take; past it the handler is cancelled and the attempt failed. `nil`: for ever.
    public var timeout: Duration?
    /// How old, since it was enqueued, a job may be to be tried again; an older one that fails is buried. `nil`: any.
    public var giveUpAfter: Duration?
    /// How many workers the job may take down with it, or lose: with this many it is buried as `crashed`, whatever
    /// attempts are left, so that a poisonous job does not end one worker after the other.
    public var maxCrashes: Int
    /// One live job per key: another is refused while this one lives.
    public var unique: Uniqueness?
    /// The key (match, player, region, tenant…) by which limits are counted and turns are taken: jobs of one key run in
    /// order, keys take turns fairly. 1 to 200 visible ASCII characters.
    public var key: String?
    /// How long after it was enqueued a job may first be started; later it is buried as `expired`. `nil`: any time.
    public var startWithin: Duration?
    /// How long the result, and the record of a completed job, is kept. `nil`: not at all.
    public var keepResult: Duration?

    public init(
        maxAttempts: Int = 20, priority: Int = 0, backoff: Backoff = .standard, timeout: Duration? = nil,
        giveUpAfter: Duration? = nil, maxCrashes: Int = Self.maxCrashesStandard, unique: Uniqueness? = nil,
        key: String? = nil, startWithin: Duration? = nil, keepResult: Duration? = nil
    ) {
        self.maxAttempts = maxAttempts
        self.priority = priority
        self.backoff = backoff
        self.timeout = timeout
        self.giveUpAfter = giveUpAfter
        self.maxCrashes = maxCrashes
        self.unique = unique
        self.key = key
        self.startWithin = startWithin
        self.keepResult = keepResult
    }

    /// A job whose worker died twice is quarantined.
    public static let maxCrashesStandard = 2

    /// The `name=value` words of an envelope that say other than the standard options; each with a space before it.
    var words: String {
        var words = ""
        func add(_ name: String, _ value: String?) {
            if let value { words += " \(name)=\(value)" }
        }
        func add(_ name: String, _ duration: Duration?) { add(name, duration.map { String($0.milliseconds) }) }
        if backoff != .standard { add("b", backoff.text) }
        if maxCrashes != Self.maxCrashesStandard { add("c", String(maxCrashes)) }
        add("t", timeout)
        add("a", giveUpAfter)
        add("u", unique?.key)
        add("uw", unique?.window)
        add("g", key)
        add("x", startWithin)
        add("k", keepResult)
        return words
    }

    /// Whether the scripts must read the words: see `Envelope`.
    var hasExtras: Bool { unique != nil || key != nil || startWithin != nil || keepResult != nil }

    /// Refuses what the scripts could not carry.
    func validate() throws(JobError) {
        guard Self.priorities.contains(priority) else { throw .invalid("a priority is 0 to 3, not \(priority)") }
        guard (1...1_000_000).contains(maxAttempts) else {
            throw .invalid("maxAttempts is 1 to 1000000, not \(maxAttempts)")
        }
        guard (1...1_000_000).contains(maxCrashes) else {
            throw .invalid("maxCrashes is 1 to 1000000, not \(maxCrashes)")
        }
        for (name, text) in [("unique key", unique?.key), ("key", key)] {
            guard let text else { continue }
            guard JobID(rawValue: text) != nil else {
                throw .invalid("a \(name) has 1 to 200 visible ASCII characters, unlike \"\(text)\"")
            }
        }
        for (name, duration) in [
            ("timeout", timeout), ("giveUpAfter", giveUpAfter), ("unique window", unique?.window),
            ("startWithin", startWithin), ("keepResult", keepResult),
        ] {
            guard let duration else { continue }
            guard duration >= .milliseconds(1) else { throw .invalid("\(name) is 1 ms or more, not \(duration)") }
        }
    }
}

/// One live job per key in its queue. The lock is taken by the enqueue and dies with the job: when it is completed,
/// buried, cancelled or removed, or, where a window is given, when that has passed since the enqueue, whichever is
/// first.
public struct Uniqueness: Sendable, Hashable {
    /// 1 to 200 visible ASCII characters.
    public var key: String
    public var window: Duration?

    public init(_ key: String, window: Duration? = nil) {
        self.key = key
        self.window = window
    }
}

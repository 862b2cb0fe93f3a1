import GameModel
import Redis

/// What a queue allows, at run time and for all its workers together: the scripts judge it when jobs are put in and
/// taken.
public struct QueueLimits: Sendable, Hashable {
    /// Jobs wait; those that run go on.
    public var isPaused = false
    /// No jobs are taken in; those that are in are run.
    public var isDraining = false
    /// How many jobs may be leased at the same time. `nil`: any number.
    public var concurrency: Int?
    /// How many jobs may be started in a time.
    public var rate: RateLimit?
    /// The same for the jobs of each key (`JobOptions.key`) …
    public var ofEachKey = KeyLimit()
    /// … and for single keys, where it wins; what it leaves `nil` is as for each key.
    public var ofKeys: [String: KeyLimit] = [:]
    /// How the four priorities share the workers while jobs of several wait: of 85 jobs taken 64, 16, 4 and 1, so that
    /// none starves. Four numbers, 1 to 1000.
    public var weights = [64, 16, 4, 1]
    /// The most jobs that may be in the queue, without dead letters.
    public var jobsMax: Int?
    /// The most bytes that their envelopes may have.
    public var bytesMax: Int?
    /// What happens to a job over `jobsMax` or `bytesMax`.
    public var overflow = Overflow.reject
    /// How long dead letters are kept. `nil`: for ever.
    public var deadAge: Duration?
    /// The most bytes of dead letters; the oldest go first.
    public var deadBytes: Int?
    /// The most bytes of results; those that would go soonest go first.
    public var resultBytes: Int?

    public init() {}

    public enum Overflow: String, Sendable, Hashable, CaseIterable {
        /// It is not enqueued, and its caller told `.full`.
        case reject
        /// The oldest waiting jobs of the lowest priority are dropped for it, and counted as `shed`. Jobs that have a
        /// key, run, or wait for a time are not dropped; where there are no others, `.full`.
        case shed
    }
}

/// What the jobs of one key may do.
public struct KeyLimit: Sendable, Hashable {
    public var concurrency: Int?
    public var rate: RateLimit?

    public init(concurrency: Int? = nil, rate: RateLimit? = nil) {
        self.concurrency = concurrency
        self.rate = rate
    }
}

/// So many starts in a time, evenly: the generic cell rate algorithm (ITU-T I.371), as Redis TIME goes.
public struct RateLimit: Sendable, Hashable {
    /// Starts that are allowed per period, in the long run. 1 or more.
    public var count: Int
    /// 1 ms or more.
    public var period: Duration
    /// How many may start at the same moment, after a quiet time. In any one period at most `count + burst` start.
    public var burst: Int

    /// - Parameter burst: a tenth of the count, unless given.
    public init(_ count: Int, per period: Duration, burst: Int? = nil) {
        self.count = count
        self.period = period
        self.burst = burst ?? max(1, count / 10)
    }

    var text: String { "\(count) \(period.milliseconds) \(burst)" }

    init?(text: String) {
        let numbers = text.split(separator: " ").compactMap { Int($0) }
        guard numbers.count == 3 else { return nil }
        self.init(numbers[0], per: .milliseconds(numbers[1]), burst: numbers[2])
    }
}

// MARK: As Redis keeps it

extension QueueLimits {
    /// The fields of the hash; only those that are set.
    var fields: [String: String] {
        var fields: [String: String] = [:]
        if isPaused { fields["paused"] = "1" }
        if isDraining { fields["draining"] = "1" }
        fields["concurrency"] = concurrency.map(String.init)
        fields["rate"] = rate?.text
        fields["key.concurrency"] = ofEachKey.concurrency.map(String.init)
        fields["key.rate"] = ofEachKey.rate?.text
        for (key, limit) in ofKeys {
            fields["key.concurrency:" + key] = limit.concurrency.map(String.init)
            fields["key.rate:" + key] = limit.rate?.text
        }
        if weights != QueueLimits().weights { fields["weights"] = weights.map(String.init).joined(separator: " ") }
        fields["jobs.max"] = jobsMax.map(String.init)
        fields["bytes.max"] = bytesMax.map(String.init)
        if overflow != .reject { fields["overflow"] = overflow.rawValue }
        fields["dead.age"] = deadAge.map { String($0.milliseconds) }
        fields["dead.bytes"] = deadBytes.map(String.init)
        fields["done.bytes"] = resultBytes.map(String.init)
        return fields
    }

    /// Fields of a later version are passed over.
    init(fields: [String: String]) {
        for (field, value) in fields { set(field, value) }
    }

    private mutating func set(_ field: String, _ value: String) {
        let parts = field.split(separator: ":", maxSplits: 1).map(String.init)
        switch (parts[0], parts.count > 1 ? parts[1] : nil) {
        case ("paused", _): isPaused = true
        case ("draining", _): isDraining = true
        case ("concurrency", _): concurrency = Int(value)
        case ("rate", _): rate = RateLimit(text: value)
        case ("key.concurrency", nil): ofEachKey.concurrency = Int(value)
        case ("key.rate", nil): ofEachKey.rate = RateLimit(text: value)
        case ("key.concurrency", let key?): ofKeys[key, default: KeyLimit()].concurrency = Int(value)
        case ("key.rate", let key?): ofKeys[key, default: KeyLimit()].rate = RateLimit(text: value)
        case ("weights", _): weights = value.split(separator: " ").compactMap { Int($0) }
        case ("jobs.max", _): jobsMax = Int(value)
        case ("bytes.max", _): bytesMax = Int(value)
        case ("overflow", _): overflow = Overflow(rawValue: value) ?? .reject
        case ("dead.age", _): deadAge = Int64(value).map { .milliseconds($0) }
        case ("dead.bytes", _): deadBytes = Int(value)
        case ("done.bytes", _): resultBytes = Int(value)
        default: break
        }
    }

    /// Refuses what the scripts could not work with, in words.
    package func validate() throws(JobError) {
        for (name, number) in [
            ("concurrency", concurrency), ("ofEachKey.concurrency", ofEachKey.concurrency), ("jobsMax", jobsMax),
            ("bytesMax", bytesMax), ("deadBytes", deadBytes), ("resultBytes", resultBytes),
        ] {
            guard let number else { continue }
            guard number >= 1 else { throw .invalid("\(name) is 1 or more, not \(number); pause stops a queue") }
        }
        guard weights.count == 4, weights.allSatisfy({ (1...1000).contains($0) }) else {
            throw .invalid("weights are four numbers, 1 to 1000, not \(weights)")
        }
        try rate?.validate("rate")
        try ofEachKey.rate?.validate("ofEachKey.rate")
        for (key, limit) in ofKeys {
            guard JobID(rawValue: key) != nil else {
                throw .invalid("a key has 1 to 200 visible ASCII characters, unlike \"\(key)\"")
            }
            if let number = limit.concurrency, number < 1 {
                throw .invalid("the concurrency of key \(key) is 1 or more, not \(number)")
            }
            try limit.rate?.validate("the rate of key \(key)")
        }
        if let deadAge, deadAge < .milliseconds(1) { throw .invalid("deadAge is 1 ms or more, not \(deadAge)") }
    }
}

extension RateLimit {
    func validate(_ name: String) throws(JobError) {
        guard count >= 1, period >= .milliseconds(1), burst >= 1 else {
            throw .invalid("\(name) has a count, a burst and milliseconds of 1 or more, unlike \(text)")
        }
    }
}

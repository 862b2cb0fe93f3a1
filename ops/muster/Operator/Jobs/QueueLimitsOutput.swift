import GameModel
import Jobs

/// A queue's limits as they are printed: for programs with stable names, for people as they would be given.
struct QueueLimitsOutput: Encodable, Sendable {
    struct Rate: Encodable, Sendable {
        let count: Int
        let periodMs: Int64
        let burst: Int

        init(_ rate: RateLimit) {
            count = rate.count
            periodMs = rate.period.milliseconds
            burst = rate.burst
        }
    }

    struct Key: Encodable, Sendable {
        let concurrency: Int?
        let rate: Rate?

        init(_ limit: KeyLimit) {
            concurrency = limit.concurrency
            rate = limit.rate.map { Rate($0) }
        }
    }

    let queue: QueueName
    let limits: QueueLimits

    /// `running`, `paused`, `draining`, or both.
    var state: String {
        switch (limits.isPaused, limits.isDraining) {
        case (false, false): "running"
        case (true, false): "paused"
        case (false, true): "draining"
        case (true, true): "paused, draining"
        }
    }

    /// The limits that are set, by the names of the options of `limit`.
    var lines: [(name: String, value: String)] {
        var lines: [(String, String?)] = [
            ("concurrency", limits.concurrency.map(String.init)), ("rate", limits.rate.map(RateArgument.text)),
            ("key-concurrency", limits.ofEachKey.concurrency.map(String.init)),
            ("key-rate", limits.ofEachKey.rate.map(RateArgument.text)),
        ]
        for (key, limit) in limits.ofKeys.sorted(by: { $0.key < $1.key }) {
            lines.append(("key-concurrency of \(key)", limit.concurrency.map(String.init)))
            lines.append(("key-rate of \(key)", limit.rate.map(RateArgument.text)))
        }
        let weights = limits.weights == QueueLimits().weights ? nil : limits.weights
        lines += [
            ("weights", weights.map { $0.map(String.init).joined(separator: ",") }),
            ("max-jobs", limits.jobsMax.map(String.init)), ("max-bytes", limits.bytesMax.map(ByteCount.text)),
            ("overflow", limits.overflow == .reject ? nil : limits.overflow.rawValue),
            ("dead-age", limits.deadAge.map(RateArgument.spanText)),
            ("dead-bytes", limits.deadBytes.map(ByteCount.text)),
            ("result-bytes", limits.resultBytes.map(ByteCount.text)),
        ]
        return lines.compactMap { name, value in value.map { (name, $0) } }
    }

    private enum CodingKeys: CodingKey {
        case queue, isPaused, isDraining, concurrency, rate, keyConcurrency, keyRate, keys, weights, maxJobs, maxBytes
        case overflow, deadAgeMs, deadBytes, resultBytes
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(queue, forKey: .queue)
        try container.encode(limits.isPaused, forKey: .isPaused)
        try container.encode(limits.isDraining, forKey: .isDraining)
        try container.encodeIfPresent(limits.concurrency, forKey: .concurrency)
        try container.encodeIfPresent(limits.rate.map { Rate($0) }, forKey: .rate)
        try container.encodeIfPresent(limits.ofEachKey.concurrency, forKey: .keyConcurrency)
        try container.encodeIfPresent(limits.ofEachKey.rate.map { Rate($0) }, forKey: .keyRate)
        try container.encode(limits.ofKeys.mapValues { Key($0) }, forKey: .keys)
        try container.encode(limits.weights, forKey: .weights)
        try container.encodeIfPresent(limits.jobsMax, forKey: .maxJobs)
        try container.encodeIfPresent(limits.bytesMax, forKey: .maxBytes)
        try container.encode(limits.overflow.rawValue, forKey: .overflow)
        try container.encodeIfPresent(limits.deadAge?.milliseconds, forKey: .deadAgeMs)
        try container.encodeIfPresent(limits.deadBytes, forKey: .deadBytes)
        try container.encodeIfPresent(limits.resultBytes, forKey: .resultBytes)
    }
}

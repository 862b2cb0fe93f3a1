import ArgumentParser
import Foundation
import GameModel
import Jobs
import Redis

/// `muster queues limit`: what a queue allows.
struct QueuesLimitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "limit",
        abstract: "Show the limits of a queue, or change those that are given.",
        discussion: """
            They hold for all workers together, from the next job on. Limits of keys hold for each key by itself; with \
            --key NAME they are that key's own. A rate is starts/time, or starts/time/burst.

            Example:
              muster queues limit verify
              muster queues limit verify --concurrency 50 --rate 100/1s
              muster queues limit verify --key player-7 --key-rate 10/1m/2
              muster queues limit verify --max-jobs 100000 --overflow shed --dead-age 30d
              muster queues limit verify --none rate --none max-jobs
              muster queues limit verify --clear
            """)

    /// What `--none` takes away.
    enum Name: String, ExpressibleByArgument, CaseIterable {
        case concurrency, rate, keyConcurrency = "key-concurrency", keyRate = "key-rate", maxJobs = "max-jobs"
        case maxBytes = "max-bytes", overflow, deadAge = "dead-age", deadBytes = "dead-bytes"
        case resultBytes = "result-bytes", weights

        var isOfKey: Bool { self == .keyConcurrency || self == .keyRate }
    }

    @OptionGroup var shared: SharedOptions
    @Argument(help: "The queue's name.") var queue: String
    @Option(help: "How many jobs run at the same time at most.") var concurrency: Int?
    @Option(help: "How many jobs start at most, like 100/1s.") var rate: RateArgument?
    @Option(help: "How many jobs of each key run at the same time.") var keyConcurrency: Int?
    @Option(help: "How many jobs of each key start at most, like 10/1m.") var keyRate: RateArgument?
    @Option(help: ArgumentHelp("The limits of keys that are given are of this key alone.", valueName: "name"))
    var key: String?
    @Option(help: "How many jobs the queue holds, without dead letters.") var maxJobs: Int?
    @Option(help: "How many bytes they have, like 100MB.") var maxBytes: ByteCount?
    @Option(help: "What a full queue does with a new job: reject it, or shed the oldest that waits.")
    var overflow: QueueLimits.Overflow?
    @Option(help: "How long dead letters are kept, like 30d.") var deadAge: TimeSpan?
    @Option(help: "How many bytes of dead letters are kept, like 1GB.") var deadBytes: ByteCount?
    @Option(help: "How many bytes of results are kept.") var resultBytes: ByteCount?
    @Option(help: ArgumentHelp("How the four priorities share the workers.", valueName: "64,16,4,1"))
    var weights: String?
    @Option(
        help: ArgumentHelp("Take a limit away, by the name of its option; repeatable.", valueName: "limit"))
    var none: [Name] = []
    @Flag(help: "Take all limits away; a pause or a drain stays.") var clear = false
    @Flag(name: .customLong("new"), help: "Also of a queue to which nothing was ever enqueued.") var allowsNew = false
    @Flag(help: "Print JSON.") var json = false

    func validate() throws {
        _ = try JobAccess.queue(queue)
        if let weights, Self.weights(weights) == nil {
            throw ValidationError("--weights takes four numbers from 1 to 1000, like 64,16,4,1, not '\(weights)'.")
        }
        for (name, number) in [
            ("concurrency", concurrency), ("key-concurrency", keyConcurrency), ("max-jobs", maxJobs),
            ("max-bytes", maxBytes?.bytes), ("dead-bytes", deadBytes?.bytes), ("result-bytes", resultBytes?.bytes),
        ] {
            guard let number, number < 1 else { continue }
            throw ValidationError("--\(name) takes 1 or more, not \(number); --none \(name) takes the limit away.")
        }
        if let deadAge, deadAge.duration <= .zero { throw ValidationError("--dead-age takes 1ms or more.") }
        if let key {
            guard JobID(rawValue: key) != nil else {
                throw ValidationError("--key takes 1 to 200 visible ASCII characters.")
            }
            guard keyConcurrency != nil || keyRate != nil || none.contains(where: \.isOfKey) else {
                throw ValidationError("--key needs --key-concurrency or --key-rate, or --none of one of them.")
            }
        }
    }

    private var changesSomething: Bool {
        concurrency != nil || rate != nil || keyConcurrency != nil || keyRate != nil || maxJobs != nil
            || maxBytes != nil || overflow != nil || deadAge != nil || deadBytes != nil || resultBytes != nil
            || weights != nil || !none.isEmpty || clear
    }

    func run() async throws {
        let (name, command, house) = (try JobAccess.queue(queue), self, try shared.queues())
        let output = try await RedisConnection.with(url: try shared.redisURL()) { redis in
            let queue = JobQueue(name: name, redis: redis)
            if !command.allowsNew { try await QueueTargets.requireKnown(queue, among: house) }
            let limits =
                command.changesSomething
                ? try await queue.changeLimits { command.change(&$0) } : try await queue.limits()
            return QueueLimitsOutput(queue: name, limits: limits)
        }
        if json { return try JobJSON.print(output) }
        print("\(output.queue) is \(output.state)" + (output.lines.isEmpty ? " and has no limits" : ""))
        let width = output.lines.map(\.name.count).max() ?? 0
        for (name, value) in output.lines {
            print("  \(name)\(String(repeating: " ", count: width - name.count))  \(value)")
        }
    }

    private func change(_ limits: inout QueueLimits) {
        if clear {
            let former = limits
            limits = QueueLimits()
            (limits.isPaused, limits.isDraining) = (former.isPaused, former.isDraining)
        }
        for name in none { remove(name, &limits) }
        if let concurrency { limits.concurrency = concurrency }
        if let rate { limits.rate = rate.rate }
        var ofKey = key.map { limits.ofKeys[$0, default: KeyLimit()] } ?? limits.ofEachKey
        if let keyConcurrency { ofKey.concurrency = keyConcurrency }
        if let keyRate { ofKey.rate = keyRate.rate }
        if let key { limits.ofKeys[key] = ofKey } else { limits.ofEachKey = ofKey }
        if let maxJobs { limits.jobsMax = maxJobs }
        if let maxBytes { limits.bytesMax = maxBytes.bytes }
        if let overflow { limits.overflow = overflow }
        if let deadAge { limits.deadAge = deadAge.duration }
        if let deadBytes { limits.deadBytes = deadBytes.bytes }
        if let resultBytes { limits.resultBytes = resultBytes.bytes }
        if let weights = weights.flatMap(Self.weights) { limits.weights = weights }
    }

    private func remove(_ name: Name, _ limits: inout QueueLimits) {
        let standard = QueueLimits()
        switch name {
        case .concurrency: limits.concurrency = nil
        case .rate: limits.rate = nil
        case .keyConcurrency:
            if let key { limits.ofKeys[key]?.concurrency = nil } else { limits.ofEachKey.concurrency = nil }
        case .keyRate:
            if let key { limits.ofKeys[key]?.rate = nil } else { limits.ofEachKey.rate = nil }
        case .maxJobs: limits.jobsMax = nil
        case .maxBytes: limits.bytesMax = nil
        case .overflow: limits.overflow = standard.overflow
        case .deadAge: limits.deadAge = nil
        case .deadBytes: limits.deadBytes = nil
        case .resultBytes: limits.resultBytes = nil
        case .weights: limits.weights = standard.weights
        }
    }

    private static func weights(_ text: String) -> [Int]? {
        let numbers = text.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
        guard numbers.count == 4 else { return nil }
        let weights = numbers.compactMap { $0 }
        return weights.count == 4 && weights.allSatisfy { (1...1000).contains($0) } ? weights : nil
    }
}

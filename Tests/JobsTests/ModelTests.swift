import GameModel
import Redis
import TestSupport
import Testing

@testable import Jobs

/// Runs the model and the scripts on the same random calls. Times are far in the past or in the future, and each is
/// later than the one before, so that the clock never decides an order.
struct ModelRun {
    let queue: JobQueue
    var random: SplitMix64
    var model = QueueModel()
    var step = 0
    /// token of the model → token of the scripts.
    var tokens: [Int: UInt64] = [:]
    var known: [(id: String, token: Int)] = []

    private static let past = -10_000_000_000
    private static let future = 10_000_000_000

    init(queue: JobQueue, seed: UInt64) {
        self.queue = queue
        random = SplitMix64(seed: seed)
    }

    mutating func advance() async throws {
        step += 1
        switch Int.random(in: 0..<12, using: &random) {
        case 0...3: try await enqueue()
        case 4...6: try await reserve()
        case 7...9: try await settle()
        case 10: try await renew()
        default: try await cancel()
        }
        var counts = try await queue.counts()
        counts.oldestWaitingMs = nil
        counts.bytes = 0
        counts.deadBytes = 0
        #expect(counts == model.snapshot, "after step \(step)")
        #expect(counts.isBalanced)
    }

    private mutating func offset() -> Int {
        (Bool.random(using: &random) ? Self.past : Self.future) + step * 1_000_000
    }

    private mutating func enqueue() async throws {
        var jobs: [EncodedJob] = []
        var expected: [Bool] = []
        for index in 0..<Int.random(in: 1...4, using: &random) {
            let id = "j\(Int.random(in: 0..<25, using: &random))"
            let options = JobOptions(
                maxAttempts: Int.random(in: 1...3, using: &random), priority: Int.random(in: 0...3, using: &random))
            let delay: Int? = Int.random(in: 0..<3, using: &random) == 0 ? offset() + index * 100 : nil
            expected.append(
                model.enqueue(
                    id, priority: options.priority, maxAttempts: options.maxAttempts,
                    due: delay.map { Self.nowish + $0 }))
            let due: Due = delay.map { .at(Instant(milliseconds: Int64(Self.nowish + $0))) } ?? .now
            jobs.append(EncodedJob(id: JobID(id), kind: "k", payload: [1, 10, 0, 255], options: options, due: due))
        }
        let replies = try await queue.enqueue(encoded: jobs)
        #expect(replies.map(\.isAdded) == expected, "step \(step)")
    }

    /// Some time of today for both; only differences of hours matter.
    private static let nowish = Int(Instant.now.milliseconds)

    private mutating func reserve() async throws {
        let limit = Int.random(in: 0...5, using: &random)
        let lease = offset()
        let reservation = try await queue.reserve(limit: limit, lease: .milliseconds(lease))
        let (taken, crashed) = model.reserve(
            limit: limit, expiry: Self.nowish + lease, token: step, now: Self.nowish)
        #expect(reservation.leases.map(\.id.rawValue) == taken, "step \(step)")
        #expect(reservation.buried.map(\.lease.id.rawValue) == crashed, "step \(step)")
        #expect(reservation.hasMore == model.ready.contains { !$0.isEmpty }, "step \(step)")
        for lease in reservation.leases {
            let job = try #require(model.jobs[lease.id.rawValue])
            #expect(lease.attempt == job.attempt)
            #expect(lease.envelope?.payload == [1, 10, 0, 255])
            #expect(tokens.values.allSatisfy { $0 < lease.token || $0 == tokens[step] }, "tokens rise")
            tokens[step] = lease.token
            known.append((lease.id.rawValue, step))
        }
    }

    private mutating func settle() async throws {
        guard let (id, token) = known.randomElement(using: &random), let real = tokens[token] else { return }
        let wait = offset()
        let verb: Settlement.Verb
        let expected: Bool
        switch Int.random(in: 0..<5, using: &random) {
        case 0, 1:
            verb = .complete
            expected = model.complete(id, token: token)
        case 2:
            verb = .retry(after: .milliseconds(wait), error: "a\nb")
            expected = model.retry(id, token: token, due: Self.nowish + wait, error: "a\nb")
        case 3:
            verb = .bury(Bury("worn out", reason: .undecodable))
            expected = model.bury(id, token: token, reason: "undecodable", error: "worn out")
        default:
            let delay: Int? = Bool.random(using: &random) ? wait : nil
            verb = .release(after: .milliseconds(delay ?? 0))
            expected = model.release(id, token: token, due: delay.map { Self.nowish + $0 })
        }
        let replies = try await queue.settle([Settlement(id: JobID(id), token: real, verb: verb)])
        #expect((replies == [.done]) == expected, "step \(step): \(verb) of \(id)")
    }

    private mutating func renew() async throws {
        guard let (id, token) = known.randomElement(using: &random), let real = tokens[token] else { return }
        let lease = offset()
        let lost = try await queue.renew([(id: JobID(id), token: real)], lease: .milliseconds(lease))
        let kept = model.renew(id, token: token, expiry: Self.nowish + lease)
        #expect(lost.isEmpty == kept, "step \(step)")
    }

    private mutating func cancel() async throws {
        let id = "j\(Int.random(in: 0..<25, using: &random))"
        let replies = try await queue.cancel([JobID(id)])
        #expect(replies == [model.cancel(id)], "step \(step)")
    }
}

@Suite struct ModelTests {
    @Test("the scripts agree with the model on random sequences", arguments: 0..<8)
    func agreement(_ index: Int) async throws {
        let seed = UInt64.random(in: 0..<1_000_000_000)
        print("model run \(index): seed \(seed)")
        try await withQueue { queue, _ in
            var run = ModelRun(queue: queue, seed: seed)
            for _ in 0..<600 { try await run.advance() }
            try await compareStates(run, queue)
        }
    }

    /// The state texts hold what the model knows of attempts, crashes and reasons.
    private func compareStates(_ run: ModelRun, _ queue: JobQueue) async throws {
        for (id, job) in run.model.jobs where job.token > 0 {
            let reply = try await queue.redis.send(
                RedisCommand("HGET", RedisArgument(queue.keys.attempts), RedisArgument(id)))
            let text = try #require(reply.string)
            let words = text.dropFirst(26).split(separator: " ", maxSplits: 6, omittingEmptySubsequences: false)
            try #require(words.count == 7)
            #expect(words[0..<4] == ["\(job.attempt)", "\(job.crashes)", "\(job.maxAttempts)", "tester"])
            #expect(words[4] == job.reason)
            #expect(words[6] == job.error)
            let flag =
                switch job.place {
                case .leased: "L"
                case .dead: "D"
                case .ready, .later: "-"
                }
            #expect(text.hasPrefix("\(flag)\(job.priority)"))
        }
    }
}

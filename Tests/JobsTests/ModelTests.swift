import Foundation
import GameModel
import JobsTesting
import Redis
import TestSupport
import Testing

@testable import Jobs

@Suite struct ModelTests {
    @Test("the scripts agree with the model on random sequences", arguments: 0..<8)
    func agreement(_ index: Int) async throws {
        let given = ProcessInfo.processInfo.environment["MUSTER_MODEL_SEED"].flatMap { UInt64($0) }
        let seed = given ?? .random(in: 0..<1_000_000_000)
        print("model run \(index): seed \(seed)")
        try await withQueue { queue, _ in
            var run = ModelRun(queue: queue, seed: seed)
            for _ in 0..<500 { try await run.advance() }
            try await run.compareJobs()
            try await run.finish()
        }
    }
}

/// Runs the model and the scripts on the same random calls. Times are far in the past or in the future, and each is
/// later than the one before, so that the clock decides no order. Where a millisecond does matter, two have passed.
struct ModelRun {
    let queue: JobQueue
    var random: SplitMix64
    var model = QueueModel()
    var step = 0
    /// By the clock of Redis, before the call.
    private var now: Int64 = 0
    private var leases: [Lease] = []
    private var results: [JobID: [UInt8]] = [:]
    private var lastToken: UInt64 = 0
    /// What was compared last.
    private var last = ""

    private static let past: Int64 = -10_000_000_000
    private static let future: Int64 = 10_000_000_000
    private static let ids = (0..<40).map { JobID("j\($0)") }
    private static let callbacks = (0..<4).map { JobID("c\($0)") }

    init(queue: JobQueue, seed: UInt64) {
        self.queue = queue
        random = SplitMix64(seed: seed)
    }

    mutating func advance() async throws {
        step += 1
        try await passTime()
        switch Int.random(in: 0..<32, using: &random) {
        case 0...7: try await enqueue()
        case 8...9: try await enqueueBatch()
        case 10...16: try await reserve()
        case 17...23: try await settle()
        case 24: try await renew()
        case 25: try await progress()
        case 26: try await changeLimits()
        case 27: try await redrive()
        case 28: try await purge()
        case 29: try await bury()
        default: try await cancel()
        }
        try await compareCounts()
    }

    /// Lets a window of one millisecond be over before the next call, whatever the last one was.
    private mutating func passTime() async throws {
        let last = try await redisTime()
        repeat { now = try await redisTime() } while now < last + 2
    }

    private func redisTime() async throws -> Int64 {
        let parts = try #require(try await queue.redis.send(["TIME"]).array?.compactMap(\.string))
        return try #require(Int64(parts[0])) * 1000 + #require(Int64(parts[1])) / 1000
    }

    // MARK: Putting in

    private mutating func enqueue() async throws {
        let jobs = (0..<chance(1...4)).map { job(pick(Self.ids), place: $0) }
        let replies = try await queue.enqueue(encoded: jobs)
        try agree(replies, model.enqueue(jobs, now: now), "enqueue")
    }

    private mutating func enqueueBatch() async throws {
        // A batch takes several calls, so a millisecond's window of its callback would end among them, or not.
        let callback = job(pick(Self.callbacks), place: 0, mayLapse: false)
        let jobs = (0..<chance(0...4)).map { job(pick(Self.ids), place: $0) }
        let policy: BatchPolicy = one(of: 2) ? .completed : .ended
        let replies = try await queue.enqueueBatch(jobs, then: callback, policy: policy)
        var expected = model.enqueue([callback], isBlocked: true, now: now)
        if expected[0].isAdded || expected[0] == .duplicate(callback.id) {
            expected += model.enqueue(jobs, callback: .init(id: callback.id, policy: policy), now: now)
            model.unseal(callback.id)
        }
        try agree(replies, expected, "enqueueBatch")
    }

    private mutating func job(_ id: JobID, place: Int, mayLapse: Bool = true) -> EncodedJob {
        let window = one(of: 2) ? nil : mayLapse ? someTime() : .milliseconds(Self.future)
        let options = JobOptions(
            maxAttempts: chance(1...4), priority: chance(0...3), maxCrashes: chance(1...3),
            unique: one(of: 5) ? Uniqueness("u\(chance(0...3))", window: window) : nil,
            key: one(of: 2) ? "k\(chance(0...3))" : nil, startWithin: one(of: 6) ? someTime() : nil,
            keepResult: one(of: 5) ? .milliseconds(Self.future) : nil)
        let due: Due = one(of: 3) ? .at(Instant(milliseconds: now + offset() + Int64(place) * 100)) : .now
        let payload = [UInt8](repeating: 10, count: chance(0...40))
        return EncodedJob(id: id, kind: "k", payload: payload, options: options, due: due)
    }

    // MARK: Taking and ending

    private mutating func reserve() async throws {
        let limit = chance(0...6)
        let lease = offset(past: 4)
        let reservation = try await queue.reserve(limit: limit, lease: .milliseconds(lease))
        let token = reservation.leases.first?.token ?? 0
        let (taken, buried) = model.reserve(
            limit: limit, expiry: now + lease, token: token, worker: "tester", now: now)
        try agree(reservation.leases.map(\.id), taken, "reserve")
        try agree(reservation.buried.map(\.lease.id), buried, "buried by reserve")
        for burial in reservation.buried { try agree(burial.reason, model.jobs[burial.lease.id]?.reason, "its reason") }
        #expect(reservation.hasMore || !model.canTake, "step \(step): work is left, and no worker told")
        #expect(token == 0 || token > lastToken, "step \(step): tokens rise")
        lastToken = max(token, lastToken)
        for lease in reservation.leases {
            try agree(lease.attempt, model.jobs[lease.id]?.attempt, "attempt of \(lease.id)")
            try agree(lease.envelope?.payload, model.jobs[lease.id]?.job.payload, "payload of \(lease.id)")
            leases.append(lease)
        }
    }

    /// A lease of late; it may be lost.
    private mutating func someLease() -> Lease? { leases.suffix(12).randomElement(using: &random) }

    private mutating func settle() async throws {
        guard let lease = someLease() else { return }
        let (id, token) = (lease.id, lease.token)
        let wait = max(offset(), 1)
        let verb: Settlement.Verb
        let expected: Bool
        switch chance(0...5) {
        case 0...2:
            verb = .complete
            let keeps = model.jobs[id]?.job.options.keepResult != nil
            expected = model.complete(id, token: token)
            if keeps, expected { results[id] = [UInt8](String(step).utf8) }
        case 3:
            verb = .retry(after: .milliseconds(wait), error: "a\nb")
            expected = model.retry(id, token: token, after: wait, error: "a\nb", now: now)
        case 4:
            let bury = Bury("worn out", reason: .undecodable)
            verb = .bury(bury)
            expected = model.bury(id, token: token, as: bury, now: now)
        default:
            let delay = one(of: 2) ? wait : 0
            verb = .release(after: .milliseconds(delay))
            expected = model.release(id, token: token, after: delay, now: now)
        }
        let replies = try await queue.settle([
            Settlement(
                id: id, token: token, verb: verb, hasExtras: lease.hasExtras, result: [UInt8](String(step).utf8))
        ])
        try agree(replies == [.done], expected, "\(verb) of \(id)")
    }

    private mutating func renew() async throws {
        guard let held = someLease() else { return }
        let lease = offset()
        let lost = try await queue.renew([(id: held.id, token: held.token)], lease: .milliseconds(lease))
        let isKept = model.renew(held.id, token: held.token, expiry: now + lease)
        try agree(lost.isEmpty, isKept, "renew \(held.id)")
    }

    private mutating func progress() async throws {
        guard let held = someLease() else { return }
        let isNoted = try await queue.noteProgress(held.id, token: held.token, fraction: 0.5, text: "step \(step)")
        try agree(isNoted, model.note("step \(step)", of: held.id, token: held.token), "progress of \(held.id)")
    }

    // MARK: By hand

    private mutating func changeLimits() async throws {
        var limits = QueueLimits()
        limits.isPaused = one(of: 12)
        limits.isDraining = one(of: 12)
        limits.concurrency = one(of: 3) ? chance(1...5) : nil
        limits.ofEachKey.concurrency = one(of: 2) ? chance(1...2) : nil
        if one(of: 3) { limits.ofKeys["k0"] = KeyLimit(concurrency: chance(1...3)) }
        if one(of: 3) { limits.weights = [chance(1...3), chance(1...3), chance(1...3), chance(1...3)] }
        limits.jobsMax = one(of: 4) ? chance(3...15) : nil
        limits.bytesMax = one(of: 6) ? chance(200...900) : nil
        limits.overflow = one(of: 2) ? .shed : .reject
        try await queue.setLimits(limits)
        model.set(limits)
        try agree(try await queue.limits(), limits, "limits")
    }

    private mutating func cancel() async throws {
        let ids = (0..<chance(1...3)).map { _ in anyID() }
        try agree(try await queue.cancel(ids), ids.map { model.cancel($0) }, "cancel \(ids)")
    }

    private mutating func redrive() async throws {
        let ids = (0..<chance(1...5)).map { _ in anyID() }
        try agree(try await queue.redrive(ids), ids.map { model.redrive($0, now: now) }, "redrive \(ids)")
    }

    private mutating func purge() async throws {
        let ids = (0..<chance(1...20)).map { _ in anyID() }
        try agree(try await queue.purge(ids), ids.map { model.purge($0) }, "purge \(ids)")
    }

    private mutating func bury() async throws {
        let (id, bury) = (anyID(), Bury("by hand", reason: .handlerError))
        try agree(try await queue.bury(id, as: bury), model.bury(id, by: bury, now: now), "bury \(id)")
    }

    // MARK: Comparing

    private mutating func agree<T: Equatable>(_ scripts: T, _ model: T, _ what: String) throws {
        try #require(scripts == model, "step \(step): \(what), after \(last)")
        last = what
    }

    private mutating func compareCounts() async throws {
        var counts = try await queue.counts()
        #expect(counts.isBalanced, "step \(step)")
        counts.oldestWaitingMs = nil
        counts.resultBytes = 0
        try agree(counts, model.snapshot, "counts")
        if model.canTake {
            let wakes = try await queue.redis.send(["LLEN", RedisArgument(queue.keys.wake)])
            #expect(wakes.int == 1, "step \(step): a job could run, and an idle worker would sleep on")
        }
    }

    /// What is kept of each job is what the model knows of it.
    mutating func compareJobs() async throws {
        for id in Self.ids + Self.callbacks {
            try agree(try await queue.result(of: id)?.value, results[id], "result of \(id)")
            try agree(try await queue.progress(of: id)?.text, model.jobs[id]?.progress, "progress of \(id)")
            let reply = try await queue.redis.send(
                RedisCommand("HGET", RedisArgument(queue.keys.attempts), RedisArgument(id.rawValue)))
            guard let entry = model.jobs[id], entry.attempt + entry.history.count > 0 || entry.reason != nil else {
                try agree(reply.string, model.jobs[id]?.place == .blocked ? "W" : nil, "state of \(id)")
                continue
            }
            let text = try #require(reply.string, "state of \(id)")
            let words = text.dropFirst(26).split(separator: " ", maxSplits: 6, omittingEmptySubsequences: false)
            try #require(words.count == 7)
            let history = words[5].split(separator: ",").compactMap(\.first).filter { $0 != "-" }
            let numbers = [entry.attempt, entry.crashes, entry.job.options.maxAttempts]
            #expect(words[0..<3].map { Int($0) } == numbers, "attempt, crashes and maxAttempts of \(id)")
            #expect(words[3] == entry.worker ?? "-", "worker of \(id)")
            #expect(words[4] == entry.reason?.rawValue ?? "-", "reason of \(id)")
            #expect(history == entry.history.compactMap(\.first), "history of \(id)")
            #expect(words[6] == entry.error, "error of \(id)")
            #expect(flags(of: entry).contains(text.prefix(1)) && text.dropFirst().hasPrefix("\(entry.priority)"))
        }
    }

    private func flags(of entry: QueueModel.Entry) -> [Substring] {
        switch entry.place {
        case .leased: ["L", "M"]
        case .dead: ["D"]
        case .waiting, .later, .blocked: ["-"]
        }
    }

    /// Without limits, all that waits is taken, and then no more is said to be left.
    mutating func finish() async throws {
        try await queue.setLimits(QueueLimits())
        model.set(QueueLimits())
        for _ in 0..<20 {
            try await passTime()
            let reservation = try await queue.reserve(limit: 50, lease: .milliseconds(Self.future))
            let (taken, _) = model.reserve(
                limit: 50, expiry: now + Self.future, token: reservation.leases.first?.token ?? 0, worker: "tester",
                now: now)
            try agree(reservation.leases.map(\.id), taken, "the last reserves")
            if !reservation.hasMore { break }
        }
        let counts = try await queue.counts()
        #expect(counts.waiting == 0 && model.snapshot.waiting == 0)
        #expect(counts.isBalanced)
    }

    // MARK: Chance

    private mutating func chance(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
    private mutating func one(of count: Int) -> Bool { chance(1...count) == 1 }
    private mutating func pick(_ ids: [JobID]) -> JobID { ids[chance(0...(ids.count - 1))] }
    private mutating func anyID() -> JobID { pick(Self.ids + Self.callbacks) }
    /// Over at the next call, or never.
    private mutating func someTime() -> Duration { one(of: 2) ? .milliseconds(1) : .milliseconds(Self.future) }

    /// - Parameter past: one of how many is in the past.
    private mutating func offset(past: Int = 2) -> Int64 {
        (one(of: past) ? Self.past : Self.future) + Int64(step) * 1_000_000
    }
}

import GameModel
import Redis
import Synchronization
import TestSupport
import Testing

@testable import Jobs

/// A job of any options; `n` tells them apart.
struct Errand: Job {
    static let kind = "test.feature"
    static let options = JobOptions(backoff: .fixed(.milliseconds(1)))
    var n = 0
}

/// A worker's settings with which it looks by itself only after ten minutes: what it does, it was woken for.
func patient(_ change: (inout JobWorkerConfiguration) -> Void = { _ in }) -> JobWorkerConfiguration {
    var configuration = JobWorkerConfiguration()
    configuration.leaseDuration = .seconds(20)
    configuration.blockMax = .seconds(600)
    change(&configuration)
    return configuration
}

/// Where handlers wait until the test lets them go, whether they are cancelled or not.
final class Latch: Sendable {
    private struct State {
        var isOpen = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    func wait() async {
        await withCheckedContinuation { continuation in
            let isOpen = state.withLock { state in
                if !state.isOpen { state.waiting.append(continuation) }
                return state.isOpen
            }
            if isOpen { continuation.resume() }
        }
    }

    func open() {
        let waiting = state.withLock { state in
            state.isOpen = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }
}

/// How many handlers run at once, by name, and in which order they began.
final class Meter: Sendable {
    private struct State {
        var running: [String: Int] = [:]
        var most: [String: Int] = [:]
        var began: [JobID] = []
        var leasedAt: [Int64] = []
    }

    private let state = Mutex(State())

    func during(_ context: JobContext, as name: String = "", _ body: () async throws -> Void) async rethrows {
        state.withLock { state in
            state.began.append(context.id)
            state.leasedAt.append(context.leasedAt.milliseconds)
            state.running[name, default: 0] += 1
            state.most[name] = max(state.most[name] ?? 0, state.running[name] ?? 0)
        }
        defer { state.withLock { $0.running[name, default: 0] -= 1 } }
        try await body()
    }

    /// How many run now.
    var running: [String: Int] { state.withLock { $0.running.filter { $0.value > 0 } } }
    /// How many ran at once at most.
    var most: [String: Int] { state.withLock { $0.most } }
    var began: [JobID] { state.withLock { $0.began } }

    /// The most that were leased in any period of so long, by the clock of Redis.
    func mostStarts(in period: Duration) -> Int {
        let times = state.withLock { $0.leasedAt }.sorted()
        // Times are whole ms, so two that are less than a period apart may show as a whole one.
        return times.map { begin in times.count { $0 >= begin && $0 < begin + period.milliseconds - 1 } }.max() ?? 0
    }
}

extension JobQueue {
    /// Enqueues jobs of these ids, one call each, so that their order is certain.
    @discardableResult
    func put(_ ids: String..., options: JobOptions = Errand.options) async throws -> [EnqueueReply] {
        var replies: [EnqueueReply] = []
        for id in ids { replies.append(try await enqueue(Errand(), id: JobID(id), options: options)) }
        return replies
    }

    /// Takes jobs as a worker would, for longer than the test lasts.
    func take(_ limit: Int) async throws -> [Lease] {
        try await reserve(limit: limit, lease: .seconds(600)).leases
    }

    /// Takes jobs and tells their ids.
    func takeIDs(_ limit: Int) async throws -> [String] { try await take(limit).map(\.id.rawValue) }

    @discardableResult
    func settle(_ lease: Lease, _ verb: Settlement.Verb = .complete) async throws -> SettleReply {
        let settlement = Settlement(id: lease.id, token: lease.token, verb: verb, hasExtras: lease.hasExtras)
        return try #require(try await settle([settlement]).first)
    }

    /// How many dead letters and how many results are forgotten now.
    func retained() async throws -> [Int] {
        let forgotten = try await retain()
        return [forgotten.deadLetters, forgotten.results]
    }

    func completed(_ count: Int) async throws {
        try await eventually("\(count) are completed") { try await counts().completed == count }
    }

    func record(_ id: String) async throws -> JobRecord? {
        try await JobInspector(queue: self).job(JobID(id))
    }

    /// Waits until the clock of Redis has gone on by two ms.
    func nextMoment() async throws {
        let begin = try await JobInspector(queue: self).now()
        try await eventually("time passes") { try await JobInspector(queue: self).now() > begin + .milliseconds(2) }
    }
}

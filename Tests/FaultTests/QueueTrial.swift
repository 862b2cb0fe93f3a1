import Bench
import Foundation
import GameModel
import Jobs
import Redis
import Synchronization
import TestSupport
import Testing

/// A queue on trial: worker processes, the ledger that they write to, and the jobs that were promised to run.
final class QueueTrial: Sendable {
    let queue: JobQueue
    let redis: RedisClient
    let ledger: LedgerRepository
    private let url: String
    private let folder: TemporaryFolder
    private let processes = Mutex<[GuardedProcess]>([])
    /// When each job's enqueue was acknowledged, or its outbox row committed.
    private let promises = Mutex<[JobID: ContinuousClock.Instant]>([:])
    /// When the call began that was acknowledged then.
    private let beginnings = Mutex<[JobID: ContinuousClock.Instant]>([:])

    static let queueName = QueueName("trial")

    init(url: String, folder: TemporaryFolder, redis: RedisClient, ledger: LedgerRepository) {
        self.url = url
        self.folder = folder
        self.redis = redis
        self.ledger = ledger
        queue = JobQueue(name: Self.queueName, redis: redis)
    }

    // MARK: Workers

    /// Starts a worker process of the trial's queue.
    @discardableResult
    func startWorker(
        concurrency: Int = 16, jobMs: Int = 10, leaseMs: Int = 1_000, url: String? = nil,
        environment: [String: String] = [:]
    ) async throws -> GuardedProcess {
        let process = try await GuardedProcess.start(
            [
                try MusterUp.executable(), "bench", "worker", "--redis", url ?? self.url, "--queue",
                queue.name.rawValue, "--ledger", folder.file("ledger.sqlite"), "--concurrency", "\(concurrency)",
                "--job-ms", "\(jobMs)", "--lease-ms", "\(leaseMs)",
            ], log: folder.file("worker-\(ULID()).log"),
            environment: ProcessInfo.processInfo.environment.merging(environment) { _, new in new })
        processes.withLock { $0.append(process) }
        return process
    }

    /// kill -9 of all workers.
    func endWorkers() {
        for process in processes.withLock({ $0 }) { process.end() }
    }

    /// The last lines of each worker's log.
    func logs() throws -> String {
        try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".log") }.map { name in
            let text = FileManager.default.contents(atPath: folder.file(name)) ?? Data()
            let lines = String(decoding: text, as: UTF8.self).split(separator: "\n").suffix(8)
            return "\(name):\n\(lines.joined(separator: "\n"))"
        }.joined(separator: "\n")
    }

    // MARK: Promises

    /// Promises jobs of these numbers under load: in batches of 20, each repeated until it is acknowledged, and the
    /// next once few enough wait.
    /// - Parameters:
    ///   - relay: where given, every second batch is not enqueued but owed, as outbox rows that this relays.
    ///   - queue: through another connection than the trial's own.
    func fill(_ numbers: Range<Int>, owedBy relay: OutboxRelay? = nil, through queue: JobQueue? = nil) async throws {
        for start in stride(from: numbers.lowerBound, to: numbers.upperBound, by: 20) {
            let batch = start..<min(start + 20, numbers.upperBound)
            try await eventually(within: .seconds(180), "fewer than 200 jobs wait") {
                guard let counts = try await self.counts() else { return false }
                return counts.waiting + counts.later < 200
            }
            if let relay, start % 40 >= 20 {
                let jobs = try batch.map { try EncodedJob(LedgerJob(n: $0), id: Self.owed($0)) }
                try await ledger.owe(jobs, to: self.queue.name)
                promise(jobs.map(\.id))
                relay.nudge()
            } else {
                try await enqueue(batch, through: queue)
            }
        }
    }

    /// Promises jobs of these numbers at once.
    func enqueue(_ numbers: Range<Int>, ms: Int? = nil, through other: JobQueue? = nil) async throws {
        let queue = other ?? queue
        let jobs = numbers.map { (id: JobID("direct-\($0)") as JobID?, job: LedgerJob(n: $0, ms: ms)) }
        var begin = ContinuousClock.now
        try await eventually(within: .seconds(180), "jobs are enqueued") {
            begin = .now
            do throws(JobError) {
                try await queue.enqueue(jobs)
                return true
            } catch  where error.isOutage {
                return false
            }
        }
        promise(jobs.compactMap(\.id), since: begin)
    }

    private static func owed(_ number: Int) -> JobID { JobID("owed-\(number)") }

    static func isOwed(_ id: JobID) -> Bool { id.rawValue.hasPrefix("owed-") }

    func promise(_ ids: [JobID], since begin: ContinuousClock.Instant = .now) {
        let now = ContinuousClock.now
        promises.withLock { promises in
            for id in ids { promises[id] = now }
        }
        beginnings.withLock { beginnings in
            for id in ids { beginnings[id] = begin }
        }
    }

    func promised(_ id: JobID) -> ContinuousClock.Instant? { promises.withLock { $0[id] } }

    func begun(_ id: JobID) -> ContinuousClock.Instant? { beginnings.withLock { $0[id] } }

    /// Runs the body beside a relay of what the ledger owes.
    func withRelay(isolation: isolated (any Actor)? = #isolation, _ body: (OutboxRelay) async throws -> Void)
        async throws
    {
        let relay = ledger.relay(to: redis, logger: testLogger)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await relay.run() }
            defer { group.cancelAll() }
            try await body(relay)
        }
    }

    // MARK: Waiting

    /// Waits until so many effects were written.
    func effects(reach count: Int) async throws {
        try await eventually(within: .seconds(180), "\(count) effects") { try await ledger.effectCount() >= count }
    }

    /// Waits until nothing waits, runs or is owed.
    /// - Parameter later: so many jobs are due much later.
    func settle(later: Int = 0) async throws {
        try await eventually(within: .seconds(180), "all jobs have ended") {
            guard let counts = try await self.counts() else { return false }
            guard counts.waiting + counts.leased == 0, counts.later == later else { return false }
            return try await ledger.openDebts() == 0
        }
    }

    /// `nil` while Redis is away.
    func counts() async throws -> QueueCounts? {
        do throws(JobError) {
            return try await queue.counts()
        } catch  where error.isOutage {
            return nil
        }
    }

    // MARK: Judging

    /// What became of all promises.
    struct Books {
        let promised: Int
        /// Promised, and neither done nor in the queue.
        let lost: [JobID]
        /// Effects beyond the first of each job.
        let doubled: Int

        /// How many of them by an outbox row.
        let owed: Int

        /// As it goes into the table of faults.
        var words: String {
            let owed = owed == 0 ? "" : " (\(lost.count { QueueTrial.isOwed($0) }) of \(owed) with an outbox row)"
            return "\(lost.count) of \(promised) lost\(owed), \(doubled) doubled"
        }
    }

    /// Closes the books after `settle`: every job has its one effect, or is one that may be lost; none is dead.
    func close(mayLose: (JobID) -> Bool = { _ in false }) async throws -> Books {
        let effects = try await ledger.effects()
        let ids = promises.withLock { Array($0.keys) }
        let books = Books(
            promised: ids.count, lost: ids.filter { effects[$0] == nil },
            doubled: effects.values.reduce(0) { $0 + $1 - 1 }, owed: ids.count { Self.isOwed($0) })
        #expect(books.doubled == 0)
        #expect(books.lost.filter { !mayLose($0) } == [])
        let counts = try await queue.counts()
        #expect(counts.isBalanced, "\(counts)")
        #expect(counts.dead == 0)
        return books
    }

    /// How long after the kill of its worker each job that was under way there began anew.
    /// - Parameter kills: when each worker was killed, by process id.
    func reruns(after kills: [Int32: Instant]) async throws -> [Duration] {
        let lives = Dictionary(grouping: try await ledger.attempts(), by: \.jobId)
        return lives.values.flatMap { attempts in
            let attempts = attempts.sorted { $0.token < $1.token }
            return zip(attempts, attempts.dropFirst()).compactMap { former, next in
                kills[former.worker].map { next.beganAt - $0 }
            }
        }.sorted()
    }

    /// Says what a fault cost, in one line of the table.
    func report(_ fault: String, _ books: Books, _ more: String?...) {
        print("fault: \(fault): \(([books.words] + more.compactMap(\.self)).joined(separator: ", "))")
    }
}

extension [Duration] {
    /// Of a sorted list: `re-run p50 5.1 s max 6.3 s (64 attempts)`.
    var rerunWords: String {
        guard let last else { return "none re-run" }
        func text(_ duration: Duration) -> String {
            duration.inSeconds.formatted(.number.grouping(.never).precision(.fractionLength(1))) + " s"
        }
        return "re-run p50 \(text(self[count / 2])) max \(text(last)) (\(count) attempts)"
    }
}

/// Runs the body with a trial on the Redis at the URL; kills its workers afterwards, and removes its files.
func withTrial(
    _ url: String, isolation: isolated (any Actor)? = #isolation, _ body: (QueueTrial) async throws -> Void
) async throws {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    let ledger = try LedgerRepository.open(path: folder.file("ledger.sqlite"), logger: testLogger)
    try await withClient(try RedisConfiguration(url: url)) { redis in
        try await redis.waitUntilConnected(timeout: .seconds(60))
        let trial = QueueTrial(url: url, folder: folder, redis: redis, ledger: ledger)
        defer { trial.endWorkers() }
        do {
            try await body(trial)
        } catch {
            throw TestSupportError("\(error); the workers' logs end:\n\(try trial.logs())")
        }
    }
    try ledger.close()
}

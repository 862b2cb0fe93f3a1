import Foundation
import GameData
import GameModel
import Jobs
import Logging
import Records
import Redis
import Synchronization

/// The event streams of a benchmark, and the ingest processes that empty them.
struct IngestFloor: Sendable {
    let executable: String
    let url: String
    let redis: RedisClient
    let logger: Logger
    /// How many events the ingest processes store in one transaction at most; `nil`: as they are set by default.
    var ingestBatch: Int?

    private static let callers = 4
    private static let batch = GameEvent.batchMax

    /// Forgets everything; the server is the benchmark's own.
    func clear() async throws {
        _ = try await redis.send(RedisCommand("FLUSHALL"))
        _ = try await redis.send(RedisCommand("CONFIG", "RESETSTAT"))
    }

    /// Appends the first events as the API does, in requests of the largest batch from a few callers at once.
    /// - Parameter appended: told of each request that Redis has taken.
    func append(
        _ events: BenchEvents, _ count: Int, appended: @escaping @Sendable (_ events: Int) -> Void = { _ in }
    ) async throws {
        let log = EventLog(redis: redis)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for caller in 0..<Self.callers {
                group.addTask {
                    for start in stride(from: caller * Self.batch, to: count, by: Self.callers * Self.batch) {
                        let request = events[start..<min(start + Self.batch, count)]
                        try await log.append(request)
                        appended(request.count)
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    /// Entries that are not stored, or not settled, yet.
    private func waitingEntries() async throws -> Int {
        try await StreamDepth.read(redis).reduce(0) { $0 + $1.length }
    }

    // MARK: Emptying what waits

    /// What ingest processes did with a backlog, each figure over the middle four fifths of it: so neither their start
    /// nor their last, smaller batches count. `nil` where the backlog was gone before its middle was seen twice.
    struct Drain: Sendable {
        let perSecond: Double?
        /// Of the processes and of Redis, in µs for each event.
        let cpu: Double?
        let redis: Double?
        /// MB, of the processes together.
        let memory: Double
    }

    func drain(_ count: Int, workers: Int, folder: String) async throws -> Drain {
        try await clear()
        try await append(BenchEvents(count: count, from: .now), count)
        let drain = try await withWorkers(workers, folder) { pids in
            let stored = try EventsRepository.open(folder: folder, logger: logger)
            let high = try await reading(count, atMost: count * 9 / 10, stored, pids)
            let low = try await reading(count, atMost: count / 10, stored, pids)
            try stored.close()
            try await waitUntilEmpty()
            let events = Double(high.left - low.left)
            let seconds = high.meter.seconds(to: low.meter)
            guard events > 0, seconds > 0 else {
                return Drain(perSecond: nil, cpu: nil, redis: nil, memory: try memory(pids))
            }
            return Drain(
                perSecond: events / seconds, cpu: (low.cpu - high.cpu) / events,
                redis: (low.meter.redis - high.meter.redis) / events, memory: try memory(pids))
        }
        let stored = try await storedCount(folder)
        guard stored == count else { throw BenchError("\(stored) of \(count) events are stored") }
        return drain
    }

    private struct Reading {
        let left: Int
        let meter: CPUMeter
        let cpu: Double
    }

    /// What was used when no more than so many of the events were left to be stored. Asked of the files, for an entry
    /// of a stream does not say how many it holds.
    private func reading(
        _ count: Int, atMost bound: Int, _ stored: EventsRepository, _ pids: [Int32]
    ) async throws -> Reading {
        let deadline = ContinuousClock.now + .seconds(300)
        while ContinuousClock.now < deadline {
            let left = try await count - stored.countedEvents()
            if left <= bound {
                return Reading(
                    left: left, meter: try await CPUMeter.read(redis),
                    cpu: try pids.reduce(0) { $0 + (try BenchChild.cpuMicroseconds(of: $1)) })
            }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw BenchError("more than \(bound) events wait after 300 s")
    }

    private func waitUntilEmpty() async throws {
        let deadline = ContinuousClock.now + .seconds(300)
        while try await waitingEntries() > 0 {
            guard ContinuousClock.now < deadline else { throw BenchError("entries wait after 300 s") }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    private func memory(_ pids: [Int32]) throws -> Double {
        try pids.reduce(0) { $0 + (try BenchChild.memoryPeakMB(of: $1)) }
    }

    private func storedCount(_ folder: String) async throws -> Int {
        let events = try EventsRepository.open(folder: folder, logger: logger)
        let count = try await events.count()
        try events.close()
        return count
    }

    /// Runs the body beside ingest processes on one folder; it is given their process ids.
    private func withWorkers<Value: Sendable>(
        _ count: Int, _ folder: String, _ body: ([Int32]) async throws -> Value
    ) async throws -> Value {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let settings = ingestBatch.map { ["--set", "ingest.batch-max=\($0)"] } ?? []
        var children: [BenchChild] = []
        let outcome: Result<Value, any Error>
        do {
            for number in 1...count {
                children.append(
                    try BenchChild.start(
                        executable, ["ingest", "--redis", url, "--data", folder, "--log-level", "warning"] + settings,
                        output: "\(folder)/ingest\(number).log"))
            }
            var pids: [Int32] = []
            for child in children { pids.append(try await child.pid()) }
            outcome = .success(try await body(pids))
        } catch {
            outcome = .failure(error)
        }
        for child in children { try child.stop() }
        return try outcome.get()
    }

    // MARK: A burst

    /// How a burst went that came upon processes that had nothing to do; all times in seconds from its begin.
    struct Burst: Sendable {
        /// Events that waited, at several times.
        let lag: [(seconds: Double, events: Int)]
        /// When the last event was appended.
        let appended: Double
        /// When none waited any more.
        let settled: Double
        let stored: Int
        /// MB at most.
        let redisMemory: Double
        let memory: Double
    }

    func burst(_ count: Int, workers: Int, folder: String) async throws -> Burst {
        try await clear()
        let events = BenchEvents(count: count, from: .now)
        let (lag, appended, redisMemory, memory) = try await withWorkers(workers, folder) { pids in
            try await waitForProcesses(workers)
            let files = try EventsRepository.open(folder: folder, logger: logger)
            let begin = ContinuousClock.now
            let told = Mutex(0)
            let appended = Mutex<Double?>(nil)
            async let appending: Void = {
                defer { appended.withLock { $0 = (ContinuousClock.now - begin).inSeconds } }
                try await append(events, count) { more in told.withLock { $0 += more } }
            }()
            var lag: [(seconds: Double, events: Int)] = []
            var most = 0.0
            var isOver = false
            while !isOver {
                try await Task.sleep(for: .milliseconds(100))
                // What is stored is read before what was appended: the lag is told too high, if wrong.
                let isAppended = appended.withLock { $0 } != nil
                let waiting = try await waitingEntries()
                let stored = try await files.countedEvents()
                lag.append(((ContinuousClock.now - begin).inSeconds, max(0, told.withLock { $0 } - stored)))
                most = max(most, try await CPUMeter.read(redis).memory / 1_048_576)
                isOver = isAppended && waiting == 0
                guard ContinuousClock.now < begin + .seconds(300) else { throw BenchError("the burst takes too long") }
            }
            try files.close()
            try await appending
            return (lag, appended.withLock { $0 } ?? 0, most, try self.memory(pids))
        }
        return Burst(
            lag: lag, appended: appended, settled: lag.last?.seconds ?? 0, stored: try await storedCount(folder),
            redisMemory: redisMemory, memory: memory)
    }

    /// A consumer of an empty stream is not known to it; a process is, by its heartbeat in Redis.
    private func waitForProcesses(_ count: Int) async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while try await ProcessRegistry.list(redis).count(where: { $0.role == "ingest" }) < count {
            guard ContinuousClock.now < deadline else { throw BenchError("the ingest processes don't begin") }
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}

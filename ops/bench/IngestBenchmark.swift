import Foundation
import GameData
import GameModel
import Logging
import Records
import Redis

/// The whole benchmark of the event cache and its ingest, through the processes that run in earnest: events are
/// appended as the API appends them, and `muster ingest` moves them into SQLite.
///
/// Beside it what the machine can do at most with the same events: `redis-benchmark` with XADD, and SQLite with one
/// prepared statement in one transaction through its C API.
public struct IngestBenchmark: Sendable {
    /// This program.
    public var executable: String
    /// Events of each throughput figure.
    public var events = 1_000_000
    /// Events of the burst.
    public var burst = 1_000_000
    /// How many events an ingest process stores in one transaction at most; `nil`: as it is set by default.
    public var ingestBatch: Int?
    /// Print JSON at the end in place of lines on the way.
    public var json = false

    public init(executable: String) { self.executable = executable }

    /// Measures and prints.
    public func run() async throws {
        try await BenchServer.withFolder { url, folder in try await measure(url, folder) }
    }

    private func measure(_ url: String, _ folder: String) async throws {
        let configuration = try RedisConfiguration(url: url)
        var logger = Logger(label: "muster.bench")
        logger.logLevel = .error
        let redis = RedisClient(configuration: configuration, logger: logger)
        var floor = IngestFloor(executable: executable, url: url, redis: redis, logger: logger)
        floor.ingestBatch = ingestBatch
        let limits = RedisBenchmark(configuration)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await redis.run() }
            try await redis.waitUntilConnected(timeout: .seconds(10))
            let header = try await BenchHeader.read(redis)
            var report = BenchReport(json: json, header: header.line)
            report.add(try await appending(floor, limits))
            report.add(try await draining(floor, folder))
            report.add(try await bursting(floor, folder))
            try report.finish(header)
            group.cancelAll()
        }
    }

    // MARK: Into Redis

    private func appending(_ floor: IngestFloor, _ limits: RedisBenchmark?) async throws -> [BenchFigure] {
        let events = BenchEvents(count: events, from: .now)
        let sample = events[self.events / 2..<self.events / 2 + 1]
        let value = String(decoding: EventEntry.value(of: sample), as: UTF8.self)
        let command = ["XADD", "bench:limit", "MAXLEN", "~", "1000000", "*", EventEntry.formName, value]
        try await floor.clear()
        let limit = try await limits?.run(command, clients: 4, pipeline: 64, count: 200_000)
        try await floor.clear()
        let before = try await CPUMeter.read(floor.redis)
        try await floor.append(events, self.events)
        let after = try await CPUMeter.read(floor.redis)
        let count = Double(self.events)
        return [
            BenchFigure("append by the API, batches of 500 from 4 callers", count / before.seconds(to: after), "1/s")
                .beside(limit?.perSecond, "XADD -c 4 -P 64, each of one event"),
            BenchFigure("  Redis CPU per event", (after.redis - before.redis) / count, "µs"),
            BenchFigure("  client's CPU per event", (after.client - before.client) / count, "µs"),
            BenchFigure("  memory of Redis per waiting event", (after.memory - before.memory) / count, "bytes"),
        ]
    }

    // MARK: Into SQLite

    private func draining(_ floor: IngestFloor, _ folder: String) async throws -> [BenchFigure] {
        let one = try await floor.drain(events, workers: 1, folder: folder + "/one")
        let two = try await floor.drain(events, workers: 2, folder: folder + "/two")
        let limit = try raw(of: folder + "/one")
        let reason = "the backlog was gone too soon: give more --events"
        return [
            BenchFigure("ingest by 1 process", one.perSecond, "rows/s", orSay: reason)
                .beside(limit.perSecond, "C API, one statement").atLeast(limit.perSecond * 0.6),
            BenchFigure("  its CPU per event", one.cpu, "µs", orSay: reason).beside(limit.cpu, "C API"),
            BenchFigure("  Redis CPU per event", one.redis, "µs", orSay: reason),
            BenchFigure("  its memory at most", one.memory, "MB"),
            BenchFigure("ingest by 2 processes", two.perSecond, "rows/s", orSay: reason)
                .beside(one.perSecond, "1 process").atLeast(one.perSecond),
            BenchFigure("  their CPU per event", two.cpu, "µs", orSay: reason),
            BenchFigure("  their memory at most, both", two.memory, "MB"),
        ]
    }

    /// The same rows, one file after the other, through the C API: rows a second, and µs of CPU for each.
    private func raw(of folder: String) throws -> (perSecond: Double, cpu: Double) {
        let stored = try EventsRepository.open(folder: folder, logger: Logger(label: "muster.bench"))
        let paths = stored.paths().map(\.path)
        try stored.close()
        var (count, seconds, cpu) = (0, 0.0, 0.0)
        for (number, path) in paths.enumerated() {
            let rows = try RawInsertRepository(of: path)
            count += rows.count
            let took = try rows.insert(into: "\(folder)/raw\(number).sqlite")
            seconds += took.seconds
            cpu += took.cpu
        }
        guard count > 0 else { throw BenchError("no event is stored") }
        return (Double(count) / seconds, cpu / Double(count))
    }

    private func bursting(_ floor: IngestFloor, _ folder: String) async throws -> [BenchFigure] {
        let burst = try await floor.burst(self.burst, workers: 2, folder: folder + "/burst")
        var figures = [
            BenchFigure("burst of \(self.burst) events: append", Double(self.burst) / burst.appended, "1/s"),
            BenchFigure("  lag at most", Double(burst.lag.map(\.events).max() ?? 0), "events"),
        ]
        let step = max(1, burst.lag.count / 8)
        for index in stride(from: step - 1, to: burst.lag.count - 1, by: step) {
            let (seconds, events) = burst.lag[index]
            figures.append(BenchFigure("  lag after \(BenchFigure.text(seconds)) s", Double(events), "events"))
        }
        figures += [
            BenchFigure("  from the last append until the lag is zero", burst.settled - burst.appended, "s"),
            BenchFigure("  from the first append until all is stored", burst.settled, "s"),
            BenchFigure("  events that were not stored", Double(self.burst - burst.stored), "events").atMost(0),
            BenchFigure("  memory of Redis at most", burst.redisMemory, "MB"),
            BenchFigure("  memory of both ingests at most", burst.memory, "MB"),
        ]
        return figures
    }
}

import Foundation
import GameModel
import Redis

/// The record of a completed job, kept for as long as its `JobOptions.keepResult` says.
public struct JobResult: Sendable, Hashable {
    public let id: JobID
    public let kind: String
    public let completedAt: Instant
    public let enqueuedAt: Instant
    /// When the attempt began that completed it.
    public let leasedAt: Instant
    public let attempt: Int
    /// The worker that completed it.
    public let worker: String
    /// How former attempts ended: see lease_fragment.lua.
    let history: String
    /// What the handler gave to `JobContext.setResult`; empty where it gave nothing.
    public let value: [UInt8]

    /// Decodes the value, which is JSON.
    public func decode<T: Decodable>(as type: T.Type = T.self) throws -> T {
        try JSONDecoder().decode(type, from: Data(value))
    }

    package init?(id: JobID, _ bytes: [UInt8]) {
        guard let end = bytes.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
        let words = String(decoding: bytes[..<end], as: UTF8.self).split(separator: " ").map(String.init)
        guard words.count == 7, let completed = Int64(words[0]), let enqueued = Int64(words[1]),
            let leased = Int64(words[2]), let attempt = Int(words[3])
        else { return nil }
        self.id = id
        completedAt = Instant(milliseconds: completed)
        enqueuedAt = Instant(milliseconds: enqueued)
        leasedAt = Instant(milliseconds: leased)
        self.attempt = attempt
        worker = words[4]
        kind = words[5]
        history = words[6]
        value = Array(bytes[(end + 1)...])
    }
}

/// How far a running job says it is.
public struct JobProgress: Sendable, Hashable {
    public let at: Instant
    /// 0 to 1
    public let fraction: Double
    public let text: String

    /// The two as they are kept: the fraction within its bounds, the text on one line, short.
    package static func wire(_ fraction: Double, _ text: String) -> (fraction: String, text: String) {
        (String(min(max(fraction, 0), 1)), String(text.prefix(200)).replacing("\n", with: " "))
    }

    package init?(_ text: String) {
        let words = text.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
        guard words.count == 3, let at = Int64(words[0]), let fraction = Double(words[1]) else { return nil }
        self.at = Instant(milliseconds: at)
        self.fraction = fraction
        self.text = words[2]
    }
}

extension JobQueue {
    /// The record of a completed job; `nil` where it lives, is dead, or its record is not kept (any more).
    public func result(of id: JobID) async throws(JobError) -> JobResult? {
        try await read(keys.results, id).flatMap { JobResult(id: id, $0) }
    }

    /// Waits until a job has a record, by looking again and again, at first after 5 ms and at last each 250 ms.
    /// - Returns: `nil` when the time is over.
    public func waitForResult(of id: JobID, timeout: Duration) async throws -> JobResult? {
        let end = ContinuousClock.now + timeout
        var pause = Duration.milliseconds(5)
        while true {
            if let result = try await result(of: id) { return result }
            guard ContinuousClock.now < end else { return nil }
            try await Task.sleep(for: min(pause, end - .now))
            pause = min(pause * 2, .milliseconds(250))
        }
    }

    /// What a running job said of itself last; `nil` where it said nothing, or does not run.
    public func progress(of id: JobID) async throws(JobError) -> JobProgress? {
        try await read(keys.progress, id).flatMap { JobProgress(String(decoding: $0, as: UTF8.self)) }
    }

    /// - Returns: whether the lease is still this attempt's.
    func noteProgress(_ id: JobID, token: UInt64, fraction: Double, text: String) async throws(JobError) -> Bool {
        let (share, line) = JobProgress.wire(fraction, text)
        let reply = try await run(
            JobScripts.progress, keys: keys.forProgress,
            [
                RedisArgument(id.rawValue), RedisArgument(String(token)),
                RedisArgument(share), RedisArgument(line),
            ], isSafeToRepeat: true)
        return reply.int == 1
    }

    private func read(_ key: RedisKey, _ id: JobID) async throws(JobError) -> [UInt8]? {
        do {
            let command = RedisCommand(["HGET", RedisArgument(key), RedisArgument(id.rawValue)], isSafeToRepeat: true)
            return try await redis.send(command).bytes
        } catch {
            throw .redis(error)
        }
    }
}

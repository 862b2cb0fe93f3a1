import Foundation
import GameModel
import Logging
import Redis
import ServiceLifecycle

/// Says every 2 s that this process lives, and lists those that do, judged by the clock of Redis.
public final class ProcessRegistry: Sendable, Service {
    private let redis: RedisClient
    private let logger: Logger
    private let id: String
    private let description: ProcessDescription

    private static let interval = Duration.seconds(2)
    /// After so long without a heartbeat a process counts as gone.
    public static let silentAfter = Duration.seconds(10)

    public init(redis: RedisClient, role: String, version: String, logger: Logger) {
        self.redis = redis
        self.logger = logger
        let pid = ProcessInfo.processInfo.processIdentifier
        id = "\(role).\(pid).\(ULID())"
        description = ProcessDescription(
            role: role, version: version, host: ProcessInfo.processInfo.hostName, pid: Int(pid), startedAt: .now)
    }

    /// Beats until graceful shutdown or cancellation, then signs off.
    public func run() async throws {
        do {
            try await cancelWhenGracefulShutdown { try await self.beatUntilCancelled() }
        } catch is CancellationError {
            logger.debug("the heartbeat stops")
        }
        await shielded {
            do {
                try await self.beat(ttl: .zero)
            } catch {
                self.logger.debug("could not sign off; the entry runs out by itself: \(error)")
            }
        }.value
    }

    /// The processes that live, by role, then by age.
    public static func list(_ redis: RedisClient) async throws(JobError) -> [ProcessEntry] {
        let reply: RESPValue
        do {
            reply = try await redis.run(
                JobScripts.processes, keys: [JobKeys.processes], arguments: [], isSafeToRepeat: true)
        } catch {
            throw .redis(error)
        }
        guard let flat = reply.array, flat.count.isMultiple(of: 3) else {
            throw .unexpectedReply("processes answered \(reply)")
        }
        var entries: [ProcessEntry] = []
        for index in stride(from: 0, to: flat.count, by: 3) {
            guard let id = flat[index].string, let left = flat[index + 1].int, let bytes = flat[index + 2].bytes else {
                continue
            }
            do {
                let description = try JSONDecoder().decode(ProcessDescription.self, from: Data(bytes))
                let silence = silentAfter - .milliseconds(left)
                entries.append(
                    ProcessEntry(id: id, process: description, silentMs: max(0, Int(silence.milliseconds))))
            } catch {
                continue  // Written by another version, in a form that is not ours: not listed.
            }
        }
        return entries.sorted { left, right in
            (left.process.role, left.process.startedAt, left.id) < (
                right.process.role, right.process.startedAt, right.id
            )
        }
    }

    private func beatUntilCancelled() async throws {
        var failures = 0
        while true {
            do {
                try await beat(ttl: Self.silentAfter)
                failures = 0
            } catch {
                failures += 1
                if failures == 1, !Task.isCancelled { logger.warning("the heartbeat does not reach Redis: \(error)") }
            }
            try await Task.sleep(for: Self.interval)
        }
    }

    private func beat(ttl: Duration) async throws {
        let text = String(decoding: try JSONEncoder().encode(description), as: UTF8.self)
        _ = try await redis.run(
            JobScripts.heartbeat, keys: [JobKeys.processes],
            arguments: [RedisArgument(id), RedisArgument(ttl.milliseconds), RedisArgument(text)], isSafeToRepeat: true)
    }
}

/// What a process says of itself.
public struct ProcessDescription: Sendable, Hashable, Codable {
    public let role: String
    public let version: String
    public let host: String
    public let pid: Int
    public let startedAt: Instant
}

/// A process that lives.
public struct ProcessEntry: Sendable, Hashable, Codable {
    public let id: String
    public let process: ProcessDescription
    /// Time since its last heartbeat, in ms.
    public let silentMs: Int

    public var role: String { process.role }
}

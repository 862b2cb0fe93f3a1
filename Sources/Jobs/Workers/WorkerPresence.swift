import Foundation
import GameModel
import Logging
import Redis

/// Says each second that a worker lives and what it does, and has it obey the order that comes back.
struct WorkerPresence: Sendable {
    let queue: JobQueue
    let workerID: String
    let description: WorkerDescription
    let interval: Duration
    let leases: LeaseTable
    let mode: WorkerMode
    let pulse: Pulse
    let logger: Logger

    /// Returns when cancelled.
    func run() async {
        var failures = 0
        var isFirst = true
        while !Task.isCancelled {
            do {
                let order = try await beat(ttl: JobWorkers.silentAfter, sweeps: isFirst)
                isFirst = false
                failures = 0
                // A worker at rest hears from its queue in no other way. One at work must hear by taking jobs: else
                // this would hide that it has gone deaf.
                if mode.isQuiet { pulse.beat() }
                if let order, mode.obey(order) {
                    logger.notice("told to \(order.rawValue)", metadata: ["worker": "\(workerID)"])
                    continue
                }
            } catch {
                failures += 1
                if failures == 1, !Task.isCancelled {
                    logger.warning("the worker's sign of life does not reach Redis: \(error)")
                }
            }
            do {
                try await Task.sleep(for: interval)
            } catch {
                return  // Cancelled: the worker has ended.
            }
        }
    }

    /// Takes the worker off the list. Where Redis is away, it is forgotten there by itself.
    func signOff() async {
        await shielded {
            do {
                _ = try await beat(ttl: .zero, sweeps: false)
            } catch {
                logger.debug("could not sign off; the entry runs out by itself: \(error)")
            }
        }.value
    }

    /// Returns the order that holds for the worker.
    private func beat(ttl: Duration, sweeps: Bool) async throws -> WorkerOrder? {
        var description = description
        description.running = leases.running
        description.state = mode.state
        let keep = sweeps ? JobWorkers.rememberedFor : .zero
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let reply = try await queue.redis.run(
            WorkerScripts.presence, keys: WorkerKeys(queue.name).all,
            arguments: [
                RedisArgument(workerID), RedisArgument(ttl.milliseconds), RedisArgument(keep.milliseconds),
                RedisArgument(Array(try encoder.encode(description))),
            ], timeout: Self.patience, isSafeToRepeat: true)
        return reply.string.flatMap { WorkerOrder(rawValue: $0) }
    }

    /// A beat that takes longer is given up for the next one; the end of a worker waits no longer for it either.
    private static let patience = Duration.seconds(1)
}

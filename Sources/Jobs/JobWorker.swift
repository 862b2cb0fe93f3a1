import Foundation
import GameModel
import Logging
import ServiceLifecycle
import Synchronization
import Telemetry

/// Runs the jobs of one queue, several at once, until it is asked to stop.
///
/// Promises: an idle worker waits in Redis and picks a job up at once, without polling; leases are renewed while
/// handlers run, and a handler whose lease is lost is cancelled and its end refused; a stop lets handlers finish for
/// a while, then hands what is unfinished back unattempted; Redis may go away and come back. It says each second that
/// it lives (`JobWorkers` lists it), and rests, goes on or ends as it is told by `JobWorkers.order`.
///
/// A worker that was told to stop returns from `run`. `ProcessHost` then stops the whole process gracefully; in a
/// `ServiceGroup` of your own, give it `successTerminationBehavior: .gracefullyShutdownGroup`.
public struct JobWorker: SelfStoppingService {
    /// Its name in `JobWorkers.list`: 1 to 26 visible ASCII characters that no other worker has.
    public let workerID: String
    private let queue: JobQueue
    private let configuration: JobWorkerConfiguration
    private let handlers: [String: JobHandler]
    private let logger: Logger
    private let pulse = Pulse()

    /// - Parameters:
    ///   - handlers: one per kind. Jobs of other kinds are handed back, with an alarm.
    ///   - readiness: where the worker says whether it hears from the queue, as `jobs:<queue>`. A worker that rests
    ///     because it was told to is ready.
    ///   - workerID: a ULID unless given.
    public init(
        queue: JobQueue, configuration: JobWorkerConfiguration = JobWorkerConfiguration(), handlers: [JobHandler],
        logger: Logger, readiness: Readiness? = nil, workerID: String? = nil
    ) {
        self.workerID = workerID ?? ULID().description
        self.queue = queue
        self.configuration = configuration
        self.handlers = Dictionary(handlers.map { ($0.kind, $0) }) { first, _ in first }
        var logger = logger
        logger[metadataKey: "queue"] = "\(queue.name)"
        self.logger = logger
        let limit = configuration.readyWithin
        readiness?.register("jobs:\(queue.name)") { [pulse] in
            guard let silence = pulse.silence else { return .notReady("has not heard from the queue yet") }
            return silence <= limit ? .ready : .notReady("has not heard from the queue for \(silence.inSeconds) s")
        }
    }

    /// Runs until graceful shutdown or cancellation, or until the worker is told to stop.
    /// - Throws: `JobError.invalid` where the configuration or the worker's id cannot work.
    public func run() async throws {
        try configuration.validate()
        guard (1...26).contains(workerID.utf8.count), workerID.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw JobError.invalid("a worker's id has 1 to 26 visible ASCII characters, not “\(workerID)”")
        }
        let leases = LeaseTable()
        let mode = WorkerMode(leases: leases)
        let metrics = WorkerMetrics(queue: queue.name)
        let settler = Settler(queue: queue, leases: leases, metrics: metrics, logger: logger)
        let runner = JobRunner(
            queue: queue, configuration: configuration, handlers: handlers, leases: leases, settler: settler,
            metrics: metrics, logger: logger)
        let loop = ReserveLoop(
            queue: queue, configuration: configuration, workerID: workerID, leases: leases, mode: mode,
            settler: settler, runner: runner, pulse: pulse, logger: logger)
        let presence = WorkerPresence(
            queue: queue, workerID: workerID, description: description, interval: configuration.presenceInterval,
            leases: leases, mode: mode, pulse: pulse, logger: logger)
        let renewer = Renewer(
            queue: queue, configuration: configuration, leases: leases, metrics: metrics, pulse: pulse, logger: logger)
        let retainer = Retainer(queue: queue, interval: configuration.retainInterval, logger: logger)
        let settling = shielded { await settler.run() }
        await withTaskGroup(of: Void.self) { services in
            services.addTask { await renewer.run() }
            services.addTask { await presence.run() }
            services.addTask { await retainer.run() }
            await withGracefulShutdownHandler {
                await withDiscardingTaskGroup { group in
                    await loop.run(in: &group)
                    await stop(leases, settler)
                }
            } onGracefulShutdown: {
                mode.stop()
            }
            services.cancelAll()
        }
        settler.finish()
        await settling.value
        await loop.passWakeOn()
        await presence.signOff()
    }

    private var description: WorkerDescription {
        WorkerDescription(
            name: configuration.name ?? logger.label, version: configuration.version,
            host: ProcessInfo.processInfo.hostName, pid: Int(ProcessInfo.processInfo.processIdentifier),
            kinds: handlers.keys.sorted(), concurrency: configuration.concurrency, running: 0, state: .running,
            startedAt: .now)
    }

    /// Waits for running handlers, then cancels them, then hands back what still runs.
    private func stop(_ leases: LeaseTable, _ settler: Settler) async {
        if await drained(leases, within: configuration.stopGrace) { return }
        logger.notice("stopping: \(leases.running) jobs still run and are cancelled")
        leases.cancelRunning()
        if await drained(leases, within: .seconds(1)) { return }
        let unfinished = leases.takeUnfinished()
        logger.warning("stopping: \(unfinished.count) jobs do not end and are handed back")
        settler.add(
            unfinished.map {
                Settlement(id: $0.id, token: $0.token, verb: .release(after: .zero), hasExtras: $0.hasExtras)
            })
    }

    /// Whether no handler runs any more, at the latest after the limit, or at once when cancelled.
    private func drained(_ leases: LeaseTable, within limit: Duration) async -> Bool {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                while leases.running > 0, !Task.isCancelled { await leases.changed.wait() }
            }
            group.addTask {
                do {
                    try await Task.sleep(for: limit)
                } catch {
                    return  // The handlers have ended first.
                }
            }
            await group.next()
            group.cancelAll()
        }
        return leases.running == 0
    }
}

/// When the worker last heard from its queue, by this machine's steady clock.
final class Pulse: Sendable {
    private let last = Mutex<ContinuousClock.Instant?>(nil)

    func beat() { last.withLock { $0 = .now } }

    /// `nil` before the first beat.
    var silence: Duration? { last.withLock { $0.map { .now - $0 } } }
}

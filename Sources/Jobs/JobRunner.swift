import GameModel
import Logging
import CoreMetrics
import Metrics

/// Runs the handlers of leased jobs and says how each attempt is to end.
struct JobRunner: Sendable {
    let queue: JobQueue
    let configuration: JobWorkerConfiguration
    let handlers: [String: JobHandler]
    let leases: LeaseTable
    let settler: Settler
    let metrics: WorkerMetrics
    let logger: Logger
    /// How handlers tell their progress; one for all of them.
    private let progress: JobReports.Progress

    init(
        queue: JobQueue, configuration: JobWorkerConfiguration, handlers: [String: JobHandler], leases: LeaseTable,
        settler: Settler, metrics: WorkerMetrics, logger: Logger
    ) {
        self.queue = queue
        self.configuration = configuration
        self.handlers = handlers
        self.leases = leases
        self.settler = settler
        self.metrics = metrics
        self.logger = logger
        progress = { try await queue.noteProgress($0, token: $1, fraction: $2, text: $3) }
    }

    /// A job about to run.
    private struct Attempt: Sendable {
        let lease: Lease
        let envelope: Envelope
        let input: HandlerInput
        let backoff: Backoff
        let began = ContinuousClock.now

        func settlement(_ verb: Settlement.Verb) -> Settlement {
            Settlement(
                id: lease.id, token: lease.token, verb: verb, hasExtras: lease.hasExtras,
                result: input.context.reports.result?.value ?? [])
        }
    }

    /// Starts what was reserved, each chunk in a task of its own.
    func start(_ reservation: Reservation, in group: inout DiscardingTaskGroup) {
        for burial in reservation.buried { tellOf(burial, in: &group) }
        var byKind: [String: [Attempt]] = [:]
        var refused: [Settlement] = []
        for lease in reservation.leases {
            guard let envelope = lease.envelope else {
                let bury = Bury("the envelope is not of a form that can be read", reason: .undecodable)
                refused.append(Settlement(id: lease.id, token: lease.token, verb: .bury(bury)))
                continue
            }
            if envelope.payload.count > EncodedJob.payloadBytesMax {
                buryOversize(lease, envelope, in: &group)
                continue
            }
            guard let handler = handlers[envelope.kind], envelope.words.payloadVersion <= handler.payloadVersion else {
                metrics.unknownKind.increment()
                logger.error(
                    "no handler knows this kind, or this version of its payload; the job was handed back unattempted",
                    metadata: [
                        "job": "\(lease.id)", "kind": "\(envelope.kind)", "version": "\(envelope.words.payloadVersion)",
                    ])
                refused.append(
                    Settlement(
                        id: lease.id, token: lease.token, verb: .release(after: configuration.unknownKindDelay),
                        hasExtras: lease.hasExtras))
                continue
            }
            byKind[envelope.kind, default: []].append(
                Attempt(
                    lease: lease, envelope: envelope, input: input(lease, envelope, handler.policy),
                    backoff: envelope.words.backoff ?? handler.backoff))
        }
        settler.add(refused)
        for (kind, attempts) in byKind {
            guard let handler = handlers[kind] else { continue }
            for start in stride(from: 0, to: attempts.count, by: handler.limit) {
                let chunk = Array(attempts[start..<min(start + handler.limit, attempts.count)])
                let task = HandlerTask(leases: chunk.count)
                leases.started(chunk.map(\.lease), task: task)
                group.addTask { await run(chunk, handler, task) }
            }
        }
    }

    private func run(_ chunk: [Attempt], _ handler: JobHandler, _ task: HandlerTask) async {
        let begin = ContinuousClock.now
        let verbs: [Settlement.Verb]
        if let timeout = chunk.compactMap(\.envelope.words.timeout).min() {
            // Beside each other, so that the cancellation of the handler does not reach its watch.
            verbs = await withTaskGroup(of: [Settlement.Verb]?.self) { group in
                group.addTask { await handle(chunk, handler, task) }
                group.addTask {
                    await watch(chunk, handler, task, timeout)
                    return nil
                }
                var verbs: [Settlement.Verb] = []
                for await ended in group {
                    guard let ended else { continue }
                    verbs = ended
                    group.cancelAll()
                }
                return verbs
            }
        } else {
            verbs = await handle(chunk, handler, task)
        }
        metrics.runSeconds.record(duration: .now - begin)
        var settlements: [Settlement] = []
        for (attempt, verb) in zip(chunk, verbs) {
            switch leases.handlerEnded(attempt.lease) {
            case .settle: settlements.append(attempt.settlement(verb))
            case .discard:
                logger.warning(
                    "an attempt ended after its lease was lost or handed back; its end is not told",
                    metadata: ["job": "\(attempt.lease.id)", "token": "\(attempt.lease.token)"])
            }
        }
        settler.add(settlements)
    }

    private func handle(_ chunk: [Attempt], _ handler: JobHandler, _ task: HandlerTask) async -> [Settlement.Verb] {
        await task.run {
            let outcomes = await handler.run(chunk.map(\.input))
            let isTimedOut = task.isTimedOut
            var verbs: [Settlement.Verb] = []
            verbs.reserveCapacity(chunk.count)
            for (attempt, outcome) in zip(chunk, outcomes) {
                let isLate = isTimedOut && outcome == .interrupted
                let verb = isLate ? verbForTimeout(of: attempt) : verb(for: outcome, of: attempt)
                if case .bury(let bury) = verb { await tell(handler, attempt.input, bury) }
                verbs.append(verb)
            }
            return verbs
        }
    }

    /// How long a handler that took too long may take to heed its cancellation.
    private static let timeoutGrace = Duration.seconds(1)

    /// Cancels the handler when its time is up. The attempt of one that does not heed is ended all the same; such a
    /// handler keeps its place in the worker until it returns.
    private func watch(
        _ chunk: [Attempt], _ handler: JobHandler, _ task: HandlerTask, _ timeout: Duration
    ) async {
        do {
            try await Task.sleep(for: timeout)
            task.timeOut()
            try await Task.sleep(for: Self.timeoutGrace)
        } catch {
            return  // The handler has ended.
        }
        let unheeding = chunk.filter { leases.takeUnfinished($0.lease) }
        guard !unheeding.isEmpty else { return }
        logger.error("\(unheeding.count) jobs took too long and do not heed their cancellation")
        for attempt in unheeding {
            let verb = verbForTimeout(of: attempt)
            if case .bury(let bury) = verb { await tell(handler, attempt.input, bury) }
            settler.add([attempt.settlement(verb)])
        }
    }

    private func verbForTimeout(of attempt: Attempt) -> Settlement.Verb {
        let text = "timed out after \((attempt.envelope.words.timeout ?? .zero).inSeconds) s"
        let verb = verb(for: .failed(text), of: attempt)
        guard case .bury(let bury) = verb else { return verb }
        return .bury(Bury(bury.message, reason: .timeout))
    }

    private func verb(for outcome: JobOutcome, of attempt: Attempt) -> Settlement.Verb {
        // The lease's begin is by the clock of Redis, what passed since by the steady one here: no wrong clock matters.
        func age() -> Duration {
            let now = attempt.lease.leasedAt.milliseconds + (ContinuousClock.now - attempt.began).milliseconds
            return .milliseconds(now - attempt.envelope.enqueuedAt.milliseconds)
        }
        return AttemptRules(backoff: attempt.backoff, giveUpAfter: attempt.envelope.words.giveUpAfter)
            .verb(for: outcome, attempt.input.context, age: age(), random: .random(in: 0..<1))
    }

    private func input(_ lease: Lease, _ envelope: Envelope, _ policy: RetryPolicy? = nil) -> HandlerInput {
        let reports = JobReports(
            progress: progress, result: envelope.words.keepResult == nil ? nil : JobReports.Box())
        return HandlerInput(
            payload: envelope.payload, payloadVersion: envelope.words.payloadVersion,
            context: JobContext(
                id: lease.id, kind: envelope.kind, queue: queue.name, attempt: lease.attempt,
                maxAttempts: envelope.maxAttempts, token: lease.token, enqueuedAt: envelope.enqueuedAt,
                leasedAt: lease.leasedAt, logger: logger, reports: reports),
            policy: policy, trace: envelope.words.trace)
    }

    /// The reserve script has buried it already; only the hook is left to be told.
    private func tellOf(_ burial: Burial, in group: inout DiscardingTaskGroup) {
        metrics.buried.increment()
        let lease = burial.lease
        let text =
            burial.reason == .expired
            ? "not started in time" : "its worker vanished on the last allowed attempt, or too often"
        logger.error("buried: \(text)", metadata: ["job": "\(lease.id)", "attempt": "\(lease.attempt)"])
        guard let envelope = lease.envelope, let handler = handlers[envelope.kind] else { return }
        let input = input(lease, envelope)
        let bury = Bury(text, reason: burial.reason)
        group.addTask { await tell(handler, input, bury) }
    }

    /// Such a job got in past `JobQueue`: by another writer, or by a version that allowed more.
    private func buryOversize(_ lease: Lease, _ envelope: Envelope, in group: inout DiscardingTaskGroup) {
        let bury = Bury(
            "its payload has \(envelope.payload.count) bytes, over \(EncodedJob.payloadBytesMax)", reason: .oversize)
        logger.error("buried: \(bury.message)", metadata: ["job": "\(lease.id)", "kind": "\(envelope.kind)"])
        let settlement = Settlement(id: lease.id, token: lease.token, verb: .bury(bury), hasExtras: lease.hasExtras)
        guard let handler = handlers[envelope.kind] else { return settler.add([settlement]) }
        let input = input(lease, envelope)
        group.addTask {
            await tell(handler, input, bury)
            settler.add([settlement])
        }
    }

    /// Shielded, as a hook must not fail because the handler before it was cancelled.
    private func tell(_ handler: JobHandler, _ input: HandlerInput, _ bury: Bury) async {
        guard let hook = handler.onBury else { return }
        await shielded {
            do {
                try await hook(input, bury)
            } catch {
                input.context.logger.error("the hook for buried jobs failed: \(error)")
            }
        }.value
    }
}

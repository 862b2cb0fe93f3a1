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

    /// A job about to run.
    private struct Attempt: Sendable {
        let lease: Lease
        let input: HandlerInput
        let backoff: Backoff
    }

    /// Starts what was reserved, each chunk in a task of its own.
    func start(_ reservation: Reservation, in group: inout DiscardingTaskGroup) {
        for lease in reservation.crashed { buriedAsCrashed(lease, in: &group) }
        var byKind: [String: [Attempt]] = [:]
        var refused: [Settlement] = []
        for lease in reservation.leases {
            guard let envelope = lease.envelope else {
                let bury = Bury("the envelope is not of a form that can be read", reason: .undecodable)
                refused.append(Settlement(id: lease.id, token: lease.token, verb: .bury(bury)))
                continue
            }
            guard let handler = handlers[envelope.kind] else {
                metrics.unknownKind.increment()
                logger.error(
                    "no handler knows this kind; the job was handed back unattempted",
                    metadata: ["job": "\(lease.id)", "kind": "\(envelope.kind)"])
                refused.append(
                    Settlement(
                        id: lease.id, token: lease.token, verb: .release(after: configuration.unknownKindDelay)))
                continue
            }
            byKind[envelope.kind, default: []].append(
                Attempt(
                    lease: lease, input: input(lease, envelope), backoff: envelope.backoff ?? handler.backoff))
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
        let verbs = await task.run {
            let outcomes = await handler.run(chunk.map(\.input))
            var verbs: [Settlement.Verb] = []
            verbs.reserveCapacity(chunk.count)
            for (attempt, outcome) in zip(chunk, outcomes) {
                let verb = verb(for: outcome, of: attempt)
                if case .bury(let bury) = verb { await tell(handler, attempt.input, bury) }
                verbs.append(verb)
            }
            return verbs
        }
        metrics.runSeconds.record(duration: .now - begin)
        var settlements: [Settlement] = []
        for (attempt, verb) in zip(chunk, verbs) {
            let lease = attempt.lease
            switch leases.handlerEnded(lease) {
            case .settle: settlements.append(Settlement(id: lease.id, token: lease.token, verb: verb))
            case .discard:
                logger.warning(
                    "an attempt ended after its lease was lost or handed back; its end is not told",
                    metadata: ["job": "\(lease.id)", "token": "\(lease.token)"])
            }
        }
        settler.add(settlements)
    }

    private func verb(for outcome: JobOutcome, of attempt: Attempt) -> Settlement.Verb {
        let context = attempt.input.context
        switch outcome {
        case .completed: return .complete
        case .interrupted: return .release(after: .zero)
        case .snoozed(let duration): return .release(after: max(duration, .zero))
        case .buried(let bury):
            context.logger.warning("buried as \(bury.reason.rawValue): \(bury.message)")
            return .bury(bury)
        case .failed(let error) where context.isLastAttempt:
            context.logger.warning("buried: attempt \(context.attempt), the last allowed, failed: \(error)")
            return .bury(Bury(error))
        case .failed(let error):
            let delay = attempt.backoff.delay(afterAttempt: context.attempt, random: .random(in: 0..<1))
            context.logger.info("attempt \(context.attempt) failed, again in \(delay.inSeconds) s: \(error)")
            return .retry(after: delay, error: error)
        }
    }

    private func input(_ lease: Lease, _ envelope: Envelope) -> HandlerInput {
        var logger = logger
        logger[metadataKey: "job"] = "\(lease.id)"
        return HandlerInput(
            payload: envelope.payload,
            context: JobContext(
                id: lease.id, kind: envelope.kind, queue: queue.name, attempt: lease.attempt,
                maxAttempts: envelope.maxAttempts, token: lease.token, enqueuedAt: envelope.enqueuedAt, logger: logger))
    }

    /// The reserve script has buried it already; only the hook is left to be told.
    private func buriedAsCrashed(_ lease: Lease, in group: inout DiscardingTaskGroup) {
        metrics.buried.increment()
        logger.error("buried: its worker vanished on the last allowed attempt", metadata: ["job": "\(lease.id)"])
        guard let envelope = lease.envelope, let handler = handlers[envelope.kind] else { return }
        let input = input(lease, envelope)
        let bury = Bury("the worker vanished during attempt \(lease.attempt)", reason: .crashed)
        group.addTask { await tell(handler, input, bury) }
    }

    private func tell(_ handler: JobHandler, _ input: HandlerInput, _ bury: Bury) async {
        do {
            try await handler.onBury?(input, bury)
        } catch {
            input.context.logger.error("the hook for buried jobs failed: \(error)")
        }
    }
}

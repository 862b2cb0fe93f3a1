import ArgumentParser
import Foundation
import Jobs

/// `muster jobs retry`: lets jobs run now.
struct JobsRetryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry",
        abstract: "Let jobs run now: dead ones as if new, scheduled ones before their time.",
        discussion: """
            Example:
              muster jobs retry 01JEXAMPLE
              muster jobs dead retry --reason timeout    (all that a filter holds for)
            """)

    @OptionGroup var targets: JobTargets

    func run() async throws {
        try await targets.each { queue, job in
            switch try await queue.redrive([job.id]).first {
            case .available:
                return .done(
                    job, job.state == .dead ? "put back, as if new; it waits for its turn" : "waits for its turn now")
            case .notUnique(let holder):
                return .refused(
                    job, "job \(holder) has its unique key \(job.uniqueKey ?? "") now",
                    nextStep: "Let that one end, or cancel it: 'muster jobs cancel \(holder)'.")
            case .notDead:
                return .refused(
                    job, "it is \(job.state.rawValue), neither dead nor scheduled",
                    nextStep: "See why it does not run with 'muster jobs why \(job.id)'.")
            case .unknown, nil: return .refused(job, Gone.text(job), nextStep: Gone.nextStep)
            }
        }
    }
}

/// `muster jobs cancel`: takes jobs out.
struct JobsCancelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel",
        abstract: "Cancel jobs that wait or run; nothing of them stays.",
        discussion: """
            The handler of a job that runs is cancelled at its worker's next renewal, and its result is refused. What \
            it did until then is done.

            Example:
              muster jobs cancel 01JEXAMPLE
              muster jobs cancel 01JEXAMPLE 01JANOTHER --yes
            """)

    @OptionGroup var targets: JobTargets
    @OptionGroup var confirmation: Confirmation

    func run() async throws {
        try confirmation.require("Cancel \(targets.named)?")
        try await targets.each { queue, job in
            switch try await queue.cancel([job.id]).first {
            case .cancelled:
                return .done(
                    job,
                    job.state == .leased
                        ? "cancelled; its handler learns it at its worker's next renewal" : "cancelled")
            case .dead:
                return .refused(
                    job, "it is dead already", nextStep: "Remove it with 'muster jobs rm \(job.id)'.")
            case .unknown, nil: return .refused(job, Gone.text(job), nextStep: Gone.nextStep)
            }
        }
    }
}

/// `muster jobs bury`: moves jobs to the dead letters.
struct JobsBuryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bury",
        abstract: "Move jobs that wait or run to the dead letters, from where they can be retried.",
        discussion: """
            The handler of a job that runs is cancelled at its worker's next renewal.

            Example:
              muster jobs bury 01JEXAMPLE --message "holds the others up, see #12"
            """)

    @OptionGroup var targets: JobTargets
    @Option(help: "handlerError, timeout, crashed, undecodable, unknownType, oversize or expired.")
    var reason = ReasonCode.handlerError
    @Option(help: "Why, for whoever looks at it later.") var message = "buried by an operator"
    @OptionGroup var confirmation: Confirmation

    func run() async throws {
        try confirmation.require("Bury \(targets.named)?")
        let bury = Bury(message, reason: reason)
        try await targets.each { queue, job in
            switch try await queue.bury(job.id, as: bury) {
            case .buried:
                return .done(
                    job,
                    "buried as \(bury.reason.rawValue)"
                        + (job.state == .leased ? "; its handler learns it at its worker's next renewal" : ""))
            case .dead:
                return .refused(
                    job, "it is dead already", nextStep: "See why with 'muster jobs why \(job.id)'.")
            case .unknown:
                return job.state == .completed
                    ? .refused(
                        job, "it is completed", nextStep: "See its result with 'muster jobs show \(job.id)'.")
                    : .refused(job, Gone.text(job), nextStep: Gone.nextStep)
            }
        }
    }
}

/// `muster jobs rm`: removes jobs that do not run.
struct JobsRemoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rm",
        abstract: "Remove jobs that are dead or wait, for good.",
        discussion: """
            A job that runs is not removed but cancelled.

            Example:
              muster jobs rm 01JEXAMPLE
              muster jobs dead purge --older-than 30d    (all that a filter holds for)
            """)

    @OptionGroup var targets: JobTargets
    @OptionGroup var confirmation: Confirmation

    func run() async throws {
        try confirmation.require("Remove \(targets.named)?")
        try await targets.each { queue, job in
            let isGone: Bool
            switch job.state {
            case .dead: isGone = try await queue.purge([job.id]) == [true]
            case .scheduled, .available, .blocked: isGone = try await queue.cancel([job.id]) == [.cancelled]
            case .leased:
                return .refused(
                    job, "it runs", nextStep: "Cancel it with 'muster jobs cancel \(job.id)'.")
            case .completed:
                return .refused(
                    job, "it is completed; its result goes by itself", nextStep: "See until when: 'muster jobs show'.")
            }
            return isGone ? .done(job, "removed") : .refused(job, Gone.text(job), nextStep: Gone.nextStep)
        }
    }
}

/// What is said of a job that moved between the look and the act.
private enum Gone {
    static func text(_ job: JobRecord) -> String { "it was \(job.state.rawValue) a moment ago and is not any more" }
    static let nextStep = "See where it is with 'muster jobs show', and try again."
}

import GameModel
import Logging

/// What becomes of an attempt, by how its handler ended: the one place where attempts, backoff and age decide between
/// another try and the dead letters. For workers, and for those who play worker in a test.
package struct AttemptRules: Sendable {
    let backoff: Backoff
    let giveUpAfter: Duration?

    package init(backoff: Backoff, giveUpAfter: Duration?) {
        self.backoff = backoff
        self.giveUpAfter = giveUpAfter
    }

    /// - Parameters:
    ///   - age: how long ago the job was enqueued.
    ///   - random: a number from 0 up to 1, evenly spread, for the backoff's jitter.
    package func verb(
        for outcome: JobOutcome, _ context: JobContext, age: @autoclosure () -> Duration,
        random: @autoclosure () -> Double
    ) -> Settlement.Verb {
        switch outcome {
        case .completed: return .complete
        case .interrupted: return .release(after: .zero)
        case .snoozed(let duration): return .release(after: max(duration, .zero))
        case .buried(let bury):
            context.logger.warning("buried as \(bury.reason.rawValue): \(bury.message)")
            return .bury(bury)
        case .failed(let error):
            let delay = backoff.delay(afterAttempt: context.attempt, random: random())
            return again(context, after: delay, age: age(), error)
        case .retry(let delay, let error): return again(context, after: max(delay, .zero), age: age(), error)
        }
    }

    private func again(
        _ context: JobContext, after delay: Duration, age: Duration, _ error: String
    ) -> Settlement.Verb {
        if context.isLastAttempt {
            context.logger.warning("buried: attempt \(context.attempt), the last allowed, failed: \(error)")
            return .bury(Bury(error))
        }
        if let limit = giveUpAfter, age + delay > limit {
            context.logger.warning("buried: attempt \(context.attempt) failed, and the job is too old: \(error)")
            return .bury(Bury("given up, \(age.inSeconds) s old: \(error)"))
        }
        context.logger.info("attempt \(context.attempt) failed, again in \(delay.inSeconds) s: \(error)")
        return .retry(after: delay, error: error)
    }
}

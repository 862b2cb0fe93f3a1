import Logging

/// Has the queue forget dead letters and results that are over its limits of age and bytes, now and then.
struct Retainer: Sendable {
    let queue: JobQueue
    let interval: Duration
    let logger: Logger

    /// Returns when cancelled.
    func run() async {
        var failures = 0
        while !Task.isCancelled {
            do {
                // Spread, so that the workers of a queue do not come all at once.
                try await Task.sleep(for: interval * Double.random(in: 0.5..<1.5))
                let forgotten = try await queue.retain()
                failures = 0
                guard forgotten.deadLetters + forgotten.results > 0 else { continue }
                logger.info("forgot \(forgotten.deadLetters) dead letters and \(forgotten.results) results")
            } catch is CancellationError {
                return
            } catch {
                failures += 1
                if failures == 1, !Task.isCancelled { logger.warning("the queue's limits could not be kept: \(error)") }
            }
        }
    }
}

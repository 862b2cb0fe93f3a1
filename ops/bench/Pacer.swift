import Foundation

/// Moments at a fixed rate, however slow what they start is (an open loop). They are told by a thread that sleeps by
/// the kernel's own timer: tasks that sleep wake too late for latencies of microseconds.
struct Pacer: Sendable {
    let perSecond: Int
    let seconds: Double

    /// The moments at which something was to begin, each at its time.
    func ticks() -> AsyncStream<ContinuousClock.Instant> {
        let (stream, continuation) = AsyncStream.makeStream(of: ContinuousClock.Instant.self)
        let count = Int(Double(perSecond) * seconds)
        let interval = Duration.nanoseconds(1_000_000_000 / perSecond)
        Thread.detachNewThread {
            let begin = ContinuousClock.now
            for tick in 1...max(1, count) {
                let due = begin + interval * tick
                let left = due - .now
                if left > .zero { usleep(useconds_t(left / .microseconds(1))) }
                continuation.yield(due)
            }
            continuation.finish()
        }
        return stream
    }
}

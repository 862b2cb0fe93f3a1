import Synchronization

/// Wakes one waiting task. A signal raised while nobody waits is kept, once; so a waiter that looks at its condition,
/// then waits, then looks again, misses nothing.
final class Signal: Sendable {
    private struct State {
        var raised = false
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    func raise() {
        let waiter = state.withLock { state in
            let waiter = state.waiter
            state.waiter = nil
            state.raised = waiter == nil
            return waiter
        }
        waiter?.resume()
    }

    /// Returns when the signal was raised since the last wait, or when the task is cancelled. One waiter at a time.
    func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let goOn = state.withLock { state in
                    // The check is under the lock that `onCancel` takes too, so a cancellation is seen here or there.
                    if state.raised || Task.isCancelled {
                        state.raised = false
                        return true
                    }
                    precondition(state.waiter == nil, "two tasks wait for one signal")
                    state.waiter = continuation
                    return false
                }
                if goOn { continuation.resume() }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                defer { state.waiter = nil }
                return state.waiter
            }
            waiter?.resume()
        }
    }
}

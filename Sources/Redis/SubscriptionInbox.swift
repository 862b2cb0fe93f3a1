import DequeModule
import Synchronization

/// What waits for the reader of a subscription: messages up to a limit, and the marks between them. Writers never wait;
/// where there is no room the oldest message goes, and is counted.
final class SubscriptionInbox: Sendable {
    private typealias Waiter = UnsafeContinuation<Result<RedisSubscriptionEvent?, RedisError>, Never>

    private struct State {
        var events: Deque<RedisSubscriptionEvent> = []
        var messageCount = 0
        /// Messages dropped since the reader was last told.
        var lost = 0
        var ending: Result<RedisSubscriptionEvent?, RedisError>?
        var waiter: Waiter?

        mutating func next() -> Result<RedisSubscriptionEvent?, RedisError>? {
            if lost > 0, events.first != .subscribed {
                defer { lost = 0 }
                return .success(.gap(.overflowed(lost: lost)))
            }
            guard let event = events.popFirst() else { return ending }
            if case .message = event { messageCount -= 1 }
            return .success(event)
        }

        mutating func put(_ event: RedisSubscriptionEvent, messagesMax: Int) {
            if case .message = event {
                messageCount += 1
                if messageCount > messagesMax { dropOldestMessage() }
            } else if events.last == event {
                return
            }
            events.append(event)
        }

        private mutating func dropOldestMessage() {
            let oldest = events.firstIndex { if case .message = $0 { true } else { false } }
            if let oldest { events.remove(at: oldest) }
            messageCount -= 1
            lost += 1
        }
    }

    private let messagesMax: Int
    private let state = Mutex(State())

    init(messagesMax: Int) { self.messagesMax = messagesMax }

    func put(_ event: RedisSubscriptionEvent) {
        state.withLock { state in
            guard state.ending == nil else { return }
            state.put(event, messagesMax: messagesMax)
            wake(&state)
        }
    }

    /// Ends the reading after what waits: with the error, or as a sequence does.
    func end(_ error: RedisError?) {
        state.withLock { state in
            guard state.ending == nil else { return }
            state.ending = error.map { .failure($0) } ?? .success(nil)
            wake(&state)
        }
    }

    /// The next event; `nil` at the end or where the task is cancelled.
    nonisolated(nonsending) func next() async throws(RedisError) -> RedisSubscriptionEvent? {
        let result = await withTaskCancellationHandler {
            await withUnsafeContinuation { (waiter: Waiter) in
                state.withLock { state in
                    precondition(state.waiter == nil, "a subscription has one reader")
                    state.waiter = waiter
                    if Task.isCancelled { return resume(&state, .success(nil)) }
                    wake(&state)
                }
            }
        } onCancel: {
            state.withLock { resume(&$0, .success(nil)) }
        }
        return try result.get()
    }

    private func wake(_ state: inout State) {
        guard state.waiter != nil, let result = state.next() else { return }
        resume(&state, result)
    }

    private func resume(_ state: inout State, _ result: Result<RedisSubscriptionEvent?, RedisError>) {
        state.waiter?.resume(returning: result)
        state.waiter = nil
    }
}

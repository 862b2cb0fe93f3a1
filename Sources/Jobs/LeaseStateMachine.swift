/// The life of one lease in its worker, without clock or socket: what happened goes in, what to do comes out.
///
/// Promises that an attempt is settled at most once, and never after its lease was lost.
struct LeaseStateMachine: Sendable {
    enum State: Sendable, Hashable {
        case running
        /// The worker stops; the handler was told.
        case stopping
        /// The handler has ended; Redis is being told.
        case settling
        /// The lease is not ours any more; the handler was told and may still run.
        case lost
        /// Given back while the handler still runs.
        case handedBack
    }

    enum TaskAction: Sendable, Hashable { case cancelHandler, none }
    enum ResultAction: Sendable, Hashable { case settle, discard }
    enum StopAction: Sendable, Hashable { case release, none }

    private(set) var state = State.running

    /// Whether the lease is still to be renewed.
    var isHeld: Bool { state == .running || state == .stopping || state == .settling }

    mutating func renewalRefused() -> TaskAction {
        switch state {
        case .running, .stopping:
            state = .lost
            return .cancelHandler
        // While settling, the renewal may just have met the settled job; the settlement's own reply decides.
        case .settling, .lost, .handedBack: return .none
        }
    }

    mutating func stopRequested() -> TaskAction {
        guard state == .running else { return .none }
        state = .stopping
        return .cancelHandler
    }

    mutating func graceEnded() -> StopAction {
        switch state {
        case .running, .stopping:
            state = .handedBack
            return .release
        case .settling, .lost, .handedBack: return .none
        }
    }

    mutating func handlerEnded() -> ResultAction {
        switch state {
        case .running, .stopping:
            state = .settling
            return .settle
        case .lost, .handedBack: return .discard
        case .settling: preconditionFailure("a handler ended twice")
        }
    }
}

import GameModel
import Synchronization

/// A pool, or one rating band of it, that a ranker holds. The fence that it commits with is checked by Redis; what is
/// kept here only spares a ranker that fell behind the work of being refused.
final class PoolLease: Sendable {
    /// What the keeper knows of the pool and tells the one who ranks it.
    struct Surroundings: Sendable, Hashable {
        var bands = RatingBands.whole
        /// How many rankers live.
        var rankers = 1
    }

    private struct State {
        var validUntil: ContinuousClock.Instant?
        var surroundings: Surroundings
    }

    let unit: PoolBand
    /// What the lease's key holds: "owner fence".
    let value: String
    private let state: Mutex<State>

    init(
        unit: PoolBand, owner: String, fence: Int, validFor duration: Duration,
        surroundings: Surroundings = Surroundings()
    ) {
        self.unit = unit
        value = "\(owner) \(fence)"
        state = Mutex(State(validUntil: ContinuousClock.now + duration, surroundings: surroundings))
    }

    var pool: Pool { unit.pool }

    /// Whether the lease has not run out by this machine's clock, nor was given up.
    var isHeld: Bool {
        state.withLock { state in state.validUntil.map { ContinuousClock.now < $0 } ?? false }
    }

    var surroundings: Surroundings { state.withLock { $0.surroundings } }

    /// Holds it for longer; `false` where it has ended, so that whoever ranked the pool by it has stopped.
    func renewed(validFor duration: Duration, surroundings: Surroundings) -> Bool {
        state.withLock { state in
            guard state.validUntil != nil else { return false }
            state.validUntil = ContinuousClock.now + duration
            state.surroundings = surroundings
            return true
        }
    }

    /// It is never held again: another took the pool, it was given back, or its ranking stopped.
    func end() { state.withLock { $0.validUntil = nil } }
}

import GameModel
import Synchronization

/// A pool that a ranker holds. The fence that it commits with is checked by Redis; what is kept here only spares a
/// ranker that fell behind the work of being refused.
final class PoolLease: Sendable {
    let pool: Pool
    /// What the lease's key holds: "owner fence".
    let value: String
    private let validUntil: Mutex<ContinuousClock.Instant?>

    init(pool: Pool, owner: String, fence: Int, validFor duration: Duration) {
        self.pool = pool
        value = "\(owner) \(fence)"
        validUntil = Mutex(ContinuousClock.now + duration)
    }

    /// Whether the lease has not run out by this machine's clock, nor was given up.
    var isHeld: Bool {
        validUntil.withLock { until in until.map { ContinuousClock.now < $0 } ?? false }
    }

    /// Holds it for longer; `false` where it has ended, so that whoever ranked the pool by it has stopped.
    func renewed(validFor duration: Duration) -> Bool {
        validUntil.withLock { until in
            guard until != nil else { return false }
            until = ContinuousClock.now + duration
            return true
        }
    }

    /// It is never held again: another took the pool, it was given back, or its ranking stopped.
    func end() { validUntil.withLock { $0 = nil } }
}

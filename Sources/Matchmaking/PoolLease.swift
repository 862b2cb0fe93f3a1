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

    func renewed(validFor duration: Duration) {
        validUntil.withLock { until in
            if until != nil { until = ContinuousClock.now + duration }
        }
    }

    /// It is never held again: another took the pool, or it was given back.
    func end() { validUntil.withLock { $0 = nil } }
}

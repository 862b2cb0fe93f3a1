import Synchronization

/// When a player was let into a match; written by the connection's callback, read after it ends.
final class JoinTime: Sendable {
    private let time = Mutex<ContinuousClock.Instant?>(nil)

    var joined: ContinuousClock.Instant? {
        get { time.withLock { $0 } }
        set { time.withLock { $0 = newValue } }
    }
}

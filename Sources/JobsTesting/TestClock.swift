import GameModel
import Synchronization

/// A clock that stands still until it is told otherwise; it begins on 1 January 2026.
public final class TestClock: Sendable {
    private let time: Mutex<Instant>

    public init(now: Instant = Instant(milliseconds: 1_767_225_600_000)) { time = Mutex(now) }

    public var now: Instant { time.withLock { $0 } }

    /// Goes on by so much; it never goes back.
    public func advance(by duration: Duration) { time.withLock { $0 = $0 + max(duration, .zero) } }
}

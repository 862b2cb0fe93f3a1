import Foundation
import GameModel
import Synchronization

/// The API's time, as far as the `Date` of its answers tells it: join tokens live by that clock, not by this machine's.
///
/// A difference of less than two seconds is none: `Date` has whole seconds, and the answer was under way.
final class APIClock: Sendable {
    private let local: @Sendable () -> Instant
    private let offset = Mutex<Duration>(.zero)

    init(local: @escaping @Sendable () -> Instant = { .now }) { self.local = local }

    var now: Instant { local() + offset.withLock { $0 } }

    /// - Parameter date: as in RFC 9110, 5.6.7: `Sun, 06 Nov 1994 08:49:37 GMT`. Anything else is passed over.
    func learn(date: String) {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(secondsFromGMT: 0)
        formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
        guard let told = formatter.date(from: date) else { return }
        let difference = Instant(told) - local()
        offset.withLock { $0 = abs(difference.milliseconds) < 2_000 ? .zero : difference }
    }
}

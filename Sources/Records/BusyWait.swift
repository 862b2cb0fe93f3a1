import Foundation
import GRDB

/// How a connection waits for a file that another process is writing to: short naps with jitter, up to a limit.
///
/// SQLite's own busy time-out backs off to 100 ms, and its lock has no queue, so that a waiting process can be
/// starved by one that commits back to back. Naps of at most 3 ms find the gap between two transactions.
struct BusyWait: Sendable {
    let limit: Duration

    /// The first naps are this long.
    static let shortNap = Duration.microseconds(500)
    /// How many naps are short.
    static let shortNaps = 10
    /// Every later nap is this long.
    static let longNap = Duration.milliseconds(2)

    /// The mean length of the nap before a try (0, 1, 2 and so on); `nil` once the limit is reached.
    func nap(beforeTry tries: Int) -> Duration? {
        let short = min(tries, Self.shortNaps)
        let waited = Self.shortNap * short + Self.longNap * (tries - short)
        guard waited < limit else { return nil }
        return tries < Self.shortNaps ? Self.shortNap : Self.longNap
    }

    /// SQLite's busy handler; it blocks the connection's own thread, never one of Swift's.
    var mode: GRDB.Database.BusyMode {
        .callback { tries in
            guard let nap = nap(beforeTry: tries) else { return false }
            Self.block(for: nap * Double.random(in: 0.5...1.5))
            return true
        }
    }

    /// Blocks the calling thread.
    static func block(for duration: Duration) {
        Thread.sleep(forTimeInterval: duration.inSeconds)
    }
}

extension Duration {
    /// Seconds, with their fraction.
    var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }

    /// Whole nanoseconds, clamped.
    var nanoseconds: Int64 {
        let (seconds, overflow) = components.seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? .max : seconds &+ components.attoseconds / 1_000_000_000
    }
}

import GameModel

/// How long a failed job waits before its next attempt: a function of the attempt and of one random number.
public enum Backoff: Sendable, Hashable {
    /// `base · 2^(attempt − 1)`, at most `cap`, then spread by ± `jitter` (0 to 1) of itself.
    case exponential(base: Duration, cap: Duration, jitter: Double)
    /// The same wait every time, spread by ± `jitter` (0 to 1) of itself.
    case fixed(Duration, jitter: Double = 0)

    /// One second, doubling up to a minute, ± 20 %.
    public static let standard = Backoff.exponential(base: .seconds(1), cap: .seconds(60), jitter: 0.2)

    /// The wait after a failed attempt.
    /// - Parameters:
    ///   - attempt: which attempt failed; the first is 1.
    ///   - random: a number from 0 up to 1, evenly spread.
    public func delay(afterAttempt attempt: Int, random: Double) -> Duration {
        let (mean, jitter) =
            switch self {
            case .fixed(let wait, let jitter): (Double(wait.milliseconds), jitter)
            case .exponential(let base, let cap, let jitter):
                // 2^52 ms is longer than any cap makes sense for; the bound keeps the power finite.
                (
                    min(
                        Double(base.milliseconds) * Double(UInt64(1) << UInt64(min(max(attempt - 1, 0), 52))),
                        Double(cap.milliseconds)),
                    jitter
                )
            }
        let spread = min(max(jitter, 0), 1) * (2 * random - 1)
        return .milliseconds(Int64(max(0, mean * (1 + spread))))
    }

    /// The form in an envelope: `e:base:cap:jitter` or `f:wait:jitter`, times in ms.
    var text: String {
        switch self {
        case .exponential(let base, let cap, let jitter): "e:\(base.milliseconds):\(cap.milliseconds):\(jitter)"
        case .fixed(let wait, let jitter): "f:\(wait.milliseconds):\(jitter)"
        }
    }

    /// Reads the form in an envelope; `nil` where it is of another form.
    init?(text: some StringProtocol) {
        let parts = text.split(separator: ":")
        switch parts.first {
        case "e" where parts.count == 4:
            guard let base = Int64(parts[1]), let cap = Int64(parts[2]), let jitter = Double(parts[3]) else {
                return nil
            }
            self = .exponential(base: .milliseconds(base), cap: .milliseconds(cap), jitter: jitter)
        case "f" where parts.count == 3:
            guard let wait = Int64(parts[1]), let jitter = Double(parts[2]) else { return nil }
            self = .fixed(.milliseconds(wait), jitter: jitter)
        default: return nil
        }
    }
}

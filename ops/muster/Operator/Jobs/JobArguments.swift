import ArgumentParser
import Foundation
import GameModel
import Jobs

/// A length of time on the command line: `500ms`, `90s`, `10m`, `1h`, `2d`.
struct TimeSpan: ExpressibleByArgument {
    let duration: Duration

    init?(argument: String) {
        guard let match = argument.wholeMatch(of: /(\d{1,12})(ms|s|m|h|d)/), let count = Int64(match.1) else {
            return nil
        }
        let unit: Int64 =
            switch match.2 {
            case "ms": 1
            case "s": 1000
            case "m": 60_000
            case "h": 3_600_000
            default: 86_400_000
            }
        let (milliseconds, isTooLong) = count.multipliedReportingOverflow(by: unit)
        guard !isTooLong else { return nil }
        duration = .milliseconds(milliseconds)
    }
}

/// So many bytes: `4096`, `64KB`, `100MB`, `2GB`; powers of 1024.
struct ByteCount: ExpressibleByArgument {
    let bytes: Int

    init?(argument: String) {
        guard let match = argument.uppercased().wholeMatch(of: /(\d{1,15})(|B|KB|MB|GB)/), let count = Int(match.1)
        else {
            return nil
        }
        let unit =
            switch match.2 {
            case "KB": 1 << 10
            case "MB": 1 << 20
            case "GB": 1 << 30
            default: 1
            }
        let (bytes, isTooMuch) = count.multipliedReportingOverflow(by: unit)
        guard !isTooMuch else { return nil }
        self.bytes = bytes
    }

    /// As it would be given.
    static func text(_ bytes: Int) -> String {
        for (unit, name) in [(1 << 30, "GB"), (1 << 20, "MB"), (1 << 10, "KB")] where bytes >= unit && bytes % unit == 0
        {
            return "\(bytes / unit)\(name)"
        }
        return "\(bytes)"
    }
}

/// So many starts in a time: `100/1s`, or `100/1s/20` where 20 may start at the same moment.
struct RateArgument: ExpressibleByArgument {
    let rate: RateLimit

    init?(argument: String) {
        let parts = argument.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2 || parts.count == 3, let count = Int(parts[0]), count >= 1,
            let period = TimeSpan(argument: parts[1])?.duration, period > .zero
        else { return nil }
        guard parts.count == 3 else {
            rate = RateLimit(count, per: period)
            return
        }
        guard let burst = Int(parts[2]), burst >= 1 else { return nil }
        rate = RateLimit(count, per: period, burst: burst)
    }

    /// As it would be given.
    static func text(_ rate: RateLimit) -> String { "\(rate.count)/\(spanText(rate.period))/\(rate.burst)" }

    /// A length of time as it would be given.
    static func spanText(_ duration: Duration) -> String {
        let ms = duration.milliseconds
        for (unit, name) in [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1000, "s")] as [(Int64, String)]
        where ms >= unit && ms % unit == 0 { return "\(ms / unit)\(name)" }
        return "\(ms)ms"
    }
}

extension ReasonCode: ExpressibleByArgument {}
extension JobState: ExpressibleByArgument {}
extension QueueLimits.Overflow: ExpressibleByArgument {}

/// Which jobs a command means.
struct JobFilterOptions: ParsableArguments {
    @Option(help: "Only jobs of this kind.") var kind: String?
    @Option(help: "Only jobs whose last error has this text in it.") var error: String?
    @Option(help: "Only jobs with this text in their id or key.") var match: String?
    @Option(
        help: ArgumentHelp(
            "Only jobs that are older, like 1h (ms, s, m, h, d); dead letters: buried longer ago.", valueName: "time"))
    var olderThan: TimeSpan?
    @Option(help: ArgumentHelp("Only jobs that are younger.", valueName: "time")) var youngerThan: TimeSpan?

    func filter(reason: ReasonCode? = nil) -> JobFilter {
        JobFilter(
            kind: kind, reason: reason?.rawValue, error: error, match: match, olderThan: olderThan?.duration,
            youngerThan: youngerThan?.duration)
    }
}

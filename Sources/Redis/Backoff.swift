import NIOCore

/// The waits between attempts to connect: doubling up to a limit, each shortened at random by up to half.
struct Backoff: Sendable {
    private(set) var failures = 0
    private let first: TimeAmount
    private let limit: TimeAmount

    init(_ configuration: RedisConfiguration) {
        first = configuration.reconnectDelay.timeAmount
        limit = configuration.reconnectDelayMax.timeAmount
    }

    /// Counts a failure; answers how long to wait.
    mutating func next() -> TimeAmount {
        var generator = SystemRandomNumberGenerator()
        return next(using: &generator)
    }

    mutating func next(using generator: inout some RandomNumberGenerator) -> TimeAmount {
        let doublings = min(failures, 30)
        failures += 1
        let (doubled, overflow) = first.nanoseconds.multipliedReportingOverflow(by: 1 << doublings)
        let whole = overflow ? limit.nanoseconds : min(doubled, limit.nanoseconds)
        return .nanoseconds(Int64.random(in: whole / 2...whole, using: &generator))
    }

    mutating func reset() { failures = 0 }
}

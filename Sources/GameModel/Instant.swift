import Foundation

/// A moment in Unix milliseconds; on the wire and in SQLite the bare number.
public struct Instant: Hashable, Sendable, Codable, Comparable, CustomStringConvertible {
    public let milliseconds: Int64

    public init(milliseconds: Int64) { self.milliseconds = milliseconds }

    public init(_ date: Date) { milliseconds = Int64((date.timeIntervalSince1970 * 1000).rounded()) }

    public init(from decoder: any Decoder) throws {
        milliseconds = try decoder.singleValueContainer().decode(Int64.self)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(milliseconds)
    }

    /// This machine's clock. Leases and deadlines in Redis are judged by Redis `TIME`, never by this.
    public static var now: Instant { Instant(Date()) }

    public var date: Date { Date(timeIntervalSince1970: Double(milliseconds) / 1000) }

    public var description: String { date.formatted(.iso8601) }

    /// ISO 8601 in UTC with its milliseconds, like `2026-11-26T21:37:24.005Z`.
    public var textWithMilliseconds: String {
        // The formatter cuts off what is below a millisecond, and seconds as a fraction may be a little too small.
        Date(timeIntervalSince1970: (Double(milliseconds) + 0.25) / 1000)
            .formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    }

    public static func < (left: Self, right: Self) -> Bool { left.milliseconds < right.milliseconds }

    public static func + (instant: Self, duration: Duration) -> Self {
        Instant(milliseconds: instant.milliseconds + duration.milliseconds)
    }

    public static func - (instant: Self, duration: Duration) -> Self {
        Instant(milliseconds: instant.milliseconds - duration.milliseconds)
    }

    /// The time from one moment to another; negative where the second is later.
    public static func - (left: Self, right: Self) -> Duration {
        .milliseconds(left.milliseconds - right.milliseconds)
    }
}

extension Duration {
    /// Whole milliseconds, rounded towards zero.
    public var milliseconds: Int64 {
        components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
    }

    /// Seconds, with their fraction.
    public var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}

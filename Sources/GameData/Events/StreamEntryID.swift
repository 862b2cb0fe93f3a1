import GameModel

/// The id of a stream's entry: Redis's Unix milliseconds when it was added, and a number within that millisecond. Ids
/// of one stream only rise, whatever the clock does.
public struct StreamEntryID: Sendable, Hashable, Comparable, CustomStringConvertible {
    public var milliseconds: UInt64
    public var sequence: UInt64

    public init(milliseconds: UInt64, sequence: UInt64) {
        self.milliseconds = milliseconds
        self.sequence = sequence
    }

    /// Reads `1764193044000-7`; `nil` for anything else.
    public init?(_ text: some Collection<UInt8>) {
        var numbers: (UInt64, UInt64) = (0, 0)
        var digits = 0
        var isSecond = false
        for byte in text {
            if byte == UInt8(ascii: "-"), !isSecond, digits > 0 {
                isSecond = true
                digits = 0
                continue
            }
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            let (tens, overflow) = (isSecond ? numbers.1 : numbers.0).multipliedReportingOverflow(by: 10)
            let (sum, carry) = tens.addingReportingOverflow(UInt64(byte - UInt8(ascii: "0")))
            guard !overflow, !carry else { return nil }
            if isSecond { numbers.1 = sum } else { numbers.0 = sum }
            digits += 1
        }
        guard isSecond, digits > 0 else { return nil }
        self.init(milliseconds: numbers.0, sequence: numbers.1)
    }

    public init?(_ text: String) { self.init(text.utf8) }

    public var description: String { "\(milliseconds)-\(sequence)" }

    public static func < (left: Self, right: Self) -> Bool {
        (left.milliseconds, left.sequence) < (right.milliseconds, right.sequence)
    }

    /// The day that the entry was added, by Redis's clock: the file that its rows are in.
    public var day: EventDay { EventDay(number: Int(milliseconds / EventDay.millisecondsPerDay)) }
}

/// A day of UTC, written `2026-11-26`.
public struct EventDay: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// Days since 1970-01-01.
    public var number: Int

    public init(number: Int) { self.number = number }

    public init(at instant: Instant) {
        self.init(number: Int(max(0, instant.milliseconds) / Int64(Self.millisecondsPerDay)))
    }

    static let millisecondsPerDay: UInt64 = 86_400_000

    /// Reads `2026-11-26`; `nil` for anything else, `2026-02-30` among it.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
        guard parts.count == 3, let year = parts[0], let month = parts[1], let day = parts[2], year >= 1970,
            (1...12).contains(month), (1...31).contains(day)
        else { return nil }
        // Howard Hinnant, "chrono-compatible low-level date algorithms": days_from_civil. Years begin in March.
        let shifted = month <= 2 ? year - 1 : year
        let (era, yearOfEra) = (shifted / 400, shifted % 400)
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        self.init(number: era * 146_097 + dayOfEra - 719_468)
        guard description == text else { return nil }
    }

    public var description: String {
        // The same source: civil_from_days.
        let shifted = number + 719_468
        let (era, dayOfEra) = (shifted / 146_097, shifted % 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let march = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * march + 2) / 5 + 1
        let month = march < 10 ? march + 3 : march - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        func padded(_ number: Int, _ width: Int) -> String {
            let text = String(number)
            return String(repeating: "0", count: max(0, width - text.count)) + text
        }
        return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
    }

    public static func < (left: Self, right: Self) -> Bool { left.number < right.number }
}

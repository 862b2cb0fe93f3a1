import Foundation
import GameModel

/// When a cron entry is due: a cron expression read in a time zone, or a steady interval. A function of time alone.
///
/// Five fields (minute, hour, day of month, month, day of week) or six with the second first; each is `*`, a value, a
/// range `1-5`, a list `1,3`, a step `*/15`, `10-40/10` or `5/10` (from 5 on); months and weekdays also by name; 0 and
/// 7 are Sunday. Where both the day of month and the day of week are given, either is enough (Vixie cron); one that
/// begins with `*` does not count as given. Besides `@hourly @daily @weekly @monthly @yearly`, and `@every 90s`, whose
/// ticks are at whole multiples of the interval since 1970, so that every process has the same.
///
/// Where clocks are put forward, a skipped time is due at the first moment after the gap; where they are put back, a
/// repeated time is due once, the first time. A schedule of every hour (`*` or `*/n` there, so also `@hourly`) goes on
/// through both by elapsed time: nothing is made up for, and the repeated hour has its ticks too (as Vixie cron).
public struct CronSchedule: Sendable, Hashable {
    private enum Rule: Sendable, Hashable {
        case fields(CronFields)
        /// In ms.
        case every(Int64)
    }

    /// The expression, its words separated by one space.
    public let text: String
    private let zone: TimeZone
    /// The IANA name of the time zone.
    public let timeZone: String
    private let rule: Rule

    static let shorthands = "@hourly, @daily, @weekly, @monthly, @yearly, @every 5m"

    /// - Parameters:
    ///   - text: such as `30 4 * * MON-FRI`.
    ///   - timeZone: an IANA name, such as `Europe/Berlin`.
    public init(_ text: String, timeZone: String = "UTC") throws(CronScheduleError) {
        guard !timeZone.contains(where: \.isWhitespace), let zone = TimeZone(identifier: timeZone) else {
            throw CronScheduleError(
                field: "time zone", value: timeZone, right: "use an IANA name, such as UTC or Europe/Berlin")
        }
        let words = text.split(whereSeparator: \.isWhitespace)
        self.text = words.joined(separator: " ")
        self.zone = zone
        self.timeZone = timeZone
        rule = try Self.rule(words, self.text)
    }

    /// The first tick later than the given moment; `nil` where there is none within nine years.
    public func next(after instant: Instant) -> Instant? {
        guard instant.milliseconds < Self.lastMilliseconds else { return nil }
        let milliseconds = max(instant.milliseconds, Self.firstMilliseconds)
        switch rule {
        case .every(let interval):
            return Instant(milliseconds: (milliseconds.floored(by: interval) + 1) * interval)
        case .fields(let fields):
            let search = ZonedSearch(fields: fields, zone: zone)
            return search.next(after: milliseconds.floored(by: 1000)).map { Instant(milliseconds: $0 * 1000) }
        }
    }

    /// The years 1 to 9999: dates that every calendar here agrees on.
    private static let firstMilliseconds: Int64 = -62_135_596_800_000
    private static let lastMilliseconds: Int64 = 253_402_300_799_000

    private static func rule(_ words: [Substring], _ text: String) throws(CronScheduleError) -> Rule {
        guard let first = words.first, first.hasPrefix("@") else { return .fields(try CronFields(words)) }
        switch (first.lowercased(), words.count) {
        case ("@every", 2): return .every(try interval(words[1]))
        case ("@hourly", 1): return .fields(try CronFields("0 * * * *".split(separator: " ")))
        case ("@daily", 1), ("@midnight", 1): return .fields(try CronFields("0 0 * * *".split(separator: " ")))
        case ("@weekly", 1): return .fields(try CronFields("0 0 * * 0".split(separator: " ")))
        case ("@monthly", 1): return .fields(try CronFields("0 0 1 * *".split(separator: " ")))
        case ("@yearly", 1), ("@annually", 1): return .fields(try CronFields("0 0 1 1 *".split(separator: " ")))
        default: throw CronScheduleError(field: "schedule", value: text, right: "use one of \(shorthands)")
        }
    }

    /// `90s`, `5m`, `1h30m`, `2d` in ms.
    private static func interval(_ text: Substring) throws(CronScheduleError) -> Int64 {
        let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
        let secondsMax: Int64 = 366 * 86_400
        let wrong = CronScheduleError(
            field: "@every", value: String(text), right: "use 1s up to 366d, such as 90s, 5m, 2h or 1h30m")
        var seconds: Int64 = 0
        var digits = ""
        for character in text {
            if let unit = units[character] {
                guard let number = Int64(digits), number <= secondsMax else { throw wrong }
                seconds += number * unit
                digits = ""
            } else if character.isASCII, character.isNumber {
                digits.append(character)
            } else {
                throw wrong
            }
            guard seconds <= secondsMax else { throw wrong }
        }
        guard digits.isEmpty, seconds >= 1 else { throw wrong }
        return seconds * 1000
    }
}

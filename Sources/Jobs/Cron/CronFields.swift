/// The sets of values of a cron expression, and the search for the next wall time that is in all of them: arithmetic
/// on seconds as a wall clock counts them, without time zones.
struct CronFields: Sendable, Hashable {
    private let seconds: UInt64
    private let minutes: UInt64
    private let hours: UInt64
    private let days: UInt64
    private let months: UInt64
    private let weekdays: UInt64
    /// Whether a day counts if either its date or its weekday is right: where both are given (Vixie cron).
    private let isEither: Bool
    /// Whether the hour is `*` or `*/n`: a schedule of every hour rather than of hours of the day.
    let isEveryHour: Bool

    /// How far a search goes: 29 February recurs within 8 years, also over 2100.
    private static let searchDays: Int64 = 9 * 366
    private static let daySeconds: Int64 = 86_400

    /// - Parameter words: five fields, or six with the seconds first.
    init(_ words: [Substring]) throws(CronScheduleError) {
        guard words.count == 5 || words.count == 6 else {
            throw CronScheduleError(
                field: "schedule", value: words.joined(separator: " "),
                right: "it has \(words.count) fields; give five (minute, hour, day of month, month, day of week), "
                    + "six with seconds first, or one of \(CronSchedule.shorthands)")
        }
        let five = words.suffix(5).map { $0 }
        seconds = words.count == 6 ? try CronField.second.parse(words[0]) : 1
        minutes = try CronField.minute.parse(five[0])
        hours = try CronField.hour.parse(five[1])
        days = try CronField.dayOfMonth.parse(five[2])
        months = try CronField.month.parse(five[3])
        weekdays = try CronField.dayOfWeek.parse(five[4])
        isEveryHour = five[1].hasPrefix("*")
        isEither = !five[2].hasPrefix("*") && !five[4].hasPrefix("*")
        if !isEither, Self.first(in: days, from: 0).map({ $0 > longestMonth }) ?? true {
            throw CronField.dayOfMonth.refusal(five[2], "no month of '\(five[3])' has such a day; it would never fire")
        }
    }

    private var longestMonth: Int {
        var longest = 29
        for month in 1...12 where months & 1 << UInt64(month) != 0 {
            longest = max(longest, month == 2 ? 29 : [4, 6, 9, 11].contains(month) ? 30 : 31)
        }
        return longest
    }

    /// The first wall time from the given one on, in seconds since 1970 of the wall clock; `nil` where none comes
    /// within nine years.
    func nextWall(from wall: Int64) -> Int64? {
        var day = wall.floored(by: Self.daySeconds)
        var second = Int(wall - day * Self.daySeconds)
        let last = day + Self.searchDays
        while day <= last {
            let date = CivilDate(day: day)
            guard months & 1 << UInt64(date.month) != 0 else {
                day = CivilDate(year: date.year, month: date.month + 1, day: 1).dayNumber
                second = 0
                continue
            }
            if matches(date, day), let time = nextTime(from: second) { return day * Self.daySeconds + Int64(time) }
            day += 1
            second = 0
        }
        return nil
    }

    private func matches(_ date: CivilDate, _ day: Int64) -> Bool {
        let weekday = day + 4 - (day + 4).floored(by: 7) * 7  // 1 January 1970 was a Thursday.
        let isDay = days & 1 << UInt64(date.day) != 0
        let isWeekday = weekdays & 1 << UInt64(weekday) != 0
        return isEither ? isDay || isWeekday : isDay && isWeekday
    }

    /// The first time of day from the given one on, in seconds; `nil` where none is left that day.
    private func nextTime(from start: Int) -> Int? {
        var (hour, minute, second) = (start / 3600, start / 60 % 60, start % 60)
        while let nextHour = Self.first(in: hours, from: hour) {
            if nextHour > hour { (minute, second) = (0, 0) }
            hour = nextHour
            while let nextMinute = Self.first(in: minutes, from: minute) {
                if nextMinute > minute { second = 0 }
                if let nextSecond = Self.first(in: seconds, from: second) {
                    return hour * 3600 + nextMinute * 60 + nextSecond
                }
                (minute, second) = (nextMinute + 1, 0)
            }
            (hour, minute, second) = (hour + 1, 0, 0)
        }
        return nil
    }

    private static func first(in set: UInt64, from start: Int) -> Int? {
        let rest = set >> UInt64(start)
        return rest == 0 ? nil : start + rest.trailingZeroBitCount
    }
}

/// A date of the Gregorian calendar, and its number of days since 1970 (Hinnant, "chrono-Compatible Low-Level Date
/// Algorithms", `civil_from_days` and `days_from_civil`).
struct CivilDate: Sendable, Hashable {
    let year: Int64
    /// 1 to 12.
    let month: Int
    /// 1 to 31.
    let day: Int

    /// The month 13 is the next year's January.
    init(year: Int64, month: Int, day: Int) {
        self.year = month > 12 ? year + 1 : year
        self.month = month > 12 ? month - 12 : month
        self.day = day
    }

    init(day number: Int64) {
        let shifted = number + 719_468
        let era = shifted.floored(by: 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        day = Int(dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
        month = Int(shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9)
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    var dayNumber: Int64 {
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = shiftedYear.floored(by: 400)
        let yearOfEra = shiftedYear - era * 400
        let dayOfYear = Int64((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1)
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}

extension Int64 {
    /// The quotient, rounded down; the divisor is positive.
    func floored(by divisor: Int64) -> Int64 {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }
}

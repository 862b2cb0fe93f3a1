import Foundation
import GameModel
import Testing

@testable import Jobs

@Suite struct CronScheduleTests {
    private static func instant(_ text: String) throws -> Instant {
        Instant(try Date(text.count == 16 ? text + ":00Z" : text + "Z", strategy: .iso8601))
    }

    private static func ticks(_ schedule: CronSchedule, after start: Instant, count: Int) -> [Instant] {
        var ticks: [Instant] = []
        var last = start
        while ticks.count < count, let next = schedule.next(after: last) {
            ticks.append(next)
            last = next
        }
        return ticks
    }

    @Test(
        "an expression is due when its fields say",
        arguments: [
            (
                "*/20 30 4 * * *", "2026-01-01T04:29",
                ["2026-01-01T04:30:00", "2026-01-01T04:30:20", "2026-01-01T04:30:40"]
            ),
            ("0 12 * * *", "2026-01-01T12:00", ["2026-01-02T12:00", "2026-01-03T12:00"]),
            ("0 12 * * *", "2026-01-01T11:59:59", ["2026-01-01T12:00"]),
            ("5/20 * * * *", "2026-01-01T00:00", ["2026-01-01T00:05", "2026-01-01T00:25", "2026-01-01T00:45"]),
            ("10-20/5,59 7 * * *", "2026-01-01T07:15", ["2026-01-01T07:20", "2026-01-01T07:59", "2026-01-02T07:10"]),
            ("0 9 * jan-MAR,dec Mon-Fri", "2026-03-31T10:00", ["2026-12-01T09:00", "2026-12-02T09:00"]),
            ("0 0 * * 7", "2026-02-01T00:00", ["2026-02-08T00:00"]),
            ("0 0 * * 0", "2026-01-31T23:59", ["2026-02-01T00:00"]),
            ("0 0 * * FRI-SUN", "2026-02-01T00:00", ["2026-02-06T00:00", "2026-02-07T00:00", "2026-02-08T00:00"]),
            // Both days given: either is enough; a field that begins with a star only narrows.
            ("0 0 13 * FRI", "2026-02-06T12:00", ["2026-02-13T00:00", "2026-02-20T00:00", "2026-02-27T00:00"]),
            ("0 0 14 * FRI", "2026-02-06T12:00", ["2026-02-13T00:00", "2026-02-14T00:00", "2026-02-20T00:00"]),
            ("0 0 */10 * MON", "2026-05-01T00:00", ["2026-05-11T00:00", "2026-06-01T00:00"]),
            // Leap days, also over the year 2100, which has none; short months.
            ("0 0 29 2 *", "2026-01-01T00:00", ["2028-02-29T00:00", "2032-02-29T00:00"]),
            ("0 0 29 2 *", "2096-02-29T00:00", ["2104-02-29T00:00"]),
            ("0 0 31 * *", "2026-01-31T00:00", ["2026-03-31T00:00", "2026-05-31T00:00"]),
            ("59 23 31 12 *", "1969-06-01T00:00", ["1969-12-31T23:59", "1970-12-31T23:59"]),
            ("@hourly", "2026-01-01T00:00", ["2026-01-01T01:00"]), ("@daily", "2026-01-01T00:00", ["2026-01-02T00:00"]),
            ("@weekly", "2026-02-01T00:00", ["2026-02-08T00:00"]),
            ("@monthly", "2026-12-01T00:00", ["2027-01-01T00:00"]),
            ("@yearly", "2026-06-01T00:00", ["2027-01-01T00:00"]),
            ("@every 90s", "1970-01-01T00:02", ["1970-01-01T00:03", "1970-01-01T00:04:30"]),
            ("@every 1h30m", "1970-01-01T00:00", ["1970-01-01T01:30", "1970-01-01T03:00"]),
            ("  @every   2h ", "2026-01-01T00:30", ["2026-01-01T02:00"]),
        ])
    func fields(_ text: String, _ after: String, _ expected: [String]) throws {
        let schedule = try CronSchedule(text)
        let ticks = Self.ticks(schedule, after: try Self.instant(after), count: expected.count)
        #expect(ticks == (try expected.map { try Self.instant($0) }))
    }

    @Test("a tick is later than the moment asked about, by whatever fraction of a second")
    func fractions() throws {
        let schedule = try CronSchedule("* * * * * *")
        #expect(schedule.next(after: Instant(milliseconds: 999)) == Instant(milliseconds: 1000))
        #expect(schedule.next(after: Instant(milliseconds: 1000)) == Instant(milliseconds: 2000))
        #expect(schedule.next(after: Instant(milliseconds: -1)) == Instant(milliseconds: 0))
        #expect(schedule.next(after: Instant(milliseconds: .max)) == nil)
        #expect(try CronSchedule("@every 1s").next(after: Instant(milliseconds: .min)) != nil)
    }

    @Test(
        "where clocks are put forward or back, a time of day is due once, and every hour goes on",
        arguments: [
            // Berlin, 29 March: 02:00 to 03:00 is skipped at 01:00Z.
            (
                "30 2 * * *", "Europe/Berlin", "2026-03-27T12:00",
                ["2026-03-28T01:30", "2026-03-29T01:00", "2026-03-30T00:30"]
            ),
            (
                "*/30 2,3 * * *", "Europe/Berlin", "2026-03-28T12:00",
                ["2026-03-29T01:00", "2026-03-29T01:30", "2026-03-30T00:00"]
            ),
            ("30 2 29 3 *", "Europe/Berlin", "2026-03-29T00:59:59", ["2026-03-29T01:00", "2027-03-29T00:30"]),
            (
                "15 * * * *", "Europe/Berlin", "2026-03-29T00:10",
                ["2026-03-29T00:15", "2026-03-29T01:15", "2026-03-29T02:15"]
            ),
            // Berlin, 25 October: 02:00 to 03:00 is shown twice, from 00:00Z to 02:00Z.
            ("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00", ["2026-10-25T00:30", "2026-10-26T01:30"]),
            ("45 2 * * *", "Europe/Berlin", "2026-10-25T01:10", ["2026-10-26T01:45"]),
            ("0 3 * * *", "Europe/Berlin", "2026-10-25T01:59:59", ["2026-10-25T02:00", "2026-10-26T02:00"]),
            (
                "@hourly", "Europe/Berlin", "2026-10-24T23:30",
                ["2026-10-25T00:00", "2026-10-25T01:00", "2026-10-25T02:00"]
            ),
            (
                "30 */2 * * *", "Europe/Berlin", "2026-10-24T23:30",
                ["2026-10-25T00:30", "2026-10-25T01:30", "2026-10-25T03:30"]
            ),
            // New York, 8 March: 02:00 to 03:00 is skipped at 07:00Z. 1 November: 01:00 to 02:00 twice, from 05:00Z.
            ("0 2 * * *", "America/New_York", "2026-03-07T12:00", ["2026-03-08T07:00", "2026-03-09T06:00"]),
            ("30 1 * * *", "America/New_York", "2026-10-31T12:00", ["2026-11-01T05:30", "2026-11-02T06:30"]),
            ("59 1 * * *", "America/New_York", "2026-11-01T06:00", ["2026-11-02T06:59"]),
            // Samoa left out 30 December 2011 whole.
            (
                "0 12 * * *", "Pacific/Apia", "2011-12-29T12:00",
                ["2011-12-29T22:00", "2011-12-30T10:00", "2011-12-30T22:00"]
            ),
            // Years later, by the rules of that season.
            ("0 8 29 2 *", "Europe/Berlin", "2026-07-01T00:00", ["2028-02-29T07:00"]),
            ("0 8 1 7 *", "Europe/Berlin", "2026-07-01T12:00", ["2027-07-01T06:00"]),
        ])
    func daylightSaving(_ text: String, _ zone: String, _ after: String, _ expected: [String]) throws {
        let schedule = try CronSchedule(text, timeZone: zone)
        let ticks = Self.ticks(schedule, after: try Self.instant(after), count: expected.count)
        #expect(ticks == (try expected.map { try Self.instant($0) }))
    }

    @Test("the search finds what looking at every minute finds", arguments: ["Europe/Berlin", "America/New_York"])
    func everyMinute(_ name: String) throws {
        let zone = try #require(TimeZone(identifier: name))
        var random = SystemRandomNumberGenerator()
        for start in ["2026-03-07T00:00", "2026-03-28T00:00", "2026-10-24T00:00", "2026-10-31T00:00"] {
            let start = try Self.instant(start)
            for _ in 0..<8 {
                let hour = Bool.random(using: &random) ? "*" : "\(Int.random(in: 0...1, using: &random))-3"
                let minute = Int.random(in: 0...59, using: &random)
                let text = "\(minute),\((minute + 7) % 60) \(hour)/\(Int.random(in: 1...2, using: &random)) * * *"
                let expected = try Self.byEveryMinute(text, zone, from: start, minutes: 2 * 1440)
                let schedule = try CronSchedule(text, timeZone: name)
                #expect(!expected.isEmpty)
                #expect(Self.ticks(schedule, after: start, count: expected.count) == expected, "\(text) after \(start)")
            }
        }
    }

    /// A clock that is read each minute, and remembers what it has shown.
    private static func byEveryMinute(
        _ text: String, _ zone: TimeZone, from start: Instant, minutes: Int
    ) throws -> [Instant] {
        let fields = try CronFields(text.split(separator: " "))
        func wall(_ instant: Instant) -> Int64 {
            instant.milliseconds / 1000 + Int64(zone.secondsFromGMT(for: instant.date))
        }
        var shown = wall(start)
        var ticks: [Instant] = []
        for minute in 1...minutes {
            let instant = start + .seconds(60 * minute)
            let now = wall(instant)
            let new = stride(from: shown + 60, through: now, by: 60)
            let seen = fields.isEveryHour ? [now] : Array(new)
            if seen.contains(where: { fields.nextWall(from: $0) == $0 }) { ticks.append(instant) }
            shown = max(shown, now)
        }
        return ticks
    }

    @Test(
        "a bad expression is told by field, value and what would be right",
        arguments: [
            ("60 * * * *", "UTC", "minute", "60", "0 to 59"), ("* 24 * * *", "UTC", "hour", "24", "0 to 23"),
            ("* * 0 * *", "UTC", "day of month", "0", "1 to 31"), ("* * * 13 *", "UTC", "month", "13", "JAN to DEC"),
            ("* * * * MOO", "UTC", "day of week", "MOO", "SUN to SAT"),
            ("61 * * * * *", "UTC", "second", "61", "0 to 59"),
            ("1,,2 * * * *", "UTC", "minute", "1,,2", "0 to 59"), ("-1 * * * *", "UTC", "minute", "-1", "0 to 59"),
            ("*/0 * * * *", "UTC", "minute", "*/0", "1 to 59"), ("*/90 * * * *", "UTC", "minute", "*/90", "@every 90m"),
            ("*/ * * * *", "UTC", "minute", "*/", "1 to 59"), ("* 22-2 * * *", "UTC", "hour", "22-2", "22-23,0-2"),
            ("0 0 30 2 *", "UTC", "day of month", "30", "never"),
            ("0 0 31 4,6,9,11 *", "UTC", "day of month", "31", "never"),
            ("* * * *", "UTC", "schedule", "* * * *", "five"), ("", "UTC", "schedule", "", "five"),
            ("@reboot", "UTC", "schedule", "@reboot", "@daily"),
            ("@daily 5", "UTC", "schedule", "@daily 5", "@every 5m"),
            ("@every 0s", "UTC", "@every", "0s", "90s"), ("@every 5", "UTC", "@every", "5", "90s"),
            ("@every 400d", "UTC", "@every", "400d", "366d"),
            ("@every 99999999999999999999s", "UTC", "@every", "99", "366d"),
            ("* * * * *", "Berlin", "time zone", "Berlin", "Europe/Berlin"), ("* * * * *", "", "time zone", "", "IANA"),
        ])
    func errors(_ text: String, _ zone: String, _ field: String, _ value: String, _ right: String) throws {
        let error = try #require(throws: CronScheduleError.self) { try CronSchedule(text, timeZone: zone) }
        #expect(error.field == field)
        #expect(error.value.hasPrefix(value))
        #expect(error.right.contains(right), "\(error)")
    }

    @Test("which missed ticks fire is a function of the due time, the time and the policy")
    func plans() throws {
        let schedule = try CronSchedule("@every 20s")
        func at(_ seconds: Int64) -> Instant { Instant(milliseconds: seconds * 1000) }
        func plan(_ missed: MissedTicks, due: Int64, now: Int64) -> TickPlan {
            missed.plan(due: at(due), now: at(now), schedule: schedule)
        }
        for missed in [MissedTicks.skip, .once, .all(max: 5)] {
            #expect(plan(missed, due: 1000, now: 1001) == TickPlan(ticks: [at(1000)], next: at(1020)))
        }
        // The tick of 1040 is 60 s late, which is not more than 60 s.
        let late = [at(1040), at(1060), at(1080), at(1100)]
        #expect(plan(.skip, due: 1000, now: 1100) == TickPlan(ticks: late, next: at(1120)))
        #expect(plan(.once, due: 1000, now: 1100) == TickPlan(ticks: [at(1000)], next: at(1120)))
        #expect(plan(.all(max: 2), due: 1000, now: 1100) == TickPlan(ticks: [at(1000), at(1020)], next: at(1120)))
        #expect(plan(.all(max: 9), due: 1040, now: 1100) == TickPlan(ticks: late, next: at(1120)))
        let daily = try CronSchedule("@daily")
        let skipped = MissedTicks.skip.plan(due: at(0), now: at(86_400 + 61), schedule: daily)
        #expect(skipped == TickPlan(ticks: [], next: at(2 * 86_400)))
    }

    @Test("a policy reads back from its form in Redis, and nothing else does")
    func policies() {
        for missed in [MissedTicks.skip, .once, .all(max: 1), .all(max: 500)] {
            #expect(MissedTicks(text: missed.description) == missed)
        }
        for text in ["", "all", "all:", "all:0", "all:501", "never"] { #expect(MissedTicks(text: text) == nil) }
    }
}

/// One of the fields of a cron expression: its name, its range, and how its text is read.
enum CronField: String, Sendable, CaseIterable {
    case second
    case minute
    case hour
    case dayOfMonth = "day of month"
    case month
    case dayOfWeek = "day of week"

    var range: ClosedRange<Int> {
        switch self {
        case .second, .minute: 0...59
        case .hour: 0...23
        case .dayOfMonth: 1...31
        case .month: 1...12
        // 0 and 7 are both Sunday.
        case .dayOfWeek: 0...7
        }
    }

    private var names: [String] {
        switch self {
        case .month: ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
        case .dayOfWeek: ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
        case .second, .minute, .hour, .dayOfMonth: []
        }
    }

    private var allowed: String {
        let numbers = "\(range.lowerBound) to \(range.upperBound)"
        guard let first = names.first, let last = names.last else { return numbers }
        return "\(numbers) or \(first) to \(last)"
    }

    /// Reads a list of values, ranges and steps (`1,5-9,*/15`) as a set: bit n stands for the value n.
    func parse(_ text: Substring) throws(CronScheduleError) -> UInt64 {
        var values: UInt64 = 0
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            values |= try parsePart(part, of: text)
        }
        if self == .dayOfWeek, values & 1 << 7 != 0 { values = values & ~(1 << 7) | 1 }
        return values
    }

    private func parsePart(_ part: Substring, of text: Substring) throws(CronScheduleError) -> UInt64 {
        let pieces = part.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let bounds = try bounds(pieces[0], of: text, isOpen: pieces.count == 2)
        var step = 1
        if pieces.count == 2 {
            let stepMax = range.upperBound - range.lowerBound
            guard let number = Int(pieces[1]), (1...stepMax).contains(number) else {
                throw refusal(text, "a step is 1 to \(stepMax), as in */5; longer ones are written like @every 90m")
            }
            step = number
        }
        return stride(from: bounds.lowerBound, through: bounds.upperBound, by: step).reduce(0) { $0 | 1 << UInt64($1) }
    }

    /// - Parameter isOpen: a step follows, before which a single value means "from there on".
    private func bounds(
        _ text: Substring, of whole: Substring, isOpen: Bool
    ) throws(CronScheduleError) -> ClosedRange<Int> {
        if text == "*" { return self == .dayOfWeek ? 0...6 : range }
        let ends = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        let first = try value(ends[0], of: whole)
        guard ends.count == 2 else { return isOpen ? first...range.upperBound : first...first }
        var last = try value(ends[1], of: whole)
        // FRI-SUN: a week may end with its Sunday.
        if self == .dayOfWeek, last == 0, first > 0 { last = 7 }
        guard first <= last else {
            throw refusal(
                whole,
                "the range \(text) falls; write \(first)-\(range.upperBound),\(range.lowerBound)-\(last)")
        }
        return first...last
    }

    private func value(_ text: Substring, of whole: Substring) throws(CronScheduleError) -> Int {
        if let index = names.firstIndex(of: text.uppercased()) { return range.lowerBound + index }
        guard !text.isEmpty, text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let number = Int(text), range.contains(number)
        else {
            throw refusal(whole, "it is \(allowed), *, or lists, ranges and steps of those, like 1,5-9,*/2")
        }
        return number
    }

    func refusal(_ value: some StringProtocol, _ right: String) -> CronScheduleError {
        CronScheduleError(field: rawValue, value: String(value), right: right)
    }
}

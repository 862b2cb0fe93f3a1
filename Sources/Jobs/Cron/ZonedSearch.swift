import Foundation

/// The search for the next moment whose wall time in a zone is in a schedule: from one change of the zone's offset to
/// the next. All times are seconds since 1970.
struct ZonedSearch {
    let fields: CronFields
    let zone: TimeZone

    /// A zone changes its offset at most once in so many seconds, by less than them.
    private static let window: Int64 = 36 * 3600

    func next(after start: Int64) -> Int64? {
        var at = start
        var offset = offset(at)
        if !fields.isEveryHour, let end = endOfRepeatedTime(around: at, offset) { at = end - 1 }
        // Each round looks at one window; a sparse schedule skips those that cannot hold its next wall time.
        while let wall = fields.nextWall(from: at + offset + 1) {
            let candidate = wall - offset
            let end = at + Self.window
            let later = self.offset(end)
            if later == offset {
                if candidate <= end { return candidate }
                at = max(end, candidate - Self.window)
                offset = self.offset(at)
                continue
            }
            let change = firstChange(in: at, end, from: offset)
            if candidate < change { return candidate }
            at = change - 1
            if !fields.isEveryHour {
                if later > offset, wall < change + later { return change }
                if later < offset { at += offset - later }
            }
            offset = later
        }
        return nil
    }

    private func offset(_ seconds: Int64) -> Int64 {
        Int64(zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(seconds))))
    }

    /// The first moment in (`low`, `high`] at which the offset, `offset` at `low`, is another.
    private func firstChange(in low: Int64, _ high: Int64, from offset: Int64) -> Int64 {
        var (low, high) = (low, high)
        while high - low > 1 {
            let middle = low + (high - low) / 2
            if self.offset(middle) == offset { low = middle } else { high = middle }
        }
        return high
    }

    /// Where the wall clock shows for the second time what it has shown before: when it will show something new.
    private func endOfRepeatedTime(around at: Int64, _ offset: Int64) -> Int64? {
        let earlier = self.offset(at - Self.window)
        guard earlier > offset else { return nil }
        let end = firstChange(in: at - Self.window, at, from: earlier) + earlier - offset
        return at < end ? end : nil
    }
}

/// How a sample is made shorter for a small window. JSON always has every row.
extension DepthSample {
    /// The allocation queues, one for each pool, as one row that adds them up.
    var withAllocationsFolded: DepthSample {
        let isAllocation = { (row: DepthRow) in row.kind == .queue && row.name.contains(":") }
        let queues = rows.filter(isAllocation)
        guard queues.count > 1, let first = rows.firstIndex(where: isAllocation) else { return self }
        func sum(_ value: (DepthRow) -> Int?) -> Int? {
            let values = queues.compactMap(value)
            return values.isEmpty ? nil : values.reduce(0, +)
        }
        func rate(_ value: (DepthRow) -> Double?) -> Double? {
            let values = queues.compactMap(value)
            return values.isEmpty ? nil : values.reduce(0, +)
        }
        var sample = self
        sample.rows.removeAll(where: isAllocation)
        sample.rows.insert(
            DepthRow(
                kind: .queue, name: "allocate, \(queues.count) pools", waiting: sum(\.waiting) ?? 0,
                leased: sum(\.leased) ?? 0, later: sum(\.later), dead: sum(\.dead),
                oldestMs: queues.compactMap(\.oldestMs).max(), inTotal: sum(\.inTotal), outTotal: sum(\.outTotal),
                inPerSecond: rate(\.inPerSecond), outPerSecond: rate(\.outPerSecond)), at: first)
        return sample
    }

    /// Without the rows in which nothing is and nothing moves.
    var busy: DepthSample {
        var sample = self
        sample.rows.removeAll(where: \.isQuiet)
        sample.quietRows = rows.count - sample.rows.count
        return sample
    }
}

extension DepthRow {
    fileprivate var isQuiet: Bool {
        waiting + leased + (later ?? 0) + (dead ?? 0) == 0 && (inPerSecond ?? 0) == 0 && (outPerSecond ?? 0) == 0
    }
}

/// One line of `muster depth`: something that work waits in.
struct DepthRow: Codable, Sendable, Equatable {
    enum Kind: String, Codable, Sendable, CaseIterable {
        case queue, pool, stream
    }

    var kind: Kind
    var name: String
    /// Work that could go on now: ready jobs, queued tickets, entries of events not stored.
    var waiting: Int
    /// Work in someone's hands: leased jobs, proposed matches, entries of the PEL.
    var leased: Int
    /// Jobs that are due later; `nil` where there is no such thing.
    var later: Int?
    var dead: Int?
    /// Age of the oldest that waits, ms.
    var oldestMs: Int?
    /// How many ever came in and went out, where it is counted.
    var inTotal: Int?
    var outTotal: Int?
    /// Per second since the sample before; `nil` in the first.
    var inPerSecond: Double?
    var outPerSecond: Double?

    /// The same row with its rates since an earlier one. A counter that fell was wiped with Redis: no rate then.
    func rated(since earlier: DepthRow?, seconds: Double) -> DepthRow {
        guard let earlier, seconds > 0 else { return self }
        func rate(_ now: Int?, _ before: Int?) -> Double? {
            guard let now, let before, now >= before else { return nil }
            return Double(now - before) / seconds
        }
        var row = self
        row.inPerSecond = rate(inTotal, earlier.inTotal)
        row.outPerSecond = rate(outTotal, earlier.outTotal)
        return row
    }
}

/// One region's instances.
struct FleetRow: Codable, Sendable, Equatable {
    var region: String
    var instances: Int
    var slots: Int
    var free: Int
    var matches: Int
    /// Matches whose players have not come yet.
    var unjoined: Int
    var lost: Int
}

/// Everything that `muster depth` shows, at one moment.
struct DepthSample: Codable, Sendable, Equatable {
    /// Unix milliseconds.
    var at: Int64
    var rows: [DepthRow]
    var fleets: [FleetRow]
    /// Live processes by role.
    var processes: [String: Int]
    /// How many rows were left out for want of room; in JSON none ever is.
    var quietRows = 0

    private enum CodingKeys: CodingKey {
        case at, rows, fleets, processes
    }

    /// The same sample with rates since an earlier one.
    func rated(since earlier: DepthSample) -> DepthSample {
        var sample = self
        let seconds = Double(at - earlier.at) / 1000
        sample.rows = rows.map { row in
            row.rated(since: earlier.rows.first { $0.kind == row.kind && $0.name == row.name }, seconds: seconds)
        }
        return sample
    }
}

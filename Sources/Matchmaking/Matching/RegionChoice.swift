import GameModel

extension CompiledRules {
    /// The latency to a region that a player with these limits may have, in ms.
    func latencyLimit(to region: Region, _ limits: Limits) -> Double {
        guard let latency = rules.latency else { return .infinity }
        return latency.limit(to: region) + limits.latencyPlus
    }

    /// The worst latency of a ticket's players to a region, in ms. A player who measured none can't play there where
    /// the match has a choice of regions; where it has none, the player passes.
    func worstLatency(of ticket: QueuedTicket, to region: Region) -> Double {
        let unmeasured: Double = rules.scope == .together ? .infinity : 0
        return ticket.members.reduce(0) { max($0, $1.latencies[region] ?? unmeasured) }
    }
}

/// Where a match is played: in the region that all its tickets allow, each by its own limit at its own time of waiting,
/// and in which the worst latency among its players is lowest.
extension CompiledTickets {
    /// The regions that a ticket allows after so long a wait, a bit for each place in ``CompiledRules/regions``.
    func allowedRegions(_ slot: Int32, step: Int) -> UInt64 {
        rules.judgesRegions ? regionBits[Int(slot) * rules.steps.count + step] : .max
    }

    /// The worst latency of tickets to a region, in ms.
    func worstLatency(of slots: ContiguousArray<Int32>, to region: Int) -> Double {
        guard rules.judgesRegions else { return 0 }
        var worst = 0.0
        for slot in slots { worst = max(worst, latencies[Int(slot) * rules.regions.count + region]) }
        return worst
    }

    /// The region of a match among those that a set of bits allows, of equal ones the first; `nil` where it is empty.
    func bestRegion(of slots: ContiguousArray<Int32>, among allowed: UInt64) -> Int? {
        guard rules.judgesRegions else { return 0 }
        var best: (region: Int, latency: Double)?
        var bits = allowed
        while bits != 0 {
            let region = bits.trailingZeroBitCount
            bits &= bits - 1
            let latency = worstLatency(of: slots, to: region)
            if best.map({ latency < $0.latency }) ?? true { best = (region, latency) }
        }
        return best?.region
    }
}

import GameModel
import Matchmaking

extension Figures {
    init(_ records: RunRecords, of simulation: Simulation) {
        self.init(rulesVersion: simulation.rules.version)
        let plays = records.tickets.map { Play($0, simulation) }
        count(records, plays)
        measure(records, of: simulation)
        let waits = plays.flatMap(\.waits).sorted()
        wait = Quantiles(sorted: waits)
        waitPercentiles = Self.percentiles(waits)
        let span = simulation.crowd.span
        let bounds = Self.decileBounds(simulation.crowd)
        byRating = Self.parts(plays, records, Self.decileNames(bounds)) { play in
            bounds.count { $0 <= play.rating }
        }
        let homes = Set(simulation.crowd.players.map(\.home)).sorted()
        byRegion = Self.parts(plays, records, homes.map(\.rawValue)) { homes.firstIndex(of: $0.home) ?? 0 }
        let partyMax = plays.map(\.size).max() ?? 1
        byParty = Self.parts(plays, records, (1...partyMax).map(String.init)) { $0.size - 1 }
            .filter { $0.players > 0 }
        let hours = Int(span.lowerBound / 3_600_000)...Int(max(span.lowerBound, span.upperBound - 1) / 3_600_000)
        byHour = Self.parts(plays, records, hours.map { String($0) }) { play in
            Int(play.record.queuedAt / 3_600_000) - hours.lowerBound
        }
        matchesByHour = hours.map { hour in records.matches.count { Int(($0.at - 1) / 3_600_000) == hour } }
        faults = records.faults + Self.overlaps(records, simulation)
    }

    private init(rulesVersion: String) { self.rulesVersion = rulesVersion }

    /// One ticket with what the parts are told by.
    private struct Play {
        let record: TicketRecord
        let size: Int
        let rating: Double
        let home: Region

        init(_ record: TicketRecord, _ simulation: Simulation) {
            self.record = record
            let arrival = simulation.crowd.arrivals[Int(record.arrival)]
            size = arrival.players.count
            rating = simulation.crowd.rating(of: arrival)
            home = simulation.crowd.players[Int(arrival.players[0])].home
        }

        /// In seconds, once for each player; none of those whose wait ended otherwise or not yet.
        var waits: [Double] {
            guard record.end == .matched || record.end == .expired else { return [] }
            return Array(repeating: Double(record.endedAt - record.queuedAt) / 1_000, count: size)
        }
    }

    private mutating func count(_ records: RunRecords, _ plays: [Play]) {
        tickets = plays.count
        for play in plays {
            players += play.size
            switch play.record.end {
            case .matched: matchedPlayers += play.size
            case .expired: expiredPlayers += play.size
            case .declined: declinedPlayers += play.size
            case .none: waitingPlayers += play.size
            }
        }
        matches = records.matches.count
        refusedProposals = records.refusedProposals
        busyArrivals = records.busyArrivals
        backlog = records.backlog.map { Int($0) }
    }

    private mutating func measure(_ records: RunRecords, of simulation: Simulation) {
        let full = Int32(simulation.modeRules.playersPerMatch)
        shortMatches = records.matches.count { $0.players < full }
        bots = records.matches.reduce(0) { $0 + Int($1.bots) }
        gap = Quantiles(records.matches.map(\.gap))
        ratingSpread = Quantiles(records.matches.map(\.spread))
        latency = Quantiles(records.latencies.map { Double($0) })
        worstLatency = Quantiles(records.matches.compactMap { $0.latency?.upperBound })
        latencySpread = Quantiles(records.matches.compactMap { $0.latency.map { $0.upperBound - $0.lowerBound } })
        gapHistogram = Self.histogram(records.matches.map(\.gap), width: 0.01, bins: 50)
        latencyHistogram = Self.histogram(records.latencies.map { Double($0) }, width: 5, bins: 80)
        for match in records.matches {
            matchesByRegion[simulation.rules.regions[Int(match.region)].rawValue, default: 0] += 1
        }
    }

    /// What is above the last bin is counted in it.
    private static func histogram(_ values: [Double], width: Double, bins: Int) -> Histogram {
        var counts = [Int](repeating: 0, count: bins)
        for value in values { counts[min(bins - 1, max(0, Int(value / width)))] += 1 }
        return Histogram(width: width, counts: counts)
    }

    private static func percentiles(_ sorted: [Double]) -> [Double] {
        guard !sorted.isEmpty else { return [] }
        return (0...100).map { sorted[min(sorted.count - 1, $0 * sorted.count / 100)] }
    }

    // MARK: Parts

    /// The nine ratings between the tenths of the crowd's tickets; the same for every rule file it is run by.
    private static func decileBounds(_ crowd: Crowd) -> [Double] {
        let ratings = crowd.arrivals.map { crowd.rating(of: $0) }.sorted()
        return (1...9).map { ratings[min(ratings.count - 1, $0 * ratings.count / 10)] }
    }

    private static func decileNames(_ bounds: [Double]) -> [String] {
        let numbers = bounds.map { String(Int($0.rounded())) }
        let between = zip(numbers, numbers.dropFirst()).map { "\($0)–\($1)" }
        return ["under \(numbers[0])"] + between + ["over \(numbers[numbers.count - 1])"]
    }

    private static func parts(
        _ plays: [Play], _ records: RunRecords, _ names: [String], _ place: (Play) -> Int
    ) -> [Part] {
        struct Sum {
            var players = 0
            var expired = 0
            var waits: [Double] = []
            var matched = 0
            var gap = 0.0
            var latency = 0.0
        }
        var sums = [Sum](repeating: Sum(), count: names.count)
        for play in plays {
            let at = min(max(0, place(play)), names.count - 1)
            sums[at].players += play.size
            sums[at].waits += play.waits
            if play.record.end == .expired { sums[at].expired += play.size }
            guard play.record.match >= 0 else { continue }
            let match = records.matches[Int(play.record.match)]
            sums[at].matched += play.size
            sums[at].gap += match.gap * Double(play.size)
            sums[at].latency += (match.latency?.upperBound ?? 0) * Double(play.size)
        }
        return zip(names, sums).map { name, sum in
            let matched = Double(max(1, sum.matched))
            return Part(
                name: name, players: sum.players, wait: Quantiles(sum.waits),
                expired: Double(sum.expired) / Double(max(1, sum.players)), gap: sum.gap / matched,
                worstLatency: sum.latency / matched)
        }
    }

    // MARK: Faults

    /// Whether a player queued again before the last ticket was over: each ticket of an arrival follows the one before.
    private static func overlaps(_ records: RunRecords, _ simulation: Simulation) -> [String] {
        var lastEnd = [Int64](repeating: .min, count: simulation.crowd.players.count)
        var faults: [String] = []
        for (number, record) in records.tickets.enumerated() {
            for player in simulation.crowd.arrivals[Int(record.arrival)].players {
                if record.queuedAt < lastEnd[Int(player)] {
                    faults.append("player \(player) queued with ticket \(number) before the last one was over")
                }
                lastEnd[Int(player)] = record.end == .none ? .max : record.endedAt
            }
        }
        return faults
    }
}

extension Crowd {
    /// The mean rating of who arrives together.
    func rating(of arrival: Arrival) -> Double {
        arrival.players.reduce(0) { $0 + players[Int($1)].member.skill.rating } / Double(arrival.players.count)
    }
}

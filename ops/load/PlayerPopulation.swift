import GameModel

/// Draws the players of a run: when they arrive, with whom, and what they want.
struct PlayerPopulation {
    /// Home, and other regions: the range that latencies are drawn from, in ms.
    static let (near, far) = (15.0...60.0, 80.0...180.0)
    /// Within how long the members of a party arrive.
    static let partyArrival = 1.0

    let configuration: LoadConfiguration
    /// How many may be in a party, by mode; of modes that are not named, as many as wish.
    var partyLimits: [Mode: Int] = [:]

    private struct Group {
        let moment: Double
        let size: Int
    }

    /// One wish a player, by arrival. Given how many arrive in all, the moments of a Poisson process are independent
    /// and uniform over the time (Ross, "Introduction to Probability Models", theorem 5.2); a party counts as one
    /// arrival.
    func wishes() -> [PlayerWish] {
        var random = SplitMix64(seed: configuration.seed)
        let seconds = configuration.arrivals.inSeconds
        let groups = sizes(&random).map { Group(moment: Double.random(in: 0..<seconds, using: &random), size: $0) }
        var drawn: [(moment: Double, wish: (Int, Double) -> PlayerWish)] = []
        for (number, group) in groups.sorted(by: { $0.moment < $1.moment }).enumerated() {
            let mode = drawMode(fitting: group.size, &random)
            let home = configuration.regions[Int.random(in: 0..<configuration.regions.count, using: &random)]
            for member in 0..<group.size {
                let isDeclined = Double.random(in: 0..<1, using: &random) < configuration.declinedCards
                let declinesOnce = Double.random(in: 0..<1, using: &random) < configuration.decliners
                let latencies = drawLatencies(home, &random)
                let late = member == 0 ? 0 : Double.random(in: 0..<Self.partyArrival, using: &random)
                let place = group.size > 1 ? PartyPlace(party: number, size: group.size, member: member) : nil
                drawn.append(
                    (
                        min(group.moment + late, seconds.nextDown),
                        { number, moment in
                            PlayerWish(
                                number: number, arrival: .milliseconds(Int64(moment * 1000)), mode: mode, region: home,
                                latencies: latencies, party: place,
                                paymentMethod: isDeclined ? "pm_card_chargeDeclined" : "pm_card_visa",
                                declinesOnce: declinesOnce)
                        }
                    ))
            }
        }
        return drawn.sorted { $0.moment < $1.moment }.enumerated().map { $1.wish($0, $1.moment) }
    }

    /// The sizes of the groups in which so many players come, the last as large as is left.
    private func sizes(_ random: inout SplitMix64) -> [Int] {
        guard !configuration.parties.isEmpty else { return Array(repeating: 1, count: configuration.players) }
        // The share is one of players: larger parties are rarer than their players.
        let alone = max(0, 1 - configuration.parties.values.reduce(0, +))
        let weights = [(1, alone)] + configuration.parties.sorted { $0.key < $1.key }.map { ($0, $1 / Double($0)) }
        let total = weights.reduce(0) { $0 + $1.1 }
        var sizes: [Int] = []
        var left = configuration.players
        while left > 0 {
            var point = Double.random(in: 0..<total, using: &random)
            var size = weights.last?.0 ?? 1
            for (candidate, weight) in weights {
                point -= weight
                if point < 0 {
                    size = candidate
                    break
                }
            }
            sizes.append(min(size, left))
            left -= sizes[sizes.count - 1]
        }
        return sizes
    }

    private func drawMode(fitting size: Int, _ random: inout SplitMix64) -> Mode {
        let fitting = configuration.modes.filter { (partyLimits[$0.mode] ?? size) >= size }
        let choices = fitting.isEmpty ? configuration.modes : fitting
        let total = choices.reduce(0) { $0 + $1.weight }
        var point = Int.random(in: 0..<total, using: &random)
        for choice in choices {
            point -= choice.weight
            if point < 0 { return choice.mode }
        }
        return choices[0].mode
    }

    /// In whole tenths of a millisecond, as a client would round.
    private func drawLatencies(_ home: Region, _ random: inout SplitMix64) -> [String: Double] {
        var latencies: [String: Double] = [:]
        for region in configuration.regions {
            let ms = Double.random(in: region == home ? Self.near : Self.far, using: &random)
            latencies[region.rawValue] = (ms * 10).rounded() / 10
        }
        return latencies
    }
}

import GameModel

/// Draws the players of a run: when they arrive and what they want.
struct PlayerPopulation {
    let configuration: LoadConfiguration

    /// One wish a player, by arrival. Given how many arrive in all, the moments of a Poisson process are independent
    /// and uniform over the time (Ross, "Introduction to Probability Models", theorem 5.2).
    func wishes() -> [PlayerWish] {
        var random = SplitMix64(seed: configuration.seed)
        let seconds = configuration.arrivals.inSeconds
        let moments = (0..<configuration.players).map { _ in Double.random(in: 0..<seconds, using: &random) }.sorted()
        return moments.enumerated().map { number, moment in
            PlayerWish(
                number: number,
                arrival: .milliseconds(Int64(moment * 1000)),
                mode: drawMode(&random),
                region: configuration.regions[Int.random(in: 0..<configuration.regions.count, using: &random)],
                paymentMethod: Double.random(in: 0..<1, using: &random) < configuration.declinedCards
                    ? "pm_card_chargeDeclined" : "pm_card_visa",
                declinesOnce: Double.random(in: 0..<1, using: &random) < configuration.decliners)
        }
    }

    private func drawMode(_ random: inout SplitMix64) -> Mode {
        let total = configuration.modes.reduce(0) { $0 + $1.weight }
        var point = Int.random(in: 0..<total, using: &random)
        for choice in configuration.modes {
            point -= choice.weight
            if point < 0 { return choice.mode }
        }
        return configuration.modes[0].mode
    }
}

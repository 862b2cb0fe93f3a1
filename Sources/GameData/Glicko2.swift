import Foundation

/// A player's strength in one mode: rating and deviation on the Glicko scale (1500 and 350 for a newcomer) and
/// volatility.
public struct GlickoRating: Sendable, Hashable, Codable {
    /// r: the estimate of strength.
    public var rating: Double
    /// RD: the standard deviation of that estimate; 95 % of the truth lies within two of it.
    public var deviation: Double
    /// σ: how erratic the results are.
    public var volatility: Double

    public init(rating: Double, deviation: Double, volatility: Double) {
        self.rating = rating
        self.deviation = deviation
        self.volatility = volatility
    }

    /// A player of whom nothing is known (Glickman 2013, step 1).
    public static let initial = GlickoRating(rating: 1500, deviation: 350, volatility: 0.06)
}

/// The Glicko-2 rating system as pure functions.
///
/// Source: Mark E. Glickman, "Example of the Glicko-2 system", 2013 (glicko.net/glicko/glicko2.pdf); the steps and
/// equations named below are those of that paper. Here every match is a rating period of its own.
public enum Glicko2 {
    /// One game of the period: the opponent as they were before it, and the score (1 won, 0.5 drawn, 0 lost).
    public struct Game: Sendable, Hashable {
        public var opponent: GlickoRating
        public var score: Double

        public init(opponent: GlickoRating, score: Double) {
            self.opponent = opponent
            self.score = score
        }
    }

    /// τ, which holds the change of volatility back; the paper advises 0.3 to 1.2.
    public static let tau = 0.5
    /// Points of the Glicko scale to one of the Glicko-2 scale (step 2).
    static let scale = 173.7178
    /// ε, where the search for the volatility ends (step 5).
    static let tolerance = 0.000_001
    /// A bound on that search; it takes fewer than ten steps on sane input, and must end on any.
    static let iterationsMax = 100

    /// A rating after one period (steps 2 to 8). Without games only the deviation grows.
    public static func updated(_ player: GlickoRating, games: [Game], tau: Double = Glicko2.tau) -> GlickoRating {
        let mu = (player.rating - GlickoRating.initial.rating) / scale
        let phi = player.deviation / scale
        guard !games.isEmpty else {
            let grown = (phi * phi + player.volatility * player.volatility).squareRoot()
            return GlickoRating(rating: player.rating, deviation: grown * scale, volatility: player.volatility)
        }
        var information = 0.0
        var surprise = 0.0
        for game in games {
            let opponentMu = (game.opponent.rating - GlickoRating.initial.rating) / scale
            let weight = g(game.opponent.deviation / scale)
            let expected = expectation(mu, opponentMu, weight)
            information += weight * weight * expected * (1 - expected)
            surprise += weight * (game.score - expected)
        }
        // Step 3: v, the variance of the rating by game outcomes alone. Step 4: Δ, the improvement they suggest.
        let variance = 1 / information
        let delta = variance * surprise
        let volatility = newVolatility(player.volatility, phi: phi, variance: variance, delta: delta, tau: tau)
        // Step 6: φ*, the deviation as the period begins. Step 7: φ′ and μ′.
        let before = phi * phi + volatility * volatility
        let after = 1 / (1 / before + 1 / variance).squareRoot()
        let rating = mu + after * after * surprise
        return GlickoRating(
            rating: rating * scale + GlickoRating.initial.rating, deviation: after * scale, volatility: volatility)
    }

    /// The score to expect of a player against an opponent, 0 to 1 (step 3, E).
    public static func expectedScore(_ player: GlickoRating, against opponent: GlickoRating) -> Double {
        let mu = (player.rating - GlickoRating.initial.rating) / scale
        let opponentMu = (opponent.rating - GlickoRating.initial.rating) / scale
        return expectation(mu, opponentMu, g(opponent.deviation / scale))
    }

    /// g(φ): the less is known of an opponent, the less a game against them says (step 3).
    static func g(_ phi: Double) -> Double { 1 / (1 + 3 * phi * phi / (.pi * .pi)).squareRoot() }

    /// E(μ, μj, φj), kept off 0 and 1, so that a hopeless pairing can't divide by zero in v.
    static func expectation(_ mu: Double, _ opponentMu: Double, _ weight: Double) -> Double {
        let value = 1 / (1 + exp(-weight * (mu - opponentMu)))
        return min(max(value, 1e-9), 1 - 1e-9)
    }

    /// σ′ by the Illinois algorithm, a bracketing search (step 5).
    static func newVolatility(
        _ volatility: Double, phi: Double, variance: Double, delta: Double, tau: Double
    ) -> Double {
        let start = log(volatility * volatility)
        func f(_ x: Double) -> Double {
            let power = exp(x)
            let sum = phi * phi + variance + power
            return power * (delta * delta - phi * phi - variance - power) / (2 * sum * sum) - (x - start) / (tau * tau)
        }
        var low = start
        var high: Double
        if delta * delta > phi * phi + variance {
            high = log(delta * delta - phi * phi - variance)
        } else {
            var k = 1.0
            while f(start - k * tau) < 0, k < Double(iterationsMax) { k += 1 }
            high = start - k * tau
        }
        var valueLow = f(low)
        var valueHigh = f(high)
        for _ in 0..<iterationsMax where abs(high - low) > tolerance {
            let middle = low + (low - high) * valueLow / (valueHigh - valueLow)
            let valueMiddle = f(middle)
            if valueMiddle * valueHigh <= 0 {
                low = high
                valueLow = valueHigh
            } else {
                valueLow /= 2
            }
            high = middle
            valueHigh = valueMiddle
        }
        return exp(low / 2)
    }
}

import Foundation

/// Ratings of teams and free-for-all, as pure functions: Bayesian ranking with the Plackett–Luce model.
///
/// Source: R. C. Weng and C.-J. Lin, "A Bayesian Approximation Method for Online Ranking", JMLR 12 (2011), algorithm 4,
/// with the parameters and the additions (τ, γ) of PyPI's `openskill` 6.2, `PlackettLuce`: what comes out is equal to
/// what that package gives. Its source also means to average the change of teams that tie, but compares the changed
/// ratings with themselves, so nothing is averaged there, nor here.
public enum OpenSkill {
    /// What is believed of a player's skill: a normal distribution.
    public struct Rating: Sendable, Hashable {
        /// μ, its mean; 25 for a newcomer.
        public var mu: Double
        /// σ, its standard deviation; 25/3 for a newcomer.
        public var sigma: Double

        public init(mu: Double, sigma: Double) {
            self.mu = mu
            self.sigma = sigma
        }

        /// A player of whom nothing is known.
        public static let initial = Rating(mu: 25, sigma: 25.0 / 3)
    }

    /// β: how far a player's performance of a day is from their skill.
    public static let beta = 25.0 / 6
    /// κ: an update leaves at least this share of a variance, so that none falls to 0 or below.
    public static let kappa = 0.000_1
    /// τ: what is added to every player's uncertainty before a match, so that no rating ever freezes.
    public static let tau = 25.0 / 300

    /// The ratings after a match, in the shape given.
    /// - Parameters:
    ///   - teams: the players' ratings before it, by team. An empty team has no strength and loses or wins nothing.
    ///   - ranks: a number for each team, the lowest best; equal ones tie. Fewer than two teams: nothing changes.
    public static func rate(teams: [[Rating]], ranks: [Int]) -> [[Rating]] {
        precondition(teams.count == ranks.count, "\(teams.count) teams, \(ranks.count) ranks")
        guard teams.count >= 2 else { return teams }
        let teams = teams.map { $0.map { Rating(mu: $0.mu, sigma: ($0.sigma * $0.sigma + tau * tau).squareRoot()) } }
        let match = Match(teams: teams.map(Strength.init), ranks: ranks)
        return teams.enumerated().map { index, team in
            let change = match.change(of: index)
            return team.map { change.applied(to: $0) }
        }
    }

    /// Each team's chance to win, adding up to 1: of two teams that one performs better than the other; of more, the
    /// mean of its chances against each other team, scaled to add up.
    public static func predictWin(teams: [[Rating]]) -> [Double] {
        guard teams.count >= 2 else { return teams.map { _ in 1 } }
        let strengths = teams.map(Strength.init)
        if strengths.count == 2 {
            let chance = chance(of: strengths[0], against: strengths[1])
            return [chance, 1 - chance]
        }
        let chances = strengths.enumerated().map { index, team in
            strengths.enumerated().reduce(0) { sum, other in
                other.offset == index ? sum : sum + chance(of: team, against: other.element)
            }
        }
        let total = chances.reduce(0, +)
        return chances.map { $0 / total }
    }

    /// Φ of the difference in means over the deviation of the difference in performances.
    private static func chance(of team: Strength, against other: Strength) -> Double {
        let deviation = (2 * beta * beta + team.variance + other.variance).squareRoot()
        return 0.5 * erfc((other.mu - team.mu) / (deviation * 2.0.squareRoot()))
    }

    /// A team as one: the sums of its players' means and variances.
    private struct Strength {
        var mu: Double
        var variance: Double

        init(_ team: [Rating]) {
            mu = team.reduce(0) { $0 + $1.mu }
            variance = team.reduce(0) { $0 + $1.sigma * $1.sigma }
        }
    }

    /// What a match does to the players of one team.
    private struct Change {
        /// Ω and Δ of the team, over its variance.
        var omega: Double
        var delta: Double

        func applied(to player: Rating) -> Rating {
            let variance = player.sigma * player.sigma
            return Rating(
                mu: player.mu + variance * omega,
                sigma: player.sigma * max(1 - variance * delta, OpenSkill.kappa).squareRoot())
        }
    }

    /// The sums of the model that all teams share.
    private struct Match {
        let teams: [Strength]
        let ranks: [Int]
        /// c: the deviation of all performances together.
        let c: Double
        /// exp(μ/c) of each team. Only ratios count, so all are over that of the strongest, which can't overflow.
        let weights: [Double]
        /// For each team, the weights of it and of all teams that did no better.
        let sums: [Double]
        /// For each team, how many share its rank.
        let ties: [Double]

        init(teams: [Strength], ranks: [Int]) {
            let c = teams.reduce(0) { $0 + $1.variance + beta * beta }.squareRoot()
            let strongest = teams.map(\.mu).max() ?? 0
            let weights = teams.map { exp(($0.mu - strongest) / c) }
            sums = ranks.map { rank in zip(weights, ranks).reduce(0) { $1.1 >= rank ? $0 + $1.0 : $0 } }
            ties = ranks.map { rank in ranks.reduce(0) { $1 == rank ? $0 + 1 : $0 } }
            self.teams = teams
            self.ranks = ranks
            self.c = c
            self.weights = weights
        }

        func change(of index: Int) -> Change {
            var omega = 0.0
            var delta = 0.0
            for other in teams.indices where ranks[other] <= ranks[index] {
                let share = sums[other] > 0 ? weights[index] / sums[other] : 0
                delta += share * (1 - share) / ties[other]
                omega += ((other == index ? 1 : 0) - share) / ties[other]
            }
            // γ = σ/c: teams that are well known move less.
            let gamma = teams[index].variance.squareRoot() / c
            return Change(omega: omega / c, delta: gamma * delta / (c * c))
        }
    }
}

// MARK: On the public scale

extension OpenSkill.Rating {
    /// Points of the public scale to one of OpenSkill's: 350 to 25/3, a newcomer's deviation.
    public static let scale = 42.0

    /// Reads a rating of the public scale: μ = 25 + (rating − 1500) / 42, σ = deviation / 42.
    public init(_ rating: GlickoRating) {
        self.init(
            mu: Self.initial.mu + (rating.rating - GlickoRating.initial.rating) / Self.scale,
            sigma: rating.deviation / Self.scale)
    }
}

extension GlickoRating {
    /// Puts a rating of OpenSkill on the public scale: 1500 + (μ − 25) · 42 and σ · 42, so that newcomers of both
    /// systems are 1500 ± 350 and one window fits both. OpenSkill has no volatility; it serves the decay alone.
    public init(_ rating: OpenSkill.Rating, volatility: Double = GlickoRating.initial.volatility) {
        self.init(
            rating: Self.initial.rating + (rating.mu - OpenSkill.Rating.initial.mu) * OpenSkill.Rating.scale,
            deviation: rating.sigma * OpenSkill.Rating.scale, volatility: volatility)
    }
}

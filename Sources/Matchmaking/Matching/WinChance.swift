import Foundation

/// Predicted chances of teams of rated players, before a match.
///
/// A team's strength is the sum of its players' ratings, its performance normal around that with the variance β² + Σ
/// deviation², β = ``performanceDeviation`` (R. C. Weng and C.-J. Lin, JMLR 12, 2011, as in PyPI's `openskill`,
/// `predict_win`; here on the scale where a newcomer is 1500 ± 350). So a team beats another with the chance Φ(Δ /
/// √(2β² + Σ deviation²)), Δ = the difference of the sums. Ratings are taken from the mean of all players, so that an
/// empty seat, or a bot's, counts as a player of the match's mean.
public enum WinChance {
    /// β, how far a performance is from the rating: half the deviation of a player of whom nothing is known.
    public static let performanceDeviation = 175.0

    /// The chance of each team to come first; they add up to 1. Of more than two teams: the mean of a team's chances
    /// against each other one, scaled to add up (as `predict_win` does).
    public static func chances(of teams: [[Skill]]) -> [Double] {
        guard teams.count > 1 else { return teams.map { _ in 1 } }
        let strengths = strengths(of: teams)
        let chances = strengths.enumerated().map { index, team in
            strengths.enumerated().reduce(0) { sum, other in
                index == other.offset ? sum : sum + normal(distance(from: other.element, to: team))
            }
        }
        let total = chances.reduce(0, +)
        return chances.map { $0 / total }
    }

    /// The chance of the strongest team against the weakest, less one half: 0 to 0.5.
    public static func gap(of teams: [[Skill]]) -> Double {
        let strengths = strengths(of: teams)
        guard strengths.count > 1, let strongest = strengths.max(by: { $0.sum < $1.sum }),
            let weakest = strengths.min(by: { $0.sum < $1.sum })
        else { return 0 }
        return gap(ofDistance: distance(from: weakest, to: strongest))
    }

    /// A team's sum of ratings from the match's mean, and the variance of its performance.
    struct Strength: Sendable, Hashable {
        var sum: Double
        var variance: Double
    }

    /// The variance of a team's performance of which nothing but the sum of its players' squared deviations is known.
    static func variance(deviations: Double) -> Double { performanceDeviation * performanceDeviation + deviations }

    /// By how many standard deviations of their difference one team is stronger.
    static func distance(from weaker: Strength, to stronger: Strength) -> Double {
        let variance = weaker.variance + stronger.variance
        return variance > 0 ? (stronger.sum - weaker.sum) / variance.squareRoot() : 0
    }

    /// The chance less one half, of a team that is stronger by so many standard deviations.
    static func gap(ofDistance distance: Double) -> Double { min(max(0, normal(distance) - 0.5), 0.5) }

    /// Φ: the share of the standard normal distribution below a value.
    static func normal(_ value: Double) -> Double { 0.5 * erfc(-value / 2.0.squareRoot()) }

    private static func strengths(of teams: [[Skill]]) -> [Strength] {
        let count = teams.reduce(0) { $0 + $1.count }
        let mean = teams.reduce(0) { $1.reduce($0) { $0 + $1.rating } } / Double(max(1, count))
        return teams.map { team in
            Strength(
                sum: team.reduce(0) { $0 + $1.rating - mean },
                variance: variance(deviations: team.reduce(0) { $0 + $1.deviation * $1.deviation }))
        }
    }
}

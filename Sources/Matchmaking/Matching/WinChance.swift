import Foundation

/// Predicted chances of teams of rated players.
///
/// Each player's performance is normal around the rating with the variance β² + deviation², β =
/// ``performanceDeviation``; a team's is the sum of its players' (Herbrich et al. 2006, "TrueSkill"; the same as
/// OpenSkill's `predict_win` on this scale).
public enum WinChance {
    /// β: half the deviation of a player of whom nothing is known.
    public static let performanceDeviation = 175.0

    /// The chance of each team to come first; they add up to 1.
    public static func chances(of teams: [[Skill]]) -> [Double] { [] }

    /// The chance of the strongest team against the weakest, less one half: 0 to 0.5.
    public static func gap(of teams: [[Skill]]) -> Double { 0 }
}

/// How players of a mode are rated.
public enum RatingSystem: String, Sendable, Hashable, Codable, CaseIterable {
    /// Glickman's Glicko-2, for duels.
    case glicko2
    /// Weng and Lin's Bayesian ranking with the Plackett–Luce model, for teams and free-for-all.
    case openSkill = "openskill"
}

/// How strong a player is, on the scale of Glicko-2's public ratings (1500 is average).
public struct Skill: Sendable, Hashable, Codable {
    /// A player of whom nothing is known.
    public static let unknown = Skill(rating: 1500, deviation: 350)

    public let rating: Double
    /// Standard deviation of the rating.
    public let deviation: Double

    public init(rating: Double, deviation: Double) {
        self.rating = rating
        self.deviation = deviation
    }
}

import GameModel

/// How a rating grows uncertain while its player is away, as a pure function of when they last played.
///
/// It is Glicko-2's own step for periods without games (Glickman 2013, step 6), a period being a day: after n whole
/// days the deviation is √(deviation² + n · (173.7178 · volatility)²), a newcomer's 350 at most. With a volatility of
/// 0.06 a deviation of 60 becomes 83 in a month and 208 in a year. The rating stays. Ratings of OpenSkill decay by the
/// same rule.
public enum RatingDecay {
    /// One rating period, for those who don't play.
    public static let period = Duration.seconds(86_400)

    /// The rating at a moment; unchanged on the day of the last match, and for moments before it.
    public static func after(_ rating: GlickoRating, lastPlayedAt: Instant, at instant: Instant) -> GlickoRating {
        let days = (instant - lastPlayedAt).milliseconds / period.milliseconds
        guard days > 0, rating.deviation < GlickoRating.initial.deviation else { return rating }
        let growth = Glicko2.scale * rating.volatility
        var decayed = rating
        let deviation = (rating.deviation * rating.deviation + Double(days) * growth * growth).squareRoot()
        decayed.deviation = min(deviation, GlickoRating.initial.deviation)
        return decayed
    }
}

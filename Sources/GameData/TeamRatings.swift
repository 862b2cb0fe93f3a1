/// The ratings of a match's players after it, as a pure function.
///
/// Glicko-2 knows games of one against one. A team match is read so: each player has played **one** game against an
/// opponent whose rating and deviation are the means of all players of the other teams, and scored what their team
/// scored. In a duel that is Glicko-2 itself. All players are rated from the ratings before the match, so the order
/// of players is of no matter.
public enum TeamRatings {
    /// - Parameters:
    ///   - teams: the players' ratings before the match, by team.
    ///   - winner: the index of the team that won; `nil` for a draw.
    /// - Returns: the ratings after it, in the same shape.
    public static func after(teams: [[GlickoRating]], winner: Int?) -> [[GlickoRating]] {
        teams.enumerated().map { index, team in
            let opponents = teams.enumerated().filter { $0.offset != index }.flatMap(\.element)
            guard let opponent = mean(opponents) else { return team }
            let game = Glicko2.Game(opponent: opponent, score: score(of: index, winner: winner))
            return team.map { Glicko2.updated($0, games: [game]) }
        }
    }

    /// 1 for the team that won, 0 for the others, 0.5 for all in a draw.
    static func score(of team: Int, winner: Int?) -> Double {
        guard let winner else { return 0.5 }
        return team == winner ? 1 : 0
    }

    /// The mean of ratings, deviations and volatilities; `nil` of none.
    static func mean(_ ratings: [GlickoRating]) -> GlickoRating? {
        guard !ratings.isEmpty else { return nil }
        let count = Double(ratings.count)
        return GlickoRating(
            rating: ratings.reduce(0) { $0 + $1.rating } / count,
            deviation: ratings.reduce(0) { $0 + $1.deviation } / count,
            volatility: ratings.reduce(0) { $0 + $1.volatility } / count)
    }
}

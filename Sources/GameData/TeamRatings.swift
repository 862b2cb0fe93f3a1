import GameModel

/// The ratings of a match's players after it, as a pure function.
///
/// OpenSkill rates teams as they are. Glicko-2 knows games of one against one, so a match of teams is read thus: each
/// player has played **one** game against an opponent whose rating and deviation are the means of all players of the
/// other teams, and scored the share of those teams that theirs beat, a tie being half. In a duel that is Glicko-2
/// itself. All players are rated from the ratings before the match, so the order of players is of no matter.
///
/// Who left has lost: they are rated as though their team, they among it, had come in last. Their team is rated as
/// those who stayed.
public enum TeamRatings {
    /// A player as the match began, and whether they quit before its end.
    public struct Player: Sendable, Hashable {
        public var rating: GlickoRating
        public var left: Bool

        public init(_ rating: GlickoRating, left: Bool = false) {
            self.rating = rating
            self.left = left
        }
    }

    /// - Parameters:
    ///   - teams: the players as the match began, by team.
    ///   - ranks: a number for each team, the lowest best; equal ones tie.
    /// - Returns: the ratings after it, in the same shape.
    public static func after(teams: [[Player]], ranks: [Int], system: RatingSystem) -> [[GlickoRating]] {
        let whole = teams.map { $0.map(\.rating) }
        // A team that all players left still played: it is as strong as it was.
        let stayed = teams.map { team in
            let stayed = team.filter { !$0.left }.map(\.rating)
            return stayed.isEmpty ? team.map(\.rating) : stayed
        }
        let played = after(teams: stayed, ranks: ranks, system: system)
        return teams.enumerated().map { index, team in
            guard team.contains(where: \.left) else { return played[index] }
            var other = stayed
            other[index] = whole[index]
            var last = ranks
            last[index] = (ranks.max() ?? 0) + 1
            let quit = after(teams: other, ranks: last, system: system)[index]
            var rest = played[index].makeIterator()
            return zip(team, quit).map { player, lost in player.left ? lost : rest.next() ?? lost }
        }
    }

    /// The ratings after a match that everyone played to its end.
    public static func after(
        teams: [[GlickoRating]], ranks: [Int], system: RatingSystem
    ) -> [[GlickoRating]] {
        switch system {
        case .glicko2: glicko2(teams, ranks)
        case .openSkill: openSkill(teams, ranks)
        }
    }

    private static func glicko2(_ teams: [[GlickoRating]], _ ranks: [Int]) -> [[GlickoRating]] {
        teams.enumerated().map { index, team in
            let opponents = teams.enumerated().filter { $0.offset != index }.flatMap(\.element)
            guard let opponent = mean(opponents) else { return team }
            let game = Glicko2.Game(opponent: opponent, score: score(of: index, ranks: ranks))
            return team.map { Glicko2.updated($0, games: [game]) }
        }
    }

    private static func openSkill(_ teams: [[GlickoRating]], _ ranks: [Int]) -> [[GlickoRating]] {
        let after = OpenSkill.rate(teams: teams.map { $0.map { OpenSkill.Rating($0) } }, ranks: ranks)
        return zip(teams, after).map { before, after in
            zip(before, after).map { before, after in
                var rating = GlickoRating(after, volatility: before.volatility)
                // τ lifts the deviation of who is as unknown as can be above a newcomer's.
                rating.deviation = min(rating.deviation, GlickoRating.initial.deviation)
                return rating
            }
        }
    }

    /// The share of the other teams that a team beat, a tie being half: 1 for who won, 0 for who came last.
    static func score(of team: Int, ranks: [Int]) -> Double {
        guard ranks.count > 1 else { return 0.5 }
        let points = ranks.enumerated().reduce(0.0) { sum, other in
            guard other.offset != team else { return sum }
            return sum + (other.element > ranks[team] ? 1 : other.element == ranks[team] ? 0.5 : 0)
        }
        return points / Double(ranks.count - 1)
    }

    /// What the match was for the players of a team who stayed: won for who was first alone, drawn for those who shared
    /// the first place, else lost.
    static func outcome(of team: Int, ranks: [Int]) -> MatchSummary.Outcome {
        guard let best = ranks.min(), ranks[team] == best else { return .lost }
        return ranks.filter { $0 == best }.count == 1 ? .won : .drawn
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

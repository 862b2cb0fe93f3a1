import GameData
import GameModel
import Testing

@Suite("Ratings of team matches")
struct TeamRatingsTests {
    let strong = GlickoRating(rating: 1700, deviation: 80, volatility: 0.06)
    let weak = GlickoRating(rating: 1400, deviation: 120, volatility: 0.06)

    @Test("a duel is Glicko-2 itself")
    func duel() {
        let after = TeamRatings.after(teams: [[strong], [weak]], ranks: [2, 1], system: .glicko2)
        #expect(after[0][0] == Glicko2.updated(strong, games: [.init(opponent: weak, score: 0)]))
        #expect(after[1][0] == Glicko2.updated(weak, games: [.init(opponent: strong, score: 1)]))
    }

    @Test("each player of a team has one game against the mean of the other team")
    func teams() {
        let after = TeamRatings.after(teams: [[strong, weak], [weak, weak]], ranks: [1, 1], system: .glicko2)
        let mean = GlickoRating(rating: 1550, deviation: 100, volatility: 0.06)
        let expected = Glicko2.updated(weak, games: [.init(opponent: mean, score: 0.5)])
        #expect(abs(after[1][0].rating - expected.rating) < 1e-9)
        #expect(after[1][0] == after[1][1])
        #expect(after[0][0] == Glicko2.updated(strong, games: [.init(opponent: weak, score: 0.5)]))
    }

    @Test("a team without opponents keeps its ratings")
    func alone() {
        #expect(TeamRatings.after(teams: [[strong]], ranks: [1], system: .glicko2) == [[strong]])
    }

    @Test("of more than two teams each scores the share that it beat, a tie being half")
    func scores() {
        let teams = [[strong], [weak], [weak], [strong]]
        let after = TeamRatings.after(teams: teams, ranks: [1, 2, 2, 4], system: .glicko2)
        for (index, score) in [1, 0.5, 0.5, 0].enumerated() {
            let others = teams.enumerated().filter { $0.offset != index }.flatMap(\.element)
            let opponent = GlickoRating(
                rating: others.reduce(0) { $0 + $1.rating } / 3, deviation: others.reduce(0) { $0 + $1.deviation } / 3,
                volatility: 0.06)
            let expected = Glicko2.updated(teams[index][0], games: [.init(opponent: opponent, score: score)])
            #expect(abs(after[index][0].rating - expected.rating) < 1e-9)
            #expect(abs(after[index][0].deviation - expected.deviation) < 1e-9)
        }
    }

    @Test("in a mode of OpenSkill the public scale holds what OpenSkill says, and volatility stays")
    func openSkill() {
        let teams = [[strong, weak], [weak], [.initial]]
        let after = TeamRatings.after(teams: teams, ranks: [2, 1, 2], system: .openSkill)
        let expected = OpenSkill.rate(teams: teams.map { $0.map { OpenSkill.Rating($0) } }, ranks: [2, 1, 2])
        for (players, ratings) in zip(after, expected) {
            for (player, rating) in zip(players, ratings) {
                #expect(abs(player.rating - (1500 + 42 * (rating.mu - 25))) < 1e-9)
                #expect(abs(player.deviation - 42 * rating.sigma) < 1e-9)
                #expect(player.volatility == 0.06)
            }
        }
    }

    @Test("no match leaves a newcomer less known than a newcomer is")
    func deviationMax() {
        let equal = (0..<20).map { _ in [GlickoRating.initial] }
        let after = TeamRatings.after(teams: equal, ranks: Array(repeating: 1, count: 20), system: .openSkill)
        for player in after.flatMap({ $0 }) { #expect(player.deviation <= 350) }
    }

    @Test(
        "who left has lost though their team won, and the team is rated as those who stayed",
        arguments: RatingSystem.allCases)
    func leaver(_ system: RatingSystem) {
        let teams: [[TeamRatings.Player]] = [
            [.init(strong), .init(weak, left: true), .init(weak)], [.init(weak), .init(weak), .init(strong)],
        ]
        let whole = teams.map { $0.map(\.rating) }
        let after = TeamRatings.after(teams: teams, ranks: [1, 2], system: system)
        let stayed = TeamRatings.after(teams: [[strong, weak], whole[1]], ranks: [1, 2], system: system)
        #expect([after[0][0], after[0][2]] == stayed[0])
        #expect(after[1] == stayed[1])
        let lost = TeamRatings.after(teams: whole, ranks: [3, 2], system: system)
        #expect(after[0][1] == lost[0][1])
        #expect(after[0][1].rating < weak.rating)
    }

    @Test("a team that all players left has lost as a whole", arguments: RatingSystem.allCases)
    func allLeft(_ system: RatingSystem) {
        let teams: [[TeamRatings.Player]] = [
            [.init(strong, left: true), .init(weak, left: true)], [.init(weak), .init(strong)],
        ]
        let after = TeamRatings.after(teams: teams, ranks: [1, 2], system: system)
        let lost = TeamRatings.after(teams: teams.map { $0.map(\.rating) }, ranks: [2, 1], system: system)
        #expect(after[0] == lost[0])
    }
}

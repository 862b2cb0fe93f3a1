import Foundation
import GameData
import GameModel
import Testing

@Suite("OpenSkill")
struct OpenSkillTests {
    let strong = OpenSkill.Rating(mu: 32, sigma: 2)
    let weak = OpenSkill.Rating(mu: 20, sigma: 4)

    @Test("a newcomer of OpenSkill is 1500 ± 350 on the public scale, to the last bit, and back")
    func newcomers() {
        #expect(GlickoRating(.initial) == .initial)
        #expect(OpenSkill.Rating(GlickoRating.initial) == .initial)
    }

    @Test("the public scale is affine: a rating that goes there and back is what it was")
    func scale() {
        let seed = UInt64.random(in: .min ... .max)
        var random = SplitMix64(seed: seed)
        for _ in 0..<10_000 {
            let rating = OpenSkill.Rating(
                mu: .random(in: -50...100, using: &random), sigma: .random(in: 0.1...10, using: &random))
            let back = OpenSkill.Rating(GlickoRating(rating))
            guard abs(back.mu - rating.mu) < 1e-11, abs(back.sigma - rating.sigma) < 1e-13 else {
                Issue.record("seed \(seed): \(rating) came back as \(back)")
                return
            }
        }
        #expect(GlickoRating(OpenSkill.Rating(mu: 26, sigma: 1)).rating == 1542)
        #expect(GlickoRating(OpenSkill.Rating(mu: 26, sigma: 1)).deviation == 42)
    }

    @Test("winners rise and losers fall, whoever they were, and both are better known")
    func direction() {
        for ranks in [[1, 2], [2, 1]] {
            let after = OpenSkill.rate(teams: [[strong, weak], [weak, weak]], ranks: ranks)
            for (team, before) in [[strong, weak], [weak, weak]].enumerated() {
                for (player, old) in zip(after[team], before) {
                    #expect(ranks[team] == 1 ? player.mu > old.mu : player.mu < old.mu)
                    #expect(player.sigma < old.sigma)
                }
            }
        }
    }

    @Test("only the order of ranks counts, not their values, nor the order in which teams are listed")
    func order() {
        let teams = [[strong], [weak], [OpenSkill.Rating.initial]]
        let after = OpenSkill.rate(teams: teams, ranks: [1, 2, 3])
        #expect(OpenSkill.rate(teams: teams, ranks: [-7, 40, 41]) == after)
        let turned = OpenSkill.rate(teams: teams.reversed(), ranks: [3, 2, 1])
        for (team, other) in zip(after, turned.reversed()) {
            #expect(abs(team[0].mu - other[0].mu) < 1e-12)
            #expect(abs(team[0].sigma - other[0].sigma) < 1e-12)
        }
    }

    @Test("a match of a hundred champions and one novice, all a thousand apart, stays finite")
    func extremes() {
        let teams = (0..<100).map { [OpenSkill.Rating(mu: 10_000 * Double($0), sigma: 0.01)] }
        let after = OpenSkill.rate(teams: teams, ranks: Array(1...100))
        for player in after.flatMap({ $0 }) {
            #expect(player.mu.isFinite)
            #expect(player.sigma > 0)
        }
        let chances = OpenSkill.predictWin(teams: teams)
        #expect(abs(chances.reduce(0, +) - 1) < 1e-9)
    }

    @Test("fewer than two teams change nothing")
    func alone() {
        #expect(OpenSkill.rate(teams: [[strong]], ranks: [1]) == [[strong]])
        #expect(OpenSkill.predictWin(teams: [[strong]]) == [1])
    }
}

import Foundation
import GameData
import GameModel
import Testing

@Suite("Glicko-2")
struct Glicko2Tests {
    /// The player and the three games of Glickman's paper.
    let player = GlickoRating(rating: 1500, deviation: 200, volatility: 0.06)
    let games = [
        Glicko2.Game(opponent: GlickoRating(rating: 1400, deviation: 30, volatility: 0.06), score: 1),
        Glicko2.Game(opponent: GlickoRating(rating: 1550, deviation: 100, volatility: 0.06), score: 0),
        Glicko2.Game(opponent: GlickoRating(rating: 1700, deviation: 300, volatility: 0.06), score: 0),
    ]

    @Test("Glickman's worked example comes out to its printed digits")
    func workedExample() {
        let updated = Glicko2.updated(player, games: games, tau: 0.5)
        // The paper carries rounded intermediate values along: it prints 1464.06 and 0.05999 where full precision gives
        // 1464.0507 and 0.0599960. So each is held to within one of its last printed digit.
        #expect(abs(updated.rating - 1464.06) <= 0.01)
        #expect(abs(updated.deviation - 151.52) <= 0.005)
        #expect(abs(updated.volatility - 0.05999) <= 0.00001)
    }

    @Test("the paper's table of expected scores comes out to its printed digits")
    func expectedScores() {
        let scores = games.map { printed(Glicko2.expectedScore(player, against: $0.opponent), 3) }
        #expect(scores == ["0.639", "0.432", "0.303"])
    }

    @Test("without games only the deviation grows")
    func noGames() {
        let updated = Glicko2.updated(player, games: [])
        #expect(updated.rating == player.rating)
        #expect(updated.volatility == player.volatility)
        #expect(printed(updated.deviation, 4) == "200.2714")
    }

    @Test("a win raises and a loss lowers, by the same between equals")
    func symmetry() {
        let equal = GlickoRating.initial
        let won = Glicko2.updated(equal, games: [.init(opponent: equal, score: 1)])
        let lost = Glicko2.updated(equal, games: [.init(opponent: equal, score: 0)])
        let drawn = Glicko2.updated(equal, games: [.init(opponent: equal, score: 0.5)])
        #expect(won.rating > 1500)
        #expect(abs((won.rating - 1500) - (1500 - lost.rating)) < 1e-6)
        #expect(abs(drawn.rating - 1500) < 1e-9)
        #expect(won.deviation < 350)
    }

    @Test("a hundred thousand random ratings stay finite, and every volatility positive")
    func randomRatings() {
        let seed = UInt64.random(in: .min ... .max)
        var random = SplitMix64(seed: seed)
        for _ in 0..<100_000 {
            let games = (0..<Int.random(in: 1...3, using: &random)).map { _ in
                Glicko2.Game(opponent: rating(&random), score: [0, 0.5, 1].randomElement(using: &random) ?? 0)
            }
            let updated = Glicko2.updated(rating(&random), games: games)
            guard updated.rating.isFinite, updated.deviation > 0, updated.deviation.isFinite, updated.volatility > 0,
                updated.volatility.isFinite
            else {
                Issue.record("seed \(seed): \(updated)")
                return
            }
        }
    }

    @Test("beating a champion whom one could not beat does not break the arithmetic")
    func upset() {
        let novice = GlickoRating(rating: -5_000, deviation: 20, volatility: 0.06)
        let champion = GlickoRating(rating: 9_000, deviation: 20, volatility: 0.06)
        let updated = Glicko2.updated(novice, games: [.init(opponent: champion, score: 1)])
        #expect(updated.rating.isFinite)
        #expect(updated.rating > novice.rating)
    }

    private func rating(_ random: inout SplitMix64) -> GlickoRating {
        GlickoRating(
            rating: .random(in: 0...4_000, using: &random), deviation: .random(in: 10...350, using: &random),
            volatility: .random(in: 0.01...0.2, using: &random))
    }

    private func printed(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }
}

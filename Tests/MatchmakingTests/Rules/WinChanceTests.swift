import Testing

@testable import Matchmaking

@Suite("The predicted chance")
struct WinChanceTests {
    private func skill(_ rating: Double, _ deviation: Double = 80) -> Skill {
        Skill(rating: rating, deviation: deviation)
    }

    // From PyPI's `openskill` 6.2, `PlackettLuce().predict_win`, where μ is 25 + (rating − 1500) / 42 and σ is
    // deviation / 42.
    @Test("is that of OpenSkill's predict_win for duels and teams")
    func openSkill() throws {
        for (teams, expected) in Self.examples {
            let chances = WinChance.chances(of: teams.map { $0.map { skill($0.0, $0.1) } })
            for (chance, wanted) in zip(chances, expected) { #expect(abs(chance - wanted) < 1e-6) }
        }
    }

    @Test("is even for equal teams, and adds up to 1", arguments: 2...6)
    func even(teams: Int) {
        let chances = WinChance.chances(of: [[Skill]](repeating: [skill(1_600), skill(1_300)], count: teams))
        for chance in chances { #expect(abs(chance - 1 / Double(teams)) < 1e-12) }
        #expect(abs(chances.reduce(0, +) - 1) < 1e-12)
    }

    @Test("rises with the rating, and is nearer to even the less is known of the players")
    func monotone() {
        let gaps = [0.0, 50, 100, 400].map { WinChance.gap(of: [[skill(1_500 + $0)], [skill(1_500)]]) }
        #expect(gaps == gaps.sorted())
        #expect(gaps[0] == 0)
        let unsure = [30.0, 100, 350].map { WinChance.gap(of: [[skill(1_700, $0)], [skill(1_500, $0)]]) }
        #expect(unsure == unsure.sorted(by: >))
    }

    @Test("of a gap is that of the strongest team against the weakest, at most one half")
    func gap() {
        let teams = [[skill(1_500)], [skill(1_800)], [skill(1_300)]]
        let strongest = WinChance.chances(of: [teams[1], teams[2]])[0]
        #expect(abs(WinChance.gap(of: teams) - (strongest - 0.5)) < 1e-12)
        #expect(WinChance.gap(of: [[skill(9_000)], [skill(0)]]) <= 0.5)
    }

    @Test("takes an empty seat for a player of the match's mean")
    func emptySeat() {
        // 1600 + 1400 against 1500 and nobody.
        #expect(abs(WinChance.gap(of: [[skill(1_600), skill(1_400)], [skill(1_500)]])) < 1e-12)
        #expect(WinChance.gap(of: [[skill(1_600), skill(1_600)], [skill(1_300)]]) > 0)
    }

    private static let examples: [([[(Double, Double)]], [Double])] = [
        ([[(1600, 80)], [(1500, 80)]], [0.6433706828726203, 0.35662931712737966]),
        ([[(1500, 350)], [(1700, 60)]], [0.32201732610675676, 0.6779826738932433]),
        (
            [[(1500, 80), (1800, 120)], [(1600, 90), (1550, 200)]],
            [0.6612164564548665, 0.3387835435451335]
        ),
        (
            [
                [(1400, 50), (1450, 60), (1500, 70), (1550, 80), (1600, 90)],
                [(1500, 100), (1510, 110), (1490, 120), (1530, 130), (1400, 140)],
            ],
            [0.5695139596554597, 0.4304860403445403]
        ),
        (
            [[(1500, 80)], [(1600, 100)], [(1400, 200)]],
            [0.3265278311269969, 0.45525780575245145, 0.21821436312055167]
        ),
        (
            [[(1500, 80), (1550, 60)], [(1600, 100), (1450, 70)], [(1400, 200), (1700, 90)]],
            [0.31415399854878484, 0.31453340548665554, 0.3713125959645596]
        ),
    ]
}

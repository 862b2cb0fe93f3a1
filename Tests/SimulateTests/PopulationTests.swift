import GameModel
import Matchmaking
import Testing

@testable import Simulate

@Suite("Population") struct PopulationTests {
    private func crowd(_ population: Population, seed: UInt64 = 7, span: Range<Int64> = 0..<86_400_000) -> Crowd {
        Crowd(population, rules: [.standard], mode: Mode("squad"), seed: seed, span: span)
    }

    private static let large: Population = {
        var population = Population()
        population.players = 20_000
        return population
    }()

    @Test("as many players are drawn as asked, by time, and each with a name of their own")
    func count() {
        let crowd = crowd(Self.large)
        #expect(crowd.playerCount == 20_000)
        #expect(Set(crowd.players.map(\.member.player)).count == 20_000)
        #expect(crowd.arrivals.map(\.at) == crowd.arrivals.map(\.at).sorted())
        #expect(crowd.arrivals.flatMap(\.players).count == 20_000)
    }

    @Test("ratings are normal with the mean and spread asked for, within the range")
    func ratings() {
        let crowd = crowd(Self.large)
        let strengths = crowd.players.map(\.strength)
        let mean = strengths.reduce(0, +) / 20_000
        let spread = (strengths.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 20_000).squareRoot()
        #expect(abs(mean - 1_500) < 12)
        #expect(abs(spread - 370) < 25)
        #expect(strengths.min() ?? 0 >= 100)
        #expect(strengths.max() ?? 0 <= 3_500)
    }

    @Test("a mixture of ratings has its parts in proportion")
    func mixture() {
        var population = Self.large
        population.ratings = [.init(share: 3, mean: 1_000, spread: 10), .init(share: 1, mean: 2_500, spread: 10)]
        population.parties = [1]
        let high = crowd(population).players.count { $0.strength > 1_750 }
        #expect(abs(Double(high) / 20_000 - 0.25) < 0.015)
    }

    @Test("players come in parties by the shares asked for, each within one home")
    func parties() {
        let crowd = crowd(Self.large)
        for (place, share) in Self.large.parties.enumerated() {
            let players = crowd.arrivals.filter { $0.players.count == place + 1 }.count * (place + 1)
            #expect(abs(Double(players) / 20_000 - share) < 0.015, "parties of \(place + 1)")
        }
        let homes = crowd.arrivals.map { Set($0.players.map { crowd.players[Int($0)].home }).count }
        #expect(homes.max() == 1)
    }

    @Test("parties larger than the mode allows are left out, and said to be")
    func partyMax() {
        let crowd = Crowd(Self.large, rules: [.standard], mode: Mode("trio"), seed: 7)
        #expect(crowd.arrivals.map(\.players.count).max() == 3)
        #expect(crowd.remarks == ["parties of more than 3 left out: the rules allow no larger ones"])
        #expect(self.crowd(Self.large).remarks == [])
    }

    @Test("players reach their home region faster than others, but for a bad line as long as the way")
    func latencies() {
        let crowd = crowd(Self.large)
        let home = crowd.players.compactMap { $0.member.latencies[$0.home] }.sorted()
        #expect((22...29).contains(home[10_000]))
        #expect(home[0] >= 3)
        #expect(home[19_900] > 80)
        let away = crowd.players.map { $0.member.latencies[$0.home == Region("eu") ? Region("us") : Region("eu")] ?? 0 }
        #expect((110...130).contains(away.sorted()[10_000]))
        let share = Double(crowd.players.count { $0.home == Region("eu") }) / 20_000
        #expect(abs(share - 0.4 / 0.75) < 0.02)
    }

    @Test("most come in the evening of their own clock, few at night")
    func hours() {
        var population = Self.large
        population.homes = [.init(region: Region("eu"), share: 1, utcOffset: 0)]
        let hours = crowd(population).arrivals.map { Int($0.at / 3_600_000) }
        #expect(hours.count { $0 == 19 } > 8 * hours.count { $0 == 4 })
        population.homes[0].utcOffset = 6
        let shifted = crowd(population).arrivals.map { Int($0.at / 3_600_000) }
        #expect(shifted.count { $0 == 13 } > 8 * shifted.count { $0 == 22 })
    }

    @Test("a part of a day has the players of that part")
    func span() {
        let day = crowd(Self.large)
        let evening = crowd(Self.large, span: 64_800_000..<72_000_000)
        let there = day.arrivals.filter { (64_800_000..<72_000_000).contains($0.at) }
        #expect(evening.arrivals.map(\.at) == there.map(\.at))
    }

    @Test("roles and attributes are drawn by their shares")
    func wishes() {
        var rules = MatchmakingRules.standard
        rules.modes[Mode("squad")]?.roles = [
            RoleRule(name: "tank", count: 1), RoleRule(name: "healer", count: 1), RoleRule(name: "damage", count: 3),
        ]
        var population = Self.large
        population.attributes = [
            "platform": .text([.init(text: "pc", share: 3), .init(text: "console", share: 1)]),
            "level": .number(mean: 40, spread: 10, range: 1...60),
        ]
        let crowd = Crowd(population, rules: [rules], mode: Mode("squad"), seed: 7)
        let tanks = crowd.players.count { $0.member.roles.first == "tank" }
        #expect(abs(Double(tanks) / 20_000 - 0.2) < 0.015)
        #expect(Set(crowd.players.map { Set($0.member.roles).count }) == [2])
        let pc = crowd.players.count { $0.member.attributes["platform"] == .text("pc") }
        #expect(abs(Double(pc) / 20_000 - 0.75) < 0.015)
        let levels = crowd.players.compactMap { player -> Double? in
            guard case .number(let level)? = player.member.attributes["level"] else { return nil }
            return level
        }
        #expect(levels.count == 20_000)
        #expect(levels.max() == 60)
    }
}

import Foundation
import GameModel
import Matchmaking
import Testing

@testable import Simulate

@Suite("Simulation") struct SimulationTests {
    private static let squad = Mode("squad")
    /// In ms since 00:00: a day, and its busiest six hours.
    private static let day: Range<Int64> = 0..<86_400_000
    private static let evening: Range<Int64> = 61_200_000..<82_800_000

    private func crowd(
        _ population: Population, _ rules: MatchmakingRules = .standard, mode: Mode = squad, seed: UInt64 = 1,
        span: Range<Int64> = evening
    ) -> Crowd {
        Crowd(population, rules: [rules], mode: mode, seed: seed, span: span)
    }

    private func figures(
        _ population: Population, _ rules: MatchmakingRules = .standard, mode: Mode = squad, seed: UInt64 = 1,
        span: Range<Int64> = evening
    ) throws -> Figures {
        let crowd = crowd(population, rules, mode: mode, seed: seed, span: span)
        return try Simulation(rules: rules, mode: mode, crowd: crowd, seed: seed).run()
    }

    private static func small(_ players: Int = 2_000) -> Population {
        var population = Population()
        population.players = players
        return population
    }

    private func bytes(_ figures: Figures) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return try encoder.encode(figures)
    }

    @Test("the same seed gives the same figures, byte for byte; another seed gives others")
    func determinism() throws {
        let first = try bytes(figures(Self.small()))
        #expect(first == (try bytes(figures(Self.small()))))
        #expect(first != (try bytes(figures(Self.small(), seed: 2))))
    }

    @Test("every player who queues ends matched, expired, declined or still waiting", arguments: [1, 2, 3] as [UInt64])
    func conservation(seed: UInt64) throws {
        var rules = MatchmakingRules.standard
        rules.modes[Mode("duel")]?.waitSecondsMax = 40
        let figures = try figures(Self.small(), rules, mode: Mode("duel"), seed: seed)
        let ended = figures.matchedPlayers + figures.expiredPlayers + figures.declinedPlayers + figures.waitingPlayers
        #expect(ended == figures.players, "seed \(seed)")
        #expect(figures.matchedPlayers > 0 && figures.expiredPlayers > 0 && figures.declinedPlayers > 0)
        #expect(figures.faults == [], "seed \(seed)")
        // Who was proposed at the last moment, and refused by another, has waited for that answer too.
        #expect(figures.wait.max <= 40 + 15)
        #expect(figures.matchedPlayers == figures.matches * 2)
    }

    @Test("parts by rating, region, party size and hour add up to all players")
    func parts() throws {
        let figures = try figures(Self.small(), span: Self.day)
        for parts in [figures.byRating, figures.byRegion, figures.byParty, figures.byHour] {
            #expect(parts.reduce(0) { $0 + $1.players } == figures.players)
        }
        #expect(figures.byRating.count == 10)
        #expect(figures.byRegion.map(\.name) == ["eu", "us"])
        #expect(figures.byParty.map(\.name) == ["1", "2", "3", "4", "5"])
        #expect(figures.byHour.count == 24)
        #expect(figures.matchesByHour.reduce(0, +) == figures.matches)
        #expect(figures.matchesByRegion.values.reduce(0, +) == figures.matches)
        #expect(figures.backlog.count == 24 * 60)
    }

    @Test("a wider window from the start shortens the wait and makes matches less even")
    func widerWindow() throws {
        var wide = MatchmakingRules.standard
        wide.modes[Mode("duel")]?.window = 800
        let narrow = try figures(Self.small(), mode: Mode("duel"))
        let wider = try figures(Self.small(), wide, mode: Mode("duel"))
        #expect(wider.wait.p50 < narrow.wait.p50)
        #expect(wider.gap.mean > narrow.gap.mean)
    }

    @Test("without acceptance no proposal is refused, and no one declines")
    func noAcceptance() throws {
        var rules = MatchmakingRules.standard
        rules.modes[Self.squad]?.needsAcceptance = false
        var population = Self.small()
        population.habits.accepts = 0
        let figures = try figures(population, rules)
        #expect(figures.refusedProposals == 0 && figures.declinedPlayers == 0)
        #expect(figures.matches > 0)
    }

    @Test("who does not accept leaves, and the others are matched with their first time of queueing")
    func refusals() throws {
        var population = Self.small()
        population.habits.accepts = 0.8
        let often = try figures(population)
        population.habits.accepts = 1
        let never = try figures(population)
        #expect(often.refusedProposals > often.matches / 2)
        #expect(never.refusedProposals == 0 && never.declinedPlayers == 0)
        #expect(often.wait.p50 > never.wait.p50)
    }

    @Test("nobody comes back where players never return; about three in ten leave after each match by default")
    func returning() throws {
        var population = Self.small()
        population.habits.accepts = 1
        let often = try figures(population, mode: Mode("duel"), span: Self.day)
        // 1 / (1 - 0.7) matches each, but for who would play on after midnight.
        #expect((6_000...6_700).contains(often.players))
        population.habits.returns = 0
        let once = try figures(population, mode: Mode("duel"), span: Self.day)
        #expect(once.players == 2_000)
    }

    @Test("a tick is as long as asked, and a finer one shortens waits")
    func ticks() throws {
        let crowd = crowd(Self.small(), mode: Mode("duel"))
        let waits = try [250, 1_000, 20_000].map { tick in
            try Simulation(rules: .standard, mode: Mode("duel"), crowd: crowd, seed: 1, tickMs: tick).run().wait.p50
        }
        #expect(waits == waits.sorted())
        #expect(throws: SimulationError.self) {
            try Simulation(rules: .standard, mode: Mode("duel"), crowd: crowd, seed: 1, tickMs: 0)
        }
    }

    @Test("a crowd that the rules can't judge is refused with what to do")
    func unfitCrowd() throws {
        var rules = MatchmakingRules.standard
        rules.modes[Self.squad]?.attributes = [AttributeRule(name: "level", kind: .distance, max: 10)]
        let crowd = crowd(Self.small(), rules)
        let error = #expect(throws: SimulationError.self) {
            try Simulation(rules: rules, mode: Self.squad, crowd: crowd, seed: 1)
        }
        #expect(error?.description.contains("'level'") == true)
        let other = #expect(throws: SimulationError.self) {
            try Simulation(rules: rules, mode: Mode("sqad"), crowd: crowd, seed: 1)
        }
        #expect(other?.description == "no mode 'sqad' in these rules; they have duel, squad, trio")
    }
}

import GameModel
import Testing

@testable import InstanceWorker
@testable import MusterInstance

@Suite("Fight: the reference game's rules")
struct FightTests {
    private let one = PlayerID("one")
    private let two = PlayerID("two")

    private func fight(_ sheet: MatchSheet, seed: UInt64, present: Set<PlayerID>? = nil, ticksMax: Int = 60) -> Fight {
        let everyone = Set(sheet.teams.joined().map(\.playerId))
        var fight = Fight(sheet: sheet, present: present ?? everyone, seed: seed, ticksMax: ticksMax)
        while fight.outcome == nil { _ = fight.step() }
        return fight
    }

    /// How many of 400 fights team 0 wins.
    private func wins(_ change: (inout MatchSheet) -> Void) -> Int {
        var sheet = MatchSheet.of([[one], [two]])
        change(&sheet)
        return (0..<400).filter { fight(sheet, seed: UInt64($0)).outcome == .won(team: 0) }.count
    }

    @Test("the same match is the same fight")
    func deterministic() {
        let sheet = MatchSheet.of([[one], [two]])
        let seed = SplitMix64.seed(of: "duel.eu.01J")
        #expect(fight(sheet, seed: seed).fighters.map(\.dealt) == fight(sheet, seed: seed).fighters.map(\.dealt))
    }

    @Test("equals win about equally often, whichever team they are in")
    func fair() {
        #expect((150...250).contains(wins { _ in }))
    }

    @Test("the higher rating wins more often")
    func ratingCounts() {
        let stronger = wins { $0.teams[0][0].rating = 1_900 }
        #expect(stronger > 280)
    }

    @Test("more damage and more health win more often: the balance reaches the fight")
    func balanceCounts() {
        #expect(wins { $0.balance.characters[0].damage = 60 } > 280)
        #expect(wins { $0.balance.characters[0].health = 1_600 } > 280)
        #expect(wins { $0.balance.characters[1].damage = 60 } < 120)
    }

    @Test("an absent player hits nobody and can be hit")
    func absentStandsStill() {
        let over = fight(.of([[one], [two]]), seed: 7, present: [one])
        #expect(over.outcome == .won(team: 0))
        #expect(over.fighters[1].dealt == 0 && over.fighters[1].deaths == 1 && over.fighters[0].kills == 1)
    }

    @Test("damage dealt is health lost, kills are deaths, and nobody falls below zero")
    func booksBalance() {
        let players = (0..<6).map { PlayerID("p\($0)") }
        for seed in 0..<50 {
            let over = fight(.of([Array(players[..<3]), Array(players[3...])]), seed: UInt64(seed))
            let lost = over.fighters.reduce(0) { $0 + $1.healthMax - $1.health }
            #expect(over.fighters.reduce(0) { $0 + $1.dealt } == lost)
            #expect(over.fighters.reduce(0) { $0 + $1.kills } == over.fighters.reduce(0) { $0 + $1.deaths })
            #expect(over.fighters.allSatisfy { $0.health >= 0 })
        }
    }

    @Test("a fight ends in time: the larger share of health wins, equal shares are a draw")
    func timeIsUp() {
        #expect(fight(.of([[one], [two]]), seed: 1, present: [], ticksMax: 10).outcome == .draw)
        let short = fight(.of([[one], [two]]), seed: 1, ticksMax: 3)
        #expect(short.tick <= 3)
    }

    @Test("after the end nothing happens any more")
    func stepAfterEnd() {
        var over = fight(.of([[one], [two]]), seed: 3)
        let before = over.tick
        #expect(over.step().isEmpty)
        #expect(over.tick == before)
    }
}

import GameModel
import Testing

@testable import InstanceWorker
@testable import MusterInstance

@Suite("Open seats of a running match")
struct OpenSeatsTests {
    private let first = MatchSheet.of([["a", "b"], ["c", "d"]].map { $0.map { PlayerID($0) } })

    private func seats(_ gone: [String: Int], now: MatchSheet? = nil) -> OpenSeats {
        OpenSeats(
            first: first, now: now ?? first,
            gone: Dictionary(uniqueKeysWithValues: gone.map { (PlayerID($0.key), .seconds($0.value)) }),
            after: .seconds(2))
    }

    @Test("a seat is open once its player has been gone for the time, and not before")
    func after() {
        #expect(seats([:]).isEmpty)
        #expect(seats(["a": 1, "c": 1]).isEmpty)
        let open = seats(["a": 2, "c": 1, "d": 9])
        #expect(open.open == [1, 1])
        #expect(open.left == [PlayerID("a"), PlayerID("d")])
    }

    @Test("who came later takes a seat of the team; when they leave too, it is open again")
    func filled() {
        let now = MatchSheet.of([["a", "b", "e"], ["c", "d"]].map { $0.map { PlayerID($0) } })
        #expect(seats(["a": 5], now: now).isEmpty)
        #expect(seats(["a": 5, "b": 5], now: now).open == [1, 0])
        #expect(seats(["a": 5, "e": 1], now: now).isEmpty)
        #expect(seats(["a": 5, "e": 3], now: now).open == [1, 0])
        #expect(seats(["e": 3], now: now).open == [0, 0], "a seat that was never open is no seat to fill")
    }
}

@Suite("Bots, late players and places of a fight")
struct FightSeatsTests {
    private func names(_ teams: [[String]]) -> [[PlayerID]] { teams.map { $0.map { PlayerID($0) } } }

    @Test("bots take the seats that are named, as strong as the players, and a team of bots can win")
    func bots() throws {
        var sheet = MatchSheet.of(names([["a"], []]))
        sheet.bots = [0, 2]
        sheet.teams[0][0].rating = 1_800
        let fight = Fight(sheet: sheet, present: [PlayerID("a")], seed: 1, ticksMax: 100)
        #expect(fight.fighters.map(\.isBot) == [false, true, true])
        #expect(fight.fighters.map(\.team) == [0, 1, 1])
        #expect(fight.fighters.map(\.rating) == [1_800, 1_800, 1_800])
        #expect(Set(fight.fighters.map(\.playerId)).count == 3)
        let won = (1...20).filter { seed in
            var fight = Fight(sheet: sheet, present: [PlayerID("a")], seed: UInt64(seed), ticksMax: 100)
            while fight.outcome == nil { _ = fight.step() }
            return fight.outcome == .won(team: 1)
        }
        #expect(won.count > 10, "two against one")
    }

    @Test("who comes later fights along from then on, and once only")
    func late() throws {
        let sheet = MatchSheet.of(names([["a"], ["b"]]))
        var fight = Fight(sheet: sheet, present: [PlayerID("a"), PlayerID("b")], seed: 1, ticksMax: 100)
        let late = MatchSheet.of(names([["a", "c"], ["b"]]))
        for _ in 0..<2 { fight.add(late.teams[0][1], team: 0, in: late) }
        #expect(fight.fighters.map(\.team) == [0, 1, 0])
        #expect(fight.fighters.last?.isPresent == false)
        fight.set(PlayerID("c"), isPresent: true)
        while fight.outcome == nil { _ = fight.step() }
        #expect(try #require(fight.fighters.last).dealt > 0)
    }

    @Test("whose place another took is no target and counts for no team, until they are there again")
    func withdrawn() {
        let sheet = MatchSheet.of(names([["a", "c"], ["b"]]))
        var fight = Fight(
            sheet: sheet, present: [PlayerID("b"), PlayerID("c")], seed: 1, ticksMax: 10_000)
        fight.withdraw(PlayerID("a"))
        var hits: [Fight.Hit] = []
        while fight.outcome == nil { hits += fight.step() }
        #expect(!hits.isEmpty && hits.allSatisfy { $0.target != PlayerID("a") && $0.by != PlayerID("a") })
        #expect(fight.fighters[0].health == 1_000)
        // Team 0 fell with its one fighter, though another of it never lost a point.
        if case .won(let team) = fight.outcome { #expect(fight.ranks[team] == 1 && fight.ranks[1 - team] == 2) }

        var again = Fight(sheet: sheet, present: [PlayerID("b")], seed: 1, ticksMax: 10_000)
        again.withdraw(PlayerID("a"))
        again.set(PlayerID("a"), isPresent: true)
        while again.outcome == nil { _ = again.step() }
        #expect(again.fighters[0].dealt > 0)
    }

    @Test("places agree with the winner: one best team, all others behind by health and by when they fell")
    func ranks() {
        let sheet = MatchSheet.of(names([["a"], ["b"], ["c"], ["d"]]))
        for seed in 1...50 as ClosedRange<UInt64> {
            for ticksMax in [3, 100] {
                var fight = Fight(
                    sheet: sheet, present: Set(sheet.players.map(\.playerId)), seed: seed, ticksMax: ticksMax)
                while fight.outcome == nil { _ = fight.step() }
                let best = fight.ranks.indices.filter { fight.ranks[$0] == 1 }
                switch fight.outcome {
                case .won(let team): #expect(best == [team], "seed \(seed): \(fight.ranks)")
                default: #expect(best.count > 1, "seed \(seed): \(fight.ranks)")
                }
                #expect(fight.ranks.allSatisfy { (1...4).contains($0) })
            }
        }
    }
}

import GameData
import GameModel
import Records
import TestSupport
import Testing

@Suite("Players' loadouts, ratings over time and history")
struct PlayerRecordsTests {
    @Test("a loadout is replaced as a whole, and names characters that there are")
    func loadout() async throws {
        try await withData { database in
            let loadouts = PlayersRepository(database: database).loadouts
            let ada = PlayerID("ada")
            #expect(try await loadouts.loadout(of: ada) == [:])
            try await loadouts.replace(["ranger": ProductID("red"), "shade": ProductID("blue")], of: ada)
            try await loadouts.replace(["ranger": ProductID("green")], of: ada)
            #expect(try await loadouts.loadout(of: ada) == ["ranger": ProductID("green")])
            do {
                try await loadouts.replace(["ranger": ProductID("red"), "wizard": ProductID("blue")], of: ada)
                Issue.record("nothing was refused")
            } catch GameDataError.invalid(let field, let detail) {
                #expect(field == "wizard")
                #expect(detail.contains("ranger"))
            }
            #expect(try await loadouts.loadouts(of: [ada, PlayerID("bob")]) == [ada: ["ranger": ProductID("green")]])
            try await loadouts.remove(ada)
            #expect(try await loadouts.loadout(of: ada) == [:])
        }
    }

    @Test("ratings over time are a line for each rated match, in pages that miss none and repeat none")
    func ratings() async throws {
        try await withData { database in
            var played: [MatchID] = []
            for index in 0..<7 {
                let placement = MatchPlacement.of(["ada", "bob"])
                // Two of the same moment: the page between them must know both.
                try await play(placement, at: Instant(milliseconds: Int64(1_000 + index / 2)), in: database)
                played.append(placement.matchId)
            }
            let withBots = MatchPlacement.of(teams: [[["ada"]], []], bots: [0, 1])
            try await play(
                withBots,
                MatchResult(
                    winner: 0, durationMs: 1,
                    players: [.init(playerId: PlayerID("ada"), team: 0, kills: 1, deaths: 0, damage: 1)]),
                in: database)
            let ratings = RatingHistoryRepository(database: database)
            var found: [RatingChange] = []
            while true {
                let page = try await ratings.changes(
                    of: PlayerID("ada"), mode: duel, limit: 3, before: found.last?.matchId)
                found += page
                if page.count < 3 { break }
            }
            #expect(Set(found.map(\.matchId)) == Set(played))
            #expect(found.count == 7)
            let oldestFirst = Array(found.reversed())
            #expect(oldestFirst.first?.ratingBefore == 1_500)
            #expect(found.map(\.changedAt) == found.map(\.changedAt).sorted(by: >))
            let rating = try await PlayersRepository(database: database).rating(PlayerID("ada"), mode: duel).rating
            #expect(found.contains { $0.ratingAfter == rating })
            #expect(try await ratings.changes(by: played[0]).map(\.playerId.rawValue) == ["ada", "bob"])
            #expect(try await ratings.changes(by: withBots.matchId).isEmpty)
            await #expect(throws: GameDataError.self) {
                try await ratings.changes(of: PlayerID("ada"), mode: duel, limit: 3, before: withBots.matchId)
            }
        }
    }
}

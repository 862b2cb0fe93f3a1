import GameData
import GameModel
import Records
import Testing

@Suite("Players")
struct PlayersTests {
    @Test("a player noted twice is one player, with the later name and the first time")
    func upsert() async throws {
        try await withData { database in
            let players = PlayersRepository(database: database)
            try await players.upsert(PlayerID("ada"), displayName: "Ada", at: Instant(milliseconds: 1))
            try await players.upsert(PlayerID("ada"), displayName: "Countess", at: Instant(milliseconds: 2))
            let profile = try await players.profile(PlayerID("ada"))
            #expect(profile?.displayName == "Countess")
            #expect(profile?.createdAt == Instant(milliseconds: 1))
            #expect(profile?.ratings == [:])
        }
    }

    @Test("a player never noted has no profile, and a newcomer's rating")
    func unknown() async throws {
        try await withData { database in
            let players = PlayersRepository(database: database)
            let profile = try await players.profile(PlayerID("nobody"))
            #expect(profile == nil)
            #expect(try await players.rating(PlayerID("nobody"), mode: duel) == .initial)
            #expect(GlickoRating.initial == GlickoRating(rating: 1500, deviation: 350, volatility: 0.06))
        }
    }

    @Test("names are told for the players that are known")
    func names() async throws {
        try await withData { database in
            let players = PlayersRepository(database: database)
            try await players.upsert(PlayerID("ada"), displayName: "Ada")
            try await players.upsert(PlayerID("bob"), displayName: "Bob ' OR 1=1")
            let names = try await players.displayNames([PlayerID("ada"), PlayerID("bob"), PlayerID("cleo")])
            #expect(names == [PlayerID("ada"): "Ada", PlayerID("bob"): "Bob ' OR 1=1"])
        }
    }
}

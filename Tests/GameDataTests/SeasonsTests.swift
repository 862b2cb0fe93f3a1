import GRDB
import GameData
import GameModel
import Records
import TestSupport
import Testing

@Suite("Seasons")
struct SeasonsTests {
    @Test("before any season is started it is the preseason")
    func preseason() async throws {
        try await withData { database in
            let seasons = SeasonsRepository(database: database)
            let current = try await seasons.current()
            #expect(current.name == "preseason")
            #expect(current.number == 0)
            #expect(try await seasons.all() == [current])
        }
    }

    @Test("a new season keeps every standing and pulls every rating towards a newcomer's, totals go on")
    func start() async throws {
        try await withData { database in
            let seasons = SeasonsRepository(database: database)
            let players = PlayersRepository(database: database)
            try await players.upsert(PlayerID("ada"), displayName: "Ada")
            try await play(.of(["ada", "bob"]), in: database)
            let before = try await players.rating(PlayerID("ada"), mode: duel)
            let instant = Instant(milliseconds: 1_800_000_000_000)
            let season = Season(number: 1, name: "spring", startedAt: instant, carry: 0.5)
            #expect(try await seasons.startSeason("spring", carry: 0.5, at: instant) == .started(season, ratings: 2))
            #expect(try await seasons.current() == season)

            let after = try await players.rating(PlayerID("ada"), mode: duel)
            #expect(abs(after.rating - (1500 + (before.rating - 1500) / 2)) < 1e-9)
            let variance = 0.25 * before.deviation * before.deviation + 0.75 * 350 * 350
            #expect(abs(after.deviation - variance.squareRoot()) < 1e-9)
            #expect(after.volatility == before.volatility)
            let standing = try await players.profile(PlayerID("ada"))?.ratings["duel"]
            #expect(standing?.games == 1)
            #expect(standing?.wins == 1)

            let kept = SeasonStanding(
                season: "preseason", playerId: PlayerID("ada"), mode: duel, rating: before.rating,
                deviation: before.deviation, games: 1, wins: 1)
            #expect(try await seasons.standings(of: PlayerID("ada")) == [kept])
            let board = try await seasons.leaderboard("preseason", mode: duel, limit: 10)
            #expect(board.map(\.playerId) == [PlayerID("ada"), PlayerID("bob")])
            #expect(try await seasons.leaderboard("spring", mode: duel, limit: 10) == [])
            try expectGreen(try await GameDataAudit(database: database).findings())
        }
    }

    @Test("starting the current season again changes nothing, so whoever is not sure may repeat it")
    func again() async throws {
        try await withData { database in
            let seasons = SeasonsRepository(database: database)
            try await play(.of(["ada", "bob"]), in: database)
            _ = try await seasons.startSeason("spring", carry: 0.5)
            let rating = try await PlayersRepository(database: database).rating(PlayerID("ada"), mode: duel)
            let season = try await seasons.current()
            #expect(try await seasons.startSeason("spring", carry: 0.1) == .alreadyStarted(season, ratings: 0))
            #expect(try await PlayersRepository(database: database).rating(PlayerID("ada"), mode: duel) == rating)
            let all = try await seasons.all()
            #expect(all.map(\.name) == ["preseason", "spring"])
        }
    }

    @Test("a season whose start died half-way holds at once, is taken up by starting it again, and resets nobody twice")
    func halfWay() async throws {
        try await withData { database in
            let seasons = SeasonsRepository(database: database)
            let players = PlayersRepository(database: database)
            for names in [["ada", "bob"], ["cleo", "dan"]] { try await play(.of(names), in: database) }
            let before = try await players.rating(PlayerID("ada"), mode: duel)
            // The season is written, and the process gone before it reset a single row.
            try await database.write { db in
                try db.execute(
                    sql: "INSERT INTO seasons (season, name, carry, started_at) VALUES (1, 'spring', 0.5, 9)")
            }
            let half = try await players.rating(PlayerID("ada"), mode: duel)
            #expect(abs((half.rating - 1500) - (before.rating - 1500) / 2) < 1e-9)
            let history = try await MatchmakingHistoryRepository(database: database).history(
                of: PlayerID("ada"), mode: duel)
            #expect(history.rating == half)
            let bob = try await players.rating(PlayerID("bob"), mode: duel)

            // A result is applied to the ratings as reset, and keeps the standings of who plays.
            try await play(.of(["ada", "bob"]), in: database)
            let expected = Glicko2.updated(half, games: [.init(opponent: bob, score: 1)])
            #expect(try await players.rating(PlayerID("ada"), mode: duel) == expected)
            #expect(try await seasons.standings(of: PlayerID("ada")).map(\.rating) == [before.rating])

            // Another season begins when the one before is done with.
            guard case .started(let season, ratings: 4) = try await seasons.startSeason("summer", carry: 1) else {
                Issue.record("the season was not started over four ratings")
                return
            }
            #expect(season.number == 2)
            let standings = try await seasons.standings(of: PlayerID("cleo"))
            #expect(standings.map(\.season) == ["spring", "preseason"])
            #expect(standings.last?.rating == before.rating)
            #expect(standings.first?.rating == half.rating)
            #expect(try await seasons.startSeason("summer", carry: 1) == .alreadyStarted(season, ratings: 0))
            try expectGreen(try await GameDataAudit(database: database).findings())
        }
    }

    @Test("more ratings than one transaction resets are all reset, each once")
    func manyRatings() async throws {
        try await withData { database in
            try await database.write { db in
                for index in 0..<2_000 {
                    try db.execute(
                        sql: """
                            INSERT INTO ratings (player_id, mode, rating, deviation, volatility, games, wins, draws,
                                kills, deaths, damage, updated_at)
                            VALUES (?, ?, 1900, 80, 0.06, 0, 0, 0, 0, 0, 0, 1)
                            """, arguments: ["player-\(index / 2)", index.isMultiple(of: 2) ? "duel" : "trio"])
                }
            }
            let seasons = SeasonsRepository(database: database)
            guard case .started(_, ratings: 2_000) = try await seasons.startSeason("spring", carry: 0.75) else {
                Issue.record("not every rating was reset")
                return
            }
            let (reset, kept) = try await database.read { db in
                (
                    try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM ratings WHERE rating = 1800 AND season = 1"),
                    try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM season_ratings WHERE rating = 1900")
                )
            }
            #expect(reset == 2_000)
            #expect(kept == 2_000)
        }
    }

    @Test("a season's name is no earlier one's, the carry 0 to 1, and what is refused changes nothing")
    func refused() async throws {
        try await withData { database in
            let seasons = SeasonsRepository(database: database)
            _ = try await seasons.startSeason("spring", carry: 1)
            _ = try await seasons.startSeason("summer", carry: 1)
            let wrong: [(String, String, Double)] = [
                ("name", "spring", 1), ("name", "", 1), ("name", String(repeating: "x", count: 65), 1),
                ("carry", "autumn", -0.1), ("carry", "autumn", 1.1), ("carry", "autumn", .nan),
            ]
            for (field, name, carry) in wrong {
                let error = await #expect(throws: GameDataError.self) {
                    try await seasons.startSeason(name, carry: carry)
                }
                guard case .invalid(field, _) = error else {
                    Issue.record("wanted \(field), got \(String(describing: error))")
                    continue
                }
            }
            let current = try await seasons.current()
            #expect(current.name == "summer")
        }
    }

    @Test("a carry of 1 keeps ratings as they are, of 0 makes everyone a newcomer")
    func bounds() async throws {
        try await withData { database in
            let seasons = SeasonsRepository(database: database)
            let players = PlayersRepository(database: database)
            try await play(.of(["ada", "bob"]), in: database)
            let before = try await players.rating(PlayerID("ada"), mode: duel)
            let reply = try await seasons.startSeason("spring", carry: 1)
            let spring = try await seasons.current()
            #expect(reply == .started(spring, ratings: 2))
            #expect(try await players.rating(PlayerID("ada"), mode: duel) == before)
            _ = try await seasons.startSeason("summer", carry: 0)
            let after = try await players.rating(PlayerID("ada"), mode: duel)
            #expect(after.rating == 1500)
            #expect(after.deviation == 350)
            let past = try await seasons.standings(of: PlayerID("ada"))
            #expect(past.map(\.season) == ["spring", "preseason"])
            #expect(past.map(\.rating) == [before.rating, before.rating])
        }
    }

    @Test("a season in which nobody played resets nobody twice")
    func silent() async throws {
        try await withData { database in
            let seasons = SeasonsRepository(database: database)
            let reply = try await seasons.startSeason("spring", carry: 0.5)
            let spring = try await seasons.current()
            #expect(reply == .started(spring, ratings: 0))
            try await play(.of(["ada", "bob"]), in: database)
            _ = try await seasons.startSeason("summer", carry: 0.5)
            let first = try await PlayersRepository(database: database).rating(PlayerID("ada"), mode: duel)
            _ = try await seasons.startSeason("autumn", carry: 0.5)
            let second = try await PlayersRepository(database: database).rating(PlayerID("ada"), mode: duel)
            #expect(abs((second.rating - 1500) - (first.rating - 1500) / 2) < 1e-9)
        }
    }
}

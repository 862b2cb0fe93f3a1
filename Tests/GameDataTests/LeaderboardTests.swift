import GRDB
import GameModel
import Records
import Redis
import TestSupport
import Testing

@testable import GameData

@Suite("Leaderboards")
struct LeaderboardTests {
    @Test("a board in Redis is what SQLite says: ranks, ties by who was first, pages and the lines around a player")
    func sameAsRecords() async throws {
        try await withBoards { stage in
            try await stage.fill(500)
            #expect(try await stage.boards.fill(duel) == .filled(500))
            #expect(try await stage.boards.fill(duel) == .isWhole)
            for (from, limit) in [(1, 10), (200, 150), (496, 20), (501, 5), (1, 1_000)] {
                let page = try await stage.boards.page(duel, from: from, limit: limit)
                #expect(page.source == .redis)
                #expect(page.total == 500)
                let expected = try await stage.records.lines(duel, pastSeason: nil, from: from, limit: limit)
                #expect(page.entries == expected)
            }
            for name in ["p-0", "p-17", "p-250", "p-499"] {
                let player = PlayerID(name)
                let page = try await stage.boards.page(duel, around: player, lines: 3)
                #expect(page.source == .redis)
                #expect(try await stage.records.rank(of: player, duel, pastSeason: nil) == page.rank)
                #expect(page.entries.contains { $0.playerId == player && $0.rank == page.rank })
                let first = try #require(page.entries.first)
                let expected = try await stage.records.lines(
                    duel, pastSeason: nil, from: first.rank, limit: page.entries.count)
                #expect(page.entries == expected)
            }
            let stranger = try await stage.boards.page(duel, around: PlayerID("stranger"), lines: 3)
            #expect(stranger.rank == nil)
            #expect(stranger.entries.isEmpty)
        }
    }

    @Test("of players with the same rating, who came to it first stands before the others")
    func ties() async throws {
        try await withBoards { stage in
            try await stage.write([("late", 1_600, 30, 1), ("early", 1_600, 10, 1), ("a-middle", 1_600, 20, 1)])
            for _ in 0..<2 {
                let page = try await stage.boards.page(duel, limit: 10)
                #expect(page.entries.map(\.playerId.rawValue) == ["early", "a-middle", "late"])
                _ = try await stage.boards.fill(duel)
            }
        }
    }

    @Test("a draw that leaves a rating as it was doesn't make its player later than before")
    func reachedStays() async throws {
        try await withData { database in
            try await play(.of(["ada", "bob"]), .draw(["ada", "bob"]), at: Instant(milliseconds: 1_000), in: database)
            try await play(.of(["ada", "bob"]), .draw(["ada", "bob"]), at: Instant(milliseconds: 2_000), in: database)
            let rows = try await LeaderboardsRepository(database: database).standings(after: nil, limit: 10)
            #expect(rows.map(\.games) == [2, 2])
            #expect(rows.map(\.rating) == [1_500, 1_500])
            #expect(rows.map(\.reachedAt.milliseconds) == [1_000, 1_000])
        }
    }

    @Test("after a wipe SQLite answers the same, and the board is filled again")
    func wipe() async throws {
        try await withBoards { stage in
            try await stage.fill(50)
            _ = try await stage.boards.fill(duel)
            let before = try await stage.boards.page(duel, limit: 50)
            let around = try await stage.boards.page(duel, around: PlayerID("p-7"), lines: 2)
            try await stage.server.flush()
            let without = try await stage.boards.page(duel, limit: 50)
            #expect(without.source == .sqlite)
            #expect(without.entries == before.entries)
            #expect(without.total == before.total)
            let aroundWithout = try await stage.boards.page(duel, around: PlayerID("p-7"), lines: 2)
            #expect(aroundWithout.entries == around.entries)
            #expect(aroundWithout.rank == around.rank)
            #expect(try await stage.boards.fill(duel) == .filled(50))
            #expect(try await stage.boards.page(duel, limit: 50) == before)
        }
    }

    @Test("a board that Redis lost while it was filled is not called whole, and a half filled one is not shown")
    func wipeWhileFilled() async throws {
        try await withBoards { stage in
            try await stage.fill(10)
            let redis = RankedBoards(redis: stage.redis)
            let patience = Duration.seconds(60)
            #expect(
                try await redis.begin(duel, season: 0, token: "a", anew: false, patience: patience) == .begun)
            let some = try await stage.records.standings(duel, after: "", limit: 5)
            #expect(try await redis.put(some, mode: duel, season: 0, token: "a") == 5)
            #expect(try await stage.boards.page(duel, limit: 10).source == .sqlite)
            #expect(
                try await redis.begin(duel, season: 0, token: "b", anew: false, patience: patience) == .othersFill)
            try await stage.server.flush()
            #expect(try await redis.put(some, mode: duel, season: 0, token: "a") == nil)
            #expect(try await redis.end(duel, season: 0, token: "a") == false)
            // Whoever was silent for too long is taken for dead.
            #expect(
                try await redis.begin(duel, season: 0, token: "c", anew: false, patience: patience) == .begun)
            #expect(
                try await redis.begin(duel, season: 0, token: "d", anew: false, patience: .milliseconds(-1)) == .begun)
            #expect(try await redis.end(duel, season: 0, token: "c") == false)
            #expect(try await redis.end(duel, season: 0, token: "d"))
        }
    }

    @Test("results are on the board, whatever order they are put there in, and a sweep brings back what was lost")
    func putAndSweep() async throws {
        try await withBoards { stage in
            try await play(.of(["ada", "bob"]), in: stage.database)
            _ = try await stage.boards.fill(duel)
            let old = try await stage.records.standings(duel, after: "", limit: 10)
            let second = MatchPlacement.of(["bob", "ada"])
            try await play(second, in: stage.database)
            try await play(.of(["bob", "cleo"]), in: stage.database)
            try await stage.boards.put(playersOf: [second.matchId])
            let redis = RankedBoards(redis: stage.redis)
            // What was read before and comes after changes nothing.
            #expect(try await redis.put(old, mode: duel, season: 0) == 0)
            let page = try await stage.boards.page(duel, limit: 10)
            #expect(page.source == .redis)
            #expect(page.entries.map(\.playerId.rawValue).sorted() == ["ada", "bob"])
            #expect(page.entries.first { $0.playerId == PlayerID("bob") }?.games == 3)
            // Cleo's was never put: as if Redis had lost it.
            let findings = try await LeaderboardAudit(redis: stage.redis, database: stage.database).findings()
            #expect(findings.contains { !$0.holds })
            // An audit that is given time looks again until the board is whole; what lasts, it tells all the same.
            let audit = LeaderboardAudit(redis: stage.redis, database: stage.database)
            #expect(try await audit.findings(within: .milliseconds(300)).contains { !$0.holds })
            async let patient = audit.findings(within: .seconds(120))
            let next = try await stage.boards.sweep(Leaderboards.Sweep())
            #expect(next.isAtStart)
            try expectGreen(try await patient)
            let whole = try await stage.boards.page(duel, limit: 10)
            #expect(whole.entries == (try await stage.records.lines(duel, pastSeason: nil, from: 1, limit: 10)))
            try expectGreen(try await LeaderboardAudit(redis: stage.redis, database: stage.database).findings())
        }
    }

    @Test("a season's start begins a board anew, and the board of the season before is read from SQLite for ever")
    func seasons() async throws {
        try await withBoards { stage in
            try await play(.of(["ada", "bob"]), in: stage.database)
            _ = try await stage.boards.fill(duel)
            let before = try await stage.boards.page(duel, limit: 10)
            _ = try await SeasonsRepository(database: stage.database).startSeason("spring", carry: 0.5)
            let begun = try await stage.boards.page(duel, limit: 10)
            #expect(begun.season == "spring")
            #expect(begun.source == .sqlite)
            #expect(try await stage.boards.fill(duel) == .filled(2))
            let filled = try await stage.boards.page(duel, limit: 10)
            #expect(filled.source == .redis)
            #expect(filled.entries == begun.entries)
            let past = try await stage.boards.page(duel, season: "preseason", limit: 10)
            #expect(past.source == .sqlite)
            #expect(past.entries == before.entries)
            let own = try await stage.boards.page(duel, season: "preseason", around: PlayerID("bob"), lines: 1)
            #expect(own.rank == 2)
            #expect(own.entries.map(\.rank) == [1, 2])
            await #expect(throws: GameDataError.self) {
                try await stage.boards.page(duel, season: "winter", limit: 10)
            }
            // The old board is gone from Redis.
            #expect(try await RankedBoards(redis: stage.redis).page(duel, season: 0, from: 1, limit: 1) == nil)
        }
    }

    @Test("results applied while a board is filled are on it")
    func fillBesideResults() async throws {
        try await withBoards { stage in
            try await stage.fill(3_000)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { _ = try await stage.boards.fill(duel, anew: true) }
                group.addTask {
                    for index in 0..<20 {
                        let match = MatchPlacement.of(["p-\(index)", "p-\(2_999 - index)"])
                        try await play(match, in: stage.database)
                        try await stage.boards.put(playersOf: [match.matchId])
                    }
                }
                try await group.waitForAll()
            }
            let page = try await stage.boards.page(duel, limit: 1_000)
            #expect(page.source == .redis)
            #expect(page.entries == (try await stage.records.lines(duel, pastSeason: nil, from: 1, limit: 1_000)))
            try expectGreen(try await LeaderboardAudit(redis: stage.redis, database: stage.database).findings())
        }
    }

    @Test("pages and lines have bounds, and the refusal names the field")
    func bounds() async throws {
        try await withBoards { stage in
            for (field, body) in [
                ("top", { try await stage.boards.page(duel, limit: 1_001) }),
                ("top", { try await stage.boards.page(duel, limit: 0) }),
                ("from", { try await stage.boards.page(duel, from: 0, limit: 1) }),
                ("around", { try await stage.boards.page(duel, around: PlayerID("ada"), lines: 101) }),
            ] as [(String, () async throws -> LeaderboardPage)] {
                do {
                    _ = try await body()
                    Issue.record("nothing was refused")
                } catch GameDataError.invalid(let named, _) {
                    #expect(named == field)
                }
            }
        }
    }

    @Test("on a Redis Cluster a board lies on one node, and the boards on several")
    func cluster() async throws {
        let cluster = try await RedisCluster.start()
        defer { cluster.stop() }
        try await withClient(try RedisConfiguration(url: cluster.url)) { redis in
            try await redis.waitUntilConnected(timeout: .seconds(60))
            try await withData { database in
                let stage = Stage(redis: redis, server: cluster.nodes[0], database: database)
                for mode in ["duel", "squad", "royale", "brawl"] {
                    try await stage.write([("ada", 1_700, 1, 3), ("bob", 1_400, 2, 3)], mode: Mode(mode))
                    #expect(try await stage.boards.fill(Mode(mode)) == .filled(2))
                    let page = try await stage.boards.page(Mode(mode), around: PlayerID("bob"), lines: 1)
                    #expect(page.source == .redis)
                    #expect(page.rank == 2)
                }
                try expectGreen(try await LeaderboardAudit(redis: redis, database: database).findings())
            }
        }
    }

    // MARK: Stage

    struct Stage: Sendable {
        let redis: RedisClient
        let server: RedisServer
        let database: RecordsDatabase

        var boards: Leaderboards { Leaderboards(redis: redis, database: database) }
        var records: LeaderboardsRepository { LeaderboardsRepository(database: database) }

        /// So many players; many ratings are had by several.
        func fill(_ count: Int) async throws {
            var rows: [(String, Double, Int64, Int)] = []
            for index in 0..<count {
                let rating = 1_500 + Double(index * 37 % 97)
                let reached = Int64(index * 7_919 % 1_013)
                rows.append(("p-\(index)", rating, reached, index % 9 + 1))
            }
            try await write(rows)
        }

        /// Ratings as they are after so many games: name, rating, when it was reached, games.
        func write(_ rows: [(String, Double, Int64, Int)], mode: Mode = duel) async throws {
            try await database.write { db in
                for (player, rating, reached, games) in rows {
                    try db.execute(
                        sql: """
                            INSERT INTO ratings (player_id, mode, rating, deviation, volatility, games, wins, draws,
                                kills, deaths, damage, updated_at, reached_at)
                            VALUES (?, ?, ?, 100, 0.06, ?, 0, 0, 0, 0, 0, ?, ?)
                            """, arguments: [player, mode.rawValue, rating, games, reached, reached])
                }
            }
        }
    }

    private func withBoards(_ body: @Sendable (Stage) async throws -> Void) async throws {
        try await withRedis { redis, server in
            try await withData { database in
                try await body(Stage(redis: redis, server: server, database: database))
            }
        }
    }
}

extension MatchResult {
    /// Nobody won of players who were alone in their teams.
    static func draw(_ players: [String]) -> MatchResult {
        MatchResult(
            winner: nil, durationMs: 9_000,
            players: players.enumerated().map { team, player in
                Player(playerId: PlayerID(player), team: team, kills: 0, deaths: 0, damage: 10)
            })
    }
}

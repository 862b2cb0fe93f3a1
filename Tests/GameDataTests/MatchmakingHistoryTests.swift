import GRDB
import GameModel
import Records
import TestSupport
import Testing

@testable import GameData

@Suite("History for tickets")
struct MatchmakingHistoryTests {
    /// A moment so long after the next that days can be counted.
    static let start = Instant(milliseconds: 1_700_000_000_000)

    @Test("a newcomer has a newcomer's rating and nothing else")
    func newcomer() async throws {
        try await withData { database in
            let history = try await MatchmakingHistoryRepository(database: database).history(
                of: PlayerID("ada"), mode: duel)
            #expect(history == MatchmakingHistory(player: PlayerID("ada"), mode: duel))
            #expect(history.rating == .initial)
            #expect(history.lastPlayedAt == nil)
        }
    }

    @Test("a party's members each get rating, games, streak, opponents and leaver rate, in one reading")
    func party() async throws {
        try await withData { database in
            for index in 0..<4 {
                let placement = MatchPlacement.of(
                    teams: [[["ada", "bob"]], [["foe-\(index)", "rival"]]], at: Self.start + .seconds(index))
                var result = placement.result(winner: index == 0 ? 1 : 0)
                result.players[1].left = index == 3
                try await play(placement, result, at: Self.start + .seconds(index), in: database)
            }
            let histories = try await MatchmakingHistoryRepository(database: database).histories(
                of: [PlayerID("ada"), PlayerID("bob"), PlayerID("cleo"), PlayerID("ada")], mode: duel,
                at: Self.start + .seconds(60))
            #expect(histories.count == 3)
            let ada = try #require(histories[PlayerID("ada")])
            #expect(ada.games == 4)
            #expect(ada.streak == 3)
            #expect(ada.leaverRate == 0)
            #expect(ada.recentOpponents.map(\.rawValue) == ["foe-3", "rival", "foe-2", "foe-1", "foe-0"])
            #expect(ada.lastPlayedAt == Self.start + .seconds(3))
            #expect(ada.rating == (try await PlayersRepository(database: database).rating(PlayerID("ada"), mode: duel)))
            let bob = try #require(histories[PlayerID("bob")])
            #expect(bob.streak == -1)
            #expect(bob.leaverRate == 0.25)
            #expect(histories[PlayerID("cleo")]?.games == 0)
        }
    }

    @Test("a mode's history is of that mode only, and its deviation grows with the days away")
    func modesAndDecay() async throws {
        try await withData { database in
            try await play(.of(teams: [[["ada"]], [["bob"]]], at: Self.start), at: Self.start, in: database)
            let trio = MatchPlacement.of(teams: [[["ada"]], [["cleo"]]], mode: Mode("trio"), at: Self.start)
            try await play(trio, at: Self.start, system: .openSkill, in: database)
            let histories = MatchmakingHistoryRepository(database: database)
            let fresh = try await histories.history(of: PlayerID("ada"), mode: duel, at: Self.start)
            let later = try await histories.history(
                of: PlayerID("ada"), mode: duel, at: Self.start + .seconds(10 * 86_400))
            #expect(fresh.recentOpponents == [PlayerID("bob")])
            #expect(later.rating.rating == fresh.rating.rating)
            #expect(later.rating.deviation > fresh.rating.deviation)
            let decayed = RatingDecay.after(
                fresh.rating, lastPlayedAt: Self.start, at: Self.start + .seconds(10 * 86_400))
            #expect(later.rating == decayed)
            let other = try await histories.history(of: PlayerID("ada"), mode: Mode("trio"), at: Self.start)
            #expect(other.recentOpponents == [PlayerID("cleo")])
            #expect(other.rating != fresh.rating)
        }
    }

    @Test("who was away is rated by the deviation that they came back with")
    func ratedAfterDecay() async throws {
        try await withData { database in
            let back = Self.start + .seconds(200 * 86_400)
            try await play(.of(teams: [[["ada"]], [["bob"]]], at: Self.start), at: Self.start, in: database)
            let histories = MatchmakingHistoryRepository(database: database)
            let ada = try await histories.history(of: PlayerID("ada"), mode: duel, at: back).rating
            let bob = try await histories.history(of: PlayerID("bob"), mode: duel, at: back).rating
            try await play(.of(teams: [[["ada"]], [["bob"]]], at: back), at: back, in: database)
            let expected = Glicko2.updated(ada, games: [.init(opponent: bob, score: 1)])
            #expect(try await PlayersRepository(database: database).rating(PlayerID("ada"), mode: duel) == expected)
        }
    }

    @Test("a match under way counts among opponents and not in the streak, one with bots neither; an abandoned one not")
    func whatCounts() async throws {
        try await withData { database in
            let matches = MatchesRepository(database: database)
            for index in 0..<2 {
                let won = MatchPlacement.of(teams: [[["ada"]], [["foe-\(index)"]]], at: Self.start + .seconds(index))
                try await play(won, in: database)
            }
            let bots = MatchPlacement.of(teams: [[["ada"]], []], bots: [0, 1], at: Self.start + .seconds(5))
            try await play(bots, bots.result(winner: 1), in: database)
            let lost = MatchPlacement.of(teams: [[["ada"]], [["gone"]]], at: Self.start + .seconds(6))
            try await matches.place(lost)
            _ = try await matches.abandon(lost.matchId, reason: "instance silent")
            try await matches.place(.of(teams: [[["ada"]], [["now"]]], at: Self.start + .seconds(7)))
            let history = try await MatchmakingHistoryRepository(database: database).history(
                of: PlayerID("ada"), mode: duel)
            #expect(history.streak == 2)
            #expect(history.games == 2)
            #expect(history.recentOpponents.map(\.rawValue) == ["now", "foe-1", "foe-0"])
        }
    }

    @Test("opponents are twenty at most, the latest; a streak is followed for twenty matches")
    func bounds() async throws {
        try await withData { database in
            for index in 0..<23 {
                let at = Self.start + .seconds(index)
                try await play(.of(teams: [[["ada"]], [["foe-\(index)"]]], at: at), at: at, in: database)
            }
            let crowd = MatchPlacement.of(
                teams: (0..<30).map { [[$0 == 0 ? "bob" : "guest-\($0)"]] }, at: Self.start)
            try await play(crowd, in: database)
            let histories = MatchmakingHistoryRepository(database: database)
            let ada = try await histories.history(of: PlayerID("ada"), mode: duel)
            #expect(ada.games == 23)
            #expect(ada.streak == 20)
            #expect(ada.recentOpponents.map(\.rawValue) == (3..<23).reversed().map { "foe-\($0)" })
            let bob = try await histories.history(of: PlayerID("bob"), mode: duel)
            #expect(bob.recentOpponents.count == 20)
        }
    }

    @Test(
        "a streak is what came last, in a row",
        arguments: [
            ([], 0), ([.won], 1), ([.won, .won, .lost], 2), ([.lost, .lost, .lost, .won], -3), ([.drawn, .won], 0),
            ([.won, .drawn, .won], 1), ([.lost, .won], -1),
        ] as [([MatchSummary.Outcome], Int)])
    func streaks(_ outcomes: [MatchSummary.Outcome], _ streak: Int) {
        #expect(MatchmakingHistory.streak(of: outcomes) == streak)
    }

    @Test("every look-up goes by an index, and the last matches need no sorting")
    func indexed() async throws {
        try await withData { database in
            let queries: [(sql: String, arguments: StatementArguments, plan: [String])] = [
                (
                    MatchmakingHistoryRepository.lastMatches, ["ada", "duel", 20],
                    [
                        "SEARCH s USING INDEX match_players_by_mode (player_id=? AND mode=?)",
                        "SEARCH m USING INDEX sqlite_autoindex_matches_1 (match_id=?)",
                    ]
                ),
                (
                    MatchmakingHistoryRepository.opponents, ["match", 0],
                    [
                        "SEARCH match_players USING INDEX sqlite_autoindex_match_players_1 (match_id=?)",
                        "USE TEMP B-TREE FOR ORDER BY",
                    ]
                ),
                (
                    MatchmakingHistoryRepository.totals, ["ada", "duel"],
                    ["SEARCH ratings USING INDEX sqlite_autoindex_ratings_1 (player_id=? AND mode=?)"]
                ),
            ]
            for query in queries {
                let plan = try await database.read { [query] db in
                    try Row.fetchAll(db, sql: "EXPLAIN QUERY PLAN \(query.sql)", arguments: query.arguments).map {
                        $0["detail"] as String
                    }
                }
                #expect(plan == query.plan)
            }
        }
    }
}

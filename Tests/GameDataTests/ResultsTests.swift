import Foundation
import GameData
import GameModel
import Jobs
import Logging
import Records
import TestSupport
import Testing

@Suite("Match results")
struct ResultsTests {
    @Test("a result changes ratings and totals, ends the match and closes its outbox row")
    func apply() async throws {
        try await withData { database in
            let players = PlayersRepository(database: database)
            let matches = MatchesRepository(database: database)
            try await players.upsert(PlayerID("ada"), displayName: "Ada")
            let placement = MatchPlacement.of(["ada", "bob"])
            try await matches.place(placement)
            _ = try await matches.recordResult(placement.matchId, placement.result(winner: 0))
            let instant = Instant(milliseconds: 77)
            let outcomes = try await ResultsRepository(database: database).apply([.of(placement.matchId)], at: instant)
            #expect(try outcomes.map { try $0.get() } == [.applied])

            let expected = TeamRatings.after(
                teams: [[GlickoRating.initial], [.initial]], ranks: [1, 2], system: .glicko2)
            #expect(try await players.rating(PlayerID("ada"), mode: duel) == expected[0][0])
            #expect(try await players.rating(PlayerID("bob"), mode: duel) == expected[1][0])
            let standing = try await players.profile(PlayerID("ada"))?.ratings["duel"]
            #expect(standing?.games == 1)
            #expect(standing?.wins == 1)
            #expect(standing?.draws == 0)
            #expect(standing?.kills == 1)
            #expect(standing?.damage == 100)
            let match = try await matches.match(placement.matchId)
            #expect(match?.state == .finished)
            #expect(match?.endedAt == instant)
            #expect(try await openOutbox(database) == 0)
            let board = try await players.leaderboard(duel, limit: 10)
            #expect(board.map(\.displayName) == ["Ada", "bob"])
            #expect(board.map(\.rank) == [1, 2])
            let line = try await matches.history(PlayerID("bob"), limit: 1).first
            #expect(line?.outcome == .lost)
            #expect(line?.deaths == 1)
            #expect(line?.ratingBefore == 1500)
            #expect(line?.ratingAfter == expected[1][0].rating)
        }
    }

    @Test("a draw is no win, and is counted")
    func draw() async throws {
        try await withData { database in
            let matches = MatchesRepository(database: database)
            let placement = MatchPlacement.of(["ada", "bob"])
            try await matches.place(placement)
            _ = try await matches.recordResult(placement.matchId, placement.result(winner: nil))
            _ = try await ResultsRepository(database: database).apply([.of(placement.matchId)])
            let players = PlayersRepository(database: database)
            let rating = try await players.rating(PlayerID("ada"), mode: duel)
            #expect(abs(rating.rating - 1500) < 1e-9)
            #expect(try await matches.history(PlayerID("ada"), limit: 1).first?.outcome == .drawn)
        }
    }

    @Test("each mode is rated by its own system, asked for at each match")
    func systems() async throws {
        try await withData { database in
            let matches = MatchesRepository(database: database)
            let trio = MatchPlacement.of(teams: [[["ada"]], [["bob"]]], mode: Mode("trio"))
            let plain = MatchPlacement.of(["ada", "bob"])
            for placement in [trio, plain] {
                try await matches.place(placement)
                _ = try await matches.recordResult(placement.matchId, placement.result())
            }
            let outcomes = try await ResultsRepository(database: database).apply(
                [.of(trio.matchId), .of(plain.matchId)],
                system: { mode in mode == Mode("trio") ? .openSkill : .glicko2 })
            for outcome in outcomes { #expect(try outcome.get() == .applied) }
            let players = PlayersRepository(database: database)
            let newcomers: [[GlickoRating]] = [[.initial], [.initial]]
            for (mode, system) in [(Mode("trio"), RatingSystem.openSkill), (duel, .glicko2)] {
                let expected = TeamRatings.after(teams: newcomers, ranks: [1, 2], system: system)
                #expect(try await players.rating(PlayerID("ada"), mode: mode) == expected[0][0])
                #expect(try await players.rating(PlayerID("bob"), mode: mode) == expected[1][0])
            }
        }
    }

    @Test(
        "a free-for-all is rated by its ranks: first alone has won, who share the first place have drawn, others lost")
    func ranks() async throws {
        try await withData { database in
            let matches = MatchesRepository(database: database)
            let names = ["ada", "bob", "cleo", "dan"]
            for (ranks, winner, outcomes) in [
                ([3, 1, 2, 3], 1, [.lost, .won, .lost, .lost]), ([1, 1, 3, 4], nil, [.drawn, .drawn, .lost, .lost]),
                (nil, 2, [.lost, .lost, .won, .lost]), (nil, nil, [.drawn, .drawn, .drawn, .drawn]),
            ] as [([Int]?, Int?, [MatchSummary.Outcome])] {
                let placement = MatchPlacement.of(names)
                var result = placement.result(winner: winner)
                result.ranks = ranks
                try await play(placement, result, system: .openSkill, in: database)
                #expect(try await matches.match(placement.matchId)?.result == result)
                for (name, outcome) in zip(names, outcomes) {
                    let line = try await matches.history(PlayerID(name), limit: 1).first
                    #expect(line?.outcome == outcome)
                }
            }
            try expectGreen(try await GameDataAudit(database: database).findings())
        }
    }

    @Test("two processes that race for a result apply it once")
    func race() async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let logger = Logger(label: "test")
        let files = try (0..<2).map { _ in
            try RecordsDatabase.open(
                path: folder.file("data.sqlite"), durability: .normal, schemas: GameDataSchema.schemas, logger: logger)
        }
        let matches = MatchesRepository(database: files[0])
        var placements: [MatchPlacement] = []
        for index in 0..<20 {
            let placement = MatchPlacement.of(["ada", "player-\(index)"])
            try await matches.place(placement)
            _ = try await matches.recordResult(placement.matchId, placement.result())
            placements.append(placement)
        }
        let replies = try await withThrowingTaskGroup(of: [ResultsRepository.Reply].self) { group in
            for (index, file) in files.enumerated() {
                let runs = placements.map { ResultsRepository.Run.of($0.matchId, token: UInt64(index + 1)) }
                for run in runs {
                    group.addTask { try await ResultsRepository(database: file).apply([run]).map { try $0.get() } }
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(replies.filter { $0 == .applied }.count == 20)
        #expect(replies.filter { $0 == .alreadyApplied }.count == 20)
        let standing = try await PlayersRepository(database: files[0]).profile(PlayerID("ada"))
        #expect(standing == nil)
        #expect(try await PlayersRepository(database: files[0]).leaderboard(duel, limit: 1).first?.games == 20)
        try expectGreen(try await GameDataAudit(database: files[1]).findings())
        for file in files { try file.close() }
    }

    @Test("a worker whose lease another took is refused, and changes nothing")
    func staleToken() async throws {
        try await withData { database in
            let matches = MatchesRepository(database: database)
            let placement = MatchPlacement.of(["ada", "bob"])
            try await matches.place(placement)
            _ = try await matches.recordResult(placement.matchId, placement.result())
            let id = RecordMatchResult.jobId(placement.matchId).rawValue
            _ = try await database.write { db in try Inbox.claim(jobId: id, token: 5, in: db) }
            let outcomes = try await ResultsRepository(database: database).apply([.of(placement.matchId, token: 4)])
            #expect(throws: RecordsError.staleToken(jobId: id, token: 4, claimed: 5)) { try outcomes.first?.get() }
            #expect(try await matches.match(placement.matchId)?.state == .reported)
            #expect(try await openOutbox(database) == 1)
        }
    }

    @Test("a job run again after the inbox forgot it changes nothing, rated or not", arguments: [true, false])
    func forgotten(isRated: Bool) async throws {
        try await withData { database in
            let matches = MatchesRepository(database: database)
            var placement = MatchPlacement.of(["ada", "bob"])
            if !isRated { placement.bots = [0, 1] }
            try await matches.place(placement)
            #expect(try await matches.match(placement.matchId)?.isRated == isRated)
            _ = try await matches.recordResult(placement.matchId, placement.result())
            let results = ResultsRepository(database: database)
            #expect(try await results.apply([.of(placement.matchId)]).first?.get() == .applied)
            let before = try await matches.match(placement.matchId)
            let forgotten = try await database.write { db in
                try Inbox.prune(appliedBefore: Inbox.now + 60_000, limit: 10, in: db)
            }
            #expect(forgotten == 1)
            let again = try await results.apply([.of(placement.matchId, token: 9)])
            #expect(try again.first?.get() == .alreadyApplied)
            #expect(try await matches.match(placement.matchId) == before)
            let games = try await PlayersRepository(database: database).leaderboard(duel, limit: 1).first?.games
            #expect(games == (isRated ? 1 : nil))
            #expect(try await openOutbox(database) == 0)
        }
    }

    @Test("a job without a result fails alone: the others of its batch are applied")
    func failsAlone() async throws {
        try await withData { database in
            let matches = MatchesRepository(database: database)
            let first = MatchPlacement.of(["ada", "bob"])
            let silent = MatchPlacement.of(["ada", "bob"])
            let last = MatchPlacement.of(["ada", "bob"])
            for placement in [first, silent, last] { try await matches.place(placement) }
            for placement in [first, last] {
                _ = try await matches.recordResult(placement.matchId, placement.result())
            }
            let outcomes = try await ResultsRepository(database: database).apply(
                [first, silent, last].map { .of($0.matchId) })
            #expect(try outcomes[0].get() == .applied)
            #expect(throws: GameDataError.unknownMatch(silent.matchId)) { try outcomes[1].get() }
            #expect(try outcomes[2].get() == .applied)
            #expect(try await PlayersRepository(database: database).leaderboard(duel, limit: 1).first?.games == 2)
            // Once its result is there, the same job can still be applied: the failure left no inbox row.
            _ = try await matches.recordResult(silent.matchId, silent.result())
            let again = try await ResultsRepository(database: database).apply([.of(silent.matchId)])
            #expect(try again.first?.get() == .applied)
        }
    }
}

extension ResultsRepository.Run {
    static func of(_ match: MatchID, token: UInt64 = 1) -> Self {
        Self(job: RecordMatchResult(matchId: match), jobId: RecordMatchResult.jobId(match), token: token)
    }
}

func expectGreen(_ findings: [AuditFinding]) throws {
    for finding in findings where !finding.holds { Issue.record("\(finding)") }
}

import Fleet
import Foundation
import GameData
import GameModel
import Logging
import Records
import TestSupport
import Testing

/// `muster matches` and `muster leaderboard` on a data folder with matches that were played, and a Redis that knows
/// nothing of them.
@Suite("muster matches and muster leaderboard") struct MatchesCommandTests {
    private static let pool = Pool(mode: Mode("duel"), region: Region("eu"))

    private struct House {
        let folder: TemporaryFolder
        let redisURL: String
        let database: RecordsDatabase

        private func run(_ words: [String]) async throws -> MusterUp.Ending {
            try await MusterUp.run(words + ["--data", folder.path, "--redis", redisURL])
        }

        /// A command that has to succeed; its output.
        @discardableResult
        func say(_ words: String...) async throws -> String {
            let ending = try await run(words)
            try #require(ending.status == 0, "\(words): \(ending.errors)")
            return ending.output
        }

        func json<Value: Decodable>(_ type: Value.Type, _ words: String...) async throws -> Value {
            let ending = try await run(words + ["--json"])
            try #require(ending.status == 0, "\(words): \(ending.errors)")
            return try JSONDecoder().decode(type, from: Data(ending.output.utf8))
        }

        /// A command that has to fail: nothing on its output, and these words on standard error.
        func refuses(_ words: [String], saying part: String) async throws {
            let ending = try await run(words)
            #expect(ending.status != 0 && ending.output.isEmpty, "\(words): \(ending.status) \(ending.output)")
            #expect(ending.errors.contains(part), "\(words): \(ending.errors)")
        }
    }

    private func withHouse(_ body: (House) async throws -> Void) async throws {
        try await withRedis { _, server in
            let folder = try TemporaryFolder()
            defer { folder.remove() }
            let quiet = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
            let database = try RecordsDatabase.open(
                path: folder.file("data.sqlite"), durability: .normal, schemas: GameDataSchema.schemas, logger: quiet)
            try await body(House(folder: folder, redisURL: server.url, database: database))
            try database.close()
        }
    }

    private static func placement(_ players: [String], at instant: Instant) -> MatchPlacement {
        MatchPlacement(
            matchId: MatchID(in: pool, ULID()), mode: pool.mode, region: pool.region,
            instanceId: InstanceID(in: pool.region), patch: PatchVersion(1),
            roster: players.enumerated().map { team, player in
                MatchSeat(
                    team: team, ticketId: TicketID(in: pool, ULID()), playerId: PlayerID(player), character: "ranger",
                    rating: 1_500)
            },
            placedAt: instant)
    }

    private static func result(_ placement: MatchPlacement, winner: Int) -> MatchResult {
        MatchResult(
            winner: winner, durationMs: 9_000,
            players: placement.roster.map {
                .init(
                    playerId: $0.playerId, team: $0.team, kills: $0.team == winner ? 1 : 0,
                    deaths: $0.team == winner ? 0 : 1, damage: 100)
            })
    }

    /// Places the match, reports that the first team won, and applies it, a second after the other.
    private static func play(_ placement: MatchPlacement, in database: RecordsDatabase) async throws {
        let matches = MatchesRepository(database: database)
        try await matches.place(placement)
        let (match, begin) = (placement.matchId, placement.placedAt)
        let reply = try await matches.recordResult(
            match, result(placement, winner: 0), by: "instance-7", at: begin + .seconds(1))
        #expect(reply == .recorded)
        let run = ResultsRepository.Run(
            job: RecordMatchResult(matchId: match), jobId: RecordMatchResult.jobId(match), token: 1)
        let applied = try await ResultsRepository(database: database).apply([run], at: begin + .seconds(2))
        #expect(try applied.first?.get() == .applied)
    }

    @Test("a board is read from SQLite until it is rebuilt in Redis, and says the same; what can't be shown is said")
    func leaderboard() async throws {
        try await withHouse { house in
            #expect(try await house.say("leaderboard", "show", "duel").contains("nobody is on the board of duel"))
            #expect(try await house.say("leaderboard", "rebuild").contains("nobody has a rating yet"))
            let begin = Instant(milliseconds: 1_700_000_000_000)
            try await Self.play(Self.placement(["ada", "bob"], at: begin), in: house.database)
            try await Self.play(Self.placement(["bob", "cleo"], at: begin + .seconds(60)), in: house.database)

            let before = try await house.json(LeaderboardPage.self, "leaderboard", "show", "duel")
            #expect(before.source == .sqlite && before.total == 3 && before.entries.map(\.rank) == [1, 2, 3])
            #expect(before.entries.first?.playerId == PlayerID("ada") && before.entries.map(\.games) == [1, 2, 1])
            #expect(try await house.say("leaderboard", "rebuild", "duel").contains("duel: 3 players"))
            let after = try await house.json(LeaderboardPage.self, "leaderboard", "show", "duel")
            #expect(after.source == .redis && after.entries == before.entries)
            let text = try await house.say("leaderboard", "show", "duel", "--top", "1")
            #expect(
                text.contains("3 players (from redis)") && text.contains("ada") && !text.contains("cleo"), "\(text)")
            let around = try await house.json(LeaderboardPage.self, "leaderboard", "show", "duel", "--around", "bob")
            #expect(around.rank == 2 && around.entries == before.entries)

            try await house.refuses(
                ["leaderboard", "show", "duel", "--around", "eve"], saying: "eve has no rated match in duel")
            try await house.refuses(["leaderboard", "show", "duel", "--season", "nosuch"], saying: "muster seasons ls")
            try await house.refuses(["leaderboard", "show", "duel", "--top", "0"], saying: "--top takes 1 to 1000")
        }
    }

    private struct Shown: Decodable {
        struct Story: Decodable {
            struct Line: Decodable {
                let at: Instant
                let what: String
                let detail: String
            }

            let lines: [Line]
            let gone: [String]
        }

        let story: Story
    }

    private struct Conflicts: Decodable {
        let conflicts: [ResultConflict]
    }

    @Test("a match's story is told in the order of time; a result that contradicts is listed until it is looked at")
    func story() async throws {
        try await withHouse { house in
            let begin = Instant(milliseconds: 1_700_000_000_000)
            let placement = Self.placement(["ada", "bob"], at: begin)
            let id = placement.matchId.rawValue
            try await house.refuses(["matches", "show", id], saying: "knows no match \(id)")
            try await Self.play(placement, in: house.database)
            #expect(try await house.say("matches", "conflicts").contains("no result contradicts another"))
            let late = try await MatchesRepository(database: house.database).recordResult(
                placement.matchId, Self.result(placement, winner: 1), by: "instance-8", at: begin + .seconds(3))
            #expect(late == .conflict)

            let story = try await house.json(Shown.self, "matches", "show", id).story
            try #require(story.lines.count == 6, "\(story.lines.map(\.what))")
            #expect(
                story.lines.map(\.what) == ["placed", "result posted", "recorded", "rated", "rated", "contradicted"])
            #expect(
                story.lines.map { $0.at.milliseconds - begin.milliseconds } == [0, 1_000, 2_000, 2_000, 2_000, 3_000])
            #expect(story.lines[1].detail.contains("by instance-7: team 1 won"))
            #expect(Set(story.lines[3...4].map { String($0.detail.prefix(3)) }) == ["ada", "bob"])
            #expect(story.lines[5].detail.contains("instance-8 reported team 2 won, nobody has looked at it"))
            #expect(story.gone.contains { $0.contains("Redis does not know it any more") })
            #expect(story.gone.contains { $0.contains("No event of it is stored") })
            let text = try await house.say("matches", "show", id)
            #expect(text.contains("its story") && text.contains("finished") && text.contains("contradicted"), "\(text)")

            let open = try await house.json(Conflicts.self, "matches", "conflicts").conflicts
            #expect(open.map(\.matchId) == [placement.matchId] && open.map(\.reportedBy) == ["instance-8"])
            let table = try await house.say("matches", "conflicts")
            #expect(table.contains(id) && table.contains("team 2"), "\(table)")
            #expect(try await house.say("matches", "settle", id).contains("1 looked at"))
            #expect(try await house.say("matches", "conflicts").contains("no result contradicts another"))
            let all = try await house.json(Conflicts.self, "matches", "conflicts", "--all").conflicts
            #expect(all.count == 1 && all.first?.settledBy?.hasPrefix("cli:") == true)
            try await house.refuses(["matches", "settle", id], saying: "muster matches conflicts")
            try await house.refuses(["matches", "settle", "nonsense"], saying: "is no match's id")
        }
    }
}

import APIWorker
import Accounts
import GRDB
import GameData
import GameModel
import Logging
import NIOHTTP1
import Records
import TestSupport
import Testing

@testable import API

@Suite("Players and leaderboards over HTTP")
struct PlayersRoutesTests {
    @Test("a loadout takes only skins that are the player's, and one that is taken back drops out")
    func loadout() async throws {
        try await withAPI { api in
            let skin = try await api.anyProduct()
            let player = try await api.player()
            let token = player.accessToken
            let path = "/v1/players/me/loadout"
            let wish = #"{"ranger":"\#(skin)"}"#
            let refused = try await api.client.send(.PUT, path, token: token, body: wish)
            #expect(refused.status == 422)
            #expect(try refused.problem().field == "ranger")
            try await api.grant(skin, to: player)
            let taken = try await api.client.send(.PUT, path, token: token, body: wish)
            #expect(taken.status == 200, "\(taken.text)")
            #expect(taken.text == wish)
            let unknown = try await api.client.send(.PUT, path, token: token, body: #"{"wizard":"\#(skin)"}"#)
            #expect(try unknown.problem().field == "wizard")
            // Others see it, and can't change it.
            let other = try await api.player("Bob")
            let theirs = "/v1/players/\(player.playerId)/loadout"
            let seen = try await api.client.send(.GET, theirs, token: other.accessToken)
            #expect(seen.text == wish)
            #expect(try await api.client.send(.PUT, theirs, token: other.accessToken, body: "{}").status == 403)
            try await api.takeBackAll(of: player)
            #expect(try await api.client.send(.GET, path, token: token).text == "{}")
        }
    }

    @Test("ratings, history in pages, seasons and boards are answered, with entity tags")
    func records() async throws {
        try await withAPI { api in
            let ada = try await api.player("Ada")
            let bob = try await api.player("Bob")
            try await api.play(winner: ada, loser: bob, times: 3)
            let token = ada.accessToken

            let first = try await api.client.send(.GET, "/v1/players/me/matches?limit=2", token: token)
            let page: Page = try first.decode()
            #expect(page.matches?.count == 2)
            let next = try #require(page.next)
            let rest = try await api.client.send(.GET, "/v1/players/me/matches?limit=2&before=\(next)", token: token)
            #expect(try rest.decode(Page.self).matches?.count == 1)
            #expect(try rest.decode(Page.self).next == nil)

            let ratings = try await api.client.send(.GET, "/v1/players/me/ratings?mode=duel", token: token)
            #expect(try ratings.decode(Page.self).changes?.count == 3)
            let without = try await api.client.send(.GET, "/v1/players/me/ratings", token: token)
            #expect(try without.problem().field == "mode")

            let board = try await api.client.send(.GET, "/v1/leaderboards/duel?top=10", token: token)
            let lines: Board = try board.decode()
            #expect(lines.entries.map(\.playerId) == [ada.playerId, bob.playerId])
            #expect(lines.season == "preseason")
            #expect(lines.total == 2)
            let own = try await api.client.send(.GET, "/v1/leaderboards/duel/me?around=0", token: bob.accessToken)
            #expect(try own.decode(Board.self).rank == 2)
            #expect(try own.decode(Board.self).entries.map(\.playerId) == [bob.playerId])
            #expect(try await api.client.send(.GET, "/v1/leaderboards/squad/me", token: token).status == 404)
            let season = try await api.client.send(.GET, "/v1/leaderboards/duel?season=winter", token: token)
            #expect(try season.problem().field == "season")
            let seasons = try await api.client.send(.GET, "/v1/seasons", token: token)
            #expect(seasons.text.contains("preseason"))
            #expect(
                try await api.client.send(.GET, "/v1/players/me/seasons", token: token).text == #"{"standings":[]}"#)

            let tag = try #require(board.headers["ETag"].first)
            let again = try await api.client.send(
                .GET, "/v1/leaderboards/duel?top=10", token: token, headers: [("If-None-Match", tag)])
            #expect(again.status == 304)
            #expect(again.text.isEmpty)
        }
    }

    private struct Page: Decodable {
        struct Item: Decodable {
            var matchId: String
        }

        var matches: [Item]?
        var changes: [Item]?
        var next: String?
    }

    private struct Board: Decodable {
        struct Entry: Decodable {
            var rank: Int
            var playerId: String
        }

        var season: String
        var total: Int
        var rank: Int?
        var entries: [Entry]
    }
}

extension WholeAPI {
    /// Takes back what a player was given, by the books themselves.
    func takeBackAll(of player: TestPlayer) async throws {
        let database = try RecordsDatabase.open(
            path: "\(folder)/accounts.sqlite", durability: .full, schemas: AccountsFile.schemas,
            logger: Logger(label: "test.grant"))
        try await database.write { db in
            try db.execute(
                sql: "UPDATE grants SET remaining = 0 WHERE player_id = ?", arguments: [player.playerId])
        }
        try database.close()
    }

    /// Duels that one of the two won, placed, reported and applied in the files themselves.
    func play(winner: TestPlayer, loser: TestPlayer, times: Int) async throws {
        let database = try RecordsDatabase.open(
            path: "\(folder)/data.sqlite", durability: .full, schemas: GameDataSchema.schemas,
            logger: Logger(label: "test.play"))
        let pool = Pool(mode: Mode("duel"), region: Region("eu"))
        for _ in 0..<times {
            let players = [winner, loser].map { PlayerID($0.playerId) }
            let match = MatchID(in: pool, ULID())
            let matches = MatchesRepository(database: database)
            try await matches.place(
                MatchPlacement(
                    matchId: match, mode: pool.mode, region: pool.region, instanceId: InstanceID("eu.test"),
                    patch: PatchVersion(1),
                    roster: players.enumerated().map { team, player in
                        MatchSeat(
                            team: team, ticketId: TicketID(in: pool, ULID()), playerId: player, character: "ranger",
                            rating: 1_500)
                    }))
            _ = try await matches.recordResult(
                match,
                MatchResult(
                    winner: 0, durationMs: 1,
                    players: players.enumerated().map { team, player in
                        .init(playerId: player, team: team, kills: 1 - team, deaths: team, damage: 10)
                    }))
            let run = ResultsRepository.Run(
                job: RecordMatchResult(matchId: match), jobId: RecordMatchResult.jobId(match), token: 1)
            for outcome in try await ResultsRepository(database: database).apply([run]) { _ = try outcome.get() }
        }
        try database.close()
    }
}

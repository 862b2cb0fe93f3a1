import Fleet
import Foundation
import GameData
import GameModel
import Jobs
import Logging
import Matchmaking
import Records
import Redis
import ServiceLifecycle
import TestSupport
import Testing

@testable import IngestWorker

@Suite("Applying match results")
struct ResultApplierTests {
    @Test("results stored by the API are applied by two workers, once each, though Redis is wiped meanwhile")
    func surviveFlush() async throws {
        try await withRedis { redis, server in
            try await withData { database in
                let matches = MatchesRepository(database: database)
                let logger = Logger(label: "test.results")
                var placements: [MatchPlacement] = []
                for index in 0..<40 {
                    let placement = MatchPlacement.of(["ada", "player-\(index)"])
                    try await matches.place(placement)
                    _ = try await matches.recordResult(placement.matchId, placement.result())
                    placements.append(placement)
                }
                let relay = OutboxRelay(
                    database: database, redis: redis, kinds: [RecordMatchResult.self], logger: logger)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    defer { group.cancelAll() }
                    group.addTask { try await relay.run() }
                    relay.nudge()
                    let queue = JobQueue(name: RecordMatchResult.queue, redis: redis)
                    try await eventually("the jobs are in Redis") { try await queue.counts().waiting == 40 }
                    try await server.flush()
                    for _ in 0..<2 {
                        let worker = JobWorker(
                            queue: queue, configuration: JobWorkerConfiguration(),
                            handlers: [Self.applier(database, redis).handler(limit: 8)], logger: logger,
                            readiness: nil)
                        group.addTask { try await worker.run() }
                    }
                    try await eventually("all are applied") { try await openOutbox(database) == 0 }
                }
                for placement in placements {
                    #expect(try await matches.match(placement.matchId)?.state == .finished)
                }
                let board = try await PlayersRepository(database: database).leaderboard(duel, limit: 1)
                #expect(board.first?.games == 40)
                try expectGreen(try await GameDataAudit(database: database).findings())
            }
        }
    }

    @Test("a job that is run again after its result was applied succeeds and changes nothing")
    func redelivery() async throws {
        try await withRedis { redis, _ in
            try await withData { database in
                let matches = MatchesRepository(database: database)
                let placement = MatchPlacement.of(["ada", "bob"])
                try await matches.place(placement)
                _ = try await matches.recordResult(placement.matchId, placement.result())
                let applier = Self.applier(database, redis)
                #expect(try await applier.apply([.of(placement.matchId, token: 1)]).isEmpty)
                let players = PlayersRepository(database: database)
                let rating = try await players.rating(PlayerID("ada"), mode: duel)
                #expect(try await applier.apply([.of(placement.matchId, token: 2)]).isEmpty)
                #expect(try await players.rating(PlayerID("ada"), mode: duel) == rating)
            }
        }
    }

    @Test("a result is rated by the system of its mode in the rules in force, though they changed since the start")
    func rulesInForce() async throws {
        try await withRedis { redis, _ in
            try await withData { database in
                let matches = MatchesRepository(database: database)
                let players = PlayersRepository(database: database)
                let book = RulesBook(.standard)
                let applier = Self.applier(database, redis, book: book)
                var teamLike = MatchmakingRules.standard
                teamLike.modes[duel]?.ratingSystem = .openSkill
                let newcomers: [[GlickoRating]] = [[.initial], [.initial]]
                for (names, rules, system) in [
                    (["ada", "bob"], MatchmakingRules.standard, RatingSystem.glicko2),
                    (["cleo", "dan"], teamLike, .openSkill),
                ] {
                    book.replace(with: rules)
                    let placement = MatchPlacement.of(names)
                    try await matches.place(placement)
                    _ = try await matches.recordResult(placement.matchId, placement.result())
                    #expect(try await applier.apply([.of(placement.matchId)]).isEmpty)
                    let expected = TeamRatings.after(teams: newcomers, ranks: [1, 2], system: system)[0][0]
                    #expect(try await players.rating(PlayerID(names[0]), mode: duel) == expected)
                }
            }
        }
    }

    static func applier(
        _ database: RecordsDatabase, _ redis: RedisClient, book: RulesBook = RulesBook(.standard)
    ) -> ResultApplier {
        ResultApplier(
            results: ResultsRepository(database: database), matchmaking: MatchmakingService(redis: redis, book: book),
            fleet: FleetService(redis: redis), boards: Leaderboards(redis: redis, database: database),
            logger: Logger(label: "test.results"))
    }
}

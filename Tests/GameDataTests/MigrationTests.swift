import GRDB
import GameData
import GameModel
import Logging
import Records
import TestSupport
import Testing

@Suite("Older files of game data")
struct MigrationTests {
    /// The tables as they were before parties, bots and seasons.
    private static let old = RecordsSchema(
        name: GameDataSchema.schema.name, migrations: Array(GameDataSchema.schema.migrations.prefix(3)))

    private static let rows = """
        INSERT INTO matches (match_id, mode, region, instance_id, patch, state, placed_at, ended_at) VALUES
            ('duel.eu.won', 'duel', 'eu', 'instance-1', 1, 'finished', 1, 2),
            ('duel.eu.drawn', 'duel', 'eu', 'instance-1', 1, 'finished', 3, 4),
            ('duel.eu.open', 'duel', 'eu', 'instance-1', 1, 'placed', 5, NULL);
        INSERT INTO match_players (match_id, player_id, ticket_id, team, seat, character, rating, placed_at) VALUES
            ('duel.eu.won', 'ada', 't1', 0, 0, 'ranger', 1500, 1),
            ('duel.eu.won', 'bob', 't2', 1, 1, 'ranger', 1500, 1),
            ('duel.eu.drawn', 'ada', 't3', 0, 0, 'ranger', 1500, 3),
            ('duel.eu.drawn', 'bob', 't4', 1, 1, 'ranger', 1500, 3),
            ('duel.eu.open', 'ada', 't5', 0, 0, 'ranger', 1500, 5),
            ('duel.eu.open', 'bob', 't6', 1, 1, 'ranger', 1500, 5);
        INSERT INTO match_results (match_id, winner, body, reported_at) VALUES
            ('duel.eu.won', 0, '{}', 2), ('duel.eu.drawn', NULL, '{}', 4);
        INSERT INTO rating_changes
            SELECT match_id, player_id, 'duel', 1500, 350, 0.06, 1500, 300, 0.06, 2 FROM match_players
            WHERE match_id <> 'duel.eu.open';
        INSERT INTO ratings VALUES
            ('ada', 'duel', 1500, 300, 0.06, 2, 1, 1, 0, 0, 0, 4),
            ('bob', 'duel', 1500, 300, 0.06, 2, 0, 1, 0, 0, 0, 4);
        """

    @Test("a file from before parties and seasons opens, its matches have outcomes and its books are right")
    func upgrade() async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let path = folder.file("data.sqlite")
        let logger = Logger(label: "test")
        let before = try RecordsDatabase.open(
            path: path, durability: .normal, schemas: [Self.old, Outbox.schema], logger: logger)
        try await before.write { db in try db.execute(sql: Self.rows) }
        try before.close()

        let database = try RecordsDatabase.open(
            path: path, durability: .normal, schemas: GameDataSchema.schemas, logger: logger)
        let lines = try await MatchesRepository(database: database).history(PlayerID("bob"), limit: 9)
        #expect(lines.map(\.outcome) == [nil, .drawn, .lost])
        let ada = try await MatchmakingHistoryRepository(database: database).history(
            of: PlayerID("ada"), mode: duel, at: Instant(milliseconds: 9))
        #expect(ada.games == 2)
        #expect(ada.streak == 0)
        #expect(ada.leaverRate == 0)
        #expect(ada.recentOpponents == [PlayerID("bob")])
        let match = try await MatchesRepository(database: database).match(MatchID("duel.eu.open"))
        #expect(match?.rules == "standard")
        #expect(match?.bots == [])
        let season = try await SeasonsRepository(database: database).current()
        #expect(season.number == 0)
        try expectGreen(try await GameDataAudit(database: database).findings())
        try database.close()
    }

    @Test(
        "an old file's patches are documents afterwards, as they were, without items and modes that nobody played with")
    func balance() async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let path = folder.file("data.sqlite")
        let logger = Logger(label: "test")
        let before = try RecordsDatabase.open(
            path: path, durability: .normal, schemas: [Self.old, Outbox.schema], logger: logger)
        try await before.write { db in
            try db.execute(sql: Self.rows)
            try db.execute(
                sql: """
                    INSERT INTO patches (patch, published_at) VALUES (2, 77);
                    INSERT INTO characters VALUES (2, 'shade', 0, 'Shade', 900, 55, 'daggers');
                    INSERT INTO weapons VALUES (2, 'daggers', 0, 'Daggers', 41, 510);
                    """)
        }
        try before.close()

        let database = try RecordsDatabase.open(
            path: path, durability: .normal, schemas: GameDataSchema.schemas, logger: logger)
        let balance = BalanceRepository(database: database)
        let current = try await balance.current()
        #expect(current.patch == PatchVersion(2) && current.publishedAt == Instant(milliseconds: 77))
        let expected = BalanceDocument(
            characters: [.init(id: "shade", name: "Shade", health: 900, damage: 55, weapon: "daggers")],
            weapons: [.init(id: "daggers", name: "Daggers", damage: 41, cooldownMs: 510)])
        #expect(current.document == expected)
        let first = try #require(try await balance.patch(PatchVersion(1)))
        #expect(first.characters == BalanceDocument.first.characters)
        #expect(first.weapons == BalanceDocument.first.weapons)
        #expect(first.items.isEmpty && first.modes.isEmpty)
        #expect(
            try await MatchesRepository(database: database).match(MatchID("duel.eu.open"))?.patch == PatchVersion(1))
        #expect(try await balance.publish(note: "", by: "ada").isNew == false)
        try database.close()
    }
}

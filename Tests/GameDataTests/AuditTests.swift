import GRDB
import GameData
import GameModel
import Records
import Testing

@Suite("Audit of game data")
struct AuditTests {
    @Test("an empty house and a played one are green, and a waiting result is told")
    func green() async throws {
        try await withData { database in
            let audit = GameDataAudit(database: database)
            try expectGreen(try await audit.findings())
            let matches = MatchesRepository(database: database)
            let played = MatchPlacement.of(["ada", "bob"])
            let waiting = MatchPlacement.of(["ada", "bob"])
            for placement in [played, waiting] {
                try await matches.place(placement)
                _ = try await matches.recordResult(placement.matchId, placement.result())
            }
            _ = try await ResultsRepository(database: database).apply([.of(played.matchId)])
            let findings = try await audit.findings()
            try expectGreen(findings)
            #expect(findings[0].checked == 1)
            #expect(findings[2].checked == 2)
            #expect(findings.last?.note == "1 stored and not applied yet")
        }
    }

    @Test(
        "each way to spoil the books breaks a rule that names the culprit",
        arguments: [
            ("DELETE FROM match_results", "each finished match has exactly one result"),
            (
                "DELETE FROM rating_changes WHERE player_id = 'ada'",
                "each player of a finished match has exactly one rating change, none where bots played"
            ),
            (
                "UPDATE matches SET state = 'abandoned'",
                "each result is of a match that was placed and not abandoned"
            ),
            ("UPDATE matches SET state = 'placed'", "each rating change is of a player of a finished match"),
            ("UPDATE ratings SET games = 2", "each player's games are as many as their rating changes"),
            ("UPDATE ratings SET leaves = 1", "each player's leaves are as many as the rated matches that they left"),
            (
                "UPDATE match_players SET outcome = NULL",
                "each player of a finished match has an outcome, and nobody else"
            ),
            (
                "UPDATE matches SET bots = '0,1'",
                "each player of a finished match has exactly one rating change, none where bots played"
            ),
            ("UPDATE matches SET state = 'reported'", "each result not yet applied has its job in the outbox"),
        ])
    func broken(_ sql: String, _ rule: String) async throws {
        try await withData { database in
            let matches = MatchesRepository(database: database)
            let placement = MatchPlacement.of(["ada", "bob"])
            try await matches.place(placement)
            _ = try await matches.recordResult(placement.matchId, placement.result())
            _ = try await ResultsRepository(database: database).apply([.of(placement.matchId)])
            try await database.write { db in try db.execute(sql: sql) }
            let finding = try await GameDataAudit(database: database).findings().first { $0.rule == rule }
            #expect(finding?.holds == false)
            #expect(finding?.examples.isEmpty == false)
        }
    }
}

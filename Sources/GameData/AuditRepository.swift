import GRDB
import GameModel
import Records

/// The rules of `GameDataAudit` as SQL. Several say again what a key of the schema enforces: an audit trusts no schema.
struct AuditRepository: Sendable {
    let database: RecordsDatabase

    /// One rule: how many things it looks at, and the names of those that break it.
    private struct Rule: Sendable {
        var claim: String
        var checked: String
        var broken: String
    }

    /// All rules over one snapshot.
    func findings() async throws -> [AuditFinding] {
        try await database.read { db in
            var findings = try Self.rules.map { rule in try Self.finding(rule, in: db) }
            findings.append(try Self.waiting(in: db))
            return findings
        }
    }

    private static func finding(_ rule: Rule, note: String? = nil, in db: Database) throws -> AuditFinding {
        let broken = "FROM (\(rule.broken)) AS broken"
        return AuditFinding(
            rule: rule.claim, checked: try count(rule.checked, in: db),
            failed: try count("SELECT COUNT(*) \(broken)", in: db),
            examples: try String.fetchAll(
                db, sql: "SELECT name \(broken) ORDER BY name LIMIT ?", arguments: [AuditFinding.examplesMax]),
            note: note)
    }

    /// Results that are stored and wait to be applied are no fault, as long as a job will come for each.
    private static func waiting(in db: Database) throws -> AuditFinding {
        let waiting = try count("SELECT COUNT(*) FROM matches WHERE state = 'reported'", in: db)
        let rule = Rule(
            claim: "each result not yet applied has its job in the outbox",
            checked: "SELECT COUNT(*) FROM matches WHERE state = 'reported'",
            broken: """
                SELECT match_id AS name FROM matches m WHERE m.state = 'reported' AND NOT EXISTS (
                    SELECT 1 FROM outbox o WHERE o.job_id = 'record-result.' || m.match_id)
                """)
        let note = waiting == 0 ? nil : "\(waiting) stored and not applied yet"
        return try finding(rule, note: note, in: db)
    }

    private static func count(_ sql: String, in db: Database) throws -> Int { try Int.fetchOne(db, sql: sql) ?? 0 }

    private static let rules = [
        Rule(
            claim: "each finished match has exactly one result",
            checked: "SELECT COUNT(*) FROM matches WHERE state = 'finished'",
            broken: """
                SELECT match_id AS name FROM matches m WHERE m.state = 'finished'
                AND (SELECT COUNT(*) FROM match_results r WHERE r.match_id = m.match_id) <> 1
                """),
        Rule(
            claim: "each result is of a match that was placed and not abandoned",
            checked: "SELECT COUNT(*) FROM match_results",
            broken: """
                SELECT r.match_id AS name FROM match_results r LEFT JOIN matches m ON m.match_id = r.match_id
                WHERE m.state IS NULL OR m.state NOT IN ('reported', 'finished')
                """),
        Rule(
            claim: "each player of a finished match has exactly one rating change, none where bots played",
            checked: """
                SELECT COUNT(*) FROM match_players s JOIN matches m ON m.match_id = s.match_id
                WHERE m.state = 'finished'
                """,
            broken: """
                SELECT s.match_id || ' ' || s.player_id AS name
                FROM match_players s JOIN matches m ON m.match_id = s.match_id
                WHERE m.state = 'finished' AND (SELECT COUNT(*) FROM rating_changes c
                    WHERE c.match_id = s.match_id AND c.player_id = s.player_id)
                    <> CASE WHEN m.bots = '' THEN 1 ELSE 0 END
                """),
        Rule(
            claim: "each rating change is of a player of a finished match",
            checked: "SELECT COUNT(*) FROM rating_changes",
            broken: """
                SELECT c.match_id || ' ' || c.player_id AS name FROM rating_changes c
                LEFT JOIN matches m ON m.match_id = c.match_id
                LEFT JOIN match_players s ON s.match_id = c.match_id AND s.player_id = c.player_id
                WHERE s.player_id IS NULL OR m.state <> 'finished'
                """),
        Rule(
            claim: "each player's games are as many as their rating changes",
            checked: "SELECT COUNT(*) FROM ratings",
            broken: """
                SELECT r.player_id || ' ' || r.mode AS name FROM ratings r
                LEFT JOIN (SELECT player_id, mode, COUNT(*) AS games FROM rating_changes GROUP BY player_id, mode) c
                    ON c.player_id = r.player_id AND c.mode = r.mode
                WHERE COALESCE(c.games, 0) <> r.games
                """),
        Rule(
            claim: "each player's leaves are as many as the rated matches that they left",
            checked: "SELECT COUNT(*) FROM ratings",
            broken: """
                SELECT r.player_id || ' ' || r.mode AS name FROM ratings r
                LEFT JOIN (
                    SELECT s.player_id, s.mode, SUM(s.quit) AS leaves FROM match_players s
                    JOIN matches m ON m.match_id = s.match_id WHERE m.state = 'finished' AND m.bots = ''
                    GROUP BY s.player_id, s.mode) l ON l.player_id = r.player_id AND l.mode = r.mode
                WHERE COALESCE(l.leaves, 0) <> r.leaves
                """),
        Rule(
            claim: "each player of a finished match has an outcome, and nobody else",
            checked: "SELECT COUNT(*) FROM match_players",
            broken: """
                SELECT s.match_id || ' ' || s.player_id AS name
                FROM match_players s JOIN matches m ON m.match_id = s.match_id
                WHERE (m.state = 'finished') <> (s.outcome IS NOT NULL)
                """),
        Rule(
            claim: "no ticket is in two matches, abandoned ones apart",
            checked: "SELECT COUNT(DISTINCT ticket_id) FROM match_players",
            broken: """
                SELECT s.ticket_id AS name FROM match_players s JOIN matches m ON m.match_id = s.match_id
                WHERE m.state <> 'abandoned' GROUP BY s.ticket_id HAVING COUNT(DISTINCT s.match_id) > 1
                """),
    ]
}

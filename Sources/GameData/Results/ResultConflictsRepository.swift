import GRDB
import GameModel
import Records

/// The results that were refused because their match had ended otherwise.
public struct ResultConflictsRepository: Sendable {
    private let database: RecordsDatabase

    public init(database: RecordsDatabase) { self.database = database }

    /// The most that are kept of one match: an instance that goes wrong may report without end.
    public static let matchMax = 10
    public static let limitMax = 1_000

    /// Those that nobody has looked at, or all, the latest first.
    /// - Parameters:
    ///   - match: of this match only.
    ///   - limit: 1 to 1,000; more is cut to that.
    public func conflicts(
        of match: MatchID? = nil, openOnly: Bool = false, limit: Int = limitMax
    ) async throws -> [ResultConflict] {
        let limit = min(max(limit, 1), Self.limitMax)
        return try await database.read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT c.*, m.state FROM result_conflicts c JOIN matches m ON m.match_id = c.match_id
                    WHERE (? IS NULL OR c.match_id = ?) AND (? = 0 OR c.settled_at IS NULL)
                    ORDER BY c.reported_at DESC, c.match_id DESC LIMIT ?
                    """, arguments: [match?.rawValue, match?.rawValue, openOnly ? 1 : 0, limit]
            ).map { row in
                ResultConflict(
                    matchId: MatchID(row["match_id"]),
                    // The table's CHECK allows these names only.
                    state: MatchRecord.State(rawValue: row["state"]) ?? .placed,
                    result: try MatchResult.read(row["body"]), reportedBy: row["reported_by"],
                    reportedAt: Instant(milliseconds: row["reported_at"]),
                    settledAt: (row["settled_at"] as Int64?).map { Instant(milliseconds: $0) },
                    settledBy: row["settled_by"])
            }
        }
    }

    /// Notes that a person has looked at a match's.
    /// - Parameter editor: `cli:user@host`.
    /// - Returns: how many were open.
    public func settle(_ match: MatchID, by editor: String, at instant: Instant = .now) async throws -> Int {
        try await database.write { db in
            try db.execute(
                sql: """
                    UPDATE result_conflicts SET settled_at = ?, settled_by = ?
                    WHERE match_id = ? AND settled_at IS NULL
                    """, arguments: [instant.milliseconds, editor, match.rawValue])
            let settled = db.changesCount
            if settled > 0 {
                try ChangeLog.append(
                    ChangeLog.Change(
                        at: instant.milliseconds, by: editor, action: "results.settle", subject: "match \(match)",
                        before: "\(settled) open", after: nil), in: db)
            }
            return settled
        }
    }

    /// Keeps one, once however often it is reported.
    static func keep(
        _ body: String, of match: MatchID, by reporter: String, at instant: Instant, in db: Database
    ) throws {
        try db.execute(
            sql: """
                INSERT INTO result_conflicts (match_id, body, reported_by, reported_at)
                SELECT ?, ?, ?, ? WHERE (SELECT COUNT(*) FROM result_conflicts WHERE match_id = ?) < ?
                ON CONFLICT (match_id, body) DO NOTHING
                """,
            arguments: [match.rawValue, body, reporter, instant.milliseconds, match.rawValue, matchMax])
    }
}

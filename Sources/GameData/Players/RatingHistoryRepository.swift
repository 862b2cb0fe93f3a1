import GRDB
import GameModel
import Records

/// Players' ratings over time: a line for each rated match. Between two lines a rating may also have moved because a
/// season began, or the deviation because days went by.
public struct RatingHistoryRepository: Sendable {
    private let database: RecordsDatabase

    public init(database: RecordsDatabase) { self.database = database }

    public static let limitMax = 1_000

    /// One page of a player's rating in a mode, the latest first.
    /// - Parameters:
    ///   - limit: 1 to 1,000; more is cut to that.
    ///   - before: the last match of the page before; `nil` begins with the latest.
    /// - Throws: `GameDataError.invalid` naming `before` where that is no rated match of the player in the mode.
    public func changes(
        of player: PlayerID, mode: Mode, limit: Int, before: MatchID? = nil
    ) async throws -> [RatingChange] {
        let limit = min(max(limit, 1), Self.limitMax)
        return try await database.read { db in
            var cursor: (changedAt: Int64, match: String) = (.max, "")
            if let before {
                let changedAt = try Int64.fetchOne(
                    db,
                    sql: "SELECT changed_at FROM rating_changes WHERE match_id = ? AND player_id = ? AND mode = ?",
                    arguments: [before.rawValue, player.rawValue, mode.rawValue])
                guard let changedAt else {
                    throw GameDataError.invalid(
                        field: "before", detail: "\(before) is no rated match of this player in \(mode)")
                }
                cursor = (changedAt, before.rawValue)
            }
            return try Row.fetchAll(
                db,
                sql: """
                    SELECT * FROM rating_changes WHERE player_id = ? AND mode = ? AND (changed_at, match_id) < (?, ?)
                    ORDER BY changed_at DESC, match_id DESC LIMIT ?
                    """, arguments: [player.rawValue, mode.rawValue, cursor.changedAt, cursor.match, limit]
            ).map(Self.change)
        }
    }

    /// What a match did to each of its players; nothing before its result is applied, or where bots played.
    public func changes(by match: MatchID) async throws -> [RatingChange] {
        try await database.read { db in
            try Row.fetchAll(
                db, sql: "SELECT * FROM rating_changes WHERE match_id = ? ORDER BY player_id",
                arguments: [match.rawValue]
            ).map(Self.change)
        }
    }

    private static func change(_ row: Row) -> RatingChange {
        RatingChange(
            matchId: MatchID(row["match_id"]), playerId: PlayerID(row["player_id"]), mode: Mode(row["mode"]),
            ratingBefore: row["rating_before"], deviationBefore: row["deviation_before"],
            ratingAfter: row["rating_after"], deviationAfter: row["deviation_after"],
            changedAt: Instant(milliseconds: row["changed_at"]))
    }
}

import GRDB
import GameModel
import Records

/// A player's matches in `data.sqlite`, newest first, in pages.
public struct MatchHistoryRepository: Sendable {
    private let database: RecordsDatabase

    public init(database: RecordsDatabase) { self.database = database }

    /// One page of a player's matches.
    /// - Parameters:
    ///   - limit: 1 to 100; more is cut to that.
    ///   - before: the last match of the page before; `nil` begins with the newest.
    /// - Throws: `GameDataError.invalid` naming `before` where that is not a match of the player.
    public func history(
        _ player: PlayerID, limit: Int, before: MatchID? = nil
    ) async throws -> [MatchSummary] {
        let limit = min(max(limit, 1), Self.limitMax)
        return try await database.read { db in
            var cursor: (placedAt: Int64, match: String) = (.max, "")
            if let before {
                let placedAt = try Int64.fetchOne(
                    db, sql: "SELECT placed_at FROM match_players WHERE match_id = ? AND player_id = ?",
                    arguments: [before.rawValue, player.rawValue])
                guard let placedAt else {
                    throw GameDataError.invalid(field: "before", detail: "\(before) is not a match of this player")
                }
                cursor = (placedAt, before.rawValue)
            }
            return try Row.fetchAll(
                db,
                sql: """
                    SELECT m.match_id, m.mode, m.region, m.patch, m.state, m.placed_at, m.ended_at, s.outcome, s.quit,
                        s.team, s.character, s.kills, s.deaths, s.damage, c.rating_before, c.rating_after
                    FROM match_players s
                    JOIN matches m ON m.match_id = s.match_id
                    LEFT JOIN rating_changes c ON c.match_id = s.match_id AND c.player_id = s.player_id
                    WHERE s.player_id = ? AND (s.placed_at, s.match_id) < (?, ?)
                    ORDER BY s.placed_at DESC, s.match_id DESC LIMIT ?
                    """, arguments: [player.rawValue, cursor.placedAt, cursor.match, limit]
            ).map(Self.summary)
        }
    }

    public static let limitMax = 100

    private static func summary(_ row: Row) -> MatchSummary {
        // The table's CHECK allows these names only.
        let state = MatchRecord.State(rawValue: row["state"]) ?? .placed
        return MatchSummary(
            matchId: MatchID(row["match_id"]), mode: Mode(row["mode"]), region: Region(row["region"]),
            patch: PatchVersion(row["patch"]), state: state, placedAt: Instant(milliseconds: row["placed_at"]),
            endedAt: (row["ended_at"] as Int64?).map { Instant(milliseconds: $0) }, team: row["team"],
            character: row["character"], outcome: outcome(state: state, stored: row["outcome"]),
            left: row["quit"] == 1 ? true : nil,
            kills: row["kills"], deaths: row["deaths"], damage: row["damage"], ratingBefore: row["rating_before"],
            ratingAfter: row["rating_after"])
    }

    private static func outcome(state: MatchRecord.State, stored: String?) -> MatchSummary.Outcome? {
        switch state {
        case .placed, .reported: nil
        case .abandoned: .abandoned
        // The table's CHECK allows names of outcomes only.
        case .finished: stored.flatMap { MatchSummary.Outcome(rawValue: $0) }
        }
    }
}

extension MatchesRepository {
    /// One page of a player's matches, newest first: see `MatchHistoryRepository.history`.
    public func history(
        _ player: PlayerID, limit: Int, before: MatchID? = nil
    ) async throws -> [MatchSummary] {
        try await MatchHistoryRepository(database: database).history(player, limit: limit, before: before)
    }
}

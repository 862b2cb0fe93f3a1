import GRDB
import GameModel
import Records

/// Leaderboards as `data.sqlite` has them: what Redis is filled from, and what answers where it has no board.
struct LeaderboardsRepository: Sendable {
    let database: RecordsDatabase

    // MARK: Seasons and modes

    /// A season by its name, and whether it is the one that is on; the current one where no name is given.
    /// - Throws: `GameDataError.invalid` naming `season` where there is none of the name.
    func season(_ name: String?) async throws -> (season: Season, isCurrent: Bool) {
        let seasons = SeasonsRepository(database: database)
        let current = try await seasons.current()
        guard let name, name != current.name else { return (current, true) }
        let all = try await seasons.all()
        guard let season = all.first(where: { $0.name == name }) else {
            let names = all.suffix(10).map(\.name).joined(separator: ", ")
            throw GameDataError.invalid(
                field: "season", detail: "there is none called '\(name)'; the last are \(names)")
        }
        return (season, false)
    }

    /// The modes that anyone has a rating in: a look-up in the index for each.
    func modes() async throws -> [Mode] {
        try await database.read { db in
            var modes: [Mode] = []
            let next = try db.cachedStatement(sql: "SELECT MIN(mode) FROM ratings WHERE mode > ?")
            while let mode = try String.fetchOne(next, arguments: [modes.last?.rawValue ?? ""]) {
                modes.append(Mode(mode))
            }
            return modes
        }
    }

    // MARK: Lines

    /// A table of standings: that of the current season, or that of all past ones.
    private struct Source {
        let table: String
        let condition: String
        let arguments: StatementArguments

        init(_ mode: Mode, pastSeason: Int?) {
            table = pastSeason == nil ? "ratings" : "season_ratings"
            condition = pastSeason == nil ? "r.mode = ?" : "r.mode = ? AND r.season = ?"
            arguments = pastSeason.map { [mode.rawValue, $0] } ?? [mode.rawValue]
        }
    }

    /// So many players are on the board.
    func total(_ mode: Mode, pastSeason: Int?) async throws -> Int {
        let source = Source(mode, pastSeason: pastSeason)
        return try await database.read { db in
            try Int.fetchOne(
                db, sql: "SELECT COUNT(*) FROM \(source.table) r WHERE \(source.condition)",
                arguments: source.arguments) ?? 0
        }
    }

    /// Lines from a rank on, which counts from 1.
    func lines(_ mode: Mode, pastSeason: Int?, from first: Int, limit: Int) async throws -> [LeaderboardEntry] {
        let source = Source(mode, pastSeason: pastSeason)
        return try await database.read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT r.player_id, COALESCE(p.display_name, r.player_id) AS name, r.rating, r.games
                    FROM \(source.table) r LEFT JOIN players p ON p.player_id = r.player_id
                    WHERE \(source.condition)
                    ORDER BY r.rating DESC, r.reached_at, r.player_id LIMIT ? OFFSET ?
                    """, arguments: source.arguments + [limit, first - 1]
            ).enumerated().map { index, row in
                LeaderboardEntry(
                    rank: first + index, playerId: PlayerID(row["player_id"]), displayName: row["name"],
                    rating: row["rating"], games: row["games"])
            }
        }
    }

    /// A player's rank, from 1: as many steps in the index as players stand before. `nil` for who is not on the board.
    func rank(of player: PlayerID, _ mode: Mode, pastSeason: Int?) async throws -> Int? {
        let source = Source(mode, pastSeason: pastSeason)
        return try await database.read { db in
            let own = try Row.fetchOne(
                db, sql: "SELECT rating, reached_at FROM \(source.table) r WHERE \(source.condition) AND player_id = ?",
                arguments: source.arguments + [player.rawValue])
            guard let own else { return nil }
            let (rating, reached): (Double, Int64) = (own["rating"], own["reached_at"])
            let before = try Int.fetchOne(
                db,
                sql: """
                    SELECT COUNT(*) FROM \(source.table) r WHERE \(source.condition) AND r.rating >= ?
                    AND (r.rating > ? OR r.reached_at < ? OR (r.reached_at = ? AND r.player_id < ?))
                    """, arguments: source.arguments + [rating, rating, reached, reached, player.rawValue])
            return (before ?? 0) + 1
        }
    }

    // MARK: What Redis is filled from

    /// Standings of a mode by player, after a player; fewer than `limit` are the last.
    ///
    /// By player and not by rating: a rating that changes meanwhile can't jump over the place where the filling is.
    func standings(_ mode: Mode, after player: String, limit: Int) async throws -> [BoardStanding] {
        try await database.read { db in
            try Self.standings(
                try Row.fetchAll(
                    try db.cachedStatement(
                        sql: """
                            SELECT * FROM ratings WHERE player_id > ? AND mode = ? ORDER BY player_id LIMIT ?
                            """), arguments: [player, mode.rawValue, limit]), in: db)
        }
    }

    /// Standings of all modes, by player and mode, after one; fewer than `limit` are the last.
    func standings(after last: BoardStanding?, limit: Int) async throws -> [BoardStanding] {
        try await database.read { db in
            try Self.standings(
                try Row.fetchAll(
                    try db.cachedStatement(
                        sql: """
                            SELECT * FROM ratings WHERE (player_id, mode) > (?, ?) ORDER BY player_id, mode LIMIT ?
                            """), arguments: [last?.player.rawValue ?? "", last?.mode.rawValue ?? "", limit]), in: db)
        }
    }

    /// The standings of who plays in some matches, each once.
    func standings(of matches: [MatchID]) async throws -> [BoardStanding] {
        try await database.read { db in
            let statement = try db.cachedStatement(
                sql: """
                    SELECT r.* FROM match_players s JOIN ratings r ON r.player_id = s.player_id AND r.mode = s.mode
                    WHERE s.match_id = ?
                    """)
            var found: Set<BoardStanding> = []
            for match in Set(matches) {
                found.formUnion(
                    try Self.standings(try Row.fetchAll(statement, arguments: [match.rawValue]), in: db))
            }
            return Array(found)
        }
    }

    /// As the current season has them, also those that its start has not reached yet.
    private static func standings(_ rows: [Row], in db: Database) throws -> [BoardStanding] {
        let current = try Int.fetchOne(db, sql: "SELECT MAX(season) FROM seasons") ?? 0
        return try rows.map { row in
            var rating: Double = row["rating"]
            if row["season"] < current {
                let stored = GlickoRating(
                    rating: rating, deviation: row["deviation"], volatility: row["volatility"])
                rating = try SeasonsRepository.rating(stored, of: row["season"], in: db).rating
            }
            return BoardStanding(
                player: PlayerID(row["player_id"]), mode: Mode(row["mode"]), season: current, rating: rating,
                reachedAt: Instant(milliseconds: row["reached_at"]), games: row["games"])
        }
    }
}

import GRDB
import GameModel
import Records

/// Players and their ratings in `data.sqlite`. Ratings are written by `ResultsRepository` alone, one match at a time.
public struct PlayersRepository: Sendable {
    private let database: RecordsDatabase

    public init(database: RecordsDatabase) { self.database = database }

    /// What the same players wear.
    public var loadouts: LoadoutsRepository { LoadoutsRepository(database: database) }

    /// Notes a player at registration or log-in; a name that changed is taken over.
    public func upsert(_ player: PlayerID, displayName: String, at instant: Instant = .now) async throws {
        try await database.write { db in
            try db.execute(
                sql: """
                    INSERT INTO players (player_id, display_name, created_at) VALUES (?, ?, ?)
                    ON CONFLICT (player_id) DO UPDATE SET display_name = excluded.display_name
                    WHERE players.display_name <> excluded.display_name
                    """,
                arguments: [player.rawValue, displayName, instant.milliseconds])
        }
    }

    /// A player's name and standing in every mode played; `nil` for a player never noted.
    public func profile(_ player: PlayerID) async throws -> PlayerProfile? {
        try await database.read { db in
            let row = try Row.fetchOne(
                db, sql: "SELECT display_name, created_at FROM players WHERE player_id = ?",
                arguments: [player.rawValue])
            guard let row else { return nil }
            var ratings: [String: PlayerStanding] = [:]
            let rows = try Row.fetchCursor(
                db, sql: "SELECT * FROM ratings WHERE player_id = ?", arguments: [player.rawValue])
            while let rating = try rows.next() { ratings[rating["mode"]] = Self.standing(rating) }
            return PlayerProfile(
                playerId: player, displayName: row["display_name"],
                createdAt: Instant(milliseconds: row["created_at"]), ratings: ratings)
        }
    }

    /// A player's rating in a mode as it was after their last match, or at the season's start; a newcomer's (1500, 350,
    /// 0.06) where they have not played it. What a ticket is matched by is ``MatchmakingHistory/rating``.
    public func rating(_ player: PlayerID, mode: Mode) async throws -> GlickoRating {
        try await database.read { db in try Self.rating(player, mode: mode, at: nil, in: db) }
    }

    /// The names of those of the players that are known.
    public func displayNames(_ players: [PlayerID]) async throws -> [PlayerID: String] {
        try await database.read { db in
            var names: [PlayerID: String] = [:]
            let statement = try db.cachedStatement(sql: "SELECT display_name FROM players WHERE player_id = ?")
            for player in Set(players) {
                names[player] = try String.fetchOne(statement, arguments: [player.rawValue])
            }
            return names
        }
    }

    /// The best of a mode, highest rating first.
    /// - Parameter limit: 1 to 1,000; more is cut to that.
    public func leaderboard(_ mode: Mode, limit: Int) async throws -> [LeaderboardEntry] {
        let limit = min(max(limit, 1), Self.leaderboardLimitMax)
        return try await database.read { db in
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT r.player_id, COALESCE(p.display_name, r.player_id) AS name, r.rating, r.games
                    FROM ratings r LEFT JOIN players p ON p.player_id = r.player_id
                    WHERE r.mode = ? ORDER BY r.rating DESC, r.reached_at, r.player_id LIMIT ?
                    """, arguments: [mode.rawValue, limit])
            return rows.enumerated().map { index, row in
                LeaderboardEntry(
                    rank: index + 1, playerId: PlayerID(row["player_id"]), displayName: row["name"],
                    rating: row["rating"], games: row["games"])
            }
        }
    }

    public static let leaderboardLimitMax = 1_000

    /// - Parameter instant: the moment for which the deviation is wanted, grown by the days since the last match;
    ///   `nil` leaves it as that match did.
    static func rating(
        _ player: PlayerID, mode: Mode, at instant: Instant?, in db: Database
    ) throws -> GlickoRating {
        let statement = try db.cachedStatement(
            sql: """
                SELECT rating, deviation, volatility, season, updated_at FROM ratings
                WHERE player_id = ? AND mode = ?
                """)
        guard let row = try Row.fetchOne(statement, arguments: [player.rawValue, mode.rawValue]) else {
            return .initial
        }
        let stored = GlickoRating(
            rating: row["rating"], deviation: row["deviation"], volatility: row["volatility"])
        let rating = try SeasonsRepository.rating(stored, of: row["season"], in: db)
        guard let instant else { return rating }
        return RatingDecay.after(rating, lastPlayedAt: Instant(milliseconds: row["updated_at"]), at: instant)
    }

    private static func standing(_ row: Row) -> PlayerStanding {
        PlayerStanding(
            rating: row["rating"], deviation: row["deviation"], volatility: row["volatility"], games: row["games"],
            wins: row["wins"], draws: row["draws"], leaves: row["leaves"], kills: row["kills"], deaths: row["deaths"],
            damage: row["damage"])
    }
}

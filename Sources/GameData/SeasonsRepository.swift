import GRDB
import GameModel
import Records

/// Seasons in `data.sqlite`, and the standings that each ended with.
public struct SeasonsRepository: Sendable {
    private let database: RecordsDatabase

    public init(database: RecordsDatabase) { self.database = database }

    public static let nameBytesMax = 64

    /// The season that is on; `preseason` until one is started.
    public func current() async throws -> Season {
        try await database.read { db in try Self.current(in: db) }
    }

    /// All seasons, the first one first.
    public func all() async throws -> [Season] {
        try await database.read { db in
            try Row.fetchAll(db, sql: "SELECT * FROM seasons ORDER BY season").map(Self.season)
        }
    }

    /// Ends the current season and starts one: every rating is kept under the season that ends, then moved towards a
    /// newcomer's. All in one transaction, so no result is applied to a half of it; results wait meanwhile (a few
    /// seconds for a million ratings). Starting the current season again changes nothing.
    /// - Parameters:
    ///   - name: 1 to 64 bytes, unlike any earlier one's.
    ///   - carry: how much is kept of each rating's distance from 1500, 0 to 1. The deviation becomes
    ///     √(carry² · deviation² + (1 − carry²) · 350²). 1 keeps both, 0 makes everyone a newcomer. Totals go on.
    /// - Throws: `GameDataError.invalid` naming `name` or `carry`.
    public func startSeason(
        _ name: String, carry: Double, at instant: Instant = .now
    ) async throws -> StartSeasonReply {
        guard (1...Self.nameBytesMax).contains(name.utf8.count) else {
            throw GameDataError.invalid(field: "name", detail: "must have 1 to \(Self.nameBytesMax) bytes")
        }
        guard (0...1).contains(carry) else {
            throw GameDataError.invalid(field: "carry", detail: "\(carry) is not in 0 to 1")
        }
        return try await database.write { db in
            let ending = try Self.current(in: db)
            if ending.name == name { return .alreadyStarted(ending) }
            let season = Season(number: ending.number + 1, name: name, startedAt: instant, carry: carry)
            try Self.insert(season, in: db)
            try Self.keepStandings(of: ending, in: db)
            return .started(season, ratings: try Self.reset(to: carry, of: ending, in: db))
        }
    }

    /// A player's standings as each past season ended, the latest first.
    public func standings(of player: PlayerID) async throws -> [SeasonStanding] {
        try await database.read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT r.*, s.name FROM season_ratings r JOIN seasons s ON s.season = r.season
                    WHERE r.player_id = ? ORDER BY r.season DESC, r.mode
                    """, arguments: [player.rawValue]
            ).map(Self.standing)
        }
    }

    /// The best of a mode as a past season ended, highest rating first; empty for one that has not ended.
    /// - Parameter limit: 1 to 1,000; more is cut to that.
    public func leaderboard(_ season: String, mode: Mode, limit: Int) async throws -> [SeasonStanding] {
        let limit = min(max(limit, 1), PlayersRepository.leaderboardLimitMax)
        return try await database.read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT r.*, s.name FROM seasons s JOIN season_ratings r ON r.season = s.season
                    WHERE s.name = ? AND r.mode = ? ORDER BY r.rating DESC, r.player_id LIMIT ?
                    """, arguments: [season, mode.rawValue, limit]
            ).map(Self.standing)
        }
    }

    private static func current(in db: Database) throws -> Season {
        let row = try Row.fetchOne(db, sql: "SELECT * FROM seasons ORDER BY season DESC LIMIT 1")
        return row.map(season) ?? Season(number: 0, name: "preseason", startedAt: Instant(milliseconds: 0), carry: 1)
    }

    private static func insert(_ season: Season, in db: Database) throws {
        try db.execute(
            sql: """
                INSERT INTO seasons (season, name, carry, started_at) VALUES (?, ?, ?, ?)
                ON CONFLICT (name) DO NOTHING
                """, arguments: [season.number, season.name, season.carry, season.startedAt.milliseconds])
        guard db.changesCount == 1 else {
            throw GameDataError.invalid(field: "name", detail: "there was a season \(season.name) before")
        }
    }

    private static func keepStandings(of season: Season, in db: Database) throws {
        try db.execute(
            sql: """
                INSERT INTO season_ratings
                    (season, player_id, mode, rating, deviation, volatility, games, wins, draws, leaves)
                SELECT ?, player_id, mode, rating, deviation, volatility, games, wins, draws, leaves FROM ratings
                """, arguments: [season.number])
    }

    /// Row by row, since not every engine can take a root. When a player last played stays as it is.
    private static func reset(to carry: Double, of season: Season, in db: Database) throws -> Int {
        guard carry < 1 else { return try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM ratings") ?? 0 }
        let update = try db.cachedStatement(
            sql: "UPDATE ratings SET rating = ?, deviation = ? WHERE player_id = ? AND mode = ?")
        // From the copy just made: a cursor over rows that are being changed may meet them again.
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT player_id, mode, rating, deviation, volatility FROM season_ratings
                WHERE season = ?
                """, arguments: [season.number])
        var count = 0
        while let row = try rows.next() {
            let rating = SoftReset.after(
                GlickoRating(rating: row["rating"], deviation: row["deviation"], volatility: row["volatility"]),
                carry: carry)
            try update.execute(arguments: [
                rating.rating, rating.deviation, row["player_id"] as String, row["mode"] as String,
            ])
            count += 1
        }
        return count
    }

    private static func season(_ row: Row) -> Season {
        Season(
            number: row["season"], name: row["name"], startedAt: Instant(milliseconds: row["started_at"]),
            carry: row["carry"])
    }

    private static func standing(_ row: Row) -> SeasonStanding {
        SeasonStanding(
            season: row["name"], playerId: PlayerID(row["player_id"]), mode: Mode(row["mode"]), rating: row["rating"],
            deviation: row["deviation"], games: row["games"], wins: row["wins"])
    }
}

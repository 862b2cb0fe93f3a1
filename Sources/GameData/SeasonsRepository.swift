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
    /// newcomer's.
    ///
    /// From the moment the season is written, ratings are read as reset; the rows themselves follow a thousand at a
    /// time, so that results never wait for longer than that, and until it returns boards may show some of them as they
    /// were. Starting the current season again takes up what a process that died has left.
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
        // What an earlier start has left undone belongs to its season.
        let left = try await resetRows()
        let season = try await database.write { db -> Season? in
            let ending = try Self.current(in: db)
            if ending.name == name { return nil }
            let season = Season(number: ending.number + 1, name: name, startedAt: instant, carry: carry)
            try Self.insert(season, in: db)
            return season
        }
        guard let season else { return .alreadyStarted(try await current(), ratings: left) }
        return .started(season, ratings: try await resetRows())
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
                    WHERE s.name = ? AND r.mode = ? ORDER BY r.rating DESC, r.reached_at, r.player_id LIMIT ?
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

    // MARK: Resetting

    /// How many ratings one transaction resets.
    static let resetMax = 1_000

    /// Brings every rating to the current season, in the order of their key.
    /// - Returns: how many were not.
    private func resetRows() async throws -> Int {
        var count = 0
        var last: (player: String, mode: String)? = ("", "")
        while let from = last {
            let step = try await database.write { db in try Self.resetRows(after: from, in: db) }
            count += step.reset
            last = step.last
        }
        return count
    }

    private static func resetRows(
        after key: (player: String, mode: String), in db: Database
    ) throws -> (reset: Int, last: (player: String, mode: String)?) {
        let rows = try Row.fetchAll(
            try db.cachedStatement(
                sql: """
                    SELECT player_id, mode, season FROM ratings WHERE (player_id, mode) > (?, ?)
                    ORDER BY player_id, mode LIMIT ?
                    """), arguments: [key.player, key.mode, resetMax])
        let current = try current(in: db).number
        var reset = 0
        for row in rows where row["season"] < current {
            try bringUp(PlayerID(row["player_id"]), mode: Mode(row["mode"]), in: db)
            reset += 1
        }
        let last = rows.count == resetMax ? rows.last : nil
        return (reset, last.map { ($0["player_id"], $0["mode"]) })
    }

    /// Brings a player's rating to the current season: keeps it under its own, then resets it. A rating that is of the
    /// current season, or none, stays as it is. When the player last played is not touched.
    static func bringUp(_ player: PlayerID, mode: Mode, in db: Database) throws {
        let key: StatementArguments = [player.rawValue, mode.rawValue]
        let row = try Row.fetchOne(
            try db.cachedStatement(
                sql: "SELECT rating, deviation, volatility, season FROM ratings WHERE player_id = ? AND mode = ?"),
            arguments: key)
        guard let row else { return }
        let seasons = try seasons(since: row["season"], in: db)
        guard let current = seasons.last else { return }
        try db.cachedStatement(
            sql: """
                INSERT INTO season_ratings
                    (season, player_id, mode, rating, deviation, volatility, games, wins, draws, leaves, reached_at)
                SELECT season, player_id, mode, rating, deviation, volatility, games, wins, draws, leaves, reached_at
                FROM ratings WHERE player_id = ? AND mode = ?
                """
        ).execute(arguments: key)
        let rating = reset(
            GlickoRating(rating: row["rating"], deviation: row["deviation"], volatility: row["volatility"]), by: seasons
        )
        try db.cachedStatement(
            sql: "UPDATE ratings SET rating = ?, deviation = ?, season = ? WHERE player_id = ? AND mode = ?"
        ).execute(arguments: [rating.rating, rating.deviation, current.number, player.rawValue, mode.rawValue])
    }

    /// A rating as the current season has it.
    /// - Parameter season: the season to which its row was reset.
    static func rating(_ rating: GlickoRating, of season: Int, in db: Database) throws -> GlickoRating {
        reset(rating, by: try seasons(since: season, in: db))
    }

    private static func reset(_ rating: GlickoRating, by seasons: [Season]) -> GlickoRating {
        seasons.isEmpty ? rating : SoftReset.after(rating, carry: seasons.reduce(1) { $0 * $1.carry })
    }

    /// The seasons after one, the first of them first.
    private static func seasons(since season: Int, in db: Database) throws -> [Season] {
        try Row.fetchAll(
            try db.cachedStatement(sql: "SELECT * FROM seasons WHERE season > ? ORDER BY season"), arguments: [season]
        ).map(Self.season)
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

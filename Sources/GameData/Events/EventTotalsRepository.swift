import GRDB
import GameModel
import Records

/// Reads the totals that outlive the days' files, from `events.sqlite`.
public struct EventTotalsRepository: Sendable {
    /// How a character fared on a day.
    public struct CharacterDay: Sendable, Hashable, Codable {
        public var day: String
        public var mode: Mode
        public var character: String
        public var totals: CharacterTotals

        public init(day: String, mode: Mode, character: String, totals: CharacterTotals) {
            self.day = day
            self.mode = mode
            self.character = character
            self.totals = totals
        }
    }

    private let database: RecordsDatabase

    /// - Parameter database: `events.sqlite`, opened with ``EventsSchema/schema``.
    public init(database: RecordsDatabase) { self.database = database }

    public init(_ events: EventsRepository) { database = events.totals }

    /// The patches of which matches were played, with how many characters were picked in each.
    public func patches() async throws -> [(patch: PatchVersion, picks: Int)] {
        try await database.read { db in
            try Row.fetchAll(
                db, sql: "SELECT patch, SUM(picks) AS picks FROM character_days GROUP BY patch ORDER BY patch"
            ).map { (PatchVersion($0["patch"]), $0["picks"]) }
        }
    }

    /// How each character fared on a patch, by mode and day.
    public func characters(patch: PatchVersion, mode: Mode? = nil) async throws -> [CharacterDay] {
        try await database.read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT day, mode, character, SUM(picks) AS picks, SUM(wins) AS wins, SUM(draws) AS draws,
                        SUM(leaves) AS leaves, SUM(kills) AS kills, SUM(deaths) AS deaths, SUM(damage) AS damage,
                        SUM(duration_ms) AS duration_ms
                    FROM character_days WHERE patch = ? AND (mode = ? OR ? IS NULL)
                    GROUP BY day, mode, character ORDER BY day, mode, character
                    """, arguments: [patch.number, mode?.rawValue, mode?.rawValue]
            ).map { row in
                var totals = CharacterTotals()
                totals.picks = row["picks"]
                totals.wins = row["wins"]
                totals.draws = row["draws"]
                totals.leaves = row["leaves"]
                totals.kills = row["kills"]
                totals.deaths = row["deaths"]
                totals.damage = row["damage"]
                totals.durationMs = row["duration_ms"]
                return CharacterDay(
                    day: EventDay(number: row["day"]).description, mode: Mode(row["mode"]),
                    character: row["character"], totals: totals)
            }
        }
    }

    /// How a player's matches went in each region, over the days that are kept.
    public func regions(of player: PlayerID) async throws -> [Region: PlayerRegionTotals] {
        try await database.read { db in
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT region, SUM(matches) AS matches, SUM(leaves) AS leaves, SUM(latency_ms) AS latency_ms,
                        SUM(latencies) AS latencies
                    FROM player_days WHERE player_id = ? GROUP BY region
                    """, arguments: [player.rawValue])
            var regions: [Region: PlayerRegionTotals] = [:]
            for row in rows {
                var totals = PlayerRegionTotals()
                totals.matches = row["matches"]
                totals.leaves = row["leaves"]
                totals.latencyMs = row["latency_ms"]
                totals.latencies = row["latencies"]
                regions[Region(row["region"])] = totals
            }
            return regions
        }
    }
}

import GRDB
import GameModel
import Records

/// Reads from `data.sqlite` what tickets take from their players' past matches.
public struct MatchmakingHistoryRepository: Sendable {
    private let database: RecordsDatabase

    public init(database: RecordsDatabase) { self.database = database }

    /// The histories of a party's members in one mode, all of one moment; a newcomer's for who has none.
    ///
    /// Each takes a few look-ups, all by an index: the row of ratings, the last 20 matches in the mode, and
    /// the opponents of as many of those as give 20 opponents.
    /// - Parameter instant: the moment that ratings are wanted for; their deviation grows with the days since the last
    ///   match.
    public func histories(
        of players: [PlayerID], mode: Mode, at instant: Instant = .now
    ) async throws -> [PlayerID: MatchmakingHistory] {
        try await database.read { db in
            var histories: [PlayerID: MatchmakingHistory] = [:]
            for player in Set(players) {
                histories[player] = try Self.history(of: player, mode: mode, at: instant, in: db)
            }
            return histories
        }
    }

    /// One player's history in a mode.
    public func history(
        of player: PlayerID, mode: Mode, at instant: Instant = .now
    ) async throws -> MatchmakingHistory {
        try await database.read { db in try Self.history(of: player, mode: mode, at: instant, in: db) }
    }

    /// The last matches of a player in a mode, the latest first. Abandoned ones don't count: who met whom in them, and
    /// how they would have ended, nobody knows.
    static let lastMatches = """
        SELECT s.match_id, s.team, s.outcome, m.bots FROM match_players s
        JOIN matches m ON m.match_id = s.match_id
        WHERE s.player_id = ? AND s.mode = ? AND s.abandoned = 0
        ORDER BY s.placed_at DESC, s.match_id DESC LIMIT ?
        """

    static let opponents = "SELECT player_id FROM match_players WHERE match_id = ? AND team <> ? ORDER BY seat"

    static let totals = "SELECT games, leaves, updated_at FROM ratings WHERE player_id = ? AND mode = ?"

    private static func history(
        of player: PlayerID, mode: Mode, at instant: Instant, in db: Database
    ) throws -> MatchmakingHistory {
        var history = MatchmakingHistory(player: player, mode: mode)
        history.rating = try PlayersRepository.rating(player, mode: mode, at: instant, in: db)
        let totals = try Row.fetchOne(
            try db.cachedStatement(sql: totals), arguments: [player.rawValue, mode.rawValue])
        if let totals { history.take(totals) }
        let matches = try Row.fetchAll(
            try db.cachedStatement(sql: lastMatches),
            arguments: [player.rawValue, mode.rawValue, MatchmakingHistory.matchesMax])
        // Matches with bots are not rated, and no measure of strength; of those under way nothing is known yet.
        history.streak = MatchmakingHistory.streak(
            of: matches.lazy.filter { $0["bots"] == "" }.compactMap { row in
                (row["outcome"] as String?).flatMap { MatchSummary.Outcome(rawValue: $0) }
            })
        history.recentOpponents = try recentOpponents(in: matches, db)
        return history
    }

    private static func recentOpponents(in matches: [Row], _ db: Database) throws -> [PlayerID] {
        var opponents: [PlayerID] = []
        var seen: Set<String> = []
        let statement = try db.cachedStatement(sql: Self.opponents)
        for match in matches {
            let players = try String.fetchCursor(
                statement, arguments: [match["match_id"] as String, match["team"] as Int])
            while let player = try players.next() {
                if seen.insert(player).inserted { opponents.append(PlayerID(player)) }
                if opponents.count == MatchmakingHistory.opponentsMax { return opponents }
            }
        }
        return opponents
    }
}

extension MatchmakingHistory {
    fileprivate mutating func take(_ totals: Row) {
        let leaves: Int = totals["leaves"]
        games = totals["games"]
        leaverRate = games > 0 ? Double(leaves) / Double(games) : 0
        lastPlayedAt = Instant(milliseconds: totals["updated_at"])
    }
}

import GRDB
import GameModel
import Jobs
import Records

/// Applies stored results: ratings and totals of every player of the match, and the match's end.
///
/// Each match's effect happens once, however often and by however many workers its job is run: the inbox row of the
/// job, the effect and the closing of the outbox row are one transaction.
public struct ResultsRepository: Sendable {
    /// One run of a job, with the fencing token of its lease.
    public struct Run: Sendable, Hashable {
        public var job: RecordMatchResult
        public var jobId: JobID
        public var token: UInt64

        public init(job: RecordMatchResult, jobId: JobID, token: UInt64) {
            self.job = job
            self.jobId = jobId
            self.token = token
        }
    }

    public enum Reply: Sendable, Hashable {
        case applied
        /// An earlier run of the job has done it.
        case alreadyApplied
    }

    private let database: RecordsDatabase

    public init(database: RecordsDatabase) { self.database = database }

    /// How the players of a mode are rated. Asked at each match, so that changed rules hold from the next one on.
    public typealias SystemOfMode = @Sendable (Mode) -> RatingSystem

    /// Applies many results in one transaction, each in a savepoint: one that fails takes none of the others with it.
    /// - Parameter system: how the players of a mode are rated.
    /// - Returns: what became of each, in the order given. Errors: `GameDataError.unknownMatch` where there is no
    ///   result to apply, `RecordsError.staleToken` where a later attempt has the job.
    /// - Throws: where the transaction as a whole failed; then none is applied.
    public func apply(
        _ runs: [Run], at instant: Instant = .now, system: @escaping SystemOfMode = { _ in .glicko2 }
    ) async throws -> [Result<Reply, any Error>] {
        try await database.write { db in
            try runs.map { run in
                var outcome: Result<Reply, any Error> = .success(.alreadyApplied)
                try db.inSavepoint {
                    do {
                        outcome = .success(try Self.apply(run, at: instant, system: system, in: db))
                        return .commit
                    } catch {
                        outcome = .failure(error)
                        return .rollback
                    }
                }
                return outcome
            }
        }
    }

    private static func apply(
        _ run: Run, at instant: Instant, system: SystemOfMode, in db: Database
    ) throws -> Reply {
        let match = run.job.matchId
        guard try Inbox.apply(jobId: run.jobId.rawValue, token: run.token, in: db) else {
            // An outbox row that a repeated report wrote after the effect would be relayed for ever.
            try Outbox.settle(jobId: run.jobId.rawValue, in: db)
            return .alreadyApplied
        }
        guard let header = try MatchesRepository.header(match, in: db),
            let body = try String.fetchOne(
                db, sql: "SELECT body FROM match_results WHERE match_id = ?", arguments: [match.rawValue])
        else { throw GameDataError.unknownMatch(match) }
        if header.state == .finished {
            // Applied so long ago that the inbox has forgotten it: the effect is there, whoever ran the job again.
            try Outbox.settle(jobId: run.jobId.rawValue, in: db)
            return .alreadyApplied
        }
        let effect = Effect(match: header, result: try MatchResult.read(body), at: instant)
        try effect.writeSeats(in: db)
        if header.isRated { try effect.rate(by: system(header.mode), in: db) }
        try MatchesRepository.move(match, from: header.state, to: .finished, endedAt: instant, reason: nil, in: db)
        try Outbox.settle(jobId: run.jobId.rawValue, in: db)
        return .applied
    }
}

/// What one match does to its players.
private struct Effect {
    let match: MatchRecord
    let result: MatchResult
    let at: Instant
    /// The players by team; a team of bots alone has none.
    let teams: [[MatchResult.Player]]
    let ranks: [Int]

    init(match: MatchRecord, result: MatchResult, at: Instant) {
        self.match = match
        self.result = result
        self.at = at
        let count = max(match.bots.count, (result.players.map(\.team).max() ?? -1) + 1)
        teams = (0..<count).map { team in result.players.filter { $0.team == team } }
        ranks = result.ranks(teams: count)
    }

    private func outcome(_ player: MatchResult.Player) -> MatchSummary.Outcome {
        player.left ? .lost : TeamRatings.outcome(of: player.team, ranks: ranks)
    }

    func writeSeats(in db: Database) throws {
        let statement = try db.cachedStatement(
            sql: """
                UPDATE match_players SET kills = ?, deaths = ?, damage = ?, outcome = ?, quit = ?
                WHERE match_id = ? AND player_id = ?
                """)
        for player in result.players {
            try statement.execute(arguments: [
                player.kills, player.deaths, player.damage, outcome(player).rawValue, player.left ? 1 : 0,
                match.matchId.rawValue, player.playerId.rawValue,
            ])
        }
    }

    /// Rates all players from what they were when the match was placed, the days they were away before it counted.
    func rate(by system: RatingSystem, in db: Database) throws {
        let before = try teams.map { team in
            try team.map { player in
                try SeasonsRepository.bringUp(player.playerId, mode: match.mode, in: db)
                let rating = try PlayersRepository.rating(
                    player.playerId, mode: match.mode, at: match.placedAt, in: db)
                return TeamRatings.Player(rating, left: player.left)
            }
        }
        let after = TeamRatings.after(teams: before, ranks: ranks, system: system)
        for (team, players) in teams.enumerated() {
            for (seat, player) in players.enumerated() {
                let rating = after[team][seat]
                try writeChange(player, from: before[team][seat].rating, to: rating, in: db)
                try writeTotals(player, rating, in: db)
            }
        }
    }

    private func writeChange(
        _ player: MatchResult.Player, from before: GlickoRating, to after: GlickoRating, in db: Database
    ) throws {
        try db.cachedStatement(
            sql: """
                INSERT INTO rating_changes (match_id, player_id, mode, rating_before, deviation_before,
                    volatility_before, rating_after, deviation_after, volatility_after, changed_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """
        ).execute(arguments: [
            match.matchId.rawValue, player.playerId.rawValue, match.mode.rawValue, before.rating,
            before.deviation, before.volatility, after.rating, after.deviation, after.volatility,
            at.milliseconds,
        ])
    }

    private func writeTotals(_ player: MatchResult.Player, _ rating: GlickoRating, in db: Database) throws {
        let outcome = outcome(player)
        try db.cachedStatement(
            sql: """
                INSERT INTO ratings (player_id, mode, rating, deviation, volatility, games, wins, draws, leaves,
                    kills, deaths, damage, updated_at, reached_at, season)
                VALUES (?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, (SELECT MAX(season) FROM seasons))
                ON CONFLICT (player_id, mode) DO UPDATE SET
                    rating = excluded.rating, deviation = excluded.deviation,
                    volatility = excluded.volatility, games = ratings.games + 1,
                    wins = ratings.wins + excluded.wins, draws = ratings.draws + excluded.draws,
                    leaves = ratings.leaves + excluded.leaves,
                    kills = ratings.kills + excluded.kills, deaths = ratings.deaths + excluded.deaths,
                    damage = ratings.damage + excluded.damage, updated_at = excluded.updated_at,
                    reached_at = CASE WHEN ratings.rating = excluded.rating THEN ratings.reached_at
                        ELSE excluded.reached_at END
                """
        ).execute(arguments: [
            player.playerId.rawValue, match.mode.rawValue, rating.rating, rating.deviation, rating.volatility,
            outcome == .won ? 1 : 0, outcome == .drawn ? 1 : 0, player.left ? 1 : 0, player.kills, player.deaths,
            player.damage, at.milliseconds, at.milliseconds,
        ])
    }
}

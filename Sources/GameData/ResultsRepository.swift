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

    /// Applies many results in one transaction, each in a savepoint: one that fails takes none of the others with it.
    /// - Returns: what became of each, in the order given. Errors: `GameDataError.unknownMatch` where there is no
    /// result to
    ///   apply, `RecordsError.staleToken` where a later attempt has the job.
    /// - Throws: where the transaction as a whole failed; then none is applied.
    public func apply(_ runs: [Run], at instant: Instant = .now) async throws -> [Result<Reply, any Error>] {
        try await database.write { db in
            try runs.map { run in
                var outcome: Result<Reply, any Error> = .success(.alreadyApplied)
                try db.inSavepoint {
                    do {
                        outcome = .success(try Self.apply(run, at: instant, in: db))
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

    static func apply(_ run: Run, at instant: Instant, in db: Database) throws -> Reply {
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
        try rate(header, try MatchResult.read(body), at: instant, in: db)
        try MatchesRepository.move(match, from: header.state, to: .finished, endedAt: instant, reason: nil, in: db)
        try Outbox.settle(jobId: run.jobId.rawValue, in: db)
        return .applied
    }

    private static func rate(
        _ match: MatchRecord, _ result: MatchResult, at instant: Instant, in db: Database
    ) throws {
        let teamCount = (result.players.map(\.team).max() ?? -1) + 1
        let teams = (0..<teamCount).map { team in result.players.filter { $0.team == team } }
        let before = try teams.map { team in
            try team.map { try PlayersRepository.rating($0.playerId, mode: match.mode, in: db) }
        }
        let after = TeamRatings.after(teams: before, winner: result.winner)
        for (team, players) in teams.enumerated() {
            for (seat, player) in players.enumerated() {
                let change = Change(
                    match: match, player: player, before: before[team][seat], after: after[team][seat],
                    score: TeamRatings.score(of: team, winner: result.winner), at: instant)
                try change.write(in: db)
            }
        }
    }

    /// What one match does to one player.
    private struct Change {
        var match: MatchRecord
        var player: MatchResult.Player
        var before: GlickoRating
        var after: GlickoRating
        var score: Double
        var at: Instant

        func write(in db: Database) throws {
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
            try db.cachedStatement(
                sql: """
                    UPDATE match_players SET kills = ?, deaths = ?, damage = ? WHERE match_id = ? AND player_id = ?
                    """
            ).execute(arguments: [
                player.kills, player.deaths, player.damage, match.matchId.rawValue, player.playerId.rawValue,
            ])
            try db.cachedStatement(
                sql: """
                    INSERT INTO ratings (player_id, mode, rating, deviation, volatility, games, wins, draws, kills,
                        deaths, damage, updated_at)
                    VALUES (?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?)
                    ON CONFLICT (player_id, mode) DO UPDATE SET
                        rating = excluded.rating, deviation = excluded.deviation,
                        volatility = excluded.volatility, games = ratings.games + 1,
                        wins = ratings.wins + excluded.wins, draws = ratings.draws + excluded.draws,
                        kills = ratings.kills + excluded.kills, deaths = ratings.deaths + excluded.deaths,
                        damage = ratings.damage + excluded.damage, updated_at = excluded.updated_at
                    """
            ).execute(arguments: [
                player.playerId.rawValue, match.mode.rawValue, after.rating, after.deviation, after.volatility,
                score == 1 ? 1 : 0, score == 0.5 ? 1 : 0, player.kills, player.deaths, player.damage,
                at.milliseconds,
            ])
        }
    }
}

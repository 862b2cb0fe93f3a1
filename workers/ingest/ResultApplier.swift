import Fleet
import GameData
import GameModel
import Jobs
import Logging
import Matchmaking
import Records
import Telemetry

/// Runs `RecordMatchResult` jobs: applies the results of a batch in one transaction, puts their players on the
/// leaderboards, then ends their matches in Redis.
///
/// The second step follows the commit and may be lost with this process; the job then runs again, finds the result
/// applied, and ends the match. A match that Redis has forgotten needs no ending.
struct ResultApplier: Sendable {
    let results: ResultsRepository
    let matchmaking: MatchmakingService
    let fleet: FleetService
    let boards: Leaderboards
    let logger: Logger

    /// - Parameter limit: how many results one transaction applies.
    func handler(limit: Int) -> JobHandler {
        .batch(RecordMatchResult.self, limit: limit) { jobs in
            try await apply(jobs.map { job, context in .init(job: job, jobId: context.id, token: context.token) })
        }
    }

    /// How long results wait when the file could not be written.
    private static let fileAway = Duration.seconds(2)

    /// - Returns: the errors of the jobs that have to run again, or never.
    func apply(_ runs: [ResultsRepository.Run]) async throws -> [JobID: any Error] {
        var errors: [JobID: any Error] = [:]
        var ended: [ResultsRepository.Run] = []
        for (run, outcome) in zip(runs, try await outcomes(of: runs)) {
            switch outcome {
            case .success: ended.append(run)
            case .failure(GameDataError.unknownMatch(let match)):
                errors[run.jobId] = Bury("no result of match \(match)")
            case .failure(let error): errors[run.jobId] = error
            }
        }
        if let error = await putOnBoards(ended.map(\.job.matchId)) {
            for run in ended { errors[run.jobId] = error }
            return errors
        }
        await withTaskGroup(of: (JobID, (any Error)?).self) { group in
            for run in ended {
                group.addTask {
                    do {
                        Failpoint.resultApplied.pass()
                        try await end(run.job.matchId)
                        Failpoint.resultEnded.pass()
                        return (run.jobId, nil)
                    } catch {
                        return (run.jobId, error)
                    }
                }
            }
            for await (id, error) in group where error != nil { errors[id] = error }
        }
        return errors
    }

    /// Puts the players of the matches on the leaderboards. Where that fails the jobs run again: their results are
    /// applied by then, and the boards follow.
    private func putOnBoards(_ matches: [MatchID]) async -> (any Error)? {
        do {
            try await boards.put(playersOf: matches)
            return nil
        } catch {
            return error
        }
    }

    /// A busy file or a full disk is no fault of the results: they come back without having used an attempt, however
    /// long that lasts.
    private func outcomes(
        of runs: [ResultsRepository.Run]
    ) async throws -> [Result<ResultsRepository.Reply, any Error>] {
        do {
            return try await results.apply(runs) { [book = matchmaking.book] mode in
                Self.system(of: mode, by: book.current)
            }
        } catch let error as RecordsError {
            logger.warning(
                "results wait: the file can't be written", metadata: ["results": "\(runs.count)", "error": "\(error)"])
            throw Snooze(Self.fileAway)
        }
    }

    /// By the rules in force now. A mode may be gone from them while its last matches are played: its players are rated
    /// as most modes are.
    static func system(of mode: Mode, by rules: MatchmakingRules) -> RatingSystem {
        rules.modes[mode]?.ratingSystem ?? .openSkill
    }

    /// Lets the match's players queue again and gives its slot back. Repeating it does nothing.
    private func end(_ match: MatchID) async throws {
        try await matchmaking.finish(match)
        try await fleet.release(match)
    }
}

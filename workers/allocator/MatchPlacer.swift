import Fleet
import GameData
import GameModel
import Jobs
import Logging
import Matchmaking
import Telemetry

/// Carries out `AllocateInstance`: slots in Redis, rosters in SQLite, then the players are told, in this order, so that
/// whoever is told where to play can be sure that their match can be recorded. Players for a running match need no
/// slot: they get seats in its roster.
///
/// Jobs that come together are carried out together, each step in one call for all of them. A match that can't be
/// placed ends by itself, after the players of the others are told. Each step is idempotent by match id: an attempt
/// that dies between two steps is simply run again.
struct MatchPlacer: Sendable {
    let fleet: FleetService
    /// Where places come from: the fleet, or a cluster that keeps its own game servers.
    let places: any MatchAllocator
    let matches: MatchesRepository
    let balance: BalanceRepository
    let matchmaking: MatchmakingService
    let logger: Logger
    /// Told when a region has no free slot.
    let slotsRanOut: @Sendable (Region) -> Void

    /// How long a match waits before it looks for a slot again.
    static let pause: Duration = .milliseconds(500)

    /// Takes the jobs that are ready together, as many as places are best asked for at once.
    func handler() -> JobHandler {
        .batch(
            AllocateInstance.self, limit: places.batchMax,
            onBury: { job, context, _ in try await bury(job, named: context.id) }
        ) { jobs in
            let errors = await place(jobs.map { $0.0 })
            return jobs.reduce(into: [:]) { $0[$1.1.id] = errors[$1.0.matchId] }
        }
    }

    /// - Returns: the errors of single matches. The others are placed, or need no place any more.
    func place(_ jobs: [AllocateInstance]) async -> [MatchID: any Error] {
        Failpoint.allocatorLeased.pass()
        let matches = await matchmaking.matches(jobs.map(\.matchId))
        return await withTaskGroup(of: [MatchID: any Error].self) { group in
            var waiting: [Region: [WaitingMatch]] = [:]
            for (job, match) in zip(jobs, matches) {
                if let match = WaitingMatch(job, match), let region = match.id.region {
                    waiting[region, default: []].append(match)
                } else {
                    group.addTask { await errors(of: job.matchId) { try await settle(job, try match.get()) } }
                }
            }
            for (region, matches) in waiting { group.addTask { await place(matches, in: region) } }
            return await group.reduce(into: [:]) { $0.merge($1) { first, _ in first } }
        }
    }

    /// What becomes of a job that needs no slot.
    private func settle(_ job: AllocateInstance, _ match: MatchmakingService.Match?) async throws {
        guard let match else {
            if let running = job.backfill { try await takeBack(job, from: running) }
            try await fleet.release(job.matchId)
            return
        }
        if let running = job.backfill { return try await join(job, match, into: running) }
        // An earlier attempt may have recorded the match before it ended.
        if match.state.isFinal { return try await giveUp(job.matchId, reason: match.state.rawValue) }
        // Its players were told where to play: a late attempt must not place it anew, also when its slot is free again.
        if match.state == .ready { return }
        throw FleetError.unknownRegion(job.matchId.rawValue)
    }

    private func errors(of match: MatchID, _ body: () async throws -> Void) async -> [MatchID: any Error] {
        do {
            try await body()
            return [:]
        } catch {
            return [match: error]
        }
    }

    /// The job will not run again: the players must not wait for it. A payload that could not be read is known by the
    /// job's name, `allocate.<match id>`.
    func bury(_ job: AllocateInstance?, named id: JobID) async throws {
        let named = MatchID(rawValue: String(id.rawValue.drop { $0 != "." }.dropFirst()))
        guard let match = job?.matchId ?? named, match.pool != nil else { return }
        if let job, let running = job.backfill {
            // Before the players are in the queue again, for then another match may want them.
            if try await matchmaking.match(match)?.state != .finished { try await takeBack(job, from: running) }
            try await matchmaking.failPlacement(match, reason: "not-placed")
            return
        }
        try await giveUp(match, reason: "not-placed")
    }

    func seats(of job: AllocateInstance, in patch: Patch) -> [MatchSeat] {
        job.teams.enumerated().flatMap { team, players in
            players.map { player in
                MatchSeat(
                    team: team, ticketId: player.ticketId, playerId: player.playerId,
                    character: Self.character(of: player, in: patch), rating: player.rating, role: player.role)
            }
        }
    }

    func giveUp(_ match: MatchID, reason: String) async throws {
        try await LostMatches(fleet: fleet, matches: matches, matchmaking: matchmaking, logger: logger)
            .end(match, reason: reason)
    }

    /// The character asked for where the patch has it, else one by the player's name: the same at every attempt.
    static func character(of player: AllocateInstance.Player, in patch: Patch) -> String {
        if let wanted = player.character, patch.characters.contains(where: { $0.id == wanted }) { return wanted }
        guard !patch.characters.isEmpty else { return player.character ?? "none" }
        let sum = player.playerId.rawValue.utf8.reduce(0) { $0 &* 31 &+ UInt($1) }
        return patch.characters[Int(sum % UInt(patch.characters.count))].id
    }
}

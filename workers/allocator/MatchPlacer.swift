import Fleet
import GameData
import GameModel
import Jobs
import Logging
import Matchmaking
import Telemetry

/// Carries out `AllocateInstance`: slot in Redis, roster in SQLite, then the players are told, in this order, so that
/// whoever is told where to play can be sure that their match can be recorded. Players for a running match need no
/// slot: they get seats in its roster.
///
/// Each step is idempotent by match id: an attempt that dies between two steps is simply run again.
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

    func place(_ job: AllocateInstance) async throws {
        Failpoint.allocatorLeased.pass()
        guard let match = try await matchmaking.match(job.matchId) else {
            if let running = job.backfill { try await takeBack(job, from: running) }
            try await fleet.release(job.matchId)
            return
        }
        if let running = job.backfill { return try await join(job, match, into: running) }
        // An earlier attempt may have recorded the match before it ended.
        if match.state.isFinal { return try await giveUp(job.matchId, reason: match.state.rawValue) }
        // Its players were told where to play: a late attempt must not place it anew, also when its slot is free again.
        if match.state == .ready { return }
        guard let allocation = try await places.allocate(job.matchId) else {
            slotsRanOut(job.region)
            throw Snooze(Self.pause)
        }
        Failpoint.allocatorAllocated.pass()
        guard try await record(job, on: allocation) else { return }
        Failpoint.allocatorRecorded.pass()
        do {
            try await matchmaking.markReady(
                job.matchId,
                Assignment(instanceId: allocation.instance, host: allocation.host, port: allocation.port))
            Failpoint.allocatorTold.pass()
        } catch .matchGone, .matchState {
            // Its time to be placed was over, or its players are told of another place.
            logger.info("placed too late", metadata: ["match": "\(job.matchId)"])
            try await giveUp(job.matchId, reason: "placed-too-late")
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

    /// Gives players their seats in a running match, and then tells them; where it ended meanwhile, they queue again.
    private func join(
        _ job: AllocateInstance, _ proposal: MatchmakingService.Match, into running: MatchID
    ) async throws {
        guard proposal.state == .placing else {
            // An earlier attempt may have died when it had added the seats.
            if proposal.state.isFinal, proposal.state != .finished { try await takeBack(job, from: running) }
            return
        }
        do {
            _ = try await matches.addSeats(running, seats(of: job, in: try await patch(of: running)))
        } catch let error as GameDataError {
            logger.info("no seats", metadata: ["match": "\(running)", "error": "\(error)"])
            try await matchmaking.failPlacement(job.matchId, reason: "match-ended")
            return
        }
        if try await isJoined(job.matchId, into: running) { return }
        logger.info("seats are gone", metadata: ["match": "\(running)"])
        try await takeBack(job, from: running)
    }

    /// Takes the seats back that the job has added: its players are matched anew, and must not be on this roster then.
    /// Those who came into the match all the same, by a later proposal, keep theirs.
    private func takeBack(_ job: AllocateInstance, from running: MatchID) async throws {
        var free: Set<TicketID> = []
        for ticket in Set(job.teams.flatMap { $0.map(\.ticketId) })
        where try await matchmaking.ticket(ticket)?.match != running {
            free.insert(ticket)
        }
        try await matches.removeSeats(running, of: free)
    }

    /// The balance that the match is played with, which may be older than the current one.
    func patch(of running: MatchID) async throws -> Patch {
        if let record = try await matches.match(running), let own = try await balance.patch(record.patch) { return own }
        return try await balance.current()
    }

    private func isJoined(_ proposal: MatchID, into running: MatchID) async throws(MatchmakingError) -> Bool {
        do throws(MatchmakingError) {
            return try await matchmaking.joinRunning(proposal, into: running)
        } catch {
            guard error.isTooLate else { throw error }
            return false
        }
    }

    /// Writes the match with its roster; `false` where it can never be.
    private func record(_ job: AllocateInstance, on allocation: Allocation) async throws -> Bool {
        let patch = try await balance.current()
        var placement = MatchPlacement(
            matchId: job.matchId, mode: job.pool.mode, region: job.region, instanceId: allocation.instance,
            patch: patch.patch, roster: seats(of: job, in: patch), bots: job.bots)
        if let rules = job.rules { placement.rules = rules }
        do {
            let reply = try await matches.place(placement)
            if case .moved(let from) = reply {
                logger.notice(
                    "match moved",
                    metadata: ["match": "\(job.matchId)", "from": "\(from)", "to": "\(allocation.instance)"])
            }
            return true
        } catch GameDataError.ticketTaken(let ticket, let other) {
            // The seat in the other match is about to be taken back; the time to be placed bounds the wait for it.
            logger.notice("ticket is taken", metadata: ["ticket": "\(ticket)", "by": "\(other)"])
            try await fleet.release(job.matchId)
            throw Snooze(Self.pause)
        } catch let error as GameDataError {
            logger.error("match can't be recorded", metadata: ["match": "\(job.matchId)", "error": "\(error)"])
            try await giveUp(job.matchId, reason: "not-recordable")
            return false
        }
    }

    private func seats(of job: AllocateInstance, in patch: Patch) -> [MatchSeat] {
        job.teams.enumerated().flatMap { team, players in
            players.map { player in
                MatchSeat(
                    team: team, ticketId: player.ticketId, playerId: player.playerId,
                    character: Self.character(of: player, in: patch), rating: player.rating, role: player.role)
            }
        }
    }

    private func giveUp(_ match: MatchID, reason: String) async throws {
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

extension MatchmakingError {
    /// Whether the players are not waiting for the match any more.
    fileprivate var isTooLate: Bool {
        switch self {
        case .matchGone, .matchState: true
        default: false
        }
    }
}

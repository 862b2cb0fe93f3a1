import GameData
import GameModel
import Logging
import Matchmaking

/// Players who come into a running match.
extension MatchPlacer {
    /// Gives players their seats in a running match, and then tells them; where it ended meanwhile, they queue again.
    func join(
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
    func takeBack(_ job: AllocateInstance, from running: MatchID) async throws {
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
}

extension MatchmakingError {
    /// Whether the players are not waiting for the match any more.
    var isTooLate: Bool {
        switch self {
        case .matchGone, .matchState: true
        default: false
        }
    }
}

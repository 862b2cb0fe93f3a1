import Fleet
import GameData
import GameModel
import Logging
import Matchmaking
import Telemetry

/// Ends the matches that will not end by themselves: recorded as abandoned, players told, slot free. In this order, and
/// struck off the fleet's list last, so that a crash in between only makes it happen again.
struct LostMatches: Sendable {
    let fleet: FleetService
    let matches: MatchesRepository
    let matchmaking: MatchmakingService
    let logger: Logger

    /// Ends each of them; one that can't be ended is left for the next time, and does not hold up the others.
    func settle(_ lost: [LostMatch], in region: Region) async throws {
        var settled: [MatchID] = []
        for match in lost where await isEnded(match.match, reason: match.reason.rawValue) {
            settled.append(match.match)
        }
        try await fleet.settleLost(settled, in: region)
    }

    /// Ends one match; `false` where that failed, which is logged.
    func isEnded(_ match: MatchID, reason: String) async -> Bool {
        do {
            try await end(match, reason: reason)
            return true
        } catch {
            logger.warning("a lost match can't be ended yet", metadata: ["match": "\(match)", "error": "\(error)"])
            return false
        }
    }

    /// Ends one match, unless it has a result: then the players' tickets are finished.
    func end(_ match: MatchID, reason: String) async throws {
        switch try await matches.abandon(match, reason: reason) {
        case .abandoned, .alreadyAbandoned, .unknownMatch:
            logger.notice("match abandoned", metadata: ["match": "\(match)", "reason": "\(reason)"])
            Failpoint.allocatorAbandoned.pass()
            // It was none of their doing, unless they did not come: then they wait like everybody.
            try await matchmaking.failPlacement(
                match, reason: reason, withHeadStart: reason != LostMatch.Reason.notJoined.rawValue)
            Failpoint.allocatorFreed.pass()
        case .hasResult:
            _ = try await matchmaking.finish(match)
        }
        try await fleet.release(match)
    }
}

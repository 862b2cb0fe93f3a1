import Fleet
import GameData
import GameModel
import Logging
import Matchmaking
import Telemetry

/// Ends the matches that will not end by themselves: recorded as abandoned, players told, slot free. In this order, and
/// struck off the fleet's list last, so that a crash in between only makes it happen again.
struct LostMatches: Sendable {
    /// How many are ended at once: their writes share a commit.
    static let concurrency = 16

    let fleet: FleetService
    let matches: MatchesRepository
    let matchmaking: MatchmakingService
    let logger: Logger

    /// Ends each of them; one that can't be ended is left for the next time, and does not hold up the others.
    func settle(_ lost: [LostMatch], in region: Region) async throws {
        let settled = await withTaskGroup(of: MatchID?.self) { group in
            var (waiting, settled) = (lost[...], [MatchID]())
            for _ in 0..<Self.concurrency {
                if let match = waiting.popFirst() { group.addTask { await self.settled(match) } }
            }
            for await match in group {
                if let match { settled.append(match) }
                if let next = waiting.popFirst() { group.addTask { await self.settled(next) } }
            }
            return settled
        }
        try await fleet.settleLost(settled, in: region)
    }

    private func settled(_ lost: LostMatch) async -> MatchID? {
        await isEnded(lost.match, on: lost.instance, reason: lost.reason.rawValue) ? lost.match : nil
    }

    /// Ends one match; `false` where that failed, which is logged.
    ///
    /// - Parameter instance: the one that lost it: placed on another meanwhile, the match goes on. `nil`: any.
    func isEnded(_ match: MatchID, on instance: InstanceID? = nil, reason: String) async -> Bool {
        do {
            // A match is on one list or the other, so that who holds a slot again was placed again, or came back.
            if instance != nil, let region = match.region, try await fleet.allocated([match], in: region) == [match] {
                return true
            }
            try await end(match, on: instance, reason: reason)
            return true
        } catch {
            logger.warning("a lost match can't be ended yet", metadata: ["match": "\(match)", "error": "\(error)"])
            return false
        }
    }

    /// Ends one match, unless it has a result: then the players' tickets are finished.
    func end(_ match: MatchID, on instance: InstanceID? = nil, reason: String) async throws {
        switch try await matches.abandon(match, on: instance, reason: reason) {
        case .elsewhere:
            logger.info("match goes on elsewhere", metadata: ["match": "\(match)"])
            return
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

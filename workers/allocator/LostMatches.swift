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

    func settle(_ lost: [LostMatch], in region: Region) async throws {
        for match in lost { try await end(match.match, reason: match.reason.rawValue) }
        try await fleet.settleLost(lost.map(\.match), in: region)
    }

    /// Ends one match, unless it has a result: then the players' tickets are finished.
    func end(_ match: MatchID, reason: String) async throws {
        switch try await matches.abandon(match, reason: reason) {
        case .abandoned, .alreadyAbandoned, .unknownMatch:
            logger.notice("match abandoned", metadata: ["match": "\(match)", "reason": "\(reason)"])
            Failpoint.allocatorAbandoned.pass()
            try await matchmaking.failPlacement(match, reason: reason)
            Failpoint.allocatorFreed.pass()
        case .hasResult:
            _ = try await matchmaking.finish(match)
        }
        try await fleet.release(match)
    }
}

/// Finds matches that SQLite has as placed and that no instance runs and Redis forgot: a wipe took the allocation
/// before anyone had joined. Named in two sweeps in a row, they are lost; a running match is back in Redis long before.
struct ForgottenMatches: Sendable {
    let fleet: FleetService
    let matches: MatchesRepository
    private var seen: Set<MatchID> = []
    private var instances: Set<InstanceID> = []

    init(fleet: FleetService, matches: MatchesRepository) {
        self.fleet = fleet
        self.matches = matches
    }

    /// - Parameter present: the instances that live now; those of earlier sweeps are looked at too.
    mutating func sweep(_ region: Region, present: [InstanceID]) async throws -> [MatchID] {
        instances.formUnion(present)
        for record in try await matches.recent(limit: MatchesRepository.limitMax)
        where record.state == .placed && record.region == region {
            instances.insert(record.instanceId)
        }
        var absent: Set<MatchID> = []
        for instance in instances {
            let placed = try await matches.placed(on: instance)
            if placed.isEmpty {
                if !present.contains(instance) { instances.remove(instance) }
                continue
            }
            absent.formUnion(Set(placed).subtracting(try await fleet.allocated(placed, in: region)))
        }
        defer { seen = absent }
        return absent.intersection(seen).sorted()
    }
}

import Fleet
import GameData
import GameModel
import Matchmaking

/// Looks now and then for matches that nothing else would ever end: those that Redis forgot, and those whose instance
/// still says that it lives but which have gone on for longer than a match can.
struct MatchSweep: Sendable {
    /// Beyond the longest that the rules let a match last: the time to be joined, that to gather, and what a slow host
    /// takes longer.
    static let margin = Duration.seconds(180)

    private let fleet: FleetService
    private let lost: LostMatches
    private var forgotten: ForgottenMatches

    init(fleet: FleetService, lost: LostMatches) {
        self.fleet = fleet
        self.lost = lost
        forgotten = ForgottenMatches(fleet: fleet, matches: lost.matches)
    }

    mutating func run(_ region: Region) async throws {
        let snapshot = try await fleet.list(region)
        for match in try await forgotten.sweep(region, present: snapshot.instances.map(\.instance)) {
            _ = await lost.isEnded(match, reason: "forgotten")
        }
        for match in try await overdue(region, at: snapshot.at) {
            _ = await lost.isEnded(match, reason: "overdue")
        }
    }

    /// Matches that have held their slot for longer than their mode's longest match. By the time of Redis alone: this
    /// host's clock may be wrong.
    func overdue(_ region: Region, at now: Instant) async throws -> [MatchID] {
        let modes = lost.matchmaking.rules.modes
        return try await fleet.held(in: region).compactMap { _, held in
            guard held.joinBefore == nil, let mode = held.match.pool?.mode else { return nil }
            let longest = modes[mode].map { Duration.seconds($0.matchSecondsMax) } ?? .seconds(3_600)
            let age = now.milliseconds - held.since
            return age > (longest + Self.margin).milliseconds ? held.match : nil
        }.sorted()
    }
}

/// Finds matches that SQLite has as placed and that no instance runs and Redis forgot: a wipe took the allocation
/// before anyone had joined. Named in two sweeps in a row, they are lost; a running match is back in Redis long before.
struct ForgottenMatches: Sendable {
    private let fleet: FleetService
    private let matches: MatchesRepository
    private var seen: Set<MatchID> = []
    private var instances: Set<InstanceID>?

    init(fleet: FleetService, matches: MatchesRepository) {
        self.fleet = fleet
        self.matches = matches
    }

    /// - Parameter present: the instances that live now; those of earlier sweeps are looked at too.
    mutating func sweep(_ region: Region, present: [InstanceID]) async throws -> [MatchID] {
        // The first sweep of a process finds also what is older than the last matches.
        var instances: Set<InstanceID>
        if let known = self.instances { instances = known } else { instances = try await matches.placedOn(in: region) }
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
        self.instances = instances
        defer { seen = absent }
        return absent.intersection(seen).sorted()
    }
}

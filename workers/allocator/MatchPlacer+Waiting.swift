import Fleet
import GameData
import GameModel
import Jobs
import Logging
import Matchmaking
import Telemetry

/// A match that waits for its slot.
struct WaitingMatch: Sendable {
    let job: AllocateInstance
    let match: MatchmakingService.Match

    /// `nil` where the job is of another kind, or the match is past this.
    init?(_ job: AllocateInstance, _ match: Result<MatchmakingService.Match?, MatchmakingError>) {
        guard job.backfill == nil, case .success(let match?) = match, !match.state.isFinal, match.state != .ready else {
            return nil
        }
        (self.job, self.match) = (job, match)
    }

    var id: MatchID { match.id }
}

/// Matches that wait for their slots, placed together.
extension MatchPlacer {
    private typealias Given = (waiting: WaitingMatch, allocation: Allocation)

    /// - Returns: the errors of single matches.
    func place(_ matches: [WaitingMatch], in region: Region) async -> [MatchID: any Error] {
        var errors: [MatchID: any Error] = [:]
        let given = await allocate(matches, in: region, &errors)
        guard !given.isEmpty else { return errors }
        Failpoint.allocatorAllocated.pass()
        let replies = await record(given)
        let recorded = zip(given, replies).compactMap { given, reply in reply.isDone ? given : nil }
        if !recorded.isEmpty { Failpoint.allocatorRecorded.pass() }
        let refusals = await tell(recorded)
        if refusals.contains(where: { $0 == nil }) { Failpoint.allocatorTold.pass() }
        for (given, reply) in zip(given, replies) {
            if case .failure(let error) = reply { errors[given.waiting.id] = await refused(given.waiting, error) }
        }
        for (given, refusal) in zip(recorded, refusals) {
            if let refusal { errors[given.waiting.id] = await tooLate(given.waiting.id, refusal) }
        }
        return errors
    }

    // MARK: Steps

    private func allocate(
        _ matches: [WaitingMatch], in region: Region, _ errors: inout [MatchID: any Error]
    ) async -> [Given] {
        let places = await places(for: matches.map(\.id), in: region)
        var given: [Given] = []
        for match in matches {
            switch places[match.id] {
            case .success(let allocation): given.append((match, allocation))
            case .failure(let error): errors[match.id] = error
            case nil: errors[match.id] = Snooze(Self.pause)
            }
        }
        if matches.contains(where: { places[$0.id] == nil }) { slotsRanOut(region) }
        return given
    }

    /// Where not all can be asked for together, each is asked for by itself: one that is bad must not fail the others.
    private func places(
        for matches: [MatchID], in region: Region
    ) async -> [MatchID: Result<Allocation, any Error>] {
        do {
            return try await places.allocate(matches, in: region).mapValues { .success($0) }
        } catch {
            let isOutage = (error as? FleetError)?.isOutage ?? false
            if matches.count == 1 || isOutage || Task.isCancelled {
                return matches.reduce(into: [:]) { $0[$1] = .failure(error) }
            }
            var found: [MatchID: Result<Allocation, any Error>] = [:]
            for match in matches { found.merge(await places(for: [match], in: region)) { $1 } }
            return found
        }
    }

    /// Writes the matches with their rosters, in one transaction.
    private func record(_ given: [Given]) async -> [Result<PlaceReply, any Error>] {
        do {
            let patch = try await balance.current()
            let replies = try await matches.place(
                given.map { waiting, allocation in
                    let job = waiting.job
                    var placement = MatchPlacement(
                        matchId: job.matchId, mode: job.pool.mode, region: job.region, instanceId: allocation.instance,
                        patch: patch.patch, roster: seats(of: job, in: patch), bots: job.bots)
                    if let rules = job.rules { placement.rules = rules }
                    return placement
                })
            for (given, reply) in zip(given, replies) {
                guard case .success(.moved(let from)) = reply else { continue }
                logger.notice(
                    "match moved",
                    metadata: [
                        "match": "\(given.waiting.id)", "from": "\(from)", "to": "\(given.allocation.instance)",
                    ])
            }
            return replies
        } catch {
            return given.map { _ in .failure(error) }
        }
    }

    /// - Returns: for each, why its players could not be told; `nil` where they are.
    private func tell(_ recorded: [Given]) async -> [MatchmakingError?] {
        guard !recorded.isEmpty else { return [] }
        return await matchmaking.markReady(
            recorded.map { waiting, allocation in
                let assignment = Assignment(
                    instanceId: allocation.instance, host: allocation.host, port: allocation.port)
                return (waiting.match, assignment)
            })
    }

    // MARK: What was refused

    /// A match that the book did not take; returns the error that its job ends with.
    private func refused(_ waiting: WaitingMatch, _ error: any Error) async -> (any Error)? {
        guard let refusal = error as? GameDataError else { return error }
        do {
            if case .ticketTaken(let ticket, let other) = refusal {
                // The seat in the other match is about to be taken back; the time to be placed bounds the wait for it.
                logger.notice("ticket is taken", metadata: ["ticket": "\(ticket)", "by": "\(other)"])
                try await fleet.release(waiting.id)
                return Snooze(Self.pause)
            }
            logger.error(
                "match can't be recorded", metadata: ["match": "\(waiting.id)", "error": "\(refusal)"])
            try await giveUp(waiting.id, reason: "not-recordable")
            return nil
        } catch {
            return error
        }
    }

    /// A match whose players could not be told; returns the error that its job ends with.
    private func tooLate(_ match: MatchID, _ error: MatchmakingError) async -> (any Error)? {
        guard error.isTooLate else { return error }
        // Its time to be placed was over, or its players are told of another place.
        logger.info("placed too late", metadata: ["match": "\(match)"])
        do {
            try await giveUp(match, reason: "placed-too-late")
            return nil
        } catch {
            return error
        }
    }
}

extension Result {
    fileprivate var isDone: Bool {
        if case .success = self { true } else { false }
    }
}

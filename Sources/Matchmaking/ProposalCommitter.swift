import Foundation
import GameModel
import Jobs
import Redis

/// Commits proposals, many in one write, each by its own script: all its tickets are taken out of the queue, or none.
struct ProposalCommitter: Sendable {
    enum Outcome: Sendable, Hashable {
        case proposed(MatchID)
        /// The pool belongs to another ranker by now.
        case fenced
        /// These were not queued any more; the others still are.
        case notQueued(Set<TicketID>)
    }

    let keys: MatchmakingKeys
    let pool: Pool
    let rules: MatchmakingRules
    /// "owner fence"
    let lease: String
    /// Of which the lease is.
    var band = 0
    /// By which the proposals were made.
    var matcher: Matcher?
    let redis: RedisClient

    /// - Parameter now: when the proposals were made; for people.
    func commit(_ proposals: [Proposal], at now: Instant? = nil) async throws(RedisError) -> [Outcome] {
        guard let mode = rules.rules(of: pool) else { return proposals.map { _ in .fenced } }
        let matcher = matcher ?? Matcher(rules: mode, regions: rules.regions(of: pool))
        var matches: [MatchID] = []
        var calls: [(keys: [RedisKey], arguments: [RedisArgument])] = []
        matches.reserveCapacity(proposals.count)
        calls.reserveCapacity(proposals.count)
        for proposal in proposals {
            let match = MatchID(in: pool, playedIn: proposal.region, ULID())
            let grounds = MatchGrounds(proposal, matcher, at: now ?? proposal.anchor.queuedAt)
            matches.append(match)
            calls.append(
                (
                    keys: keys(of: proposal, match, mode),
                    arguments: try arguments(of: proposal, match, mode, grounds)
                ))
        }
        let replies = try await redis.pipeline(MatchmakingScripts.propose, calls: calls)
        var outcomes: [Outcome] = []
        for (match, reply) in zip(matches, replies) { outcomes.append(try Self.outcome(reply, match)) }
        return outcomes
    }

    private func keys(of proposal: Proposal, _ match: MatchID, _ mode: ModeRules) -> [RedisKey] {
        var all = keys.common + [keys.lease(ofBand: band), keys.match(match), keys.waits]
        all += proposal.allTickets.map { keys.ticket($0.id) }
        if let running = proposal.backfill?.backfill?.match { all.append(keys.match(running)) }
        if !mode.needsAcceptance { all += JobKeys(keys.allocationQueue).forEnqueue }
        return all
    }

    private func arguments(
        of proposal: Proposal, _ match: MatchID, _ mode: ModeRules, _ grounds: MatchGrounds
    ) throws(RedisError) -> [RedisArgument] {
        let tickets = proposal.allTickets.map(\.id.rawValue)
        let seats = proposal.backfill?.backfill
        let limit = mode.needsAcceptance ? mode.acceptSeconds : mode.placeSeconds
        let why: String
        do {
            why = try grounds.text()
        } catch {
            throw .invalidConfiguration("\(error)")
        }
        var arguments: [RedisArgument] = [
            RedisArgument(lease), RedisArgument(match.rawValue), RedisArgument(Int64(limit * 1_000)),
            mode.needsAcceptance ? "1" : "0", RedisArgument(AllocateInstance.id(of: match).rawValue),
            RedisArgument(try allocation(of: proposal, match)), RedisArgument(tickets.joined(separator: ",")),
            RedisArgument(Self.list(proposal.teams.map(\.count))), RedisArgument(proposal.players.count),
        ]
        arguments += [
            RedisArgument(Self.list(proposal.bots)), RedisArgument(proposal.region.rawValue),
            RedisArgument(rules.version), RedisArgument(why), RedisArgument(seats?.match.rawValue ?? ""),
            RedisArgument(seats?.generation ?? 0),
            RedisArgument(seats == nil ? "" : Self.list(proposal.teams.map { $0.flatMap(\.members).count })),
        ]
        return arguments + tickets.map { RedisArgument($0) }
    }

    /// What the last acceptance enqueues, as the queue's script wants it.
    private func allocation(of proposal: Proposal, _ match: MatchID) throws(RedisError) -> [UInt8] {
        let teams = proposal.teams.map { team in
            team.flatMap { ticket in
                ticket.members.map { member in
                    AllocateInstance.Player(
                        ticketId: ticket.id, playerId: member.player, character: member.character,
                        rating: member.skill.rating, role: proposal.roles[member.player])
                }
            }
        }
        let job = AllocateInstance(
            matchId: match, pool: pool, teams: teams, bots: proposal.bots,
            backfill: proposal.backfill?.backfill?.match, rules: rules.version)
        do throws(JobError) {
            return try EncodedJob(job, id: AllocateInstance.id(of: match)).specification
        } catch {
            // Only numbers that JSON has no form for could do this, and a ticket with such is never created.
            throw .invalidConfiguration("\(error)")
        }
    }

    private static func list(_ numbers: [Int]) -> String { numbers.map(String.init).joined(separator: ",") }

    private static func outcome(_ reply: RESPValue, _ match: MatchID) throws(RedisError) -> Outcome {
        if case .error(let reason) = reply { throw .server(reason) }
        guard let items = reply.array, items.count >= 2 else { throw .unexpectedReply("propose") }
        if items[0].int == 1 { return .proposed(match) }
        if items[1].string == "fence" { return .fenced }
        return .notQueued(Set(items.dropFirst(2).compactMap(\.string).map { TicketID($0) }))
    }
}

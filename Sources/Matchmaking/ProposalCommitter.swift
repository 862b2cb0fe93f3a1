import Foundation
import GameModel
import Jobs
import Redis

/// Commits proposals, many in one write, each by its own script: all its tickets are proposed, or none.
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
    let redis: RedisClient

    func commit(_ proposals: [Proposal]) async throws(RedisError) -> [Outcome] {
        let acceptMs = Int64((rules.rules(of: pool)?.acceptSeconds ?? 15) * 1_000)
        var matches: [MatchID] = []
        var calls: [(keys: [RedisKey], arguments: [RedisArgument])] = []
        for proposal in proposals {
            let match = MatchID(in: pool, playedIn: proposal.region, ULID())
            let tickets = proposal.tickets
            matches.append(match)
            calls.append(
                (
                    keys: keys.common + [keys.lease, keys.match(match)] + tickets.map { keys.ticket($0.id) },
                    arguments: [
                        RedisArgument(lease), RedisArgument(match.rawValue), RedisArgument(acceptMs),
                        RedisArgument(try allocation(of: proposal, match)),
                        RedisArgument(tickets.map(\.id.rawValue).joined(separator: ",")),
                        RedisArgument(proposal.teams.map { "\($0.count)" }.joined(separator: ",")),
                        RedisArgument(Self.why(proposal)),
                    ] + tickets.map { RedisArgument($0.id.rawValue) }
                ))
        }
        let replies = try await redis.pipeline(MatchmakingScripts.propose, calls: calls)
        var outcomes: [Outcome] = []
        for (match, reply) in zip(matches, replies) { outcomes.append(try Self.outcome(reply, match)) }
        return outcomes
    }

    /// What the last acceptance enqueues, as the queue's script wants it.
    private func allocation(of proposal: Proposal, _ match: MatchID) throws(RedisError) -> [UInt8] {
        let teams = proposal.teams.map { team in
            team.flatMap { ticket in
                ticket.members.map { member in
                    AllocateInstance.Player(
                        ticketId: ticket.id, playerId: member.player, character: member.character,
                        rating: member.skill.rating)
                }
            }
        }
        let job = AllocateInstance(matchId: match, pool: pool, teams: teams)
        do throws(JobError) {
            return try EncodedJob(job, id: AllocateInstance.id(of: match)).specification
        } catch {
            // Only numbers that JSON has no form for could do this, and a ticket with such is never created.
            throw .invalidConfiguration("\(error)")
        }
    }

    private static func why(_ proposal: Proposal) -> String {
        "{\"anchor\":\"\(proposal.anchor.id)\"}"
    }

    private static func outcome(_ reply: RESPValue, _ match: MatchID) throws(RedisError) -> Outcome {
        if case .error(let reason) = reply { throw .server(reason) }
        guard let items = reply.array, items.count >= 2 else { throw .unexpectedReply("propose") }
        if items[0].int == 1 { return .proposed(match) }
        if items[1].string == "fence" { return .fenced }
        return .notQueued(Set(items.dropFirst(2).compactMap(\.string).map { TicketID($0) }))
    }
}

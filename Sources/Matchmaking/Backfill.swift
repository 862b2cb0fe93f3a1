import Foundation
import GameModel
import Redis

/// Players for matches that run: an instance whose players left asks for others, its request waits in the pool like a
/// ticket, and whoever is matched with it accepts as for any match.
///
/// A running match has one request at most. Each change of it raises its generation; a proposal made for an older one
/// is refused. The request ends with its match, at the latest.
extension MatchmakingService {
    /// How often it is looked whether a request's match still runs.
    static let backfillLook = Duration.milliseconds(500)
    /// How often a call is made again because the match changed between reading and writing.
    private static let backfillTries = 5

    /// Asks for players for a running match, or changes what was asked for.
    ///
    /// - Parameters:
    ///   - open: the open seats of each team, those of bots that would give way among them.
    ///   - left: all who have left the match so far; the others of its roster are who plays.
    /// - Returns: the request as a ticket without players; where players are on their way to these seats just now, it
    /// is
    ///   `proposed` or `placing`.
    /// - Throws: ``MatchmakingError/backfillRefused(_:reason:)`` where the mode has no backfill or the seats can't be
    ///   open, ``MatchmakingError/matchGone(_:)`` or ``MatchmakingError/matchState(_:_:action:)`` where the match does
    ///   not run.
    @discardableResult
    public func requestBackfill(
        _ match: MatchID, open: [Int], left: Set<PlayerID> = []
    ) async throws(MatchmakingError) -> Ticket {
        let pool = try backfillPool(of: match, open: open)
        let keys = MatchmakingKeys(pool)
        let waitMs = Int64((rules.rules(of: pool)?.waitSecondsMax ?? 600) * 1_000)
        for _ in 0..<Self.backfillTries {
            let running = try await runningMatch(match, keys)
            let id = try await liveBackfill(of: running, keys) ?? TicketID(in: pool, ULID())
            let generation = running.generation + 1
            let teams = try await members(of: running.teams, keys)
            let body = try Self.text(
                BackfillSeats(
                    match: match, region: match.region ?? pool.region, generation: generation, open: open,
                    teams: teams.map { $0.filter { !left.contains($0.player) } }), match)
            let reply = try await run(
                BackfillScripts.request, keys: keys.common + [keys.match(match), keys.ticket(id)],
                arguments: [
                    RedisArgument(match.rawValue), RedisArgument(id.rawValue), RedisArgument(running.generation),
                    RedisArgument(Self.list(open)), RedisArgument(body), RedisArgument(waitMs),
                    RedisArgument(Self.backfillLook.milliseconds),
                ])
            if Self.isDone(reply), let ticket = try await ticket(id) { return ticket }
            try Self.expectChanged(reply, match, action: "backfill")
        }
        throw .backfillRefused(match, reason: "it changes all the time")
    }

    /// Takes the request back. Players who were matched for its seats and did not come yet go back to the queue.
    ///
    /// - Returns: `false` where there was none.
    @discardableResult
    public func cancelBackfill(_ match: MatchID) async throws(MatchmakingError) -> Bool {
        guard let pool = match.pool else { throw .matchGone(match) }
        let keys = MatchmakingKeys(pool)
        let asked = try await send(
            RedisCommand("HGET", RedisArgument(keys.match(match)), "backfill", isSafeToRepeat: true))
        guard let id = asked.string.map({ TicketID($0) }) else { return false }
        let reply = try await run(
            BackfillScripts.cancel, keys: keys.common + [keys.match(match), keys.ticket(id)],
            arguments: [RedisArgument(id.rawValue), RedisArgument(Self.endedSeconds)])
        return reply.int == 1
    }

    /// The request of a running match; `nil` where it has none that lives.
    public func backfill(of match: MatchID) async throws(MatchmakingError) -> Ticket? {
        guard let pool = match.pool else { return nil }
        let keys = MatchmakingKeys(pool)
        let asked = try await send(
            RedisCommand("HGET", RedisArgument(keys.match(match)), "backfill", isSafeToRepeat: true))
        guard let id = asked.string.map({ TicketID($0) }), let ticket = try await ticket(id) else { return nil }
        return ticket.state.isFinal ? nil : ticket
    }

    /// placing → ready for players who were matched for seats of a running match: they are told where it is played, and
    /// belong to it from now on. Seats that stay open are asked for again. Repeating it does nothing.
    ///
    /// - Parameters:
    ///   - proposal: the match as which they were proposed; it ends `finished`, reason `backfilled`.
    ///   - running: the match that they come into.
    /// - Returns: `false` where the seats are gone (the match ended, or took the request back): the players are in the
    ///   queue again with their original time, and what was prepared for them must be undone.
    /// - Throws: ``MatchmakingError/matchGone(_:)`` or ``MatchmakingError/matchState(_:_:action:)`` where the players
    ///   are not waiting for it any more.
    public func joinRunning(_ proposal: MatchID, into running: MatchID) async throws(MatchmakingError) -> Bool {
        guard let pool = proposal.pool, running.pool == pool else { throw .matchGone(proposal) }
        let keys = MatchmakingKeys(pool)
        for _ in 0..<Self.backfillTries {
            let coming = try await storedMatch(proposal, keys)
            guard let coming else { throw .matchGone(proposal) }
            let tickets = coming.teams.flatMap { $0 }
            let after = try await afterJoining(coming, try await storedMatch(running, keys), keys)
            // The request is the last of the roster, after the players' tickets.
            let request = coming.roster.count > tickets.count ? coming.roster.last : nil
            let reply = try await run(
                BackfillScripts.join,
                keys: keys.common + [
                    keys.match(proposal), keys.match(running), keys.ticket(request ?? TicketID("none")),
                ] + tickets.map(keys.ticket),
                arguments: [
                    RedisArgument(proposal.rawValue), RedisArgument(running.rawValue),
                    RedisArgument(request?.rawValue ?? ""), RedisArgument(after.generation),
                    RedisArgument(after.roster), RedisArgument(after.teams), RedisArgument(after.open),
                    RedisArgument(after.body), RedisArgument(Self.endedSeconds),
                ] + tickets.map { RedisArgument($0.rawValue) })
            if Self.isDone(reply) { return true }
            if reply.array?.first?.int == 2 { return false }
            try Self.expectChanged(reply, proposal, action: "join a running match by")
        }
        throw .backfillRefused(running, reason: "it changes all the time")
    }
}

/// What is read before a script is called.
extension MatchmakingService {
    /// A match as its hash says.
    private struct StoredMatch {
        let id: MatchID
        let state: MatchState
        let roster: [TicketID]
        /// The players' tickets of each team.
        let teams: [[TicketID]]
        let generation: Int
        let request: TicketID?
        let open: [Int]
        /// The seats of a running match that it takes.
        let seats: [Int]

        init?(_ id: MatchID, _ fields: [String: String]) {
            guard let state = fields["state"].flatMap(MatchState.init(rawValue:)), let roster = fields["roster"] else {
                return nil
            }
            func numbers(_ name: String) -> [Int] { fields[name]?.split(separator: ",").compactMap { Int($0) } ?? [] }
            self.id = id
            self.state = state
            self.roster = roster.split(separator: ",").map { TicketID(String($0)) }
            var rest = self.roster[...]
            teams = numbers("teams").map { size in
                defer { rest = rest.dropFirst(size) }
                return Array(rest.prefix(size))
            }
            generation = fields["generation"].flatMap { Int($0) } ?? 0
            request = fields["backfill"].map { TicketID($0) }
            open = numbers("open")
            seats = numbers("seats")
        }
    }

    /// What a running match is after others joined it, as the script wants it.
    private struct AfterJoining {
        var generation = 0
        var roster = ""
        var teams = ""
        var open = ""
        var body = ""
    }

    private func backfillPool(of match: MatchID, open: [Int]) throws(MatchmakingError) -> Pool {
        guard let pool = match.pool, let rules = rules.rules(of: pool) else { throw .matchGone(match) }
        guard rules.backfill.isAllowed else {
            throw .backfillRefused(match, reason: "the rules of '\(pool.mode)' allow none")
        }
        guard open.count == rules.teams else {
            throw .backfillRefused(match, reason: "open names \(open.count) teams, must be \(rules.teams)")
        }
        guard open.allSatisfy({ (0...rules.teamSize).contains($0) }), open.contains(where: { $0 > 0 }) else {
            throw .backfillRefused(
                match, reason: "open is \(open), must be 0 to \(rules.teamSize) a team and not all 0")
        }
        return pool
    }

    private func storedMatch(_ id: MatchID, _ keys: MatchmakingKeys) async throws(MatchmakingError) -> StoredMatch? {
        let reply = try await send(RedisCommand("HGETALL", RedisArgument(keys.match(id)), isSafeToRepeat: true))
        return StoredMatch(id, reply.fields)
    }

    private func runningMatch(_ id: MatchID, _ keys: MatchmakingKeys) async throws(MatchmakingError) -> StoredMatch {
        guard let match = try await storedMatch(id, keys) else { throw .matchGone(id) }
        guard match.state == .ready else { throw .matchState(id, match.state, action: "backfill") }
        return match
    }

    private func liveBackfill(
        of match: StoredMatch, _ keys: MatchmakingKeys
    ) async throws(MatchmakingError) -> TicketID? {
        guard let id = match.request else { return nil }
        let reply = try await send(
            RedisCommand("HGET", RedisArgument(keys.ticket(id)), "state", isSafeToRepeat: true))
        guard let state = reply.string.flatMap(TicketState.init(rawValue:)), !state.isFinal else { return nil }
        return id
    }

    /// The members of tickets that are there.
    private func members(
        of teams: [[TicketID]], _ keys: MatchmakingKeys
    ) async throws(MatchmakingError) -> [[TicketMember]] {
        let replies: [RESPValue]
        do throws(RedisError) {
            replies = try await redis.pipeline(
                teams.flatMap { $0 }.map {
                    RedisCommand("HGETALL", RedisArgument(keys.ticket($0)), isSafeToRepeat: true)
                })
        } catch {
            throw .redis(error)
        }
        var rest = replies[...]
        return teams.map { team in
            defer { rest = rest.dropFirst(team.count) }
            return rest.prefix(team.count).flatMap { TicketBody(fields: $0.fields)?.members ?? [] }
        }
    }

    private func afterJoining(
        _ coming: StoredMatch, _ running: StoredMatch?, _ keys: MatchmakingKeys
    ) async throws(MatchmakingError) -> AfterJoining {
        var after = AfterJoining()
        guard let running, running.state == .ready, let pool = coming.id.pool else { return after }
        after.generation = running.generation
        let teams = running.teams.indices.map { index in
            running.teams[index] + (index < coming.teams.count ? coming.teams[index] : [])
        }
        after.roster = teams.flatMap { $0 }.map(\.rawValue).joined(separator: ",")
        after.teams = Self.list(teams.map(\.count))
        let open = running.open.indices.map { index in
            running.open[index] - (index < coming.seats.count ? coming.seats[index] : 0)
        }
        after.open = Self.list(open.map { max(0, $0) })
        guard open.contains(where: { $0 > 0 }), open.allSatisfy({ $0 >= 0 }), let request = running.request else {
            return after
        }
        let joining = try await members(of: coming.teams, keys)
        let stored = try await send(RedisCommand("HGETALL", RedisArgument(keys.ticket(request)), isSafeToRepeat: true))
        let playing = TicketBody(fields: stored.fields)?.backfill?.teams ?? []
        let seated = open.indices.map { index in
            (index < playing.count ? playing[index] : []) + (index < joining.count ? joining[index] : [])
        }
        after.body = try Self.text(
            BackfillSeats(
                match: running.id, region: running.id.region ?? pool.region, generation: running.generation + 1,
                open: open, teams: seated), running.id)
        return after
    }

    private static func list(_ numbers: [Int]) -> String { numbers.map(String.init).joined(separator: ",") }

    private static func text(_ seats: BackfillSeats, _ match: MatchID) throws(MatchmakingError) -> String {
        do {
            return try TicketBody(members: [], backfill: seats).text()
        } catch {
            throw .backfillRefused(match, reason: "\(error)")
        }
    }

    /// Returns where the call is to be made again.
    private static func expectChanged(
        _ reply: RESPValue, _ match: MatchID, action: String
    ) throws(MatchmakingError) {
        guard let items = reply.array, items.count == 2, let reason = items[1].string else {
            throw .redis(.unexpectedReply(action))
        }
        if reason == "changed" { return }
        guard let state = MatchState(rawValue: reason) else { throw .matchGone(match) }
        throw .matchState(match, state, action: action)
    }
}

import GameModel
import Jobs
import Logging
import Redis

/// The matches: what the allocator and the ingest do with one after all its players accepted.
extension MatchmakingService {
    /// A match and the tickets in it.
    public struct Match: Sendable, Hashable {
        public let id: MatchID
        public let state: MatchState
        /// In the order of the teams.
        public let tickets: [TicketID]
        public let teamSizes: [Int]
        public let proposedAt: Instant?
        public let assignment: Assignment?
        /// What the matcher knew, as JSON: window, gap, predicted chance.
        public let why: String?
    }

    /// Reads a match; `nil` where Redis does not know it (any more).
    public func match(_ id: MatchID) async throws(MatchmakingError) -> Match? {
        guard let pool = id.pool else { return nil }
        return Self.match(id, try await send(Self.read(MatchmakingKeys(pool).match(id))))
    }

    static func read(_ match: RedisKey) -> RedisCommand {
        RedisCommand("HGETALL", RedisArgument(match), isSafeToRepeat: true)
    }

    static func match(_ id: MatchID, _ reply: RESPValue) -> Match? {
        let fields = reply.fields
        guard let state = fields["state"].flatMap(MatchState.init(rawValue:)), let roster = fields["roster"] else {
            return nil
        }
        return Match(
            id: id, state: state, tickets: roster.split(separator: ",").map { TicketID(String($0)) },
            teamSizes: fields["teams"]?.split(separator: ",").compactMap { Int($0) } ?? [],
            proposedAt: fields["proposedAt"].flatMap(Instant.init(text:)), assignment: Assignment(fields: fields),
            why: fields["why"])
    }

    /// placing → ready: tells the players where to connect. Repeating it for the same instance does nothing.
    /// - Throws: ``MatchmakingError/matchGone(_:)`` or ``MatchmakingError/matchState(_:_:action:)`` where the players
    ///   are not waiting for it any more: free the slot.
    public func markReady(_ id: MatchID, _ assignment: Assignment) async throws(MatchmakingError) {
        let match = try await presentMatch(id)
        if let error = await markReady([(match, assignment)])[0] { throw error }
    }

    /// Ends a match that can't be played. From placing its players go back to the queue with their original time, or to
    /// `failed` after too many placements; from ready (the instance died) they go to `failed`.
    ///
    /// - Parameter withHeadStart: whether those whose tickets failed come before others when they queue again.
    /// - Returns: `false` where the match had ended already, or is gone.
    @discardableResult
    public func failPlacement(
        _ id: MatchID, reason: String, withHeadStart: Bool = false
    ) async throws(MatchmakingError) -> Bool {
        try await end(id, action: "fail") { match throws(MatchmakingError) in
            let reply = try await run(
                MatchmakingScripts.fail, keys: try keys(of: match),
                arguments: failArguments(match.id, match.tickets, reason: reason, onlyWhenDue: false))
            // Before their claims are free: who queues again at once has it.
            if withHeadStart { await giveHeadStart(PlayerClaims.freed(in: reply).map(\.player)) }
            return reply
        }
    }

    /// ready → finished; the players may queue again. Repeating it does nothing.
    ///
    /// - Returns: `false` where the match had ended already, or is gone.
    @discardableResult
    public func finish(_ id: MatchID) async throws(MatchmakingError) -> Bool {
        try await end(id, action: "finish") { match throws(MatchmakingError) in
            try await run(
                MatchmakingScripts.finish, keys: try keys(of: match),
                arguments: [RedisArgument(id.rawValue), RedisArgument(Self.endedSeconds)]
                    + match.tickets.map { RedisArgument($0.rawValue) })
        }
    }

    /// Ends a match by a script that wants its tickets, which may become more while it runs.
    private func end(
        _ id: MatchID, action: String, by script: (Match) async throws(MatchmakingError) -> RESPValue
    ) async throws(MatchmakingError) -> Bool {
        for _ in 0..<5 {
            guard let match = try await match(id), !match.state.isFinal else { return false }
            let reply = try await script(match)
            if reply.array?.last?.string == "changed" { continue }
            await release(PlayerClaims.freed(in: reply))
            return try isDone(reply, refused: match, action: action)
        }
        throw .redis(.unexpectedReply(action))
    }

    func failArguments(
        _ id: MatchID, _ tickets: [TicketID], reason: String, onlyWhenDue: Bool
    ) -> [RedisArgument] {
        let placementsMax = id.pool.flatMap(rules.rules(of:))?.placementsMax ?? 1
        return [
            RedisArgument(id.rawValue), RedisArgument(reason), RedisArgument(placementsMax),
            RedisArgument(Self.endedSeconds), onlyWhenDue ? "1" : "0",
        ] + tickets.map { RedisArgument($0.rawValue) }
    }

    private func presentMatch(_ id: MatchID) async throws(MatchmakingError) -> Match {
        guard let match = try await match(id) else { throw .matchGone(id) }
        return match
    }

    private func keys(of match: Match) throws(MatchmakingError) -> [RedisKey] {
        guard let pool = match.id.pool else { throw .matchGone(match.id) }
        return MatchmakingKeys(pool).common(match.id, match.tickets)
    }

    /// `true` where the script did it, `false` where the match had ended by then; throws where it is too early.
    private func isDone(_ reply: RESPValue, refused match: Match, action: String) throws(MatchmakingError) -> Bool {
        if Self.isDone(reply) { return true }
        let error = refusal(reply, of: match.id, action: action)
        switch error {
        case .matchGone: return false
        case .matchState(_, let state, _) where state.isFinal: return false
        default: throw error
        }
    }

    func refusal(_ reply: RESPValue, of id: MatchID, action: String) -> MatchmakingError {
        guard let items = reply.array, items.count == 2, let reason = items[1].string else {
            return .redis(.unexpectedReply(action))
        }
        guard let state = MatchState(rawValue: reason) else { return .matchGone(id) }
        return .matchState(id, state, action: action)
    }
}

/// What the calls share.
extension MatchmakingService {
    /// Whether a script did what it was asked to: its reply begins with 1.
    static func isDone(_ reply: RESPValue) -> Bool { reply.array?.first?.int == 1 }

    /// Of any pool, for matches run on after their pool left the rules.
    func keys(of id: TicketID) throws(MatchmakingError) -> MatchmakingKeys {
        guard let pool = id.pool else { throw .unknownTicket(id) }
        return MatchmakingKeys(pool)
    }

    func send(_ command: RedisCommand) async throws(MatchmakingError) -> RESPValue {
        do throws(RedisError) {
            return try await redis.send(command)
        } catch {
            throw .redis(error)
        }
    }

    /// A script that runs again finds the state it led to and changes nothing, so each may be sent again when its reply
    /// was lost.
    func run(
        _ script: RedisScript, keys: [RedisKey], arguments: [RedisArgument]
    ) async throws(MatchmakingError) -> RESPValue {
        do throws(RedisError) {
            return try await redis.run(script, keys: keys, arguments: arguments, isSafeToRepeat: true)
        } catch {
            throw .redis(error)
        }
    }
}

extension RedisError {
    /// Whether the command may have been carried out although it failed.
    var mayHaveRun: Bool {
        switch self {
        case .connectionLost(let mayHaveRun), .timedOut(let mayHaveRun): mayHaveRun
        case .cancelled, .protocolViolation, .unexpectedReply: true
        case .unavailable, .server, .invalidConfiguration: false
        }
    }
}

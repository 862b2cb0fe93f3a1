import GameModel
import Redis

/// Looks at tickets, matches and pools for operators; it changes nothing. What it shows is read in several steps, so a
/// ticket may have moved on between them.
public struct MatchmakingInspector: Sendable {
    /// The most that is listed.
    public static let pageMax = 10_000
    /// How much one round of reading takes.
    static let roundMax = 500

    let service: MatchmakingService

    public init(redis: RedisClient, rules: MatchmakingRules) {
        service = MatchmakingService(redis: redis, rules: rules)
    }

    public var rules: MatchmakingRules { service.rules }

    /// The time of Redis, by which waiting is judged.
    public func now() async throws(MatchmakingError) -> Instant { try await clock().now }

    // MARK: Tickets

    /// Tickets that have not ended, the longest-waiting first.
    ///
    /// - Parameter limit: at most so many.
    public func tickets(_ filter: TicketFilter, limit: Int) async throws(MatchmakingError) -> [TicketFacts] {
        let now = try await now()
        let limit = min(max(0, limit), Self.pageMax)
        var found: [TicketFacts] = []
        for pool in rules.pools where filter.admits(pool) {
            found += try await tickets(of: pool, filter.states, limit: limit, at: now)
        }
        return Array(found.sorted { ($0.queuedAt, $0.id) < ($1.queuedAt, $1.id) }.prefix(limit))
    }

    /// A ticket, also one that ended lately; `nil` where Redis does not know it.
    public func ticket(_ id: TicketID) async throws(MatchmakingError) -> TicketFacts? {
        guard let pool = id.pool else { return nil }
        return try await read([id], MatchmakingKeys(pool), at: try await now()).first
    }

    /// The player's ticket that has not ended.
    public func ticket(of player: PlayerID) async throws(MatchmakingError) -> TicketFacts? {
        guard let ticket = try await service.activeTicket(of: player) else { return nil }
        return try await self.ticket(ticket.id)
    }

    private func tickets(
        of pool: Pool, _ states: Set<TicketState>, limit: Int, at now: Instant
    ) async throws(MatchmakingError) -> [TicketFacts] {
        let keys = MatchmakingKeys(pool)
        var found: [TicketFacts] = []
        if states.contains(.queued) {
            // Whoever waits longest stands first.
            let ids = try await members(keys.queue, 0, limit)
            found += try await read(ids.map { TicketID($0) }, keys, at: now)
        }
        if states.contains(.forming) { found += try await forming(keys, limit: limit, at: now) }
        let sets: [(RedisKey, Set<TicketState>)] = [
            (keys.proposed, [.proposed, .accepted]), (keys.placing, [.placing]), (keys.ready, [.ready]),
        ]
        for (set, held) in sets where !held.isDisjoint(with: states) {
            let matches = try await self.matches(members(set, 0, limit).map { MatchID($0) }, keys)
            found += try await read(matches.flatMap { $0.teams.flatMap { $0 } }, keys, at: now)
        }
        return found.filter { states.contains($0.state) }
    }

    /// Tickets that form are in no set of their own: their deadlines name them, among those of all others.
    private func forming(
        _ keys: MatchmakingKeys, limit: Int, at now: Instant
    ) async throws(MatchmakingError) -> [TicketFacts] {
        let count = try await service.send(
            RedisCommand("HGET", RedisArgument(keys.stats), "forming", isSafeToRepeat: true))
        guard let text = count.string, let there = Int(text), there > 0 else { return [] }
        var found: [TicketFacts] = []
        var start = 0
        while found.count < min(limit, there) {
            let names = try await members(keys.deadlines, start, Self.roundMax)
            let ids = names.filter { $0.hasPrefix("t:") }.map { TicketID(String($0.dropFirst(2))) }
            found += try await read(ids, keys, at: now).filter { $0.state == .forming }
            guard names.count == Self.roundMax else { break }
            start += Self.roundMax
        }
        return found
    }

    // MARK: Matches

    /// Matches that have not ended, the oldest first.
    public func matches(
        _ states: Set<MatchState>, in filter: TicketFilter = TicketFilter(), limit: Int
    ) async throws(MatchmakingError) -> [MatchFacts] {
        let limit = min(max(0, limit), Self.pageMax)
        var found: [MatchFacts] = []
        for pool in rules.pools where filter.admits(pool) {
            let keys = MatchmakingKeys(pool)
            for (set, state) in [
                (keys.proposed, MatchState.proposed), (keys.placing, .placing), (keys.ready, .ready),
            ] where states.contains(state) {
                let ids = try await members(set, 0, limit).map { MatchID($0) }
                found += try await matches(ids, keys).filter { states.contains($0.state) }
            }
        }
        let none = Instant(milliseconds: 0)
        return Array(
            found.sorted { ($0.proposedAt ?? none, $0.id) < ($1.proposedAt ?? none, $1.id) }.prefix(limit))
    }

    /// A match, also one that ended lately, with its tickets; `nil` where Redis does not know it.
    public func match(_ id: MatchID) async throws(MatchmakingError) -> (match: MatchFacts, tickets: [TicketFacts])? {
        guard let pool = id.pool else { return nil }
        let keys = MatchmakingKeys(pool)
        guard let match = try await matches([id], keys).first else { return nil }
        return (match, try await read(match.teams.flatMap { $0 }, keys, at: try await now()))
    }

    // MARK: Reading

    func clock() async throws(MatchmakingError) -> RedisClock {
        do throws(RedisError) {
            return try await RedisClock.read(service.redis)
        } catch {
            throw .redis(error)
        }
    }

    /// In the order of the ids; those that are gone are left out.
    func read(
        _ ids: [TicketID], _ keys: MatchmakingKeys, at now: Instant
    ) async throws(MatchmakingError) -> [TicketFacts] {
        var found: [TicketFacts] = []
        for (id, fields) in zip(ids, try await hashes(ids.map(keys.ticket))) {
            guard let ticket = Ticket(id: id, fields: fields) else { continue }
            found.append(TicketFacts(ticket, fields, at: now))
        }
        return found
    }

    private func matches(_ ids: [MatchID], _ keys: MatchmakingKeys) async throws(MatchmakingError) -> [MatchFacts] {
        zip(ids, try await hashes(ids.map(keys.match))).compactMap { MatchFacts($0, $1) }
    }

    private func hashes(_ keys: [RedisKey]) async throws(MatchmakingError) -> [[String: String]] {
        var found: [[String: String]] = []
        for start in stride(from: 0, to: keys.count, by: Self.roundMax) {
            let round = keys[start..<min(start + Self.roundMax, keys.count)]
            let replies: [RESPValue]
            do throws(RedisError) {
                replies = try await service.redis.pipeline(
                    round.map { RedisCommand("HGETALL", RedisArgument($0), isSafeToRepeat: true) })
            } catch {
                throw .redis(error)
            }
            for reply in replies {
                if case .error(let reason) = reply { throw .redis(.server(reason)) }
                found.append(reply.fields)
            }
        }
        return found
    }

    /// So many members of a sorted set from a place on, the lowest score first.
    private func members(
        _ key: RedisKey, _ start: Int, _ count: Int
    ) async throws(MatchmakingError) -> [String] {
        guard count > 0 else { return [] }
        let reply = try await service.send(
            RedisCommand(
                "ZRANGE", RedisArgument(key), RedisArgument(start), RedisArgument(start + count - 1),
                isSafeToRepeat: true))
        guard let items = reply.array else { throw .redis(.unexpectedReply("ZRANGE")) }
        return items.compactMap(\.string)
    }
}

import GameModel
import Logging
import Redis

/// Parties: who is invited joins with what the rules judge by, or turns the party down.
extension MatchmakingService {
    /// The most invitations of one player that are kept; the oldest give way.
    static let invitationsMax = 20

    /// Joins a party; the last to join puts its ticket in the queue. Joining again does nothing.
    /// - Parameter member: the player who joins; rating and history are the server's to fill in.
    /// - Throws: ``MatchmakingError/foreignTicket(_:)`` where the player is not invited,
    ///   ``MatchmakingError/ticketActive(_:)`` where the player has another ticket,
    ///   ``MatchmakingError/ticketState(_:_:action:)`` where it is too late, and the cases for what the member has
    /// wrong.
    public func join(_ id: TicketID, _ member: TicketMember) async throws(MatchmakingError) -> Ticket {
        let keys = try keys(of: id)
        guard let pool = id.pool, let rules = rules.rules(of: pool) else { throw .unknownTicket(id) }
        let check = TicketCheck(pool, rules, in: self.rules)
        var ticket = try await present(id, of: member.player)
        guard !isJoined(ticket, member.player) else { return ticket }
        try check.check(member)
        try checkIsForming(ticket)
        try check.check(member, with: ticket.members, of: ticket.players)
        try await claim(member.player, for: id, lifeMs: rules.lifeMsMax)
        do throws(MatchmakingError) {
            // Others may join between the look and the script, each of them once.
            for _ in 0..<max(1, ticket.players.count) {
                try checkIsForming(ticket)
                try check.check(member, with: ticket.members, of: ticket.players)
                let reply = try await join(ticket, member, keys, check.regions)
                ticket = try await present(id, of: member.player)
                if Self.isDone(reply) {
                    await forget(id, [member.player])
                    return ticket
                }
                guard reply.array?.last?.string == "changed" else { throw refusal(reply, of: id, action: "join") }
            }
            throw .ticketState(id, ticket.state, action: "join")
        } catch {
            // Where the member may have joined, the claim must stay: the ticket frees it when it ends.
            var mayHaveRun = false
            if case .redis(let cause) = error { mayHaveRun = cause.mayHaveRun }
            if !mayHaveRun, await !mayHaveJoined(id, member.player) {
                await release([.init(player: member.player, ticket: id)])
            }
            throw error
        }
    }

    /// Looked at anew, for another device of the player may have joined meanwhile by the same claim.
    private func mayHaveJoined(_ id: TicketID, _ player: PlayerID) async -> Bool {
        do throws(MatchmakingError) {
            guard let latest = try await ticket(id) else { return false }
            return isJoined(latest, player)
        } catch {
            return true
        }
    }

    private func isJoined(_ ticket: Ticket, _ player: PlayerID) -> Bool {
        !ticket.state.isFinal && ticket.hasJoined(player)
    }

    private func checkIsForming(_ ticket: Ticket) throws(MatchmakingError) {
        guard ticket.state == .forming else { throw .ticketState(ticket.id, ticket.state, action: "join") }
    }

    private func join(
        _ ticket: Ticket, _ member: TicketMember, _ keys: MatchmakingKeys, _ regions: [Region]
    ) async throws(MatchmakingError) -> RESPValue {
        guard let place = ticket.players.firstIndex(of: member.player) else { throw .foreignTicket(ticket.id) }
        return try await run(
            MatchmakingScripts.join, keys: keys.common + [keys.ticket(ticket.id)],
            arguments: [
                RedisArgument(ticket.id.rawValue), RedisArgument(place + 1),
                RedisArgument(try member.text(regions: regions)),
                RedisArgument(ticket.members.count),
            ])
    }

    /// A member of a party that is forming will not play: its ticket ends as cancelled, reason `turned-down`. Turning
    /// it down again does nothing.
    public func turnDown(_ id: TicketID, by player: PlayerID) async throws(MatchmakingError) -> Ticket {
        let ticket = try await present(id, of: player)
        if ticket.state.isFinal, ticket.reason == "turned-down" { return ticket }
        return try await withdraw(ticket, reason: "turned-down", by: player, action: "turn down")
    }

    /// The tickets of the parties that a player is invited to and has not joined yet, the newest first.
    public func invitations(of player: PlayerID) async throws(MatchmakingError) -> [Ticket] {
        let key = MatchmakingKeys.invitations(player)
        let reply = try await send(
            RedisCommand("ZREVRANGE", RedisArgument(key), "0", RedisArgument(Self.invitationsMax), isSafeToRepeat: true)
        )
        guard let items = reply.array else { throw .redis(.unexpectedReply("ZREVRANGE")) }
        var tickets: [Ticket] = []
        for id in items.compactMap(\.string).map({ TicketID($0) }) {
            // One of a mode that is not played any more invites to nothing.
            guard id.pool.flatMap(rules.rules(of:)) != nil, let ticket = try await ticket(id),
                ticket.state == .forming, ticket.players.contains(player), !ticket.hasJoined(player)
            else { continue }
            tickets.append(ticket)
        }
        return tickets
    }

    /// Tells players of the party that a ticket, which is about to be created, invites them to.
    func invite(_ players: [PlayerID], to id: TicketID, lifeMs: Int64) async throws(RedisError) {
        guard !players.isEmpty else { return }
        let replies = try await redis.pipeline(
            MatchmakingScripts.invite,
            calls: players.map { player in
                (
                    keys: [MatchmakingKeys.invitations(player)],
                    arguments: [
                        RedisArgument(id.rawValue), RedisArgument(lifeMs), RedisArgument(Self.invitationsMax),
                    ]
                )
            })
        for case .error(let reason) in replies { throw .server(reason) }
    }

    /// Takes back invitations that are over; who reads them passes over those that stay.
    private func forget(_ id: TicketID, _ players: [PlayerID]) async {
        do throws(RedisError) {
            _ = try await redis.pipeline(
                players.map { player in
                    RedisCommand(
                        "ZREM", RedisArgument(MatchmakingKeys.invitations(player)), RedisArgument(id.rawValue),
                        isSafeToRepeat: true)
                })
        } catch {
            logger.debug("invitations stay until they run out", metadata: ["error": "\(error)"])
        }
    }
}

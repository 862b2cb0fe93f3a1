import Foundation
import GameModel
import Jobs
import Logging
import Redis

/// The tickets: creates them, reads them, and takes a player's acceptance, decline or withdrawal. Every step is one
/// script that names the state it comes from; a repeated call answers as the first did.
///
/// It needs no task of its own: any number of processes use it at once.
public struct MatchmakingService: Sendable {
    /// How long ended tickets and matches stay readable.
    public static let endedSeconds = 3_600
    /// How long a ticket that claims its player and is not there is taken for one that is being created.
    static let creationTime = Duration.milliseconds(250)

    /// The rules in force, which may change while the process runs.
    public let book: RulesBook
    let redis: RedisClient
    let claims: PlayerClaims
    let clients = WaitingClients()
    let logger: Logger

    public init(
        redis: RedisClient, rules: MatchmakingRules = .standard,
        logger: Logger = Logger(label: "muster.matchmaking")
    ) {
        self.init(redis: redis, book: RulesBook(rules), logger: logger)
    }

    public init(redis: RedisClient, book: RulesBook, logger: Logger = Logger(label: "muster.matchmaking")) {
        self.redis = redis
        self.book = book
        self.logger = logger
        claims = PlayerClaims(redis: redis)
    }

    public var rules: MatchmakingRules { book.current }

    // MARK: What players do

    /// Puts a player in the queue; with others invited, a party begins to form, whose ticket is queued when all of them
    /// joined.
    /// - Throws: ``MatchmakingError/ticketActive(_:)`` where the player has a ticket that has not ended,
    ///   ``MatchmakingError/coolingDown(until:)``, and the cases for what the request has wrong.
    public func createTicket(_ request: TicketRequest) async throws(MatchmakingError) -> Ticket {
        let (pool, rules) = try check(request)
        let id = TicketID(in: pool, ULID())
        try await claim(request.player, for: id, lifeMs: rules.lifeMsMax)
        return try await create(request, id, rules)
    }

    /// Creates the ticket that its player was claimed for.
    func create(
        _ request: TicketRequest, _ id: TicketID, _ rules: ModeRules
    ) async throws(MatchmakingError) -> Ticket {
        let keys = try keys(of: id)
        let leader = try request.leader.text(regions: id.pool.map(self.rules.regions(of:)) ?? [])
        let isForming = !request.party.isEmpty
        let players = ([request.player] + request.party).map(\.rawValue).joined(separator: ",")
        let quietMs = Int64(rules.abandonedSeconds * 1_000)
        let joinMs = isForming ? max(1, Int64(rules.joinSeconds * 1_000)) : 0
        let body = isForming ? leader : "{\"m\":[\(leader)]}"
        let reply: RESPValue
        let headStart: Int
        do throws(RedisError) {
            headStart = try await self.headStart(of: request.player)
            try await invite(request.party, to: id, lifeMs: joinMs)
            reply = try await redis.run(
                MatchmakingScripts.create, keys: keys.common + [keys.ticket(id)],
                arguments: [
                    RedisArgument(id.rawValue), RedisArgument(players), RedisArgument(body),
                    RedisArgument(Int64(rules.waitSecondsMax * 1_000)),
                    RedisArgument(quietMs), RedisArgument(joinMs), RedisArgument(headStart),
                ], isSafeToRepeat: true)
        } catch {
            // Where the ticket may have been created, the claim must stay: it then names the player's active ticket.
            if !error.mayHaveRun { await release([.init(player: request.player, ticket: id)]) }
            throw .redis(error)
        }
        guard let queuedAt = reply.int else { throw .redis(.unexpectedReply("create")) }
        guard queuedAt != 0 else {
            // It took so long that another request claimed the player meanwhile.
            if let active = try await activeTicket(of: request.player) { throw .ticketActive(active.id) }
            throw .redis(.timedOut(mayHaveRun: false))
        }
        if headStart > 0 { await takeHeadStart(of: request.player) }
        let state = isForming ? TicketState.forming : .queued
        var fields = [
            "state": state.rawValue, "queuedAt": "\(queuedAt)", "players": players, isForming ? "m1" : "body": body,
        ]
        if quietMs != 0 { fields["quiet"] = "\(quietMs)" }
        guard let ticket = Ticket(id: id, fields: fields) else { throw .redis(.unexpectedReply("create")) }
        return ticket
    }

    /// Reads a ticket; `nil` where Redis does not know it: it ended long ago, was lost with Redis, or never was.
    /// Clients are told that such a ticket, of any well-formed name, is `expired`.
    public func ticket(_ id: TicketID) async throws(MatchmakingError) -> Ticket? {
        let keys = try keys(of: id)
        return Ticket(id: id, fields: try await send(Self.fields(of: id, keys)).fields)
    }

    static func fields(of id: TicketID, _ keys: MatchmakingKeys) -> RedisCommand {
        RedisCommand("HGETALL", RedisArgument(keys.ticket(id)), isSafeToRepeat: true)
    }

    /// The player's ticket that has not ended, if there is one; a `ready` one says where the player's match is played,
    /// so that a client that lost everything finds its way back. Of a party that is forming it may be one that the
    /// player was about to join.
    public func activeTicket(of player: PlayerID) async throws(MatchmakingError) -> Ticket? {
        let key = MatchmakingKeys.claim(player)
        let reply = try await send(RedisCommand("GET", RedisArgument(key), isSafeToRepeat: true))
        guard let id = reply.string.map({ TicketID($0) }), let ticket = try await ticket(id) else { return nil }
        return ticket.state.isFinal ? nil : ticket
    }

    /// Accepts the match that the ticket is proposed for. A ticket is accepted when all its players have; the last
    /// acceptance of a match enqueues its allocation.
    /// - Parameter player: who accepts; `nil` = all players of the ticket.
    public func accept(_ id: TicketID, by player: PlayerID? = nil) async throws(MatchmakingError) -> Ticket {
        let ticket = try await present(id, of: player)
        guard let pool = id.pool, let rules = rules.rules(of: pool), let match = ticket.match,
            let index = ticket.roster.firstIndex(of: id)
        else { throw .ticketState(id, ticket.state, action: "accept") }
        let keys = MatchmakingKeys(pool)
        let place = player.flatMap(ticket.players.firstIndex(of:)).map { $0 + 1 } ?? 0
        let reply = try await run(
            MatchmakingScripts.accept,
            keys: keys.common + [keys.match(match)] + JobKeys(keys.allocationQueue).forEnqueue
                + ticket.roster.map(keys.ticket),
            arguments: [
                RedisArgument(match.rawValue), RedisArgument(index + 1), RedisArgument(id.rawValue),
                RedisArgument(AllocateInstance.id(of: match).rawValue),
                RedisArgument(Int64(rules.placeSeconds * 1_000)), RedisArgument(place),
            ])
        guard Self.isDone(reply), let items = reply.array, items.count == 3,
            let state = items[1].string.flatMap(TicketState.init(rawValue:)), let since = items[2].int
        else { throw refusal(reply, of: id, action: "accept") }
        // What follows placing is more than a state: the assignment with it.
        if state == .ready { return try await present(id) }
        return ticket.accepting(
            player.map { [$0] } ?? ticket.players, as: state, since: Instant(milliseconds: Int64(since)))
    }

    /// Declines the match that the ticket is proposed for; the others of the match go back to the queue with their
    /// original time, and who declined is cooled down by rule.
    /// - Parameter player: who declines; `nil` = all players of the ticket.
    public func decline(_ id: TicketID, by player: PlayerID? = nil) async throws(MatchmakingError) -> Ticket {
        let ticket = try await present(id, of: player)
        if ticket.state == .declined { return ticket }
        return try await leave(
            ticket, as: .declined, reason: "by-player", by: player.map { [$0] } ?? ticket.players, action: "decline")
    }

    /// Withdraws a ticket that is forming, queued, proposed or accepted; the others of its match go back to the queue.
    /// - Parameter player: which of its players does it, who is cooled down by rule where the ticket was in a match;
    ///   `nil` = none of them, so nobody is to blame.
    public func cancel(_ id: TicketID, by player: PlayerID? = nil) async throws(MatchmakingError) -> Ticket {
        // The state may move on between reading and the script, as often as a match is proposed and dissolved.
        for _ in 0..<3 {
            let ticket = try await present(id, of: player)
            if ticket.state == .cancelled { return ticket }
            do throws(MatchmakingError) {
                if ticket.state == .queued || ticket.state == .forming {
                    return try await withdraw(ticket, reason: "by-player", by: player, action: "cancel")
                }
                return try await leave(
                    ticket, as: .cancelled, reason: player == nil ? "by-player" : "left-proposal",
                    by: player.map { [$0] } ?? [], action: "cancel")
            } catch {
                guard case .ticketState(_, let state, _) = error, !state.isFinal, state != ticket.state else {
                    throw error
                }
            }
        }
        throw .ticketState(id, try await present(id).state, action: "cancel")
    }

    // MARK: Steps

    /// Ends a ticket that is in no match.
    func withdraw(
        _ ticket: Ticket, reason: String, by player: PlayerID?, action: String
    ) async throws(MatchmakingError) -> Ticket {
        let keys = try keys(of: ticket.id)
        let reply = try await run(
            MatchmakingScripts.cancel, keys: keys.common + [keys.ticket(ticket.id)],
            arguments: [
                RedisArgument(ticket.id.rawValue), RedisArgument(Self.endedSeconds), RedisArgument(reason),
                RedisArgument(player?.rawValue ?? ""),
            ])
        guard Self.isDone(reply) else { throw refusal(reply, of: ticket.id, action: action) }
        await release(PlayerClaims.freed(in: reply))
        return try await present(ticket.id)
    }

    private func leave(
        _ ticket: Ticket, as state: TicketState, reason: String, by players: [PlayerID], action: String
    ) async throws(MatchmakingError) -> Ticket {
        guard let match = ticket.match, let index = ticket.roster.firstIndex(of: ticket.id) else {
            throw .ticketState(ticket.id, ticket.state, action: action)
        }
        let reply = try await run(
            MatchmakingScripts.leave, keys: try keys(of: ticket.id).common(match, ticket.roster),
            arguments: [
                RedisArgument(match.rawValue), RedisArgument(index + 1), RedisArgument(state.rawValue),
                RedisArgument(Self.endedSeconds), RedisArgument(reason),
                RedisArgument(players.map(\.rawValue).joined(separator: ",")),
            ] + ticket.roster.map { RedisArgument($0.rawValue) })
        guard Self.isDone(reply) || reply.array?.last?.string == state.rawValue else {
            throw refusal(reply, of: ticket.id, action: action)
        }
        await release(PlayerClaims.freed(in: reply))
        return try await present(ticket.id)
    }

    private func check(_ request: TicketRequest) throws(MatchmakingError) -> (Pool, ModeRules) {
        let all = rules
        guard let rules = all.modes[request.mode] else {
            throw .unknownMode(request.mode, known: all.modes.keys.sorted())
        }
        guard all.regions.contains(request.region), let pool = all.pool(of: request.mode, in: request.region) else {
            throw .unknownRegion(request.region, known: all.regions)
        }
        let check = TicketCheck(pool, rules, in: all)
        try check.check(request.leader)
        try check.check(invited: request.party, by: request.player)
        try check.check(request.leader, with: [], of: request.party)
        return (pool, rules)
    }

    func refusal(_ reply: RESPValue, of id: TicketID, action: String) -> MatchmakingError {
        guard let items = reply.array, items.count == 2, let reason = items[1].string else {
            return .redis(.unexpectedReply(action))
        }
        switch reason {
        case "gone": return .ticketGone(id)
        case "late": return .tooLate(id)
        // In another match by now: whoever asked had an older one in mind.
        case "other": return .ticketState(id, .queued, action: action)
        default: return .ticketState(id, TicketState(rawValue: reason) ?? .failed, action: action)
        }
    }

    /// The ticket, where Redis knows it.
    func present(_ id: TicketID, of player: PlayerID? = nil) async throws(MatchmakingError) -> Ticket {
        guard let ticket = try await ticket(id) else { throw .ticketGone(id) }
        if let player, !ticket.players.contains(player) { throw .foreignTicket(id) }
        return ticket
    }
}

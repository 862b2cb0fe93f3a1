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

    /// Puts a player in the queue.
    /// - Throws: ``MatchmakingError/ticketActive(_:)`` where the player has a ticket that has not ended, and the cases
    ///   for what the request has wrong.
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
        let member = request.leader
        let body: String
        do {
            body = try TicketBody(members: [member]).text()
        } catch {
            throw .invalidSkill(member.skill)
        }
        let reply: RESPValue
        do throws(RedisError) {
            reply = try await redis.run(
                MatchmakingScripts.create, keys: keys.common + [keys.ticket(id)],
                arguments: [
                    RedisArgument(id.rawValue), RedisArgument(request.player.rawValue), RedisArgument(body),
                    RedisArgument(Int64(rules.waitSecondsMax * 1_000)),
                ], isSafeToRepeat: true)
        } catch {
            // Where the ticket may have been created, the claim must stay: it then names the player's active ticket.
            if !error.mayHaveRun { await release([(request.player, id)]) }
            throw .redis(error)
        }
        guard let queuedAt = reply.int else { throw .redis(.unexpectedReply("create")) }
        guard queuedAt != 0 else {
            // It took so long that another request claimed the player meanwhile.
            if let active = try await activeTicket(of: request.player) { throw .ticketActive(active.id) }
            throw .redis(.timedOut(mayHaveRun: false))
        }
        let fields = ["state": TicketState.queued.rawValue, "queuedAt": "\(queuedAt)", "body": body]
        guard let ticket = Ticket(id: id, fields: fields) else { throw .redis(.unexpectedReply("create")) }
        return ticket
    }

    /// Reads a ticket; `nil` where Redis does not know it: it ended long ago, was lost with Redis, or never was.
    /// Clients are told that such a ticket, of any well-formed name, is `expired`.
    public func ticket(_ id: TicketID) async throws(MatchmakingError) -> Ticket? {
        let keys = try keys(of: id)
        let reply = try await send(RedisCommand("HGETALL", RedisArgument(keys.ticket(id)), isSafeToRepeat: true))
        return Ticket(id: id, fields: reply.fields)
    }

    /// The player's ticket that has not ended, if there is one.
    public func activeTicket(of player: PlayerID) async throws(MatchmakingError) -> Ticket? {
        let key = MatchmakingKeys.claim(player)
        let reply = try await send(RedisCommand("GET", RedisArgument(key), isSafeToRepeat: true))
        guard let id = reply.string.map({ TicketID($0) }), let ticket = try await ticket(id) else { return nil }
        return ticket.state.isFinal ? nil : ticket
    }

    /// Accepts the match that the ticket is proposed for. The last acceptance of a match enqueues its allocation.
    /// - Parameter player: whose ticket it must be, where given.
    public func accept(_ id: TicketID, by player: PlayerID? = nil) async throws(MatchmakingError) -> Ticket {
        let ticket = try await present(id, of: player)
        guard let pool = id.pool, let rules = rules.rules(of: pool), let match = ticket.match,
            let index = ticket.roster.firstIndex(of: id)
        else { throw .ticketState(id, ticket.state, action: "accept") }
        let keys = MatchmakingKeys(pool)
        let reply = try await run(
            MatchmakingScripts.accept,
            keys: keys.common + [keys.match(match)] + JobKeys(keys.allocationQueue).forEnqueue
                + ticket.roster.map(keys.ticket),
            arguments: [
                RedisArgument(match.rawValue), RedisArgument(index + 1), RedisArgument(id.rawValue),
                RedisArgument(AllocateInstance.id(of: match).rawValue),
                RedisArgument(Int64(rules.placeSeconds * 1_000)),
            ])
        guard !Self.isDone(reply) else { return try await present(id) }
        throw refusal(reply, of: id, action: "accept")
    }

    /// Declines the match that the ticket is proposed for; the others go back to the queue with their original time.
    /// - Parameter player: whose ticket it must be, where given.
    public func decline(_ id: TicketID, by player: PlayerID? = nil) async throws(MatchmakingError) -> Ticket {
        let ticket = try await present(id, of: player)
        if ticket.state == .declined { return ticket }
        return try await leave(ticket, as: .declined, action: "decline")
    }

    /// Withdraws a ticket that is queued, proposed or accepted; the others of its match go back to the queue.
    /// - Parameter player: whose ticket it must be, where given.
    public func cancel(_ id: TicketID, by player: PlayerID? = nil) async throws(MatchmakingError) -> Ticket {
        // The state may move on between reading and the script, as often as a match is proposed and dissolved.
        for _ in 0..<3 {
            let ticket = try await present(id, of: player)
            if ticket.state == .cancelled { return ticket }
            if ticket.state != .queued {
                do throws(MatchmakingError) {
                    return try await leave(ticket, as: .cancelled, action: "cancel")
                } catch {
                    guard case .ticketState(_, .queued, _) = error else { throw error }
                    continue
                }
            }
            let keys = try keys(of: id)
            let reply = try await run(
                MatchmakingScripts.cancel, keys: keys.common + [keys.ticket(id)],
                arguments: [RedisArgument(id.rawValue), RedisArgument(Self.endedSeconds)])
            if Self.isDone(reply) {
                await release(PlayerClaims.freed(in: reply))
                return try await present(id)
            }
        }
        throw .ticketState(id, try await present(id).state, action: "cancel")
    }

    // MARK: Steps

    private func leave(
        _ ticket: Ticket, as state: TicketState, action: String
    ) async throws(MatchmakingError) -> Ticket {
        guard let match = ticket.match, let index = ticket.roster.firstIndex(of: ticket.id) else {
            throw .ticketState(ticket.id, ticket.state, action: action)
        }
        let reply = try await run(
            MatchmakingScripts.leave, keys: try keys(of: ticket.id).common(match, ticket.roster),
            arguments: [
                RedisArgument(match.rawValue), RedisArgument(index + 1), RedisArgument(state.rawValue),
                RedisArgument(Self.endedSeconds),
            ] + ticket.roster.map { RedisArgument($0.rawValue) })
        guard Self.isDone(reply) || reply.array?.last?.string == state.rawValue else {
            throw refusal(reply, of: ticket.id, action: action)
        }
        await release(PlayerClaims.freed(in: reply))
        return try await present(ticket.id)
    }

    private func claim(_ player: PlayerID, for id: TicketID, lifeMs: Int64) async throws(MatchmakingError) {
        var replacing: TicketID?
        // Each round replaces the claim that the last one saw; a third player's process can't interfere for ever.
        for _ in 0..<3 {
            let reply: PlayerClaims.Reply
            do throws(RedisError) {
                reply = try await claims.claim(player, for: id, lifeMs: lifeMs, replacing: replacing)
            } catch {
                throw .redis(error)
            }
            guard case .held(let holder) = reply else { return }
            replacing = holder
            // A claim on a pool that is not played any more holds nobody back.
            guard holder.pool.flatMap(rules.rules(of:)) != nil else { continue }
            if let ticket = try await createdTicket(holder) {
                if !ticket.state.isFinal { throw .ticketActive(holder) }
            } else if try await !void(holder) {
                // It was created at this moment.
                throw .ticketActive(holder)
            }
        }
        throw .ticketActive(replacing ?? id)
    }

    /// The ticket, which may be on its way: of two requests at once, the second must not void the first one's.
    private func createdTicket(_ id: TicketID) async throws(MatchmakingError) -> Ticket? {
        if let ticket = try await ticket(id) { return ticket }
        do {
            try await Task.sleep(for: Self.creationTime)
        } catch {
            throw .redis(.cancelled)
        }
        return try await ticket(id)
    }

    /// Makes sure that a ticket which is not there will never be; `false` where it is there by now.
    private func void(_ id: TicketID) async throws(MatchmakingError) -> Bool {
        let reply = try await run(
            MatchmakingScripts.void, keys: [try keys(of: id).ticket(id)], arguments: [RedisArgument(Self.endedSeconds)])
        return reply.int == 1
    }

    private func check(_ request: TicketRequest) throws(MatchmakingError) -> (Pool, ModeRules) {
        guard let rules = rules.modes[request.mode] else {
            throw .unknownMode(request.mode, known: self.rules.modes.keys.sorted())
        }
        guard self.rules.regions.contains(request.region) else {
            throw .unknownRegion(request.region, known: self.rules.regions)
        }
        for (region, latency) in request.leader.latencies.sorted(by: { $0.key < $1.key }) {
            guard self.rules.regions.contains(region) else {
                throw .latencyElsewhere(region, known: self.rules.regions)
            }
            guard latency.isFinite, (0...TicketRequest.latencyMsMax).contains(latency) else {
                throw .invalidLatency(region, value: "\(latency)")
            }
        }
        if let character = request.leader.character {
            let isName =
                (1...64).contains(character.utf8.count)
                && character.utf8.allSatisfy {
                    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0)
                        || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || $0 == UInt8(ascii: "-")
                        || $0 == UInt8(ascii: "_")
                }
            guard isName else { throw .invalidCharacter(character) }
        }
        let skill = request.leader.skill
        guard skill.rating.isFinite, (-10_000...10_000).contains(skill.rating), skill.deviation.isFinite,
            (0...10_000).contains(skill.deviation)
        else { throw .invalidSkill(skill) }
        guard let pool = self.rules.pool(of: request.mode, in: request.region) else {
            throw .unknownRegion(request.region, known: self.rules.regions)
        }
        return (pool, rules)
    }

    private func refusal(_ reply: RESPValue, of id: TicketID, action: String) -> MatchmakingError {
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
    private func present(_ id: TicketID, of player: PlayerID? = nil) async throws(MatchmakingError) -> Ticket {
        guard let ticket = try await ticket(id) else { throw .ticketGone(id) }
        if let player, !ticket.players.contains(player) { throw .foreignTicket(id) }
        return ticket
    }
}

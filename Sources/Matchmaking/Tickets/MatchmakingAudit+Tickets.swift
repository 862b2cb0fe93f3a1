import GameModel
import Redis

/// The rules about tickets.
struct TicketTallies {
    var queue = AuditTally()
    var waiting = AuditTally()
    var claims = AuditTally()
    var entries = AuditTally()
    var ledger = AuditTally()
    var poolsAtWork = 0

    mutating func judge(_ pool: Pool, _ books: TicketLedger, inMatches: Int, isAtRest: Bool) {
        let name = "\(pool) (\(books), \(inMatches) in matches)"
        entries.add(name, isFault: books.entered - books.left != books.waiting)
        guard isAtRest else {
            poolsAtWork += 1
            return
        }
        ledger.add(name, isFault: books.created - books.ended != books.forming + books.waiting + inMatches)
    }

    var findings: [AuditFinding] {
        [
            queue.finding("each member of a queue is a ticket in state queued, with a deadline"),
            waiting.finding("each ticket that waits is forming, or queued and in the queue"),
            claims.finding("each player of a live ticket is claimed by it, or free"),
            entries.finding("as many tickets wait as came into the queue and did not leave it"),
            ledger.finding(
                "the tickets created are forming, waiting, in matches or ended",
                note: poolsAtWork == 0 ? nil : "pools at work, not judged: \(poolsAtWork)"),
        ]
    }
}

/// The counts of a pool's tickets at one moment.
struct TicketLedger: Hashable, CustomStringConvertible {
    let created: Int
    let ended: Int
    let forming: Int
    let waiting: Int
    let entered: Int
    let left: Int
    /// Names the moment.
    let lastChange: String

    var description: String {
        "created \(created), ended \(ended), forming \(forming), waiting \(waiting), entered \(entered), left \(left)"
    }
}

extension MatchmakingAudit {
    func ledger(_ keys: MatchmakingKeys) async throws(MatchmakingError) -> TicketLedger {
        let reply = try await service.run(MatchmakingScripts.ledger, keys: keys.common, arguments: [])
        guard let items = reply.array, items.count == 7, let lastChange = items[6].string else {
            throw .redis(.unexpectedReply("ledger"))
        }
        let counts = items.prefix(6).map { $0.int ?? 0 }
        return TicketLedger(
            created: counts[0], ended: counts[1], forming: counts[2], waiting: counts[3], entered: counts[4],
            left: counts[5], lastChange: lastChange)
    }

    /// Looks at the queue, at all that has a ticket's deadline, and at whose players those are.
    func auditWaiting(_ keys: MatchmakingKeys, _ tallies: inout TicketTallies) async throws(MatchmakingError) {
        let queued = try await members(of: keys.queue)
        try await audit(queued, by: MatchmakingScripts.auditQueue, keys, &tallies.queue)
        let waiting = try await members(of: keys.deadlines).filter { $0.hasPrefix("t:") }.map {
            String($0.dropFirst(2))
        }
        try await audit(waiting, by: MatchmakingScripts.auditWaiting, keys, &tallies.waiting)
        try await auditClaims(waiting.map { TicketID($0) }, keys, &tallies)
    }

    private func audit(
        _ ids: [String], by script: RedisScript, _ keys: MatchmakingKeys, _ tally: inout AuditTally
    ) async throws(MatchmakingError) {
        for start in stride(from: 0, to: ids.count, by: Self.pageSize) {
            let page = Array(ids[start..<min(start + Self.pageSize, ids.count)])
            let reply = try await service.run(
                script, keys: [keys.queue, keys.deadlines] + page.map { keys.ticket(TicketID($0)) },
                arguments: page.map { RedisArgument($0) })
            guard let faults = reply.array else { throw .redis(.unexpectedReply(script.name)) }
            let names = Set(faults.compactMap(\.string))
            for id in page { tally.add(id, isFault: names.contains(id)) }
        }
    }

    /// A player's claim is in another slot than the ticket, so each that seems to be wrong is looked at once more.
    func auditClaims(
        _ ids: [TicketID], _ keys: MatchmakingKeys, _ tallies: inout TicketTallies
    ) async throws(MatchmakingError) {
        for start in stride(from: 0, to: ids.count, by: Self.pageSize) {
            let page = ids[start..<min(start + Self.pageSize, ids.count)]
            let hashes = try await pipeline(
                page.map { RedisCommand("HGETALL", RedisArgument(keys.ticket($0)), isSafeToRepeat: true) })
            let tickets = zip(page, hashes).compactMap { Ticket(id: $0, fields: $1.fields) }
            let seats = tickets.filter { !$0.state.isFinal }.flatMap { ticket in
                ticket.members.map { (player: $0.player, ticket: ticket.id) }
            }
            let claims = try await pipeline(
                seats.map {
                    RedisCommand("GET", RedisArgument(MatchmakingKeys.claim($0.player)), isSafeToRepeat: true)
                })
            for (seat, claim) in zip(seats, claims) {
                var isFault = false
                if let holder = claim.string, holder != seat.ticket.rawValue {
                    isFault = try await isClaimedElsewhere(seat.player, seat.ticket)
                }
                tallies.claims.add("\(seat.player) of \(seat.ticket)", isFault: isFault)
            }
        }
    }

    private func isClaimedElsewhere(_ player: PlayerID, _ id: TicketID) async throws(MatchmakingError) -> Bool {
        let reply = try await service.send(
            RedisCommand("GET", RedisArgument(MatchmakingKeys.claim(player)), isSafeToRepeat: true))
        guard let holder = reply.string, holder != id.rawValue else { return false }
        guard let ticket = try await service.ticket(id), !ticket.state.isFinal else { return false }
        return ticket.hasJoined(player)
    }

    private func pipeline(_ commands: [RedisCommand]) async throws(MatchmakingError) -> [RESPValue] {
        guard !commands.isEmpty else { return [] }
        do throws(RedisError) {
            return try await service.redis.pipeline(commands)
        } catch {
            throw .redis(error)
        }
    }
}

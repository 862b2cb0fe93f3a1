import GameModel
import Redis

/// Checks the books of matchmaking: that tickets and matches agree with each other. Each thing is looked at by one
/// script, at one moment, so that a pool that is at work is not accused.
public struct MatchmakingAudit: Sendable {
    static let pageSize = 500
    /// How often the ledger of a pool is tried before it counts as at work.
    private static let ledgerTries = 3

    let service: MatchmakingService
    private let grace: Duration

    /// - Parameter grace: how long past its deadline a proposal may be before that counts as a fault.
    public init(service: MatchmakingService, grace: Duration = .seconds(10)) {
        self.service = service
        self.grace = grace
    }

    /// One finding per rule, over all pools.
    public func run() async throws(MatchmakingError) -> [AuditFinding] {
        var matches = MatchTallies()
        var tickets = TicketTallies()
        for pool in service.rules.pools {
            let keys = MatchmakingKeys(pool)
            try await auditWaiting(keys, &tickets)
            // The ledger holds of a pool that is at rest; one at work is looked at again, and then let be.
            for attempt in 1...Self.ledgerTries {
                let before = try await ledger(keys)
                var seen = MatchTallies()
                let inMatches = try await auditMatches(keys, &seen)
                let after = try await ledger(keys)
                guard before == after || attempt == Self.ledgerTries else { continue }
                matches.add(seen)
                tickets.judge(pool, after, inMatches: inMatches.count, isAtRest: before == after)
                try await auditClaims(Array(inMatches), keys, &tickets)
                break
            }
        }
        return matches.findings(grace) + tickets.findings
    }

    /// Looks at each match under way; answers their tickets.
    private func auditMatches(
        _ keys: MatchmakingKeys, _ tallies: inout MatchTallies
    ) async throws(MatchmakingError) -> Set<TicketID> {
        var matchOf: [TicketID: MatchID] = [:]
        for set in [keys.proposed, keys.placing, keys.ready] {
            for match in try await members(of: set).map({ MatchID($0) }) {
                guard let seen = try await look(at: match), seen.isLive else { continue }
                tallies.pointers.add(match.rawValue, isFault: !seen.strays.isEmpty)
                tallies.deadlines.add(match.rawValue, isFault: seen.overdueMs > grace.milliseconds)
                for ticket in seen.tickets {
                    var isDouble = false
                    if let other = matchOf[ticket], other != match {
                        isDouble = try await areBothLive(other, match, with: ticket)
                    }
                    tallies.doubles.add(ticket.rawValue, isFault: isDouble)
                    matchOf[ticket] = match
                }
            }
        }
        return Set(matchOf.keys)
    }

    private struct Seen {
        let isLive: Bool
        let overdueMs: Int64
        let tickets: [TicketID]
        /// Tickets of it that point elsewhere, or are in the queue.
        let strays: Set<TicketID>
    }

    private func look(at id: MatchID) async throws(MatchmakingError) -> Seen? {
        // The roster of a match never changes, so reading it apart from the rest does no harm.
        guard let pool = id.pool, let match = try await service.match(id) else { return nil }
        let reply = try await service.run(
            MatchmakingScripts.auditMatch, keys: MatchmakingKeys(pool).common(id, match.tickets),
            arguments: [RedisArgument(id.rawValue)] + match.tickets.map { RedisArgument($0.rawValue) })
        guard let items = reply.array, items.count >= 3, let overdue = items[1].int, let isMember = items[2].int else {
            throw .redis(.unexpectedReply("audit_match"))
        }
        return Seen(
            isLive: isMember == 1, overdueMs: Int64(overdue), tickets: match.tickets,
            strays: Set(items.dropFirst(3).compactMap(\.string).map { TicketID($0) }))
    }

    /// The ticket moved on from one match to the other between the two looks, unless both still live and hold it.
    private func areBothLive(
        _ first: MatchID, _ second: MatchID, with ticket: TicketID
    ) async throws(MatchmakingError) -> Bool {
        guard let one = try await look(at: first), let two = try await look(at: second) else { return false }
        return one.isLive && two.isLive
    }

    func members(of key: RedisKey) async throws(MatchmakingError) -> [String] {
        let reply = try await service.send(
            RedisCommand("ZRANGE", RedisArgument(key), "0", "-1", isSafeToRepeat: true))
        guard let items = reply.array else { throw .redis(.unexpectedReply("ZRANGE")) }
        return items.compactMap(\.string)
    }
}

/// What was looked at for one rule, and what broke it.
struct AuditTally {
    private(set) var checked = 0
    private(set) var faults: [String] = []

    mutating func add(_ name: String, isFault: Bool) {
        checked += 1
        if isFault { faults.append(name) }
    }

    mutating func add(_ other: AuditTally) {
        checked += other.checked
        faults += other.faults
    }

    func finding(_ rule: String, note: String? = nil) -> AuditFinding {
        AuditFinding(rule: rule, checked: checked, failed: faults.count, examples: faults, note: note)
    }
}

/// The rules about matches.
private struct MatchTallies {
    var doubles = AuditTally()
    var pointers = AuditTally()
    var deadlines = AuditTally()

    mutating func add(_ other: MatchTallies) {
        doubles.add(other.doubles)
        pointers.add(other.pointers)
        deadlines.add(other.deadlines)
    }

    func findings(_ grace: Duration) -> [AuditFinding] {
        [
            doubles.finding("no ticket is in two matches"),
            pointers.finding("each ticket of a live match points to it, and is not in the queue"),
            deadlines.finding("no match is past its deadline by more than \(Int(grace.inSeconds)) s"),
        ]
    }
}

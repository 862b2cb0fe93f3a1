import GameModel
import Redis
import TestSupport
import Testing

@testable import Matchmaking

@Suite("The audit of tickets")
struct TicketAuditTests {
    /// The rules that a pool breaks after somebody meddled with its keys.
    private func broken(
        _ meddle: (MatchmakingKeys, Ticket, RedisClient) async throws -> Void
    ) async throws -> [String] {
        try await withRedis { redis, _ in
            let service = MatchmakingService(
                redis: redis, rules: duels { $0.partyMax = 2 }, logger: testLogger)
            let lease = try await service.takePool("r")
            let one = try await service.queue("one")
            _ = try await service.createTicket(
                TicketRequest(
                    leader: TicketMember(player: PlayerID("ada")), mode: duelEU.mode, region: duelEU.region,
                    party: [PlayerID("bob")]))
            _ = try await service.propose(
                [try await service.queue("three"), try await service.queue("four")], lease: lease)
            _ = try await service.cancel(try await service.queue("five").id)
            let audit = MatchmakingAudit(service: service)
            for finding in try await audit.run() { #expect(finding.holds && finding.checked > 0, "\(finding)") }
            try await meddle(MatchmakingKeys(duelEU), one, redis)
            return try await audit.run().filter { !$0.holds }.map(\.rule)
        }
    }

    @Test("names a queued ticket that fell out of the queue, in its ledger too")
    func lost() async throws {
        let rules = try await broken { keys, ticket, redis in
            _ = try await redis.send(RedisCommand("ZREM", RedisArgument(keys.queue), RedisArgument(ticket.id.rawValue)))
        }
        #expect(
            rules == [
                "each ticket that waits is forming, or queued and in the queue",
                "as many tickets wait as came into the queue and did not leave it",
                "the tickets created are forming, waiting, in matches or ended",
            ])
    }

    @Test("names a queued ticket that would never leave by itself")
    func endless() async throws {
        let rules = try await broken { keys, ticket, redis in
            _ = try await redis.send(
                RedisCommand("ZREM", RedisArgument(keys.deadlines), RedisArgument("t:\(ticket.id)")))
        }
        #expect(rules == ["each member of a queue is a ticket in state queued, with a deadline"])
    }

    @Test("names a player whom another ticket claims")
    func claimed() async throws {
        let rules = try await broken { _, ticket, redis in
            _ = try await redis.send(
                RedisCommand("SET", RedisArgument(MatchmakingKeys.claim(ticket.player)), "duel.eu.other"))
        }
        #expect(rules == ["each player of a live ticket is claimed by it, or free"])
    }

    @Test("names a forming ticket that got into the queue")
    func formingInQueue() async throws {
        let rules = try await broken { keys, ticket, redis in
            _ = try await redis.send(RedisCommand("HSET", RedisArgument(keys.ticket(ticket.id)), "state", "forming"))
        }
        #expect(
            rules == [
                "each member of a queue is a ticket in state queued, with a deadline",
                "each ticket that waits is forming, or queued and in the queue",
            ])
    }

    @Test("names a ticket that was ended twice, or never created, by its ledger")
    func unbalanced() async throws {
        let rules = try await broken { keys, _, redis in
            _ = try await redis.send(RedisCommand("HINCRBY", RedisArgument(keys.stats), "ended", "1"))
        }
        #expect(rules == ["the tickets created are forming, waiting, in matches or ended"])
    }
}

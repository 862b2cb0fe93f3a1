import GameModel
import Redis
import TestSupport
import Testing

@testable import Matchmaking

@Suite("Head start: whose match was taken away comes before others")
struct HeadStartTests {
    /// Two players whose match is played on an instance.
    private func play(_ service: MatchmakingService, _ names: [String], lease: String) async throws -> MatchID {
        var tickets: [Ticket] = []
        for name in names { tickets.append(try await service.queue(name)) }
        guard case .proposed(let match) = try await service.propose(tickets, lease: lease) else {
            throw RedisError.unexpectedReply("propose")
        }
        for ticket in tickets { _ = try await service.accept(ticket.id) }
        try await service.markReady(match, Assignment(instanceId: InstanceID("eu.i"), host: "h", port: 1))
        return match
    }

    @Test("a player of a match whose instance died is told so, and queued before one who has waited already, once")
    func comesFirst() async throws {
        try await withRedis { redis, _ in
            let service = MatchmakingService(redis: redis, rules: duels(), logger: testLogger)
            let match = try await play(service, ["a", "b"], lease: try await service.takePool("r"))
            let old = try #require(try await service.activeTicket(of: PlayerID("a")))
            let waiting = try await service.queue("c")
            #expect(try await service.failPlacement(match, reason: "instance-died", withHeadStart: true))

            let told = try #require(try await service.ticket(old.id))
            #expect(told.state == .failed && told.reason == "instance-died")
            let again = try await service.queue("a")
            #expect(again.queuedAt < waiting.queuedAt)
            let early = waiting.queuedAt.milliseconds - again.queuedAt.milliseconds
            #expect(early <= MatchmakingService.headStart.milliseconds)
            #expect(try await service.ticket(again.id)?.queuedAt == again.queuedAt)
            #expect(try await service.state(again) == .queued)

            _ = try await service.cancel(again.id)
            #expect(try await service.queue("a").queuedAt >= waiting.queuedAt, "the next time like everybody")
        }
    }

    @Test("who did not come has none, and never is it more than half of the longest wait")
    func bounds() async throws {
        try await withRedis { redis, _ in
            let service = MatchmakingService(redis: redis, rules: duels { $0.waitSecondsMax = 40 }, logger: testLogger)
            let lease = try await service.takePool("r")
            let missed = try await play(service, ["a", "b"], lease: lease)
            let waiting = try await service.queue("c")
            try await service.failPlacement(missed, reason: "not-joined")
            #expect(try await service.queue("a").queuedAt >= waiting.queuedAt)

            let lost = try await play(service, ["d", "e"], lease: lease)
            let second = try await service.queue("f")
            try await service.failPlacement(lost, reason: "instance-died", withHeadStart: true)
            let early = second.queuedAt.milliseconds - (try await service.queue("d").queuedAt.milliseconds)
            #expect(early > 0 && early <= 20_000)
        }
    }
}

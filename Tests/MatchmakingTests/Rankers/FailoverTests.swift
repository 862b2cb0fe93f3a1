import GameModel
import Redis
import TestSupport
import Testing

@testable import Matchmaking

@Suite("Rankers and a failover")
struct FailoverTests {
    /// Queues a player, as often as it takes while the servers change their roles.
    private func queue(_ service: MatchmakingService, _ player: String) async throws -> Ticket {
        var ticket: Ticket?
        try await eventually("\(player) is queued") {
            do throws(MatchmakingError) {
                let request = TicketRequest(player: PlayerID(player), mode: duelEU.mode, region: duelEU.region)
                ticket = try await service.createTicket(request)
                return true
            } catch {
                // A call whose reply was lost may have made it.
                guard case .ticketActive(let id) = error else { return false }
                ticket = try await service.ticket(id)
                return ticket != nil
            }
        }
        return try #require(ticket)
    }

    @Test("a master that is killed under rankers: its replica's tickets are matched, and the books of tickets balance")
    func failover() async throws {
        let servers = try await RedisSentinels.start()
        defer { servers.stop() }
        var configuration = try RedisConfiguration(url: servers.url)
        configuration.commandTimeout = .seconds(10)
        try await withClient(configuration) { redis in
            try await redis.waitUntilConnected(timeout: .seconds(60))
            // Apart, so that nobody is matched before the failover.
            let rules = duels { $0.windowGrowth = 0 }
            let service = MatchmakingService(redis: redis, rules: rules, logger: testLogger)
            let rankers = ["one", "two"].map { name in
                Ranker(id: name, redis: redis, rules: rules, logger: testLogger)
            }
            try await withRankers(rankers) {
                var waiting: [Ticket] = []
                for index in 0..<20 {
                    waiting.append(try await service.queue("p\(index)", rating: Double(index) * 150))
                }
                try await eventually("the pool is held") { try await service.depth(of: duelEU).ranker != nil }
                #expect(try await redis.send(["WAIT", 1, 60_000], timeout: .seconds(90)).int == 1)
                servers.master.kill()
                // The view of whoever ranks now must hold the old ticket for the two to meet.
                let late = try await queue(service, "late")
                let partner = try #require(waiting.first { abs($0.members[0].skill.rating - 1_500) < 1 })
                try await eventually("an old ticket and a new one meet") {
                    do throws(MatchmakingError) {
                        return try await service.ticket(late.id)?.state == .proposed
                    } catch {
                        return false
                    }
                }
                #expect(try await service.ticket(partner.id)?.state == .proposed)
                for ticket in waiting where ticket.id != partner.id {
                    #expect(try await service.ticket(ticket.id)?.state == .queued)
                }
            }
            for finding in try await MatchmakingAudit(service: service).run() {
                #expect(finding.holds, "\(finding.rule): \(finding.examples)")
            }
        }
    }
}

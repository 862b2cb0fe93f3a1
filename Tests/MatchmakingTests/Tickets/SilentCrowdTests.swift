import GameModel
import Redis
import TestSupport
import Testing

@testable import Matchmaking

@Suite("Ten thousand players who never accept")
struct SilentCrowdTests {
    private static let crowd = 10_000

    @Test("don't slow the rest: others' matches cost the same calls, a round of deadlines ends a bounded number")
    func silence() async throws {
        // Hundreds of calls at once take long on a slow machine.
        try await withRedis(configure: { $0.commandTimeout = .seconds(60) }) { redis, _ in
            let rules = duels {
                $0.acceptSeconds = 600
                $0.cooldown = CooldownRule(seconds: 600)
            }
            let service = MatchmakingService(redis: redis, rules: rules, logger: testLogger)
            let lease = try await service.takePool("r")
            // Redis knows all scripts before calls are counted.
            _ = try await cost(of: "warm", service, lease)
            let late = [try await service.queue("late-one"), try await service.queue("late-two")]
            guard case .proposed(let match) = try await service.propose(late, lease: lease) else { return }
            try await service.makeDue(match)
            try await service.settleDeadlines()
            let alone = try await cost(of: "a", service, lease)

            let matches = try await propose(service, lease)
            #expect(matches.count == Self.crowd / 2)
            #expect(try await cost(of: "b", service, lease) == alone, "while they keep silent")

            for match in matches { try await service.makeDue(match) }
            var rounds = 0
            while try await service.depth(of: duelEU).proposed.count > 0, rounds < 100 {
                let before = try await service.depth(of: duelEU).proposed.count
                let calls = try await service.calls("evalsha")
                try await service.settleDeadlines()
                rounds += 1
                let ended = before - (try await service.depth(of: duelEU).proposed.count)
                #expect((1...1_000).contains(ended))
                // A look, a time-out and two players for each that ended: nothing that grows with the crowd.
                #expect(try await service.calls("evalsha") - calls <= 3 * ended + 20)
                #expect(try await cost(of: "c\(rounds)", service, lease) == alone, "between two rounds")
            }
            #expect(rounds == matches.count / 1_000)
            #expect(try await service.depth(of: duelEU).waiting.count == 0, "none of them is in the way again")
            #expect(try await service.cooldown(of: PlayerID("silent0")) != nil)
            for finding in try await MatchmakingAudit(service: service).run() { #expect(finding.holds, "\(finding)") }
        }
    }

    /// How many scripts and reads the whole life of a match of two others takes.
    private func cost(of name: String, _ service: MatchmakingService, _ lease: String) async throws -> [Int] {
        let commands = ["evalsha", "hgetall", "get", "zrange"]
        var before: [Int] = []
        for command in commands { before.append(try await service.calls(command)) }
        let tickets = [try await service.queue("\(name)-one"), try await service.queue("\(name)-two")]
        guard case .proposed(let match) = try await service.propose(tickets, lease: lease) else {
            Issue.record("not proposed")
            return []
        }
        for ticket in tickets { _ = try await service.accept(ticket.id) }
        try await service.markReady(match, Assignment(instanceId: InstanceID("i"), host: "h", port: 1))
        #expect(try await service.finish(match))
        var after: [Int] = []
        for command in commands { after.append(try await service.calls(command)) }
        return zip(after, before).map { $0 - $1 }
    }

    /// All of the crowd in matches.
    private func propose(_ service: MatchmakingService, _ lease: String) async throws -> [MatchID] {
        var matches: [MatchID] = []
        for start in stride(from: 0, to: Self.crowd, by: 500) {
            let tickets = try await withThrowingTaskGroup(of: Ticket.self) { group in
                for number in start..<(start + 500) { group.addTask { try await service.queue("silent\(number)") } }
                return try await group.reduce(into: [Ticket]()) { $0.append($1) }
            }
            let queued = tickets.map { QueuedTicket(id: $0.id, queuedAt: $0.queuedAt, members: $0.members) }
            let proposals = stride(from: 0, to: queued.count, by: 2).map { index in
                Proposal(
                    anchor: queued[index], teams: [[queued[index]], [queued[index + 1]]], region: duelEU.region)
            }
            let committer = ProposalCommitter(
                keys: MatchmakingKeys(duelEU), pool: duelEU, rules: service.rules, lease: lease, redis: service.redis)
            for case .proposed(let match) in try await committer.commit(proposals) { matches.append(match) }
        }
        return matches
    }
}

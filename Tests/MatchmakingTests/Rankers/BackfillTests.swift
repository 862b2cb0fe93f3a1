import Foundation
import GameModel
import Jobs
import Redis
import TestSupport
import Testing

@testable import Matchmaking

@Suite("The backfill of running matches")
struct BackfillTests {
    private static let assignment = Assignment(instanceId: InstanceID("i1"), host: "10.0.0.1", port: 7_000)

    /// Trios in Europe, whose matches may ask for players.
    private static func trios(_ change: (inout ModeRules) -> Void = { _ in }) -> MatchmakingRules {
        duels { rules in
            rules.teamSize = 3
            rules.backfill = BackfillRule(isAllowed: true)
            change(&rules)
        }
    }

    fileprivate struct House {
        let service: MatchmakingService
        let redis: RedisClient
        let lease: String
        let running: MatchID
        let tickets: [Ticket]

        /// A proposal of these tickets for the running match's present request.
        func fill(_ teams: [[Ticket]], generation: Int? = nil) async throws -> ProposalCommitter.Outcome {
            let request = try #require(try await service.backfill(of: running))
            var seats = try #require(try await seats())
            if let generation { seats.generation = generation }
            let asking = QueuedTicket(id: request.id, queuedAt: request.queuedAt, members: [], backfill: seats)
            let queued = teams.map { team in
                team.map { QueuedTicket(id: $0.id, queuedAt: $0.queuedAt, members: $0.members) }
            }
            var proposal = Proposal(anchor: asking, teams: queued, region: duelEU.region)
            proposal.backfill = asking
            let committer = ProposalCommitter(
                keys: MatchmakingKeys(duelEU), pool: duelEU, rules: service.rules, lease: lease, redis: redis)
            return try await committer.commit([proposal])[0]
        }

        /// What the running match asks for, as a ranker sees it.
        func seats() async throws -> BackfillSeats? {
            let view = try await PoolView.load(MatchmakingKeys(duelEU), redis: redis)
            return view.waiting.all.compactMap(\.backfill).first
        }

        func queueLength() async throws -> Int { try await service.depth(of: duelEU).waiting.count }

        /// Proposed for the running match's seats and accepted by all.
        func accepted(_ teams: [[Ticket]]) async throws -> MatchID {
            guard case .proposed(let match) = try await fill(teams) else {
                throw MatchmakingError.backfillRefused(running, reason: "the test's proposal was refused")
            }
            for ticket in teams.flatMap({ $0 }) { _ = try await service.accept(ticket.id) }
            #expect(try await service.match(match)?.state == .placing)
            return match
        }
    }

    /// Beside a running match of six.
    private func withRunning(
        _ rules: MatchmakingRules = trios(), _ body: (House) async throws -> Void
    ) async throws {
        try await withRedis { redis, _ in
            let service = MatchmakingService(redis: redis, rules: rules, logger: testLogger)
            let lease = try await service.takePool("r")
            var tickets: [Ticket] = []
            for index in 0..<6 { tickets.append(try await service.queue("p\(index)")) }
            guard case .proposed(let match) = try await service.propose(tickets, lease: lease) else {
                Issue.record("not proposed")
                return
            }
            for ticket in tickets { _ = try await service.accept(ticket.id) }
            try await service.markReady(match, Self.assignment)
            try await body(
                House(service: service, redis: redis, lease: lease, running: match, tickets: tickets))
        }
    }

    @Test("waits as one ticket that says which seats are open and who plays; a change replaces it")
    func request() async throws {
        try await withRunning { house in
            let first = try await house.service.requestBackfill(house.running, open: [1, 0], left: [PlayerID("p0")])
            #expect(first.state == .queued && first.players.isEmpty)
            let seats = try #require(try await house.seats())
            #expect(seats.open == [1, 0] && seats.generation == 1 && seats.match == house.running)
            #expect(
                seats.teams.map { $0.map(\.player) }
                    == [["p1", "p2"], ["p3", "p4", "p5"]].map { $0.map { PlayerID($0) } })
            let second = try await house.service.requestBackfill(
                house.running, open: [1, 2], left: [PlayerID("p0"), PlayerID("p3"), PlayerID("p4")])
            #expect(second.id == first.id)
            let changed = try #require(try await house.seats())
            #expect(changed.open == [1, 2] && changed.generation == 2)
            #expect(try await house.queueLength() == 1)
        }
    }

    @Test("is refused for seats that can't be open, a mode without it, and a match that does not run")
    func refusals() async throws {
        try await withRunning { house in
            for open in [[1], [0, 0], [4, 0], [-1, 1], [1, 1, 1]] {
                await #expect(throws: MatchmakingError.self) {
                    _ = try await house.service.requestBackfill(house.running, open: open)
                }
            }
            try await house.service.finish(house.running)
            await #expect(throws: MatchmakingError.matchState(house.running, .finished, action: "backfill")) {
                _ = try await house.service.requestBackfill(house.running, open: [1, 0])
            }
        }
        try await withRunning(Self.trios { $0.backfill.isAllowed = false }) { house in
            await #expect(throws: MatchmakingError.self) {
                _ = try await house.service.requestBackfill(house.running, open: [1, 0])
            }
        }
    }

    @Test("brings the players who accept into the running match, and they end with it")
    func join() async throws {
        try await withRunning { house in
            let service = house.service
            try await service.requestBackfill(house.running, open: [1, 1], left: [PlayerID("p0"), PlayerID("p3")])
            let new = [try await service.queue("n0"), try await service.queue("n1")]
            let match = try await house.accepted([[new[0]], [new[1]]])
            #expect(try await house.queueLength() == 0)
            #expect(try await service.joinRunning(match, into: house.running))
            #expect(try await service.joinRunning(match, into: house.running), "repeated, it does nothing")
            for ticket in new {
                let joined = try #require(try await service.ticket(ticket.id))
                #expect(joined.state == .ready && joined.match == house.running)
                #expect(joined.assignment == Self.assignment)
            }
            let running = try #require(try await service.match(house.running))
            #expect(running.teamSizes == [4, 4])
            let ids = house.tickets.map(\.id)
            #expect(running.tickets == [ids[0], ids[1], ids[2], new[0].id, ids[3], ids[4], ids[5], new[1].id])
            #expect(try await service.match(match)?.state == .finished)
            #expect(try await service.backfill(of: house.running) == nil, "all seats are taken")
            #expect(try await MatchmakingAudit(service: service).run().allSatisfy { $0.holds })
            #expect(try await service.finish(house.running))
            for ticket in house.tickets + new { #expect(try await service.state(ticket) == .finished) }
            _ = try await service.queue("n0")
        }
    }

    @Test("goes on asking for the seats that stay open, of the next generation")
    func rest() async throws {
        try await withRunning { house in
            let request = try await house.service.requestBackfill(house.running, open: [2, 1])
            let match = try await house.accepted([[try await house.service.queue("n0")], []])
            #expect(try await house.service.joinRunning(match, into: house.running))
            let seats = try #require(try await house.seats())
            #expect(seats.open == [1, 1] && seats.generation == 2)
            #expect(seats.teams.map(\.count) == [4, 3] && seats.teams[0].last?.player == PlayerID("n0"))
            let again = try #require(try await house.service.backfill(of: house.running))
            #expect(again.id == request.id && again.queuedAt == request.queuedAt)
            let second = try await house.accepted([[try await house.service.queue("n1")], []])
            #expect(try await house.service.joinRunning(second, into: house.running))
        }
    }

    @Test("refuses a proposal of an older generation, and takes none of its tickets")
    func generation() async throws {
        try await withRunning { house in
            try await house.service.requestBackfill(house.running, open: [1, 0])
            let request = try await house.service.requestBackfill(house.running, open: [0, 1])
            let new = try await house.service.queue("n0")
            #expect(try await house.fill([[new], []], generation: 1) == .notQueued([request.id]))
            #expect(try await house.service.state(new) == .queued)
            #expect(try await house.queueLength() == 2)
        }
    }

    @Test("asks again when a player declines or keeps silent, and the others wait with their time")
    func dissolved() async throws {
        try await withRunning { house in
            let service = house.service
            let request = try await service.requestBackfill(house.running, open: [2, 0])
            let new = [try await service.queue("n0"), try await service.queue("n1")]
            guard case .proposed = try await house.fill([new, []]) else {
                Issue.record("not proposed")
                return
            }
            #expect(try await service.ticket(request.id)?.state == .proposed)
            _ = try await service.decline(new[1].id)
            #expect(try await service.ticket(request.id)?.state == .queued)
            #expect(try await service.ticket(new[0].id)?.queuedAt == new[0].queuedAt)
            guard case .proposed(let second) = try await house.fill([[new[0]], []]) else {
                Issue.record("not proposed again")
                return
            }
            try await service.makeDue(second)
            try await service.settleDeadlines()
            #expect(try await service.state(new[0]) == .expired)
            #expect(try await service.ticket(request.id)?.state == .queued)
        }
    }

    @Test("puts the players back with their time where the match ended before they came, and vanishes")
    func ended() async throws {
        try await withRunning { house in
            let service = house.service
            let request = try await service.requestBackfill(house.running, open: [2, 1])
            let new = try await service.queue("n0")
            let match = try await house.accepted([[new], []])
            try await service.finish(house.running)
            #expect(try await service.joinRunning(match, into: house.running) == false)
            let back = try #require(try await service.ticket(new.id))
            #expect(back.state == .queued && back.queuedAt == new.queuedAt)
            #expect(try await service.match(match)?.state == .failed)
            try await house.look(at: request.id)
            let gone = try #require(try await service.ticket(request.id))
            #expect(gone.state == .cancelled && gone.reason == "match-ended")
            #expect(try await house.queueLength() == 1)
            #expect(try await MatchmakingAudit(service: service).run().allSatisfy { $0.holds })
        }
    }

    @Test("is taken back: what is proposed from then on is refused, and who is on the way goes back")
    func takenBack() async throws {
        try await withRunning { house in
            let service = house.service
            let request = try await service.requestBackfill(house.running, open: [1, 0])
            #expect(try await service.cancelBackfill(house.running))
            #expect(try await service.cancelBackfill(house.running) == false)
            #expect(try await service.ticket(request.id)?.reason == "taken-back")
            #expect(try await house.queueLength() == 0)
            let again = try await service.requestBackfill(house.running, open: [1, 0])
            #expect(again.id != request.id, "a ticket that ended is never used again")
            let new = try await service.queue("n0")
            let match = try await house.accepted([[new], []])
            #expect(try await service.cancelBackfill(house.running))
            #expect(try await service.joinRunning(match, into: house.running) == false)
            #expect(try await service.state(new) == .queued)
            try await house.look(at: again.id)
            #expect(try await house.queueLength() == 1)
        }
    }

    @Test("keeps its state when it is changed while players are on their way; who still fits comes in")
    func changedMeanwhile() async throws {
        try await withRunning { house in
            let service = house.service
            try await service.requestBackfill(house.running, open: [1, 0])
            let new = try await service.queue("n0")
            let match = try await house.accepted([[new], []])
            #expect(try await service.requestBackfill(house.running, open: [2, 1]).state == .placing)
            #expect(try await service.joinRunning(match, into: house.running))
            #expect(try await house.seats()?.open == [1, 1])
            let second = try await house.accepted([[try await service.queue("n1")], []])
            try await service.requestBackfill(house.running, open: [0, 1])
            #expect(try await service.joinRunning(second, into: house.running) == false, "its seat is taken otherwise")
            #expect(try await house.seats()?.open == [0, 1])
        }
    }

    @Test("brings players in at the moment when the match ends: they end with it")
    func race() async throws {
        try await withRunning { house in
            let service = house.service
            try await service.requestBackfill(house.running, open: [1, 0])
            let new = try await service.queue("n0")
            let match = try await house.accepted([[new], []])
            // The end of the match was asked for when its roster was shorter.
            let keys = MatchmakingKeys(duelEU)
            let before = try #require(try await service.match(house.running))
            #expect(try await service.joinRunning(match, into: house.running))
            let stale = try await service.run(
                MatchmakingScripts.finish, keys: keys.common(house.running, before.tickets),
                arguments: [RedisArgument(house.running.rawValue), "60"]
                    + before.tickets.map { RedisArgument($0.rawValue) })
            #expect(stale.array?.last?.string == "changed")
            #expect(try await service.failPlacement(house.running, reason: "instance-died"))
            #expect(try await service.state(new) == .failed)
            _ = try await service.queue("n0")
        }
    }

    @Test("is matched by rankers before new matches are made, and its players play in the running match")
    func ranked() async throws {
        let timing = Ranker.Timing(
            lease: .seconds(30), round: .milliseconds(100), tick: .milliseconds(20), deadlines: .milliseconds(50))
        let rules = Self.trios()
        try await withRedis { redis, _ in
            let service = MatchmakingService(redis: redis, rules: rules, logger: testLogger)
            let ranker = Ranker(redis: redis, rules: rules, timing: timing, logger: testLogger)
            try await withRankers([ranker]) {
                var first: [Ticket] = []
                for index in 0..<6 { first.append(try await service.queue("p\(index)")) }
                let running = try await Self.accepted(first, service)
                try await service.markReady(running, Self.assignment)
                try await service.requestBackfill(running, open: [1, 1], left: [PlayerID("p0")])
                let new = [try await service.queue("n0"), try await service.queue("n1")]
                for ticket in new {
                    let match = try await Self.accepted([ticket], service)
                    guard try await service.match(match)?.state == .placing else { continue }
                    #expect(try await service.joinRunning(match, into: running))
                }
                try await eventually("both play in the running match") {
                    for ticket in new {
                        let now = try await service.ticket(ticket.id)
                        guard now?.state == .ready, now?.match == running else { return false }
                    }
                    return true
                }
                #expect(try await service.match(running)?.tickets.count == 8)
                #expect(try await service.backfill(of: running) == nil)
            }
        }
    }

    /// Accepts for all as soon as they are proposed; answers the match of the last.
    private static func accepted(_ tickets: [Ticket], _ service: MatchmakingService) async throws -> MatchID {
        var match: MatchID?
        for ticket in tickets {
            try await eventually("the ticket is proposed") { try await service.state(ticket) == .proposed }
            match = try await service.accept(ticket.id).match
        }
        return try #require(match)
    }

    @Test("expires after the longest wait of the rules")
    func expires() async throws {
        try await withRunning { house in
            let request = try await house.service.requestBackfill(house.running, open: [1, 0])
            try await house.service.makeDue(request.id)
            try await house.service.settleDeadlines()
            #expect(try await house.service.ticket(request.id)?.reason == "waited-too-long")
            #expect(try await house.service.backfill(of: house.running) == nil)
            #expect(try await house.queueLength() == 0)
        }
    }
}

extension BackfillTests.House {
    /// Lets the time of the next look at a request come, and looks.
    func look(at request: TicketID) async throws {
        let keys = MatchmakingKeys(duelEU)
        _ = try await redis.send(
            RedisCommand("ZADD", RedisArgument(keys.deadlines), "XX", "1", RedisArgument("b:\(request)")))
        try await service.settleDeadlines()
    }
}

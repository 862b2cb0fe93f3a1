import GameModel
import Redis
import TestSupport
import Testing

@testable import Matchmaking

@Suite("The ticket watcher")
struct TicketWatcherTests {
    /// Runs the body beside a watcher.
    private func withWatcher(
        _ redis: RedisClient, isolation: isolated (any Actor)? = #isolation,
        _ body: (TicketWatcher) async throws -> Void
    ) async throws {
        let watcher = TicketWatcher(redis: redis, rules: duels(), logger: testLogger)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await watcher.run() }
            defer { group.cancelAll() }
            try await body(watcher)
        }
    }

    @Test("wakes each of many who wait when their ticket changes")
    func wakes() async throws {
        try await withRedis { redis, _ in
            let service = MatchmakingService(redis: redis, rules: duels(), logger: testLogger)
            try await withWatcher(redis) { watcher in
                var tickets: [Ticket] = []
                for index in 0..<50 { tickets.append(try await service.queue("p\(index)")) }
                try await withThrowingTaskGroup(of: TicketState?.self) { group in
                    for ticket in tickets {
                        group.addTask {
                            try await watcher.next(of: ticket.id, after: .queued, within: .seconds(300)) {
                                try await service.ticket(ticket.id)
                            }?.state
                        }
                    }
                    try await eventually("all are watched") { watcher.watchCount == 50 }
                    for ticket in tickets { _ = try await service.cancel(ticket.id) }
                    for try await state in group { #expect(state == .cancelled) }
                }
                try await eventually("nobody is watched any more") { watcher.watchCount == 0 }
            }
        }
    }

    @Test("answers at once where the state is another already, and the same state when the time is over")
    func bounds() async throws {
        try await withRedis { redis, _ in
            let service = MatchmakingService(redis: redis, rules: duels(), logger: testLogger)
            try await withWatcher(redis) { watcher in
                let ticket = try await service.queue("p")
                let read: @Sendable () async throws -> Ticket? = { try await service.ticket(ticket.id) }
                #expect(
                    try await watcher.next(of: ticket.id, after: .proposed, within: .seconds(30), read: read)?.state
                        == .queued)
                #expect(
                    try await watcher.next(of: ticket.id, after: .queued, within: .milliseconds(50), read: read)?.state
                        == .queued)
                _ = try await service.cancel(ticket.id)
                #expect(
                    try await watcher.next(of: ticket.id, after: .cancelled, within: .seconds(30), read: read)?.state
                        == .cancelled, "nothing follows a final state")
            }
        }
    }

    @Test("does not leave anyone deaf when Redis lost the tickets and their stream")
    func lost() async throws {
        try await withRedis { redis, server in
            let service = MatchmakingService(redis: redis, rules: duels(), logger: testLogger)
            try await withWatcher(redis) { watcher in
                let ticket = try await service.queue("p")
                async let gone = watcher.next(of: ticket.id, after: .queued, within: .seconds(300)) {
                    try await service.ticket(ticket.id)
                }
                try await eventually("it is watched") { watcher.watchCount == 1 }
                try await server.flush()
                #expect(try await gone == nil)
            }
        }
    }

    @Test("reads the stream of a pool that is new in the rules")
    func newPool() async throws {
        try await withRedis { redis, _ in
            let book = RulesBook(duels())
            let trios = MatchmakingRules(
                modes: [Mode("duel"): ModeRules(teamSize: 1), Mode("trio"): ModeRules(teamSize: 3)],
                regions: [Region("eu")])
            let service = MatchmakingService(redis: redis, book: book, logger: testLogger)
            let watcher = TicketWatcher(redis: redis, book: book, block: .milliseconds(50), logger: testLogger)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await watcher.run() }
                defer { group.cancelAll() }
                book.replace(with: trios)
                let ticket = try await service.createTicket(
                    TicketRequest(player: PlayerID("p"), mode: Mode("trio"), region: Region("eu")))
                async let ended = watcher.next(of: ticket.id, after: .queued, within: .seconds(300)) {
                    try await service.ticket(ticket.id)
                }
                try await eventually("it is watched") { watcher.watchCount == 1 }
                _ = try await service.cancel(ticket.id)
                #expect(try await ended?.state == .cancelled)
            }
        }
    }

    @Test("sees missed entries by their numbers, and a new stream by its epoch")
    func places() {
        let place = StreamPlace(epoch: 7, number: 4)
        #expect(place.isFollowed(by: StreamPlace(epoch: 7, number: 5)))
        #expect(!place.isFollowed(by: StreamPlace(epoch: 7, number: 6)))
        #expect(!place.isFollowed(by: StreamPlace(epoch: 8, number: 0)))
        #expect(StreamPlace.start.isFollowed(by: StreamPlace(epoch: 8, number: 0)))
        #expect(!StreamPlace.start.isFollowed(by: StreamPlace(epoch: 8, number: 3)))
        #expect(StreamPlace("7-4") == place && StreamPlace("x") == nil)
    }
}

@Suite("The matchmaking audit")
struct MatchmakingAuditTests {
    @Test("finds what does not agree, and nothing in a pool that does")
    func findings() async throws {
        try await withRedis { redis, _ in
            let service = MatchmakingService(redis: redis, rules: duels(), logger: testLogger)
            let keys = MatchmakingKeys(duelEU)
            let lease = try await service.takePool("r")
            var tickets: [Ticket] = []
            for index in 0..<6 { tickets.append(try await service.queue("p\(index)")) }
            guard case .proposed(let match) = try await service.propose([tickets[0], tickets[1]], lease: lease) else {
                return
            }
            let audit = MatchmakingAudit(service: service)
            let clean = try await audit.run()
            for finding in clean { #expect(finding.holds, "\(finding)") }
            #expect(clean.prefix(3).map(\.checked) == [2, 1, 1])

            try await service.makeDue(match)
            _ = try await redis.send(
                RedisCommand("HSET", RedisArgument(keys.ticket(tickets[5].id)), "state", "ready"))
            _ = try await redis.send(
                RedisCommand("HSET", RedisArgument(keys.ticket(tickets[0].id)), "match", "duel.eu.other"))
            let faulty = try await audit.run()
            #expect(faulty.prefix(3).map(\.failed) == [0, 1, 1])
            #expect(faulty.contains { $0.examples.contains(tickets[5].id.rawValue) })
        }
    }
}

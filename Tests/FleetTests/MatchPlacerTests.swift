import Fleet
import Foundation
import GameData
import GameModel
import Jobs
import Logging
import Matchmaking
import Records
import Redis
import TestSupport
import Testing

@testable import AllocatorWorker

@Suite("Match placer: an attempt that comes late, or again, harms no match")
struct MatchPlacerTests {
    @Test("a match that is ready stays where it is, though its slot was given back and another instance is free")
    func readyStays() async throws {
        try await withPlacer { house in
            let first = try await house.fleet.registered(slots: 1)
            let job = try await house.acceptedMatch()
            try await house.placer.place(job)
            #expect(try await house.matchmaking.match(job.matchId)?.state == .ready)

            _ = try await house.fleet.registered(slots: 5)
            try await house.fleet.release(job.matchId)
            try await house.fleet.deregister(first)
            try await house.placer.place(job)
            let record = try #require(try await house.matches.match(job.matchId))
            #expect(record.state == .placed)
            #expect(record.instanceId == first)
            #expect(try await house.matchmaking.match(job.matchId)?.state == .ready)
            #expect(try await house.fleet.list(eu).allocations == 0)
        }
    }

    @Test("a match that ended after it was recorded is struck off, so that its players' tickets can be placed again")
    func endedIsAbandoned() async throws {
        try await withPlacer { house in
            let instance = try await house.fleet.registered(slots: 1)
            let job = try await house.acceptedMatch()
            let seats = House.seats(of: job)
            // Where an allocator died between recording the match and telling its players.
            try await house.matches.place(
                MatchPlacement(
                    matchId: job.matchId, mode: Mode("duel"), region: eu, instanceId: instance,
                    patch: PatchVersion(1), roster: seats))
            try await house.matchmaking.failPlacement(job.matchId, reason: "no-instance")
            try await house.placer.place(job)
            #expect(try await house.matches.match(job.matchId)?.state == .abandoned)
            #expect(try await house.matchmaking.ticket(seats[0].ticketId)?.state != .ready)
        }
    }

    @Test("giving up on a match whose result is stored finishes its tickets")
    func resultStands() async throws {
        try await withPlacer { house in
            _ = try await house.fleet.registered(slots: 1)
            let job = try await house.acceptedMatch()
            try await house.placer.place(job)
            let record = try #require(try await house.matches.match(job.matchId))
            _ = try await house.matches.recordResult(
                job.matchId,
                MatchResult(
                    winner: 0, durationMs: 10,
                    players: record.roster.map {
                        .init(playerId: $0.playerId, team: $0.team, kills: 0, deaths: 0, damage: 0)
                    }))
            try await house.placer.bury(job, named: AllocateInstance.id(of: job.matchId))
            #expect(try await house.matches.match(job.matchId)?.state == .reported)
            #expect(try await house.matchmaking.ticket(record.roster[0].ticketId)?.state == .finished)
        }
    }

    @Test(
        "late seats that an attempt had added when it died are taken back, however the proposal ended",
        arguments: ["failed", "forgotten", "buried"])
    func lateSeatsTakenBack(_ ending: String) async throws {
        try await withPlacer { house in
            let running = try await house.runningMatch()
            let accepted = try await house.acceptedMatch()
            let coming = ending == "forgotten" ? MatchID(in: accepted.pool, ULID()) : accepted.matchId
            let job = AllocateInstance(
                matchId: coming, pool: accepted.pool, teams: accepted.teams, backfill: running)
            _ = try await house.matches.addSeats(running, House.seats(of: job))
            switch ending {
            case "buried": try await house.placer.bury(job, named: AllocateInstance.id(of: coming))
            case "failed":
                try await house.matchmaking.failPlacement(coming, reason: "no-instance")
                try await house.placer.place(job)
            default: try await house.placer.place(job)
            }
            let roster = try #require(try await house.matches.match(running)).roster
            #expect(roster.map(\.playerId) == [PlayerID("a"), PlayerID("b")])
        }
    }

    @Test("a match whose ticket still has a seat elsewhere waits for it without a slot, and is placed when it is free")
    func takenTicketWaits() async throws {
        try await withPlacer { house in
            _ = try await house.fleet.registered(slots: 1)
            let running = try await house.runningMatch()
            let job = try await house.acceptedMatch()
            let seats = House.seats(of: job)
            _ = try await house.matches.addSeats(running, seats)
            await #expect(throws: Snooze.self) { try await house.placer.place(job) }
            #expect(try await house.fleet.list(eu).allocations == 0)
            #expect(try await house.matchmaking.match(job.matchId)?.state == .placing)

            try await house.matches.removeSeats(running, of: Set(seats.map(\.ticketId)))
            try await house.placer.place(job)
            #expect(try await house.matchmaking.match(job.matchId)?.state == .ready)
        }
    }

    @Test("who comes into a running match plays by its patch, not by one published since")
    func latePatch() async throws {
        try await withPlacer { house in
            let running = try await house.runningMatch()
            let edit = try await house.balance.editCharacter("warden", health: 777, by: "tester")
            #expect(edit.isNew)
            #expect(try await house.placer.patch(of: running).patch == PatchVersion(1))
            #expect(try await house.placer.patch(of: .duel()).patch == edit.patch.patch)
        }
    }

    private struct House: Sendable {
        let fleet: FleetService
        let matches: MatchesRepository
        let balance: BalanceRepository
        let matchmaking: MatchmakingService
        let placer: MatchPlacer

        static func seats(of job: AllocateInstance) -> [MatchSeat] {
            job.teams.enumerated().flatMap { team, players in
                players.map {
                    MatchSeat(
                        team: team, ticketId: $0.ticketId, playerId: $0.playerId, character: "warden",
                        rating: $0.rating)
                }
            }
        }

        /// A match of two others, as SQLite has it.
        func runningMatch() async throws -> MatchID {
            let match = MatchID.duel()
            let seats = ["a", "b"].enumerated().map { team, name in
                MatchSeat(
                    team: team, ticketId: TicketID("duel.eu.\(ULID())"), playerId: PlayerID(name),
                    character: "warden", rating: 1_500)
            }
            try await matches.place(
                MatchPlacement(
                    matchId: match, mode: Mode("duel"), region: eu, instanceId: InstanceID(in: eu),
                    patch: PatchVersion(1), roster: seats))
            return match
        }

        /// Two players queue, are matched, and accept.
        func acceptedMatch() async throws -> AllocateInstance {
            var tickets: [Ticket] = []
            for name in ["one", "two"] {
                tickets.append(
                    try await matchmaking.createTicket(
                        TicketRequest(player: PlayerID(name), mode: Mode("duel"), region: eu)))
            }
            try await eventually("the players are matched") { [tickets] in
                try await matchmaking.ticket(tickets[0].id)?.state == .proposed
            }
            for ticket in tickets { _ = try await matchmaking.accept(ticket.id) }
            let match = try #require(try await matchmaking.ticket(tickets[0].id)?.match)
            return AllocateInstance(
                matchId: match, pool: Pool(mode: Mode("duel"), region: eu),
                teams: tickets.map {
                    [
                        .init(
                            ticketId: $0.id, playerId: $0.players[0], character: nil, rating: $0.members[0].skill.rating
                        )
                    ]
                })
        }
    }

    /// A placer on real Redis and SQLite, beside a ranker.
    private func withPlacer(_ body: @Sendable @escaping (House) async throws -> Void) async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        var logger = Logger(label: "test.placer")
        logger.logLevel = .critical
        let database = try RecordsDatabase.open(
            path: folder.file("data.sqlite"), durability: .full, schemas: GameDataSchema.schemas, logger: logger)
        // However slow the machine is, no time to accept or to be placed runs out.
        var rules = MatchmakingRules.standard
        rules.modes[Mode("duel")]?.acceptSeconds = 600
        rules.modes[Mode("duel")]?.placeSeconds = 600
        try await withRedis { [logger, rules] redis, _ in
            let fleet = FleetService(redis: redis, configuration: .patient)
            let matches = MatchesRepository(database: database)
            let matchmaking = MatchmakingService(redis: redis, rules: rules, logger: logger)
            let placer = MatchPlacer(
                fleet: fleet, places: fleet, matches: matches, balance: BalanceRepository(database: database),
                matchmaking: matchmaking, logger: logger, slotsRanOut: { _ in })
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await Ranker(redis: redis, rules: rules, logger: logger).run() }
                defer { tasks.cancelAll() }
                try await body(
                    House(
                        fleet: fleet, matches: matches, balance: BalanceRepository(database: database),
                        matchmaking: matchmaking, placer: placer))
            }
        }
        try database.close()
    }
}

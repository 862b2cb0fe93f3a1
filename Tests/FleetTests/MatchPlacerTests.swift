import Fleet
import Foundation
import GameData
import GameModel
import Jobs
import Logging
import Matchmaking
import Records
import Redis
import Synchronization
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

    @Test("of matches placed together each ends as it would alone, and a bad one holds up none of the others")
    func together() async throws {
        try await withPlacer { house in
            _ = try await house.fleet.registered(slots: 5)
            let good = try await house.acceptedMatch(of: "a1", "a2")
            let taken = try await house.acceptedMatch(of: "b1", "b2")
            let bad = try await house.acceptedMatch(of: "c1", "c2")
            let over = try await house.acceptedMatch(of: "d1", "d2")
            let last = try await house.acceptedMatch(of: "e1", "e2")
            let forgotten = AllocateInstance(matchId: .duel(), pool: good.pool, teams: [])
            _ = try await house.matches.addSeats(try await house.runningMatch(), House.seats(of: taken))
            // A roster that can never be: everybody in one team.
            let oneTeam = AllocateInstance(matchId: bad.matchId, pool: bad.pool, teams: [bad.teams.flatMap(\.self)])
            try await house.matchmaking.failPlacement(over.matchId, reason: "no-instance")

            let errors = await house.placer.place([taken, oneTeam, good, forgotten, over, last])
            #expect(errors.keys.map(\.self) == [taken.matchId])
            #expect(errors[taken.matchId] is Snooze)
            for job in [good, last] {
                #expect(try await house.matchmaking.match(job.matchId)?.state == .ready)
                #expect(try await house.matches.match(job.matchId)?.state == .placed)
            }
            #expect(try await house.matchmaking.match(taken.matchId)?.state == .placing)
            #expect(try await house.matchmaking.match(bad.matchId)?.state == .failed)
            #expect(try await house.matches.match(bad.matchId) == nil)
            #expect(try await house.fleet.list(eu).allocations == 2, "who is not played holds no slot")
        }
    }

    @Test("of more matches than there are slots the first are placed, and the others wait without an attempt used")
    func tooFewSlots() async throws {
        try await withPlacer { house in
            _ = try await house.fleet.registered(slots: 1)
            let first = try await house.acceptedMatch(of: "a1", "a2")
            let second = try await house.acceptedMatch(of: "b1", "b2")
            let errors = await house.placer.place([first, second])
            #expect(errors[first.matchId] == nil)
            #expect(errors[second.matchId] as? Snooze == Snooze(MatchPlacer.pause))
            #expect(house.ranOut.regions == [eu])
            #expect(try await house.matchmaking.match(first.matchId)?.state == .ready)
            #expect(try await house.matchmaking.match(second.matchId)?.state == .placing)
        }
    }

    @Test("where matches can't be given slots together each is tried alone, and only the bad one fails")
    func badAmongMany() async throws {
        try await withPlacer { house in
            _ = try await house.fleet.registered(slots: 3)
            let first = try await house.acceptedMatch(of: "a1", "a2")
            let bad = try await house.acceptedMatch(of: "b1", "b2")
            let last = try await house.acceptedMatch(of: "c1", "c2")
            let errors = await house.placer(on: Picky(fleet: house.fleet, bad: bad.matchId)).place([first, bad, last])
            #expect(errors.keys.map(\.self) == [bad.matchId])
            #expect(errors[bad.matchId] is FleetError)
            for job in [first, last] {
                #expect(try await house.matchmaking.match(job.matchId)?.state == .ready)
            }
        }
    }

    /// The fleet, where one match makes each call fail that asks for it too.
    private struct Picky: MatchAllocator {
        let fleet: FleetService
        let bad: MatchID
        let batchMax = 64

        func allocate(_ matches: [MatchID], in region: Region) async throws -> [MatchID: Allocation] {
            if matches.contains(bad) { throw FleetError.unexpectedReply("fleet.allocate") }
            return try await fleet.allocate(matches, in: region)
        }
    }

    private final class RanOut: Sendable {
        private let told = Mutex<[Region]>([])
        var regions: [Region] { told.withLock { $0 } }
        func tell(_ region: Region) { told.withLock { $0.append(region) } }
    }

    private struct House: Sendable {
        let fleet: FleetService
        let matches: MatchesRepository
        let balance: BalanceRepository
        let matchmaking: MatchmakingService
        let placer: MatchPlacer
        let ranOut: RanOut

        /// The placer, with places from elsewhere.
        func placer(on places: any MatchAllocator) -> MatchPlacer {
            MatchPlacer(
                fleet: fleet, places: places, matches: matches, balance: balance, matchmaking: matchmaking,
                logger: placer.logger, slotsRanOut: { _ in })
        }

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
        func acceptedMatch(of names: String...) async throws -> AllocateInstance {
            var tickets: [Ticket] = []
            for name in names.isEmpty ? ["one", "two"] : names {
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
            let ranOut = RanOut()
            let placer = MatchPlacer(
                fleet: fleet, places: fleet, matches: matches, balance: BalanceRepository(database: database),
                matchmaking: matchmaking, logger: logger, slotsRanOut: ranOut.tell)
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await Ranker(redis: redis, rules: rules, logger: logger).run() }
                defer { tasks.cancelAll() }
                try await body(
                    House(
                        fleet: fleet, matches: matches, balance: BalanceRepository(database: database),
                        matchmaking: matchmaking, placer: placer, ranOut: ranOut))
            }
        }
        try database.close()
    }
}

extension MatchPlacer {
    /// One job by itself.
    fileprivate func place(_ job: AllocateInstance) async throws {
        if let error = await place([job])[job.matchId] { throw error }
    }
}

import GameData
import GameModel
import Logging
import Records
import TestSupport

/// A fresh `data.sqlite` in a folder of its own.
func withData(
    isolation: isolated (any Actor)? = #isolation, _ body: (RecordsDatabase) async throws -> Void
) async throws {
    try await withRecords(schemas: GameDataSchema.schemas, body)
}

/// Fresh files of events in a folder of their own.
func withEvents(
    kinds: EventKinds = .known, isolation: isolated (any Actor)? = #isolation,
    _ body: (EventsRepository) async throws -> Void
) async throws {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    let events = try EventsRepository.open(
        folder: folder.path, kinds: kinds, logger: Logger(label: "test.events"))
    do {
        try await body(events)
    } catch {
        // The body's own error is the one to see.
        do { try events.close() } catch let closing { print("closing the test events failed: \(closing)") }
        throw error
    }
    try events.close()
}

/// Places a match, stores its result and applies it.
func play(
    _ placement: MatchPlacement, _ result: MatchResult? = nil, at instant: Instant = .now,
    system: RatingSystem = .glicko2, in database: RecordsDatabase
) async throws {
    let matches = MatchesRepository(database: database)
    try await matches.place(placement)
    _ = try await matches.recordResult(placement.matchId, result ?? placement.result(), at: instant)
    let outcomes = try await ResultsRepository(database: database).apply(
        [.of(placement.matchId)], at: instant, system: { _ in system })
    for outcome in outcomes { _ = try outcome.get() }
}

/// How many jobs the file owes to Redis.
func openOutbox(_ database: RecordsDatabase) async throws -> Int {
    try await database.read { db in try Outbox.openCount(in: db) }
}

let duel = Mode("duel")
let pool = Pool(mode: Mode("duel"), region: Region("eu"))

extension MatchPlacement {
    /// A match of the given players, each a team of their own, on patch 1 unless told.
    static func of(
        _ players: [String], match: MatchID = MatchID(in: pool, ULID()), instance: String = "instance-1",
        patch: Int = 1, at instant: Instant = .now
    ) -> MatchPlacement {
        MatchPlacement(
            matchId: match, mode: pool.mode, region: pool.region, instanceId: InstanceID(instance),
            patch: PatchVersion(patch),
            roster: players.enumerated().map { team, player in
                MatchSeat(
                    team: team, ticketId: TicketID(in: pool, ULID()), playerId: PlayerID(player),
                    character: "ranger", rating: 1500)
            },
            placedAt: instant)
    }

    /// A match of teams made of parties, each of which has a ticket: `[["ada", "bob"], ["cleo"]]` is a team of a party
    /// of two and one who came alone.
    static func of(
        teams: [[[String]]], mode: Mode = pool.mode, bots: [Int] = [], at instant: Instant = .now
    ) -> MatchPlacement {
        let pool = Pool(mode: mode, region: pool.region)
        let roster = teams.enumerated().flatMap { team, parties in
            parties.flatMap { party in
                let ticket = TicketID(in: pool, ULID())
                return party.map { player in
                    MatchSeat(
                        team: team, ticketId: ticket, playerId: PlayerID(player), character: "ranger", rating: 1500)
                }
            }
        }
        return MatchPlacement(
            matchId: MatchID(in: pool, ULID()), mode: mode, region: pool.region, instanceId: InstanceID("instance-1"),
            patch: PatchVersion(1), roster: roster, bots: bots, placedAt: instant)
    }

    /// A result in which the players of a team got as many kills as it is told.
    func result(winner: Int? = 0) -> MatchResult {
        MatchResult(
            winner: winner, durationMs: 9_000,
            players: roster.map { seat in
                MatchResult.Player(
                    playerId: seat.playerId, team: seat.team, kills: seat.team == winner ? 1 : 0,
                    deaths: seat.team == winner ? 0 : 1, damage: 100 * (seat.team + 1))
            })
    }
}

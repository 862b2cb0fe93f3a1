import GameData
import GameModel
import Records
import TestSupport
import Testing

@Suite("What results may say")
struct ResultBoundsTests {
    @Test("a result that no play can have given is refused, and the refusal names the field")
    func implausible() async throws {
        try await withData { database in
            let matches = MatchesRepository(database: database)
            let placement = MatchPlacement.of(["ada", "bob"])
            try await matches.place(placement)
            for (field, change) in [
                // A ranger with an aegis has 1,150 hit points, and bob died once: nobody took more than 3 × 2 × 1,150.
                ("players[0].damage", { $0.players[0].damage = 6_901 }),
                ("players[0].kills", { $0.players[0].kills = 2 }),
                ("players[1].damage", { $0.players[1].damage = 3_451 }),
                ("players[0].damage", { $0.players[0].damage = -1 }),
                ("players[0].playerId", { $0.players[0].playerId = PlayerID("stranger") }),
                ("players[0].team", { $0.players[0].team = 1 }),
                ("players", { $0.players.removeLast() }),
                ("winner", { $0.winner = 2 }),
                ("durationMs", { $0.durationMs = -1 }),
                // A duel is 180 s: with as long again and a minute, 420.
                ("durationMs", { $0.durationMs = 420_001 }),
                // Who falls in a duel stays down.
                ("players[1].deaths", { $0.players[1].deaths = 2 }),
                ("patch", { $0.patch = PatchVersion(2) }),
            ] as [(String, (inout MatchResult) -> Void)] {
                var result = placement.result()
                change(&result)
                do {
                    let reply = try await matches.recordResult(placement.matchId, result)
                    Issue.record("\(field): \(reply)")
                } catch GameDataError.invalid(let named, let detail) {
                    #expect(named == field)
                    #expect(!detail.isEmpty)
                }
            }
            #expect(try await matches.match(placement.matchId)?.state == .placed)
            var most = placement.result()
            most.players[0].damage = 6_900
            most.durationMs = 420_000
            most.patch = PatchVersion(1)
            #expect(try await matches.recordResult(placement.matchId, most) == .recorded)
            #expect(try await matches.match(placement.matchId)?.result == most)
        }
    }

    @Test("bots can be killed, and are not named")
    func bots() async throws {
        try await withData { database in
            let matches = MatchesRepository(database: database)
            let placement = MatchPlacement.of(teams: [[["ada"]], []], bots: [0, 2])
            try await matches.place(placement)
            let result = MatchResult(
                winner: 0, durationMs: 1,
                players: [.init(playerId: PlayerID("ada"), team: 0, kills: 2, deaths: 0, damage: 2_800)])
            #expect(try await matches.recordResult(placement.matchId, result) == .recorded)
        }
    }

    @Test("who reported a result is kept, and what contradicts it is kept for a person: once, and not without end")
    func conflicts() async throws {
        try await withData { database in
            let matches = MatchesRepository(database: database)
            let conflicts = ResultConflictsRepository(database: database)
            let placement = MatchPlacement.of(["ada", "bob"])
            let match = placement.matchId
            try await matches.place(placement)
            let first = placement.result(winner: 0)
            let second = placement.result(winner: 1)
            #expect(try await matches.recordResult(match, first, by: "instance-1") == .recorded)
            #expect(try await matches.recordResult(match, first, by: "instance-1") == .alreadyRecorded)
            #expect(try await conflicts.conflicts().isEmpty)
            let instant = Instant(milliseconds: 5)
            for _ in 0..<3 {
                #expect(try await matches.recordResult(match, second, by: "fleet", at: instant) == .conflict)
            }
            let kept = try await conflicts.conflicts(of: match)
            #expect(kept.count == 1)
            #expect(kept.first?.result == second)
            #expect(kept.first?.reportedBy == "fleet")
            #expect(kept.first?.reportedAt == instant)
            #expect(try await matches.match(match)?.result == first)
            #expect(try await matches.match(match)?.reportedBy == "instance-1")
            for duration in 0..<20 {
                var another = second
                another.durationMs = Int64(duration)
                #expect(try await matches.recordResult(match, another) == .conflict)
            }
            #expect(try await conflicts.conflicts(of: match).count == ResultConflictsRepository.matchMax)
            #expect(try await conflicts.settle(match, by: "cli:ada@house") == ResultConflictsRepository.matchMax)
            #expect(try await conflicts.settle(match, by: "cli:ada@house") == 0)
            #expect(try await conflicts.conflicts(openOnly: true).isEmpty)
            #expect(try await conflicts.conflicts().first?.settledBy == "cli:ada@house")
        }
    }

    @Test("a result that comes for an abandoned match changes nothing and is kept")
    func abandoned() async throws {
        try await withData { database in
            let matches = MatchesRepository(database: database)
            let placement = MatchPlacement.of(["ada", "bob"])
            try await matches.place(placement)
            #expect(try await matches.abandon(placement.matchId, reason: "instance-lost") == .abandoned)
            #expect(try await matches.recordResult(placement.matchId, placement.result(), by: "x") == .conflict)
            #expect(try await ResultConflictsRepository(database: database).conflicts().first?.state == .abandoned)
            #expect(try await PlayersRepository(database: database).rating(PlayerID("ada"), mode: duel) == .initial)
        }
    }
}

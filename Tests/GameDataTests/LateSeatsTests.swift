import GameModel
import Testing

@testable import GameData

@Suite("Seats taken while a match is under way, and not come to after all")
struct LateSeatsTests {
    @Test("seats are taken back before their players were told, and their tickets are free for another match")
    func removed() async throws {
        try await withData { database in
            let matches = MatchesRepository(database: database)
            let placement = MatchPlacement.of(teams: [[["ada"]], [["bob"]]])
            try await matches.place(placement)
            let late = MatchPlacement.of(teams: [[["eve", "fay"]], [["gus"]]]).roster
            _ = try await matches.addSeats(placement.matchId, late)
            try await matches.removeSeats(placement.matchId, of: [late[0].ticketId, placement.roster[0].ticketId])
            let roster = try await matches.roster(placement.matchId)
            #expect(roster == placement.roster + [late[2]], "a party goes as a whole, who was there at the begin stays")

            var other = MatchPlacement.of(teams: [[["eve", "fay"]], [["hal"]]])
            for index in 0..<2 { other.roster[index].ticketId = late[0].ticketId }
            #expect(try await matches.place(other) == .placed)
        }
    }

    @Test("a result that does not name who was to come late stands, and costs them nothing")
    func neverCame() async throws {
        try await withData { database in
            let matches = MatchesRepository(database: database)
            let placement = MatchPlacement.of(teams: [[["ada"]], [["bob"]]])
            try await matches.place(placement)
            let late = MatchPlacement.of(teams: [[["eve"]], [["gus"]]]).roster
            _ = try await matches.addSeats(placement.matchId, late)
            var result = placement.result(winner: 0)
            result.players.append(.init(playerId: PlayerID("gus"), team: 1, kills: 0, deaths: 0, damage: 3))
            #expect(try await matches.recordResult(placement.matchId, result) == .recorded)
            #expect(try await matches.recordResult(placement.matchId, result) == .alreadyRecorded)
            let roster = try await matches.roster(placement.matchId)
            #expect(Set(roster) == Set(placement.roster + [late[1]]))
            #expect(try await matches.history(PlayerID("eve"), limit: 9).isEmpty)

            // Too late to take a seat back: the result is about it.
            try await matches.removeSeats(placement.matchId, of: [late[1].ticketId])
            #expect(try await matches.roster(placement.matchId).count == 3)
        }
    }

    @Test("who was there at the begin must be in the result, and a refused result takes nobody's seat")
    func namedAll() async throws {
        try await withData { database in
            let matches = MatchesRepository(database: database)
            let placement = MatchPlacement.of(teams: [[["ada"]], [["bob"]]])
            try await matches.place(placement)
            _ = try await matches.addSeats(
                placement.matchId, [MatchPlacement.of(teams: [[["eve"]], [["gus"]]]).roster[0]])
            var result = placement.result(winner: 0)
            result.players.removeLast()
            await #expect(throws: GameDataError.self) { try await matches.recordResult(placement.matchId, result) }
            #expect(try await matches.roster(placement.matchId).count == 3)
        }
    }

    @Test("a seat keeps the role that its player takes")
    func roles() async throws {
        try await withData { database in
            let matches = MatchesRepository(database: database)
            var placement = MatchPlacement.of(teams: [[["ada"]], [["bob"]]])
            placement.roster[1].role = "healer"
            try await matches.place(placement)
            #expect(try await matches.roster(placement.matchId).map(\.role) == [nil, "healer"])
        }
    }
}

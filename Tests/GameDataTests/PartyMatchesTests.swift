import GameData
import GameModel
import Records
import Testing

@Suite("Matches with parties, bots and players who join late")
struct PartyMatchesTests {
    @Test("a party's players have one ticket, and are placed in one team")
    func parties() async throws {
        try await withData { database in
            let matches = MatchesRepository(database: database)
            let placement = MatchPlacement.of(teams: [[["ada", "bob"], ["cleo"]], [["dan", "eve", "fay"]]])
            try await matches.place(placement)
            #expect(try await matches.place(placement) == .alreadyPlaced)
            #expect(try await matches.roster(placement.matchId) == placement.roster)

            var apart = MatchPlacement.of(teams: [[["gus", "hal"]], [["ida"]]])
            apart.roster[1].team = 1
            await #expect(throws: GameDataError.self) { try await matches.place(apart) }
            let placed = try await matches.recent(limit: 10)
            #expect(placed.count == 1)
        }
    }

    @Test("a party's ticket is in one match only, whichever of its players would be in the other")
    func partyTaken() async throws {
        try await withData { database in
            let matches = MatchesRepository(database: database)
            let first = MatchPlacement.of(teams: [[["ada", "bob"]], [["cleo", "dan"]]])
            try await matches.place(first)
            let ticket = first.roster[0].ticketId
            for player in ["ada", "zoe"] {
                var second = MatchPlacement.of(teams: [[[player]], [["gus"]]])
                second.roster[0].ticketId = ticket
                await #expect(throws: GameDataError.ticketTaken(ticket, by: first.matchId)) {
                    try await matches.place(second)
                }
            }
            _ = try await matches.abandon(first.matchId, reason: "instance silent")
            var again = MatchPlacement.of(teams: [[["ada", "bob"]], [["cleo", "dan"]]])
            again.roster = first.roster
            #expect(try await matches.place(again) == .placed)
            try expectGreen(try await GameDataAudit(database: database).findings())
        }
    }

    @Test("a match says by which rules it was made, where it is played, and how many bots play")
    func rulesAndBots() async throws {
        try await withData { database in
            let matches = MatchesRepository(database: database)
            var placement = MatchPlacement.of(teams: [[["ada"]], []], bots: [1, 2])
            placement.rules = "3f9c01d2"
            try await matches.place(placement)
            let match = try await matches.match(placement.matchId)
            #expect(match?.rules == "3f9c01d2")
            #expect(match?.region == Region("eu"))
            #expect(match?.bots == [1, 2])
            #expect(match?.isRated == false)
            #expect(match?.teams == [placement.roster, []])
            placement.bots = [2, 2]
            await #expect(throws: GameDataError.rosterConflict(placement.matchId)) {
                try await matches.place(placement)
            }
            let plain = MatchPlacement.of(["bob", "cleo"])
            try await matches.place(plain)
            let record = try await matches.match(plain.matchId)
            #expect(record?.rules == "standard")
            #expect(record?.bots == [])
            #expect(record?.isRated == true)
        }
    }

    @Test("bots that can't be are refused: nobody but bots, a team of nobody, less than none, too many")
    func invalidBots() async throws {
        try await withData { database in
            let matches = MatchesRepository(database: database)
            let wrong: [MatchPlacement] = [
                .of(teams: [[], []], bots: [1, 1]), .of(teams: [[["ada"]], []], bots: [1, 0]),
                .of(teams: [[["ada"]], [], [["bob"]]], bots: [0, 0, 0]),
                .of(teams: [[["ada"]], [["bob"]]], bots: [-1, 0]), .of(teams: [[["ada"]], []], bots: [0, 1_000]),
                .of(teams: [[["ada"]], []], bots: [Int.max, Int.max]),
            ]
            for placement in wrong {
                await #expect(throws: GameDataError.self) { try await matches.place(placement) }
            }
        }
    }

    @Test("a match with bots ends with its result and rates nobody, though a team of bots alone has won")
    func unrated() async throws {
        try await withData { database in
            let players = PlayersRepository(database: database)
            try await players.upsert(PlayerID("ada"), displayName: "Ada")
            let placement = MatchPlacement.of(teams: [[["ada", "bob"]], []], bots: [0, 2])
            try await play(placement, placement.result(winner: 1), in: database)
            #expect(try await players.rating(PlayerID("ada"), mode: duel) == .initial)
            #expect(try await players.profile(PlayerID("ada"))?.ratings == [:])
            let match = try await MatchesRepository(database: database).match(placement.matchId)
            #expect(match?.state == .finished)
            #expect(match?.result == placement.result(winner: 1))
            let line = try await MatchesRepository(database: database).history(PlayerID("ada"), limit: 1).first
            #expect(line?.outcome == .lost)
            #expect(line?.kills == 0)
            #expect(line?.ratingAfter == nil)
            try expectGreen(try await GameDataAudit(database: database).findings())
        }
    }

    @Test("players join a running match: the roster grows once, however often they are added")
    func addSeats() async throws {
        try await withData { database in
            let matches = MatchesRepository(database: database)
            let placement = MatchPlacement.of(teams: [[["ada", "bob"]], [["cleo", "dan"]]])
            try await matches.place(placement)
            let late = MatchPlacement.of(teams: [[["eve", "fay"]], [["gus"]]]).roster
            #expect(try await matches.addSeats(placement.matchId, Array(late.prefix(2))) == .added(2))
            #expect(try await matches.addSeats(placement.matchId, late) == .added(1))
            var rated = late
            rated[0].rating = 1623
            #expect(try await matches.addSeats(placement.matchId, rated) == .alreadyAdded)
            let roster = try await matches.roster(placement.matchId)
            let begun = placement.roster
            let grown: [MatchSeat] = [begun[0], begun[1], late[0], late[1], begun[2], begun[3], late[2]]
            #expect(roster == grown)
            // The allocator that is not sure whether it placed the match, and the one that moves it, know no late
            // seats.
            #expect(try await matches.place(placement) == .alreadyPlaced)
            var moved = placement
            moved.instanceId = InstanceID("instance-2")
            #expect(try await matches.place(moved) == .moved(from: placement.instanceId))
            #expect(try await matches.history(PlayerID("eve"), limit: 9).map(\.matchId) == [placement.matchId])
        }
    }

    @Test("seats that can't be are refused, and none of their call is added")
    func invalidSeats() async throws {
        try await withData { database in
            let matches = MatchesRepository(database: database)
            let placement = MatchPlacement.of(teams: [[["ada"]], [["bob"]]])
            let other = MatchPlacement.of(teams: [[["cleo"]], [["dan"]]])
            for match in [placement, other] { try await matches.place(match) }
            let good = MatchPlacement.of(teams: [[["eve"]], [["fay"]]]).roster
            var noTeam = good
            noTeam[1].team = 2
            var seated = good
            seated[1].playerId = PlayerID("ada")
            var twice = good
            twice[1].playerId = PlayerID("eve")
            for seats in [noTeam, seated, twice] {
                let error = await #expect(throws: GameDataError.self) {
                    try await matches.addSeats(placement.matchId, seats)
                }
                guard case .invalid(let field, _) = error else {
                    Issue.record("wanted .invalid, got \(String(describing: error))")
                    continue
                }
                #expect(field.hasPrefix("seats[1]."))
            }
            var taken = good
            taken[1].ticketId = other.roster[0].ticketId
            await #expect(throws: GameDataError.ticketTaken(taken[1].ticketId, by: other.matchId)) {
                try await matches.addSeats(placement.matchId, taken)
            }
            await #expect(throws: GameDataError.unknownMatch(MatchID("duel.eu.none"))) {
                try await matches.addSeats(MatchID("duel.eu.none"), good)
            }
            #expect(try await matches.roster(placement.matchId) == placement.roster)
        }
    }

    @Test("nobody joins a match that is over, though who joined before may be added again")
    func addSeatsTooLate() async throws {
        try await withData { database in
            let matches = MatchesRepository(database: database)
            let placement = MatchPlacement.of(teams: [[["ada"]], [["bob"]]])
            try await matches.place(placement)
            let late = MatchPlacement.of(teams: [[["cleo"]], [["dan"]]]).roster
            _ = try await matches.addSeats(placement.matchId, [late[0]])
            var result = placement.result()
            let cleo = MatchResult.Player(playerId: PlayerID("cleo"), team: 0, kills: 0, deaths: 0, damage: 0)
            result.players.append(cleo)
            _ = try await matches.recordResult(placement.matchId, result)
            #expect(try await matches.addSeats(placement.matchId, [late[0]]) == .alreadyAdded)
            await #expect(throws: GameDataError.matchEnded(placement.matchId, .reported)) {
                try await matches.addSeats(placement.matchId, late)
            }
            let lost = MatchPlacement.of(teams: [[["eve"]], [["fay"]]])
            try await matches.place(lost)
            _ = try await matches.abandon(lost.matchId, reason: "instance silent")
            await #expect(throws: GameDataError.matchEnded(lost.matchId, .abandoned)) {
                try await matches.addSeats(lost.matchId, [late[1]])
            }
        }
    }

    @Test(
        "the result covers who joined late and who left: who left has lost, who took their place has what the team has")
    func replaced() async throws {
        try await withData { database in
            let matches = MatchesRepository(database: database)
            let players = PlayersRepository(database: database)
            for name in ["ada", "bob"] { try await players.upsert(PlayerID(name), displayName: name) }
            let placement = MatchPlacement.of(teams: [[["ada"]], [["cleo"]]])
            try await matches.place(placement)
            _ = try await matches.addSeats(placement.matchId, MatchPlacement.of(teams: [[["bob"]], []]).roster)
            var result = placement.result(winner: 0)
            result.players[0].left = true
            result.players.append(
                MatchResult.Player(playerId: PlayerID("bob"), team: 0, kills: 0, deaths: 0, damage: 9))
            #expect(try await matches.recordResult(placement.matchId, result) == .recorded)
            _ = try await ResultsRepository(database: database).apply([.of(placement.matchId)])
            let ada = try await players.profile(PlayerID("ada"))?.ratings["duel"]
            let bob = try await players.profile(PlayerID("bob"))?.ratings["duel"]
            #expect(ada?.leaves == 1)
            #expect(ada?.wins == 0)
            #expect((ada?.rating ?? 1500) < 1500)
            #expect(bob?.leaves == 0)
            #expect(bob?.wins == 1)
            #expect((bob?.rating ?? 1500) > 1500)
            let left = try await matches.history(PlayerID("ada"), limit: 1).first
            #expect(left?.outcome == .lost)
            #expect(left?.left == true)
            let stayed = try await matches.history(PlayerID("bob"), limit: 1).first
            #expect(stayed?.outcome == .won)
            #expect(stayed?.left == nil)
            try expectGreen(try await GameDataAudit(database: database).findings())
        }
    }
}

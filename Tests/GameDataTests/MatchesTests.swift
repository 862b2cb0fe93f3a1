import Foundation
import GameModel
import Records
import Testing

@testable import GameData

@Suite("Matches")
struct MatchesTests {
    @Test("a placed match is read as it was written")
    func place() async throws {
        try await withData { database in
            let matches = MatchesRepository(database: database)
            let placement = MatchPlacement.of(["ada", "bob"])
            #expect(try await matches.place(placement) == .placed)
            let match = try await matches.match(placement.matchId)
            #expect(match?.state == .placed)
            #expect(match?.roster == placement.roster)
            #expect(match?.teams == placement.roster.map { [$0] })
            #expect(match?.placedAt == placement.placedAt)
            #expect(match?.instanceId == placement.instanceId)
            #expect(match?.result == nil)
            #expect(try await matches.roster(placement.matchId) == placement.roster)
            #expect(try await matches.recent(limit: 10).map(\.matchId) == [placement.matchId])
            #expect(try await matches.placed(on: placement.instanceId) == [placement.matchId])
        }
    }

    @Test("placing again changes nothing, and another instance takes the match over with its patch")
    func placeAgain() async throws {
        try await withData { database in
            let matches = MatchesRepository(database: database)
            var placement = MatchPlacement.of(["ada", "bob"])
            try await matches.place(placement)
            #expect(try await matches.place(placement) == .alreadyPlaced)
            try await BalanceRepository(database: database).editCharacter("shade", damage: 99, by: "tester")
            placement.instanceId = InstanceID("instance-2")
            placement.patch = PatchVersion(2)
            #expect(try await matches.place(placement) == .moved(from: InstanceID("instance-1")))
            let match = try await matches.match(placement.matchId)
            #expect(match?.instanceId == InstanceID("instance-2"))
            #expect(match?.patch == PatchVersion(1))
        }
    }

    @Test("of many matches placed at once each has its own reply, and one that is refused takes none with it")
    func placeMany() async throws {
        try await withData { database in
            let matches = MatchesRepository(database: database)
            let known = MatchPlacement.of(["ada", "bob"])
            try await matches.place(known)
            var taken = MatchPlacement.of(["cleo", "dan"])
            taken.roster[1].ticketId = known.roster[1].ticketId
            let (first, last) = (MatchPlacement.of(["eve", "fay"]), MatchPlacement.of(["gus", "hal"]))
            var shared = MatchPlacement.of(["eve", "ida"])
            shared.roster[0].ticketId = first.roster[0].ticketId
            let replies = try await matches.place([
                first, taken, .of(["alone"]), known, .of(["jo", "kim"], patch: 9), shared, last,
            ])
            let placed = replies.map { if case .success(let reply) = $0 { reply } else { nil as PlaceReply? } }
            #expect(placed == [.placed, nil, nil, .alreadyPlaced, nil, nil, .placed])
            func refusal(_ index: Int) -> GameDataError? {
                if case .failure(let error) = replies[index] { error as? GameDataError } else { nil }
            }
            #expect(refusal(1) == .ticketTaken(known.roster[1].ticketId, by: known.matchId))
            if case .invalid("roster", _) = refusal(2) {} else { Issue.record("\(replies[2])") }
            #expect(refusal(4) == .unknownPatch(PatchVersion(9)))
            #expect(refusal(5) == .ticketTaken(first.roster[0].ticketId, by: first.matchId))
            #expect(try await matches.match(taken.matchId) == nil)
            #expect(try await matches.roster(first.matchId) == first.roster)
            #expect(try await matches.roster(last.matchId) == last.roster)
        }
    }

    @Test("a patch is for matches placed after it: a placed match keeps its own")
    func patchOfFutureMatches() async throws {
        try await withData { database in
            let matches = MatchesRepository(database: database)
            let balance = BalanceRepository(database: database)
            let before = MatchPlacement.of(["ada", "bob"], patch: try await balance.current().patch.number)
            try await matches.place(before)
            try await balance.editCharacter("ranger", damage: 500, by: "tester")
            let after = MatchPlacement.of(["ada", "bob"], patch: try await balance.current().patch.number)
            try await matches.place(after)
            #expect(try await matches.match(before.matchId)?.patch == PatchVersion(1))
            #expect(try await matches.match(after.matchId)?.patch == PatchVersion(2))
            #expect(try await balance.patch(PatchVersion(1))?.characters[1].damage == 30)
        }
    }

    @Test("a ticket that is in a match can't be placed in another, and nothing of that one is written")
    func ticketTaken() async throws {
        try await withData { database in
            let matches = MatchesRepository(database: database)
            let first = MatchPlacement.of(["ada", "bob"])
            var second = MatchPlacement.of(["cleo", "bob"])
            second.roster[1].ticketId = first.roster[1].ticketId
            try await matches.place(first)
            await #expect(throws: GameDataError.ticketTaken(first.roster[1].ticketId, by: first.matchId)) {
                try await matches.place(second)
            }
            #expect(try await matches.match(second.matchId) == nil)
        }
    }

    @Test("another roster under the same match is refused")
    func rosterConflict() async throws {
        try await withData { database in
            let matches = MatchesRepository(database: database)
            let first = MatchPlacement.of(["ada", "bob"])
            try await matches.place(first)
            await #expect(throws: GameDataError.rosterConflict(first.matchId)) {
                try await matches.place(.of(["ada", "cleo"], match: first.matchId))
            }
        }
    }

    @Test("rosters that can't be are refused: one team, a gap, a player or a ticket twice, an unknown patch")
    func invalidRosters() async throws {
        try await withData { database in
            let matches = MatchesRepository(database: database)
            var gap = MatchPlacement.of(["ada", "bob"])
            gap.roster[1].team = 2
            var twice = MatchPlacement.of(["ada", "bob"])
            twice.roster[1].ticketId = twice.roster[0].ticketId
            for placement in [.of(["ada"]), gap, .of(["ada", "ada"]), twice] {
                await #expect(throws: GameDataError.self) { try await matches.place(placement) }
            }
            await #expect(throws: GameDataError.unknownPatch(PatchVersion(9))) {
                try await matches.place(.of(["ada", "bob"], patch: 9))
            }
            let placed = try await matches.recent(limit: 10)
            #expect(placed.isEmpty)
        }
    }

    @Test("an abandoned match takes no result, is not placed again, and a match with a result is not abandoned")
    func abandon() async throws {
        try await withData { database in
            let matches = MatchesRepository(database: database)
            let lost = MatchPlacement.of(["ada", "bob"])
            try await matches.place(lost)
            #expect(try await matches.abandon(lost.matchId, reason: "instance silent") == .abandoned)
            #expect(try await matches.abandon(lost.matchId, reason: "again") == .alreadyAbandoned)
            #expect(try await matches.recordResult(lost.matchId, lost.result()) == .conflict)
            #expect(try await matches.match(lost.matchId)?.reason == "instance silent")
            #expect(try await matches.placed(on: lost.instanceId) == [])
            await #expect(throws: GameDataError.matchEnded(lost.matchId, .abandoned)) { try await matches.place(lost) }

            let played = MatchPlacement.of(["ada", "bob"])
            try await matches.place(played)
            _ = try await matches.recordResult(played.matchId, played.result())
            #expect(try await matches.abandon(played.matchId, reason: "late") == .hasResult)
            #expect(try await matches.abandon(MatchID("duel.eu.none"), reason: "") == .unknownMatch)
        }
    }

    @Test("tickets of an abandoned match can be placed again, in another match, once")
    func ticketsAfterAbandon() async throws {
        try await withData { database in
            let matches = MatchesRepository(database: database)
            let lost = MatchPlacement.of(["ada", "bob"])
            try await matches.place(lost)
            _ = try await matches.abandon(lost.matchId, reason: "placed too late")
            var again = MatchPlacement.of(["ada", "bob"])
            again.roster = lost.roster
            #expect(try await matches.place(again) == .placed)
            var third = MatchPlacement.of(["ada", "bob"])
            third.roster = lost.roster
            await #expect(throws: GameDataError.ticketTaken(lost.roster[0].ticketId, by: again.matchId)) {
                try await matches.place(third)
            }
            try expectGreen(try await GameDataAudit(database: database).findings())
        }
    }

    @Test("a result is stored once: the same again is fine, another one is a conflict, an unknown match is told")
    func recordResult() async throws {
        try await withData { database in
            let matches = MatchesRepository(database: database)
            let placement = MatchPlacement.of(["ada", "bob"])
            try await matches.place(placement)
            let result = placement.result()
            #expect(try await matches.recordResult(placement.matchId, result) == .recorded)
            var reordered = result
            reordered.players.reverse()
            #expect(try await matches.recordResult(placement.matchId, reordered) == .alreadyRecorded)
            #expect(try await matches.recordResult(placement.matchId, placement.result(winner: 1)) == .conflict)
            #expect(try await matches.recordResult(MatchID("duel.eu.none"), result) == .unknownMatch)
            let match = try await matches.match(placement.matchId)
            #expect(match?.state == .reported)
            #expect(match?.result == result)
            #expect(try await openOutbox(database) == 1)
        }
    }

    @Test("a result that can't be of the match is refused, naming the field, and nothing is stored")
    func invalidResults() async throws {
        try await withData { database in
            let matches = MatchesRepository(database: database)
            let placement = MatchPlacement.of(["ada", "bob"])
            try await matches.place(placement)
            let good = placement.result()
            let wrong: [(String, (inout MatchResult) -> Void)] = [
                ("durationMs", { $0.durationMs = -1 }), ("winner", { $0.winner = 2 }),
                ("players[1].playerId", { $0.players[1].playerId = PlayerID("eve") }),
                ("players[1].playerId", { $0.players[1].playerId = PlayerID("ada") }),
                ("players[0].team", { $0.players[0].team = 1 }), ("players[0].kills", { $0.players[0].kills = -1 }),
                ("players[1].deaths", { $0.players[1].deaths = 100_001 }),
                ("players[1].damage", { $0.players[1].damage = -7 }), ("players", { $0.players.removeLast() }),
                ("ranks", { $0.ranks = [1] }), ("ranks[1]", { $0.ranks = [1, 3] }),
                ("ranks[0]", { $0.ranks = [0, 1] }),
                ("ranks", { $0.ranks = [2, 1] }), ("ranks", { $0.ranks = [1, 1] }),
                ("ranks", { ($0.winner, $0.ranks) = (nil, [1, 2]) }),
            ]
            for (field, spoil) in wrong {
                var result = good
                spoil(&result)
                let error = await #expect(throws: GameDataError.self) {
                    try await matches.recordResult(placement.matchId, result)
                }
                guard case .invalid(field, _) = error else {
                    Issue.record("wanted \(field), got \(String(describing: error))")
                    continue
                }
            }
            #expect(try await matches.match(placement.matchId)?.state == .placed)
            #expect(try await openOutbox(database) == 0)
        }
    }

    @Test("a result must say its winner, null for a draw")
    func winnerIsSaid() throws {
        let players = #""durationMs":1,"players":[]"#
        let draw = try JSONDecoder().decode(MatchResult.self, from: Data(#"{"winner":null,\#(players)}"#.utf8))
        #expect(draw.winner == nil)
        #expect(String(decoding: try JSONEncoder().encode(draw), as: UTF8.self).contains(#""winner":null"#))
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode(MatchResult.self, from: Data("{\(players)}".utf8))
        }
    }

    @Test("a result without ranks and leavers has the text that it had before there were such: it is still the same")
    func resultText() throws {
        let old =
            #"{"durationMs":1,"players":[{"damage":5,"deaths":0,"kills":2,"playerId":"ada","team":0}],"winner":0}"#
        var result = try JSONDecoder().decode(MatchResult.self, from: Data(old.utf8))
        #expect(result.players[0].left == false)
        #expect(result.ranks == nil)
        #expect(try result.canonicalText() == old)
        result.ranks = [1, 2]
        result.players[0].left = true
        let text = try result.canonicalText()
        #expect(text.contains(#""left":true"#))
        #expect(text.contains(#""ranks":[1,2]"#))
        #expect(try MatchResult.read(text) == result)
    }

    @Test("history comes newest first, in pages that neither skip nor repeat")
    func history() async throws {
        try await withData { database in
            let matches = MatchesRepository(database: database)
            var placed: [MatchID] = []
            for index in 0..<7 {
                // Two at a time share an instant: the page's end must not fall between them.
                let placement = MatchPlacement.of(
                    ["ada", "player-\(index)"], at: Instant(milliseconds: 1_000 + Int64(index / 2)))
                try await matches.place(placement)
                placed.append(placement.matchId)
            }
            try await matches.place(.of(["bob", "cleo"]))
            var seen: [MatchID] = []
            var before: MatchID?
            repeat {
                let page = try await matches.history(PlayerID("ada"), limit: 3, before: before)
                seen += page.map(\.matchId)
                before = page.count == 3 ? page.last?.matchId : nil
            } while before != nil
            #expect(seen.count == 7)
            #expect(Set(seen) == Set(placed))
            await #expect(throws: GameDataError.self) {
                try await matches.history(PlayerID("ada"), limit: 3, before: MatchID("duel.eu.none"))
            }
        }
    }
}

import API
import APIWorker
import Accounts
import AsyncHTTPClient
import Fleet
import Foundation
import GameData
import GameModel
import Logging
import Matchmaking
import NIOCore
import NIOFoundationCompat
import NIOHTTP1
import NIOPosix
import Records
import Redis
import ServiceLifecycle
import TestSupport
import Testing

@testable import AllocatorWorker
@testable import InstanceWorker
@testable import MusterInstance

@Suite("Fleet, allocator and instance behind the real API")
struct RealAPITests {
    @Test("two players queue, accept, are placed, play on an instance, and the result is stored with its job")
    func wholeWay() async throws {
        try await withHouse { house in
            let players = try await [house.newPlayer("one"), house.newPlayer("two")]
            let endings = try await withThrowingTaskGroup(of: AnyFrame?.self) { group in
                for player in players { group.addTask { try await house.playMatch(player) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(endings.map { $0?.type } == ["finished", "finished"])

            let match = try #require(try await house.matches.recent(limit: 1).first)
            try await eventually("the result is stored") {
                try await house.matches.match(match.matchId)?.state == .reported
            }
            let record = try #require(try await house.matches.match(match.matchId))
            #expect(Set(record.roster.map(\.playerId)) == Set(players.map(\.id)))
            #expect(record.result?.winner == endings[0]?.winner)
            #expect(record.instanceId == house.instance)
            try await eventually("the slot is free") { try await house.fleet.list(eu).allocations == 0 }
        }
    }

    @Test(
        "in a pool that spans the regions, a match is played where all are near; who queues takes the seat of who left"
    )
    func backfill() async throws {
        let rules = """
            regions: [us, eu]
            modes:
              duel:
                teams: {count: 2, size: 1}
                rating: {window: 5000, window-max: 5000}
                latency: {scope: together, max: 60}
                backfill: {allowed: true}
            """
        try await withHouse(rules: rules) { house in
            let names = ["one", "two", "three"]
            var players: [House.Player] = []
            for name in names { players.append(try await house.newPlayer(name)) }
            let (leaving, staying, coming) = (players[0], players[1], players[2])
            func wish(_ character: String) -> String {
                #"{"mode":"duel","character":"\#(character)","latencies":{"eu":20,"us":120}}"#
            }
            let (lasting, felling) = (wish("warden"), wish("shade"))
            async let first = house.ready(leaving, lasting)
            let seat = try await house.ready(staying, lasting)
            let left = try await first
            let match = try #require(left.matchId)
            #expect(match.pool?.region == .everywhere)
            #expect(match.region == eu)

            // Waits for a seat before there is one, so that it is taken soon after.
            async let late = house.ready(coming, felling)
            async let ending = play(seat.port, token: seat.joinToken)
            try await withGameClient(left.port) { client in
                try await client.join(left.joinToken)
                var frame = try await client.next()
                while frame?.type != "state" { frame = try await client.next() }
                try await client.send(#"{"type":"leave"}"# + "\n")
            }
            let taken = try await late
            #expect(taken.matchId == match, "the seat is one of the running match")
            let frames = try await play(taken.port, token: taken.joinToken)
            #expect(frames.first?.type == "joined")
            #expect(frames.last?.type == "finished")
            #expect(try await ending.last?.type == "finished")

            try await eventually("the result is stored") {
                try await house.matches.match(match)?.state == .reported
            }
            let record = try #require(try await house.matches.match(match))
            #expect(Set(record.roster.map(\.playerId)) == Set(players.map(\.id)))
            #expect(record.result?.players.filter(\.left).map(\.playerId) == [leaving.id])
            try await eventually("the slot is free") { try await house.fleet.list(eu).allocations == 0 }
        }
    }

    @Test("fleet routes: who may ask, what is refused, and a result counts once")
    func routes() async throws {
        try await withHouse { house in
            let match = MatchID.duel()
            let seats = (0..<2).map { team in
                MatchSeat(
                    team: team, ticketId: TicketID("duel.eu.\(ULID())"), playerId: PlayerID("p\(team)"),
                    character: "warden", rating: 1_500)
            }
            try await house.matches.place(
                MatchPlacement(
                    matchId: match, mode: Mode("duel"), region: eu, instanceId: house.instance,
                    patch: PatchVersion(1), roster: seats))
            let sheet = "/v1/fleet/matches/\(match)"
            let player = try await house.newPlayer("three").token
            let stranger = try await house.tokens.service(subject: "eu.other", role: .instance)
            let own = try await house.tokens.service(subject: house.instance.rawValue, role: .instance)
            #expect(try await house.send(.GET, sheet, nil).status == 401)
            #expect(try await house.send(.GET, sheet, player).status == 403)
            #expect(try await house.send(.GET, sheet, stranger).status == 403)
            let answer = try await house.send(.GET, sheet, own)
            #expect(answer.status == 200)
            let read = try JSONDecoder().decode(MatchSheet.self, from: answer.body)
            #expect(read.teams.map { $0.map(\.playerId.rawValue) } == [["p0"], ["p1"]])
            #expect(!read.balance.characters.isEmpty && !read.balance.weapons.isEmpty)
            #expect(try await house.send(.GET, "/v1/fleet/matches/\(MatchID.duel())", own).status == 404)

            func body(_ winner: Int, _ first: String = "p0", kills: Int = 1) -> String {
                #"{"winner":\#(winner),"durationMs":5,"players":["#
                    + #"{"playerId":"\#(first)","team":0,"kills":\#(kills),"deaths":0,"damage":9},"#
                    + #"{"playerId":"p1","team":1,"kills":0,"deaths":1,"damage":0}]}"#
            }
            for (text, field) in [
                (body(7), "winner"), (body(0, "p9"), "players[0].playerId"), (body(0, kills: -1), "players[0].kills"),
                (#"{"winner":0}"#, "durationMs"),
            ] {
                let refused = try await house.send(.POST, "\(sheet)/result", own, text)
                #expect(refused.status == 422 && refused.text.contains("\"field\":\"\(field)\""))
            }
            #expect(try await house.send(.POST, "\(sheet)/result", stranger, body(0)).status == 403)
            #expect(try await house.send(.POST, "\(sheet)/result", own, body(0)).status == 201)
            #expect(try await house.send(.POST, "\(sheet)/result", own, body(0)).status == 200)
            #expect(try await house.send(.POST, "\(sheet)/result", own, body(1)).status == 409)
            #expect(try await house.send(.GET, sheet, own).status == 409)

            let beat = #"{"region":"eu","host":"h","port":0,"slots":1,"build":"1","matches":[]}"#
            let refused = try await house.send(.PUT, "/v1/fleet/instances/\(house.instance)", own, beat)
            #expect(refused.status == 422 && refused.text.contains("\"field\":\"port\""))
            #expect(try await house.send(.PUT, "/v1/fleet/instances/eu.other", own, beat).status == 403)

            let unknown = MatchID.duel()
            let taking =
                #"{"region":"eu","host":"h","port":1,"slots":2,"build":"1","matches":["\#(match)","\#(unknown)"]}"#
            #expect(try await house.send(.PUT, "/v1/fleet/instances/eu.other", stranger, taking).status == 200)
            let owners = try await house.fleet.owners(of: [match, unknown], in: eu)
            #expect(owners == [unknown: InstanceID("eu.other")], "a match that was placed elsewhere is not taken")
        }
    }

    @Test("all who left cool down, and what an instance measured is kept within bounds, of players of the match alone")
    func leaversAndLatencies() async throws {
        let rules = """
            regions: [eu]
            modes:
              duel:
                teams: {count: 2, size: 1}
                cooldown: {seconds: 60}
            """
        try await withHouse(rules: rules) { house in
            let names = ["one", "two", "three"]
            var players: [House.Player] = []
            for name in names { players.append(try await house.newPlayer(name)) }
            let match = MatchID.duel()
            try await house.matches.place(
                MatchPlacement(
                    matchId: match, mode: Mode("duel"), region: eu, instanceId: house.instance,
                    patch: PatchVersion(1),
                    roster: players.prefix(2).enumerated().map { team, player in
                        MatchSeat(
                            team: team, ticketId: TicketID("duel.eu.\(ULID())"), playerId: player.id,
                            character: "warden", rating: 1_500)
                    }))
            let own = try await house.tokens.service(subject: house.instance.rawValue, role: .instance)
            let said = players.prefix(2).enumerated().map { team, player in
                #"{"playerId":"\#(player.id)","team":\#(team),"kills":0,"deaths":0,"damage":0,"left":true,"#
                    + #""latencyMs":\#(team == 0 ? 9_000 : 40)}"#
            }
            let body = #"{"winner":0,"durationMs":5,"players":[\#(said.joined(separator: ","))]}"#
            #expect(try await house.send(.POST, "/v1/fleet/matches/\(match)/result", own, body).status == 201)

            for (player, ms) in zip(players, [5_000, 40, nil]) {
                let known = try await house.send(.GET, "/v1/matchmaking/latencies", player.token).text
                #expect(known.contains("\"eu\":") == (ms != nil), "\(known)")
                if let ms { #expect(known.contains("\"eu\":\(ms)"), "\(known)") }
                let wish = #"{"mode":"duel","region":"eu"}"#
                let queued = try await house.send(.POST, "/v1/matchmaking/tickets", player.token, wish)
                #expect(queued.text.contains("coolingDownUntil") == (ms != nil), "\(queued.text)")
            }
        }
    }
}

import Foundation
import GameModel
import HTTPTypes
import Matchmaking
import NIOHTTP1
import Redis
import TestSupport
import Testing

@testable import API

@Suite("Parties, cooldowns and the way back over HTTP")
struct PartyRoutesTests {
    @Test("a leader invites, the member finds the invitation and joins, and the ticket is queued with its place")
    func forming() async throws {
        try await withAPI { api in
            let (ada, bob) = (try await api.player("Ada"), try await api.player("Bob"))
            let made = try await api.invite(ada, [bob])
            let ticket: TicketSeen = try made.decode()
            #expect(made.status == 201, "\(made.text)")
            #expect(ticket.state == "forming")
            #expect(ticket.members?.map(\.playerId) == [ada.playerId, bob.playerId])
            #expect(ticket.members?.map(\.joined) == [true, false])
            #expect(ticket.position == nil)

            let found: InvitationsSeen = try await api.get("/v1/matchmaking/invitations", bob).decode()
            #expect(found.invitations.map(\.ticketId) == [ticket.ticketId])
            #expect(found.invitations.first?.leader == ada.playerId)
            #expect(
                try await api.get("/v1/matchmaking/invitations", ada).decode(InvitationsSeen.self).invitations.isEmpty)

            let joined = try await api.post("\(ticket.path)/join", bob, #"{"latencies":{"eu":20}}"#)
            #expect(joined.status == 200, "\(joined.text)")
            let queued: TicketSeen = try joined.decode()
            #expect(queued.state == "queued")
            #expect(queued.members?.map(\.joined) == [true, true])
            #expect(queued.position == 1)
            #expect(queued.waiting == 1)
            let again: TicketSeen = try await api.post("\(ticket.path)/join", bob, "{}").decode()
            #expect(again.state == "queued", "joining again is no fault")
            #expect(!joined.text.contains("rating"), "nobody's rating is shown")
        }
    }

    @Test("who is not invited may neither read, join, turn down nor cancel a party's ticket: 403, and it goes on")
    func strangers() async throws {
        try await withAPI { api in
            let (ada, bob) = (try await api.player("Ada"), try await api.player("Bob"))
            let eve = try await api.player("Eve")
            let ticket: TicketSeen = try await api.invite(ada, [bob]).decode()
            for (method, suffix, body) in [
                ("GET", "", nil), ("POST", "/join", "{}"), ("POST", "/turn-down", nil), ("DELETE", "", nil),
            ] as [(String, String, String?)] {
                let reply = try await api.client.send(
                    .RAW(value: method), ticket.path + suffix, token: eve.accessToken, body: body)
                #expect(reply.status == 403, "\(method) \(suffix): \(reply.text)")
            }
            #expect(try await api.get(ticket.path, bob).decode(TicketSeen.self).state == "forming")
            #expect(try await api.get("/v1/matchmaking/active", eve).status == 404)
        }
    }

    @Test("a member turns the party down: its ticket ends, says by whom, and both may queue again")
    func turnedDown() async throws {
        try await withAPI { api in
            let (ada, bob) = (try await api.player("Ada"), try await api.player("Bob"))
            let ticket: TicketSeen = try await api.invite(ada, [bob]).decode()
            let ended: TicketSeen = try await api.post("\(ticket.path)/turn-down", bob, nil).decode()
            #expect(ended.state == "cancelled")
            #expect(ended.reason == "turned-down")
            #expect(ended.endedBy == [bob.playerId])
            for player in [ada, bob] { #expect(try await api.queue(player).status == 201) }
        }
    }

    @Test("a ticket that could never be matched is refused with 422 naming the field")
    func impossible() async throws {
        try await withAPI { api in
            let player = try await api.player()
            for (body, field) in [
                (#"{"mode":"duel"}"#, "region"),
                (#"{"mode":"duel","region":"eu","roles":["tank"]}"#, "roles"),
                (#"{"mode":"duel","region":"eu","party":["p1"]}"#, "party"),
                (#"{"mode":"duel","region":"eu","party":"p1"}"#, "party"),
                (#"{"mode":"duel","region":"eu","latencies":{"eu":-1}}"#, "latencies.eu"),
                (#"{"mode":"duel","region":"eu","latencies":{"eu":5001}}"#, "latencies.eu"),
                (#"{"mode":"duel","region":"eu","attributes":{"level":{}}}"#, "attributes"),
            ] {
                let reply = try await api.post("/v1/matchmaking/tickets", player, body)
                #expect(reply.status == 422, "\(body): \(reply.text)")
                #expect(try reply.problem().field?.hasPrefix(field) == true, "\(body): \(reply.text)")
            }
            #expect(try await api.get("/v1/matchmaking/active", player).status == 404)
        }
    }

    @Test("the active ticket is found by its players only; in a running match its join token is a fresh one each time")
    func wayBack() async throws {
        try await withAPI { api in
            let redis = RedisClient(configuration: try RedisConfiguration(url: api.redis.url), logger: testLogger)
            let service = MatchmakingService(redis: redis, logger: testLogger)
            try await withServices([redis, Ranker(redis: redis, rules: .patient, logger: testLogger)]) {
                let (ada, bob) = (try await api.player("Ada"), try await api.player("Bob"))
                for player in [ada, bob] { #expect(try await api.queue(player).status == 201) }
                let waiting: TicketSeen = try await api.get("/v1/matchmaking/active", ada).decode()
                try await eventually("a match is proposed") {
                    try await api.get("\(waiting.path)?wait=30&since=queued", ada).decode(TicketSeen.self).state
                        == "proposed"
                }
                for player in [ada, bob] {
                    let active: TicketSeen = try await api.get("/v1/matchmaking/active", player).decode()
                    let accepted = try await api.post("\(active.path)/accept", player, nil)
                    #expect(accepted.status == 200, "\(accepted.text)")
                }
                let placing: TicketSeen = try await api.get("/v1/matchmaking/active", ada).decode()
                let match = MatchID(try #require(placing.matchId))
                try await service.markReady(
                    match, Assignment(instanceId: InstanceID("eu.one"), host: "10.0.0.1", port: 7_000))
                let first: TicketSeen = try await api.get("/v1/matchmaking/active", ada).decode()
                #expect(first.state == "ready")
                #expect(first.connection?.host == "10.0.0.1")
                let own = try #require(first.connection?.joinToken)
                let other: TicketSeen = try await api.get("/v1/matchmaking/active", bob).decode()
                #expect(other.connection?.joinToken != own, "each player has a token of their own")

                try await service.finish(match)
                #expect(try await api.get("/v1/matchmaking/active", ada).status == 404)
            }
        }
    }

    @Test("who is cooled down is refused with 429, told until when, and Retry-After says the same")
    func cooldown() throws {
        let problem = Problem.coolingDown(until: Instant(milliseconds: 61_500), now: Instant(milliseconds: 1_000))
        #expect(problem.status.code == 429)
        #expect(problem.retryAfterSeconds == 61)
        #expect(problem.coolingDownUntil?.milliseconds == 61_500)
        #expect(MatchmakingError.coolingDown(until: Instant(milliseconds: 0)).problem.retryAfterSeconds == 1)
    }

    @Test("everyone may read what is played, without a token")
    func modes() async throws {
        try await withAPI { api in
            let reply = try await api.client.send(.GET, "/v1/matchmaking/modes")
            #expect(reply.status == 200)
            let seen: ModesSeen = try reply.decode()
            #expect(seen.modes.map(\.mode) == ["duel", "squad", "trio"])
            #expect(seen.modes.map(\.partyMax) == [1, 5, 3])
            #expect(seen.regions == ["eu", "us"])
        }
    }
}

@Suite("Latencies over HTTP")
struct LatencyRoutesTests {
    @Test("samples are taken in by their median, and a ticket without latencies has those reported before")
    func reported() async throws {
        try await withAPI { api in
            let player = try await api.player()
            let path = "/v1/matchmaking/latencies"
            let reply = try await api.put(path, player, #"{"latencies":{"eu":[20,900,22],"us":[110]}}"#)
            #expect(reply.status == 200, "\(reply.text)")
            #expect(try reply.decode(LatenciesSeen.self).latencies == ["eu": 22, "us": 110])
            #expect(try await api.get(path, player).decode(LatenciesSeen.self).latencies == ["eu": 22, "us": 110])
            #expect(try await api.get(path, try await api.player()).decode(LatenciesSeen.self).latencies.isEmpty)

            let queued = try await api.queue(player)
            let ticket: TicketSeen = try queued.decode()
            let redis = RedisClient(configuration: try RedisConfiguration(url: api.redis.url), logger: testLogger)
            try await withServices([redis]) {
                let kept = try await MatchmakingService(redis: redis, logger: testLogger).ticket(
                    TicketID(ticket.ticketId))
                #expect(kept?.members.first?.latencies[Region("eu")] == 22)
            }
        }
    }

    @Test(
        "latencies that can't have been measured are refused, and nothing of them is kept",
        arguments: [
            (#"{"latencies":{"eu":[20,-1]}}"#, 422), (#"{"latencies":{"eu":[5000.5]}}"#, 422),
            (#"{"latencies":{"eu":[1e999]}}"#, 400), (#"{"latencies":{"eu":[NaN]}}"#, 400),
            (#"{"latencies":{"eu":[]}}"#, 422), (#"{"latencies":{"mars":[1]}}"#, 422),
            (#"{"latencies":{"eu":20}}"#, 422), (#"{"latencies":{"us":[20],"eu":["x"]}}"#, 422), ("{}", 422),
        ])
    func refused(_ body: String, _ status: Int) async throws {
        try await withAPI { api in
            let player = try await api.player()
            let reply = try await api.put("/v1/matchmaking/latencies", player, body)
            #expect(reply.status == status, "\(reply.text)")
            if status == 422 { #expect(try reply.problem().field?.hasPrefix("latencies") == true, "\(reply.text)") }
            let known: LatenciesSeen = try await api.get("/v1/matchmaking/latencies", player).decode()
            #expect(known.latencies.isEmpty)
        }
    }
}

private struct TicketSeen: Decodable, Sendable {
    struct Member: Decodable, Sendable {
        var playerId: String
        var joined: Bool
        var accepted: Bool
    }

    struct Connection: Decodable, Sendable {
        var host: String
        var joinToken: String
    }

    var ticketId: String
    var state: String
    var matchId: String?
    var reason: String?
    var endedBy: [String]?
    var members: [Member]?
    var position: Int?
    var waiting: Int?
    var connection: Connection?

    var path: String { "/v1/matchmaking/tickets/\(ticketId)" }
}

private struct InvitationsSeen: Decodable {
    struct Invitation: Decodable {
        var ticketId: String
        var leader: String
    }

    var invitations: [Invitation]
}

private struct LatenciesSeen: Decodable {
    var latencies: [String: Double]
}

private struct ModesSeen: Decodable {
    struct ModeSeen: Decodable {
        var mode: String
        var partyMax: Int
    }

    var regions: [String]
    var modes: [ModeSeen]
}

extension WholeAPI {
    fileprivate func get(_ path: String, _ player: TestPlayer) async throws -> TestReply {
        try await client.send(.GET, path, token: player.accessToken)
    }

    fileprivate func post(_ path: String, _ player: TestPlayer, _ body: String?) async throws -> TestReply {
        try await client.send(.POST, path, token: player.accessToken, body: body)
    }

    fileprivate func put(_ path: String, _ player: TestPlayer, _ body: String) async throws -> TestReply {
        try await client.send(.PUT, path, token: player.accessToken, body: body)
    }

    fileprivate func queue(_ player: TestPlayer) async throws -> TestReply {
        try await post("/v1/matchmaking/tickets", player, #"{"mode":"duel","region":"eu"}"#)
    }

    fileprivate func invite(_ leader: TestPlayer, _ others: [TestPlayer]) async throws -> TestReply {
        let names = others.map { "\"\($0.playerId)\"" }.joined(separator: ",")
        return try await post(
            "/v1/matchmaking/tickets", leader, #"{"mode":"squad","region":"eu","party":[\#(names)]}"#)
    }
}

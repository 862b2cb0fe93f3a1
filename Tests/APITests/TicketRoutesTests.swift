import AsyncHTTPClient
import Foundation
import Matchmaking
import NIOCore
import NIOHTTP1
import Redis
import TestSupport
import Testing

@testable import API

@Suite("Following a ticket over HTTP")
struct TicketRoutesTests {
    @Test("a stranger may neither read, follow, accept, decline nor cancel a ticket: 403")
    func foreignTicket() async throws {
        try await withAPI { api in
            let owner = try await api.player()
            let stranger = try await api.player()
            let path = try await api.queue(owner).path
            for (method, suffix) in [
                ("GET", ""), ("GET", "?wait=1"), ("GET", "/events"), ("POST", "/accept"), ("POST", "/decline"),
                ("DELETE", ""),
            ] {
                let reply = try await api.client.send(
                    .RAW(value: method), path + suffix, token: stranger.accessToken)
                #expect(reply.status == 403, "\(method) \(suffix)")
                #expect(try reply.problem().code == "forbidden")
            }
            #expect(try await api.state(path, owner) == "queued")
        }
    }

    @Test("accepting and declining a queued or cancelled ticket is refused with 409 and changes nothing")
    func wrongStates() async throws {
        try await withAPI { api in
            let player = try await api.player()
            let path = try await api.queue(player).path
            for state in ["queued", "cancelled"] {
                for action in ["accept", "decline"] {
                    let reply = try await api.client.send(.POST, "\(path)/\(action)", token: player.accessToken)
                    #expect(reply.status == 409, "\(action) while \(state)")
                    #expect(try reply.problem().code == "conflict")
                }
                #expect(try await api.state(path, player) == state)
                _ = try await api.client.send(.DELETE, path, token: player.accessToken)
            }
        }
    }

    @Test("a long poll answers on a change, and at once where the state is another than the one known")
    func longPoll() async throws {
        try await withAPI { api in
            let player = try await api.player()
            let path = try await api.queue(player).path
            #expect(try await api.state("\(path)?wait=30&since=proposed", player) == "queued")
            #expect(try await api.state("\(path)?wait=1&since=queued", player) == "queued")
            async let waiting = api.state("\(path)?wait=30&since=queued", player)
            _ = try await api.client.send(.DELETE, path, token: player.accessToken)
            #expect(try await waiting == "cancelled")
        }
    }

    @Test("wait and since that can't be are refused with 422 naming them")
    func badQuery() async throws {
        try await withAPI { api in
            let player = try await api.player()
            let path = try await api.queue(player).path
            for (query, field) in [
                ("wait=31", "wait"), ("wait=-1", "wait"), ("wait=x", "wait"), ("wait=1&since=lost", "since"),
            ] {
                let reply = try await api.client.send(.GET, "\(path)?\(query)", token: player.accessToken)
                #expect(reply.status == 422)
                #expect(try reply.problem().field == field)
            }
        }
    }

    @Test("the events of a ticket arrive as they happen, and the stream ends after the last")
    func events() async throws {
        try await withAPI { api in
            let player = try await api.player()
            let path = try await api.queue(player).path
            var request = HTTPClientRequest(url: api.client.base + path + "/events")
            request.headers.add(name: "Authorization", value: "Bearer \(player.accessToken)")
            let stream = try await HTTPClient.shared.execute(request, timeout: .seconds(90))
            #expect(stream.headers["Content-Type"] == ["text/event-stream"])
            var text = ""
            for try await part in stream.body {
                text += String(buffer: part)
                if text.contains(#""state":"queued""#), !text.contains("cancelled") {
                    _ = try await api.client.send(.DELETE, path, token: player.accessToken)
                }
            }
            #expect(text.components(separatedBy: "event: ticket\ndata: ").count == 3, "\(text)")
            #expect(text.contains(#""state":"cancelled""#))
        }
    }

    @Test("a player has four streams of events at most; a closed one makes room for the next")
    func streamsMax() async throws {
        try await withAPI { api in
            let player = try await api.player()
            let path = try await api.queue(player).path + "/events"
            func open() async throws -> HTTPClientResponse {
                var request = HTTPClientRequest(url: api.client.base + path)
                request.headers.add(name: "Authorization", value: "Bearer \(player.accessToken)")
                return try await HTTPClient.shared.execute(request, timeout: .seconds(90))
            }
            var streams: [HTTPClientResponse] = []
            for _ in 0..<4 { streams.append(try await open()) }
            #expect(streams.allSatisfy { $0.status == .ok })
            let refused = try await api.client.send(.GET, path, token: player.accessToken)
            #expect(refused.status == 429)
            #expect(try refused.problem().detail.contains("4 streams of events"))
            // To another player that does not matter.
            let other = try await api.player("Bob")
            let ticket = try await api.queue(other).path
            #expect(try await api.client.send(.DELETE, ticket, token: other.accessToken).status == 200)
            #expect(try await api.client.send(.GET, ticket + "/events", token: other.accessToken).status == 200)

            streams.removeAll()
            _ = try await api.client.send(
                .DELETE, String(path.dropLast("/events".count)), token: player.accessToken)
            try await eventually("there is room again") {
                try await api.client.send(.GET, path, token: player.accessToken).status == 200
            }
        }
    }

    @Test("a match is proposed to two players; a decline puts the other back with the time it queued at")
    func acceptAndDecline() async throws {
        try await withAPI { api in
            let redis = RedisClient(
                configuration: try RedisConfiguration(url: api.redis.url), logger: testLogger)
            try await withServices([redis, Ranker(redis: redis, rules: .patient, logger: testLogger)]) {
                let (ada, bob) = (try await api.player("Ada"), try await api.player("Bob"))
                let first = try await api.queue(ada)
                let second = try await api.queue(bob)
                for (ticket, player) in [(first, ada), (second, bob)] {
                    try await eventually("a match is proposed") {
                        try await api.state("\(ticket.path)?wait=30&since=queued", player) == "proposed"
                    }
                }
                // Accepting twice is no fault; declining after it is.
                for _ in 0..<2 {
                    let reply = try await api.client.send(.POST, "\(first.path)/accept", token: ada.accessToken)
                    #expect(try reply.decode(TicketView.self).state == "accepted")
                }
                let late = try await api.client.send(.POST, "\(first.path)/decline", token: ada.accessToken)
                #expect(late.status == 409)
                let declined = try await api.client.send(.POST, "\(second.path)/decline", token: bob.accessToken)
                #expect(try declined.decode(TicketView.self).state == "declined")
                let back = try await api.client.send(
                    .GET, "\(first.path)?wait=30&since=accepted", token: ada.accessToken)
                let ticket: TicketView = try back.decode()
                #expect(ticket.state == "queued")
                #expect(ticket.queuedAt == first.queuedAt)
            }
        }
    }

    @Test("a latency to a region that is not played in is refused with 422 naming the latency")
    func latencyElsewhere() async throws {
        try await withAPI { api in
            let reply = try await api.client.send(
                .POST, "/v1/matchmaking/tickets", token: try await api.player().accessToken,
                body: #"{"mode":"duel","region":"eu","latencies":{"mars":1}}"#)
            #expect(reply.status == 422)
            #expect(try reply.problem().field == "latencies.mars")
        }
    }
}

private struct TicketView: Decodable, Sendable {
    var ticketId: String
    var state: String
    var queuedAt: Int64

    var path: String { "/v1/matchmaking/tickets/\(ticketId)" }
}

extension WholeAPI {
    fileprivate func queue(_ player: TestPlayer) async throws -> TicketView {
        let reply = try await client.send(
            .POST, "/v1/matchmaking/tickets", token: player.accessToken, body: #"{"mode":"duel","region":"eu"}"#)
        guard reply.status == 201 else { throw TestSupportError("queue: \(reply.text)") }
        return try reply.decode()
    }

    fileprivate func state(_ path: String, _ player: TestPlayer) async throws -> String {
        try await client.send(.GET, path, token: player.accessToken).decode(TicketView.self).state
    }
}

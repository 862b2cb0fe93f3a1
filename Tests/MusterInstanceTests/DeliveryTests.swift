import Foundation
import GameModel
import Synchronization
import Telemetry
import TestSupport
import Testing

@testable import MusterInstance

@Suite("What an instance tells the API, and what it is told")
struct DeliveryTests {
    private static let match = MatchID("duel.eu.\(ULID())")
    private static let report = MatchReport(
        winner: 0, durationMs: 5, patch: PatchVersion(3),
        players: [.init(playerId: PlayerID("p1"), team: 0, kills: 1, deaths: 0, damage: 9)])

    private static func sheet(_ match: MatchID, patch: Int, balance: String? = nil) -> String {
        let balance = balance.map { #","balance":\#($0)"# } ?? ""
        return #"{"matchId":"\#(match)","mode":"duel","region":"eu","patch":\#(patch),"canBackfill":true,"#
            + #""teams":[[{"playerId":"p1","displayName":"P","character":"a","rating":1500,"skins":[],"skin":"s"}]]"#
            + balance + "}"
    }

    private static let balance =
        #"{"patch":3,"publishedAt":1,"weapons":[],"characters":["#
        + #"{"id":"a","name":"A","health":9,"damage":1,"weapon":"w"}]}"#

    @Test("the balance of a patch is fetched once, however many matches are played with it, also at the same time")
    func patches() async throws {
        try await withClient { request in
            .init(
                body: request.line.hasPrefix("GET /v1/patches/")
                    ? Self.balance : Self.sheet(Self.match, patch: request.line.contains("duel.eu.B") ? 4 : 3))
        } _: { client, stub in
            let sheets = try await withThrowingTaskGroup(of: MatchSheet.self) { group in
                for _ in 0..<10 { group.addTask { try await client.sheet(of: Self.match) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(sheets.allSatisfy { $0.balance.characters.first?.health == 9 && $0.players.first?.skin != nil })
            #expect(stub.requests("GET /v1/fleet/matches/\(Self.match)?balance=omit").count == 10)
            #expect(stub.requests("GET /v1/patches/3").count == 1)
            _ = try await client.sheet(of: MatchID("duel.eu.B"))
            #expect(stub.requests("GET /v1/patches/").map(\.line) == ["GET /v1/patches/3", "GET /v1/patches/4"])
        }
    }

    @Test("a roster is asked for again while the API can't answer, and not where it refuses")
    func rosters() async throws {
        let statuses = Mutex([503, 429, 200])
        try await withClient { request in
            guard request.line.hasPrefix("GET /v1/fleet/matches/duel.eu.A") else { return .init(status: 404) }
            let status = statuses.withLock { $0.isEmpty ? 200 : $0.removeFirst() }
            return .init(status: status, body: Self.sheet(Self.match, patch: 3, balance: Self.balance))
        } _: { client, stub in
            let sheet = try await client.sheet(of: MatchID("duel.eu.A"))
            #expect(sheet.matchId == Self.match)
            #expect(stub.requests("GET /v1/fleet/matches/duel.eu.A").count == 3)
            await #expect(throws: InstanceError.self) { try await client.sheet(of: MatchID("duel.eu.C")) }
            #expect(stub.requests("GET /v1/fleet/matches/duel.eu.C").count == 1)
        }
    }

    @Test(
        "a result is on disk before it is sent and until the API has taken it; heartbeats name its match till then"
    )
    func results() async throws {
        let isOut = Mutex(true)
        try await withClient { request in
            .init(status: isOut.withLock { $0 } && request.line.hasSuffix("/result") ? 503 : 200)
        } _: { client, stub in
            let file =
                "\(client.configuration.dataFolder)/results/\(client.configuration.instance)/\(Self.match).json"
            client.ready(port: 7_000)
            client.open(Self.match)
            try await withServices([client]) {
                #expect(await client.finish(Self.match, Self.report) == .kept)
                #expect(FileManager.default.fileExists(atPath: file))
                #expect(await client.undeliveredResults == 1 && client.matches == [Self.match])
                isOut.withLock { $0 = false }
                try await eventually("it is delivered") { await client.undeliveredResults == 0 }
                #expect(!FileManager.default.fileExists(atPath: file) && client.matches.isEmpty)
                try await eventually("a heartbeat says so") {
                    stub.requests("PUT ").last?.body.contains(#""matches":[]"#) == true
                }
            }
            let sent = try #require(stub.requests("POST /v1/fleet/matches/\(Self.match)/result").last)
            #expect(try JSONDecoder().decode(MatchReport.self, from: Data(sent.body.utf8)) == Self.report)
            #expect(stub.requests("PUT ").contains { $0.body.contains(#""matchesPlayed":1"#) })
        }
    }

    @Test("a result that is refused is said so, its slot is free, and it is set aside for a person to see")
    func refusedResult() async throws {
        try await withClient { _ in
            .init(status: 409, body: "ended otherwise")
        } _: { client, stub in
            client.open(Self.match)
            let delivery = await client.finish(Self.match, Self.report)
            #expect(delivery == .refused(.refused(status: 409, detail: "ended otherwise")))
            #expect(client.matches.isEmpty && stub.requests("POST ").count == 1)
            let folder = "\(client.configuration.dataFolder)/results/\(client.configuration.instance)"
            #expect(FileManager.default.fileExists(atPath: "\(folder)/\(Self.match).rejected"))
        }
    }

    @Test("a result that is refused for now, or that the API fails on, holds up no other and is tried again")
    func stuckResult() async throws {
        let (forbidden, failing) = (MatchID("duel.eu.0A"), MatchID("duel.eu.0B"))
        let isMended = Mutex(false)
        try await withClient { request in
            guard request.line.hasPrefix("POST "), !isMended.withLock({ $0 }) else { return .init() }
            if request.line.contains(forbidden.rawValue) { return .init(status: 403) }
            return .init(status: request.line.contains(failing.rawValue) ? 500 : 201)
        } _: { client, stub in
            #expect(await client.finish(forbidden, Self.report) == .kept)
            #expect(await client.finish(failing, Self.report) == .kept)
            let late = MatchID("duel.eu.0C")
            let folder = "\(client.configuration.dataFolder)/results/\(InstanceID("eu.ended"))"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try JSONEncoder().encode(Self.report).write(to: URL(filePath: "\(folder)/\(late).json"))
            try await withServices([client]) {
                // Found in the spool, it comes after both.
                try await eventually("the last is delivered") {
                    guard !stub.requests("POST /v1/fleet/matches/\(late)/result").isEmpty else { return false }
                    return await client.undeliveredResults == 2
                }
                isMended.withLock { $0 = true }
                try await eventually("the others are too") { await client.undeliveredResults == 0 }
            }
        }
    }

    @Test("heartbeats begin when there is a port, say ready, then draining without slots; orders come once each")
    func heartbeats() async throws {
        let order = Mutex<String?>(nil)
        try await withClient { request in
            let text = order.withLock { $0 }.map { #","order":"\#($0)""# } ?? ""
            return .init(body: request.line.hasPrefix("PUT ") ? #"{"heartbeatSeconds":0.1\#(text)}"# : "{}")
        } _: { client, stub in
            try await withServices([client]) {
                #expect(client.readiness != .ready)
                client.ready(port: 7_000)
                try await eventually("it is ready") { client.readiness == .ready }
                let first = try #require(stub.requests("PUT ").first)
                #expect(first.line == "PUT /v1/fleet/instances/\(client.configuration.instance)")
                for text in [#""state":"ready""#, #""port":7000"#, #""slots":50"#, #""build":"1""#] {
                    #expect(first.body.contains(text), "\(text) in \(first.body)")
                }
                var orders = client.orders.makeAsyncIterator()
                order.withLock { $0 = "wash-the-dishes" }
                let count = stub.requests("PUT ").count
                try await eventually("an order of a later version is passed over") {
                    stub.requests("PUT ").count > count + 1 && client.standing == .ready
                }
                order.withLock { $0 = "drain" }
                #expect(await orders.next() == .drain)
                client.ready(port: 7_000)
                #expect(client.standing == .draining, "draining is for good")
                try await eventually("it says so") {
                    let last = stub.requests("PUT ").last?.body ?? ""
                    return last.contains(#""state":"draining""#) && last.contains(#""slots":0"#)
                }
                order.withLock { $0 = "shutdown" }
                #expect(await orders.next() == .shutdown)
            }
            #expect(stub.requests("DELETE ").count == 1, "it takes itself out of the fleet")
        }
    }

    @Test("after its last match an instance drains by itself")
    func recycled() async throws {
        try await withClient { _ in
            .init()
        } change: {
            $0.matchesMax = 2
        } _: { client, _ in
            client.ready(port: 1)
            _ = await client.finish(Self.match, Self.report)
            #expect(client.standing == .ready)
            _ = await client.finish(MatchID("duel.eu.\(ULID())"), Self.report)
            #expect(client.standing == .draining)
        }
    }

    @Test("events go in batches; one that is refused is alone in its loss, and counted")
    func events() async throws {
        try await withClient { request in
            .init(status: request.body.contains("poison") ? 422 : 202)
        } _: { client, stub in
            for number in 0..<1_200 { client.record(number == 777 ? "poison" : "hit", match: Self.match) }
            try await withServices([client]) {
                try await eventually("all but the bad one are sent") {
                    let taken = stub.requests("POST /v1/events").filter { !$0.body.contains("poison") }
                    return taken.reduce(0) { $0 + $1.body.components(separatedBy: #""kind":"hit""#).count - 1 } == 1_199
                }
            }
            #expect(client.eventsDropped == 1)
        }
    }

    @Test("while the API is away events are dropped past the bound, the game never waits, and the loss is counted")
    func eventsDropped() async throws {
        try await withClient { _ in
            .init(status: 503)
        } _: { client, _ in
            for _ in 0..<(EventBuffer.eventsMax + 5) { client.record("hit") }
            #expect(client.eventsDropped == 5)
            // At the end what is left is tried once.
            try await withServices([client]) {}
            #expect(client.eventsDropped == EventBuffer.eventsMax + 5)
        }
    }

    @Test("players are asked for by open seats and by who left, and that is taken back")
    func backfill() async throws {
        try await withClient { _ in
            .init()
        } _: { client, stub in
            try await client.requestBackfill(Self.match, open: [1, 0], left: [PlayerID("p1")])
            try await client.cancelBackfill(Self.match)
            let path = "/v1/fleet/matches/\(Self.match)/backfill"
            #expect(stub.requests("POST \(path)").first?.body.contains(#""open":[1,0]"#) == true)
            #expect(stub.requests("DELETE \(path)").count == 1)
        }
    }
}

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

/// The real house, as far as a match needs it: API, ranker, allocator and one instance, in this process.
struct House: Sendable {
    struct Player: Sendable {
        let id: PlayerID
        let token: String
    }

    struct Answer: Sendable {
        let status: Int
        let body: Data
        var text: String { String(decoding: body, as: UTF8.self) }
    }

    let url: String
    let client: HTTPClient
    let instance: InstanceID
    let tokens: TokenIssuer
    let fleet: FleetService
    let matches: MatchesRepository

    func send(
        _ method: HTTPMethod, _ path: String, _ token: String?, _ body: String? = nil
    ) async throws -> Answer {
        var request = HTTPClientRequest(url: url + path)
        request.method = method
        if let token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
        if let body { request.body = .bytes(ByteBuffer(string: body)) }
        let response = try await client.execute(request, timeout: .seconds(30))
        let answer = try await response.body.collect(upTo: 1 << 20)
        return Answer(status: Int(response.status.code), body: Data(answer.readableBytesView))
    }

    private func read<T: Decodable>(_ type: T.Type, _ answer: Answer) throws -> T {
        guard (200..<300).contains(answer.status) else { throw TestSupportError("\(answer.status): \(answer.text)") }
        return try JSONDecoder().decode(type, from: answer.body)
    }

    func newPlayer(_ name: String) async throws -> Player {
        struct Session: Decodable { var playerId: PlayerID, accessToken: String }
        let account = #"{"email":"\#(name)@example.org","password":"correct horse \#(name)","displayName":"\#(name)"}"#
        let created = try await send(.POST, "/v1/accounts", nil, account)
        guard created.status == 202 else { throw TestSupportError("\(created.status): \(created.text)") }
        let session = try read(Session.self, try await send(.POST, "/v1/sessions", nil, account))
        return Player(id: session.playerId, token: session.accessToken)
    }

    /// Queues, accepts, connects and plays to the end: the last frame.
    func playMatch(_ player: Player) async throws -> AnyFrame? {
        let seat = try await ready(player, #"{"mode":"duel","region":"eu"}"#)
        return try await play(seat.port, token: seat.joinToken).last
    }

    /// Where a player is to play.
    struct Seat: Sendable {
        let port: Int
        let joinToken: String
        let matchId: MatchID?
    }

    /// Queues and accepts.
    func ready(_ player: Player, _ wish: String) async throws -> Seat {
        struct Ticket: Decodable {
            struct Connection: Decodable { var host: String, port: Int, joinToken: String }
            var ticketId: String
            var state: String
            var matchId: MatchID?
            var connection: Connection?
        }
        var ticket = try read(Ticket.self, try await send(.POST, "/v1/matchmaking/tickets", player.token, wish))
        let path = "/v1/matchmaking/tickets/\(ticket.ticketId)"
        while true {
            if let connection = ticket.connection, ticket.state == "ready" {
                return Seat(port: connection.port, joinToken: connection.joinToken, matchId: ticket.matchId)
            }
            guard ["queued", "proposed", "accepted", "placing"].contains(ticket.state) else {
                throw TestSupportError("the ticket is \(ticket.state)")
            }
            ticket =
                ticket.state == "proposed"
                ? try read(Ticket.self, try await send(.POST, "\(path)/accept", player.token))
                : try read(
                    Ticket.self, try await send(.GET, "\(path)?wait=10&since=\(ticket.state)", player.token))
        }
    }
}

/// Runs the body beside the house; stops it afterwards.
/// - Parameter hasInstance: whether the fleet is one reference instance; otherwise the test brings its own.
func withHouse(
    rules: String? = nil, hasInstance: Bool = true, _ body: @Sendable @escaping (House) async throws -> Void
) async throws {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    let client = HTTPClient(eventLoopGroup: .singletonMultiThreadedEventLoopGroup)
    do {
        try await withRedis { redis, server in
            try await run(folder, rules, hasInstance, server, redis, client, body)
        }
        try await client.shutdown()
    } catch {
        try await client.shutdown()
        throw error
    }
}

private func run(
    _ folder: TemporaryFolder, _ rules: String?, _ hasInstance: Bool, _ server: RedisServer, _ redis: RedisClient,
    _ client: HTTPClient,
    _ body: @Sendable @escaping (House) async throws -> Void
) async throws {
    var logger = Logger(label: "test.house")
    logger.logLevel = .critical
    var api = APIConfiguration()
    api.redisURL = server.url
    api.dataFolder = folder.path
    api.port = 0
    api.redisPatience = .seconds(30)
    api.scryptLogN = 10
    api.scryptP = 1
    if let rules {
        api.rulesFile = folder.file("rules.yaml")
        try rules.write(toFile: folder.file("rules.yaml"), atomically: true, encoding: .utf8)
    }
    let followed = try RulesFile.follow(api.rulesFile, logger: logger)
    let (ports, port) = AsyncStream<Int>.makeStream()
    let parts = try APIProcess(configuration: api, logger: logger).parts { port.yield($0) }
    let tokens = TokenIssuer(ring: try KeyRing(folder: folder.file("keys")))
    let database = try RecordsDatabase.open(
        path: folder.file("data.sqlite"), durability: .full, schemas: GameDataSchema.schemas, logger: logger)

    var allocator = AllocatorConfiguration()
    allocator.dataFolder = folder.path
    allocator.regions = [eu]
    // The instance below is the fleet.
    allocator.instancesMin = 0
    allocator.freeSlotsMin = 0
    allocator.fleet = .patient
    let placing = try AllocatorProcess(configuration: allocator, logger: logger)
        .services(redis: redis, rules: followed, database: database).filter { !($0 is RedisClient) }
    let ranker = Ranker(redis: redis, book: followed.book, logger: logger)
    let group = ServiceGroup(services: parts.services + [ranker] + placing, logger: logger)
    try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask { try await group.run() }
        defer { tasks.cancelAll() }
        var iterator = ports.makeAsyncIterator()
        let url = "http://127.0.0.1:\(await iterator.next() ?? 0)"
        let fleet = FleetService(redis: redis)
        var configuration = InstanceConfiguration.quick(api: url, data: folder.path)
        let house = House(
            url: url, client: client, instance: configuration.instance, tokens: tokens, fleet: fleet,
            matches: MatchesRepository(database: database))
        if hasInstance {
            configuration.token = try await tokens.service(subject: FleetRoutes.sharedSubject, role: .instance)
            if rules != nil { try await lengthen(&configuration.play, database) }
            try await withInstance(configuration) { _ in
                try await eventually("the fleet knows the instance") { try await fleet.list(eu).freeSlots == 50 }
                try await body(house)
            }
        } else {
            try await body(house)
        }
        await group.triggerGracefulShutdown()
        try await tasks.waitForAll()
    }
    try database.close()
}

/// Matches long enough for others to come, however slow the machine is: two wardens need more than a minute for each
/// other. A shade that comes fells one in a few ticks.
private func lengthen(_ play: inout InstanceConfiguration.PlayRules, _ database: RecordsDatabase) async throws {
    let balance = BalanceRepository(database: database)
    try await balance.editCharacter("warden", health: 10_000, damage: 0, by: "test")
    try await balance.editCharacter("shade", damage: 1_000, by: "test")
    play.tick = .milliseconds(400)
    play.ticksMax = 600
    play.stateEvery = 1
    play.backfillAfter = .milliseconds(20)
    play.backfillInterval = .milliseconds(20)
}

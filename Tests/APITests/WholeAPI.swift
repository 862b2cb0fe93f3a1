import API
import APIWorker
import Accounts
import Foundation
import GameModel
import Logging
import Matchmaking
import NIOHTTP1
import Records
import Store
import TestSupport

/// A whole API process on a real Redis and files of its own, spoken to over HTTP.
struct WholeAPI: Sendable {
    let client: HTTPTestClient
    let redis: RedisServer
    let folder: String
    /// `GET /v1/players/{id}`: what its router answers.
    let routes: [String]

    /// A token of another role than a player's, signed with the process's own keys.
    func token(_ role: Role, subject: String = "test") async throws -> String {
        try await TokenIssuer(ring: try KeyRing(folder: "\(folder)/keys")).token(subject: subject, role: role)
    }

    /// That of every player of the tests.
    static let password = "correct horse battery"

    func logIn(_ email: String, _ password: String, headers: [(String, String)] = []) async throws -> TestReply {
        try await client.send(
            .POST, "/v1/sessions", body: #"{"email":"\#(email)","password":"\#(password)"}"#, headers: headers)
    }

    func refresh(_ session: TestPlayer) async throws -> TestReply {
        try await client.send(
            .POST, "/v1/sessions/refresh", body: #"{"refreshToken":"\#(session.refreshToken)"}"#)
    }

    /// Registers a new player and logs in.
    func player(_ name: String = "Ada") async throws -> TestPlayer {
        let email = "\(UUID().uuidString.lowercased())@example.com"
        let password = Self.password
        let registered = try await client.send(
            .POST, "/v1/accounts",
            body: #"{"email":"\#(email)","password":"\#(password)","displayName":"\#(name)"}"#)
        guard registered.status == 202 else { throw TestSupportError("register: \(registered.text)") }
        let session = try await logIn(email, password)
        guard session.status == 201 else { throw TestSupportError("log in: \(session.text)") }
        var player: TestPlayer = try session.decode()
        player.email = email
        return player
    }
}

extension WholeAPI {
    /// A skin for 4.99 EUR or 500 gems that is there to buy, made and published by a developer.
    func anyProduct(_ id: String = "skin-test") async throws -> String {
        try await save(
            id,
            #"{"name":"Test","kind":"skin","prices":[{"minorUnits":499,"currency":"EUR"}],"#
                + #""virtualPrices":[{"amount":500,"currency":"gems"}]}"#)
        try await publish()
        return id
    }

    /// Puts a product into the draft.
    func save(_ id: String, _ body: String) async throws {
        let reply = try await client.send(
            .PUT, "/v1/dev/products/\(id)", token: try await token(.developer), body: body)
        guard (200...201).contains(reply.status) else { throw TestSupportError("product: \(reply.text)") }
    }

    /// Publishes the draft and waits until this process shows it.
    @discardableResult
    func publish() async throws -> Int {
        struct Version: Decodable { var version: Int }
        let token = try await token(.developer)
        let reply = try await client.send(.POST, "/v1/dev/catalog/publish", token: token, body: #"{"note":"a test"}"#)
        guard reply.status == 200 else { throw TestSupportError("publish: \(reply.text)") }
        let version = try reply.decode(Version.self).version
        try await eventually("version \(version) is shown") {
            try await client.send(.GET, "/v1/store/products", token: token).decode(Version.self).version >= version
        }
        return version
    }

    /// Gives a player pieces or virtual money by the books themselves, as an operator's command does.
    func grant(_ product: String, quantity: Int = 1, to player: TestPlayer, reference: String = "a test") async throws {
        let database = try RecordsDatabase.open(
            path: "\(folder)/accounts.sqlite", durability: .full, schemas: AccountsFile.schemas,
            logger: Logger(label: "test.grant"))
        let store = StoreService(repository: StoreRepository(database: database))
        try await store.inventory.grant(
            ProductID(product), quantity: quantity, to: PlayerID(player.playerId), reference: reference, by: "test")
        try database.close()
    }
}

extension MatchmakingRules {
    /// Those of the standard, with ten minutes to accept a duel: a proposal outlasts any slowness of the machine.
    static var patient: MatchmakingRules {
        var rules = MatchmakingRules.standard
        rules.modes[Mode("duel")]?.acceptSeconds = 600
        return rules
    }
}

struct TestPlayer: Decodable, Sendable {
    var playerId: String
    var sessionId: String?
    var accessToken: String
    var tokenType: String
    var expiresIn: Int
    var refreshToken: String
    var email: String?
}

/// Runs an API process for as long as the body needs it.
func withAPI(
    _ configure: @Sendable (inout APIConfiguration) -> Void = { _ in },
    _ body: @escaping @Sendable (WholeAPI) async throws -> Void
) async throws {
    let redis = try await RedisServer.start()
    defer { redis.stop() }
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    var configuration = APIConfiguration()
    configuration.redisURL = redis.url
    configuration.dataFolder = folder.path
    configuration.port = 0
    // Longer than a machine that is busy with other tests may stop for.
    configuration.redisPatience = .seconds(30)
    // Cheap on purpose: the tests are of the API, not of what a password costs.
    configuration.scryptLogN = 10
    configuration.scryptP = 1
    configuration.payments.stripeWebhookSecrets = ["whsec_test"]
    configure(&configuration)
    var logger = Logger(label: "test.api")
    logger.logLevel = .critical
    let process = APIProcess(configuration: configuration, logger: logger)
    let (ports, listening) = AsyncStream.makeStream(of: Int.self)
    let parts = try process.parts { port in listening.yield(port) }
    try await withServices(parts.services, ports: ports) { client in
        try await eventually("the API is ready") { try await client.send(.GET, "/readyz").status == 200 }
        try await body(WholeAPI(client: client, redis: redis, folder: folder.path, routes: parts.routes))
    }
}

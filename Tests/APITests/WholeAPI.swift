import API
import APIWorker
import Accounts
import Foundation
import Logging
import NIOHTTP1
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

    /// Registers a new player and logs in.
    func player(_ name: String = "Ada") async throws -> TestPlayer {
        let email = "\(UUID().uuidString.lowercased())@example.com"
        let password = "correct horse battery"
        let registered = try await client.send(
            .POST, "/v1/accounts",
            body: #"{"email":"\#(email)","password":"\#(password)","displayName":"\#(name)"}"#)
        guard registered.status == 202 else { throw TestSupportError("register: \(registered.text)") }
        let session = try await client.send(
            .POST, "/v1/sessions", body: #"{"email":"\#(email)","password":"\#(password)"}"#)
        guard session.status == 201 else { throw TestSupportError("log in: \(session.text)") }
        var player: TestPlayer = try session.decode()
        player.email = email
        return player
    }
}

struct TestPlayer: Decodable, Sendable {
    var playerId: String
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

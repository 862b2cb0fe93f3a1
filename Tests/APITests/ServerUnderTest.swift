import API
import Accounts
import Foundation
import GameModel
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import ServiceLifecycle
import Synchronization
import TestSupport

/// Runs a router behind a real socket for as long as the body needs it.
func withServer<T: Sendable>(
    _ router: Router<APIContext>, server: HTTPServerBuilder = APIRoutes.server(),
    _ body: @escaping @Sendable (HTTPTestClient) async throws -> T
) async throws -> T {
    let (ports, listening) = AsyncStream.makeStream(of: Int.self)
    var logger = Logger(label: "test.api")
    logger.logLevel = .critical
    let application = Application(
        router: router, server: server, configuration: .init(address: .hostname("127.0.0.1", port: 0)),
        onServerRunning: { channel in
            listening.yield(channel.localAddress?.port ?? 0)
        }, logger: logger)
    return try await withServices([application], ports: ports, body)
}

/// Runs services until the body is done, then shuts them down gracefully.
func withServices<T: Sendable>(
    _ services: [any Service], ports: AsyncStream<Int>,
    _ body: @escaping @Sendable (HTTPTestClient) async throws -> T
) async throws -> T {
    var logger = Logger(label: "test.services")
    logger.logLevel = .critical
    let group = ServiceGroup(services: services, logger: logger)
    return try await withThrowingTaskGroup(of: T?.self) { tasks in
        tasks.addTask {
            try await group.run()
            return nil
        }
        tasks.addTask {
            for await port in ports {
                return try await body(HTTPTestClient(base: "http://127.0.0.1:\(port)"))
            }
            throw TestSupportError("the server did not start")
        }
        var result: T?
        for try await value in tasks {
            guard let value else { continue }
            result = value
            await group.triggerGracefulShutdown()
        }
        guard let result else { throw TestSupportError("the server ended before the test did") }
        return result
    }
}

/// Signing keys of a folder of its own.
func withTokens<T>(_ body: (TokenIssuer) async throws -> T) async throws -> T {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    return try await body(TokenIssuer(ring: try KeyRing(folder: folder.file("keys"))))
}

/// A router with the API's middlewares and a few routes for the tests of these.
func probeRouter(tokens: TokenIssuer) -> Router<APIContext> {
    let router = APIRoutes.router(tokens: tokens)
    router.post("/probe/body") { request, context in
        let body = try await request.decodeBody(ProbeBody.self, context: context)
        return try Response.json(body)
    }
    router.get("/probe/player") { _, context in
        Response.text(try context.requirePlayer().rawValue)
    }
    router.get("/probe/developer") { _, context in
        Response.text(try context.requireIdentity(role: .developer).subject)
    }
    router.get("/probe/things/{id}") { request, _ in
        Response.text(String(try request.query("limit", default: 20, in: 1...100)))
    }
    router.get("/probe/slow") { _, _ in
        let end = ContinuousClock.now + .milliseconds(600)
        try await eventually("the time-outs of the tests' servers are long over") { ContinuousClock.now > end }
        return Response.text("at last")
    }
    router.get("/probe/fault") { _, _ -> Response in throw ProbeFault() }
    return router
}

struct ProbeFault: Error {
    let secret = "the inside of the server"
}

struct ProbeBody: Codable, Equatable, Sendable {
    struct Seat: Codable, Equatable, Sendable {
        var team: Int
        var name: String
    }

    var seats: [Seat]
    var latencies: [String: Int]?
    var ready: Bool
    var share: Double
}

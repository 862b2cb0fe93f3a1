import AsyncHTTPClient
import GameModel
import NIOCore
import NIOPosix
import Testing

@testable import MusterInstance

@Suite("What an instance is told of errors and of itself")
struct InstanceErrorTests {
    @Test("a refusal is not taken for an API that is away; a refused token may be set right")
    func refusal() {
        #expect(InstanceError.unavailable("x").isWorthRetrying)
        for status in [401, 403, 429] {
            #expect(InstanceError.refused(status: status, detail: "x").isWorthRetrying, "\(status)")
        }
        for status in [400, 404, 409, 413, 422] {
            #expect(!InstanceError.refused(status: status, detail: "x").isWorthRetrying, "\(status)")
        }
    }

    @Test("a heartbeat that is swallowed is given up soon, whatever else may take long")
    func swallowedHeartbeat() async throws {
        // Takes connections, reads, and never answers.
        let silent = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0).get()
        let http = HTTPClient(eventLoopGroupProvider: .singleton)
        var api = InstanceAPI(
            url: "http://127.0.0.1:\(silent.localAddress?.port ?? 0)", token: "t", client: http, clock: APIClock())
        api.timeout = .seconds(86_400)
        let body = HeartbeatBody(
            region: Region("eu"), host: "h", port: 1, slots: 1, build: "1", matches: [], state: .ready,
            matchesPlayed: 0)
        let failure = await #expect(throws: InstanceError.self) { try await api.heartbeat(InstanceID("eu.x"), body) }
        #expect(failure?.isWorthRetrying == true)
        try await http.shutdown()
        try await silent.close()
    }

    @Test("the token is in no description: at debug level the service lifecycle logs those of all services")
    func description() {
        var configuration = InstanceClient.Configuration(region: Region("eu"))
        configuration.token = "secret-token"
        #expect(!"\(configuration)".contains("secret-token"))
        let api = InstanceAPI(
            url: "http://127.0.0.1:1", token: "secret-token", client: .shared, clock: APIClock())
        #expect(!"\([api])".contains("secret-token"))
    }
}

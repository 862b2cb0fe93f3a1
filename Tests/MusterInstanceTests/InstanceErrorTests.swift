import AsyncHTTPClient
import GameModel
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

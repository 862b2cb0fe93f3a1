import AsyncHTTPClient
import TestSupport
import Testing

@testable import InstanceWorker

@Suite("What an instance says of its connection to the API")
struct InstanceAPITests {
    @Test("the token is in no description: at debug level the service lifecycle logs those of all services")
    func description() {
        let api = InstanceAPI(url: "http://127.0.0.1:1", token: "secret-token", client: .shared)
        let pump = EventPump(buffer: EventBuffer(), api: api, logger: testLogger)
        #expect(!"\([api])".contains("secret-token"))
        #expect(!String(describing: pump).contains("secret-token"))
    }
}

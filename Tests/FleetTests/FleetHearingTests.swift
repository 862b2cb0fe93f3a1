import Fleet
import Logging
import ServiceLifecycle
import Synchronization
import Telemetry
import TestSupport
import Testing

@Suite("Heartbeat hearing: whether silence can mean anything")
struct FleetHearingTests {
    /// What the API is asked through, and whether it has Redis.
    private final class API: Sendable {
        let hasRedis = Mutex(true)
        let port = Mutex(0)
    }

    @Test("an API that is ready hears; one that has lost Redis does not, nor does one that is gone")
    func hears() async throws {
        let api = API()
        let readiness = Readiness(checkTimeout: .seconds(60))
        readiness.register("redis") { api.hasRedis.withLock { $0 } ? .ready : .notReady("no connection") }
        let server = HealthServer(
            host: "127.0.0.1", port: 0, readiness: readiness, registry: MetricsRegistry(),
            logger: Logger(label: "test"), onListening: { bound in api.port.withLock { $0 = bound } })
        let group = ServiceGroup(services: [server], logger: Logger(label: "test"))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            try await eventually("the API listens") { api.port.withLock { $0 } != 0 }
            let hearing = HeartbeatHearing(
                apiURL: "http://127.0.0.1:\(api.port.withLock { $0 })", timeout: .seconds(30))
            #expect(await hearing())
            api.hasRedis.withLock { $0 = false }
            #expect(await hearing() == false)
            api.hasRedis.withLock { $0 = true }
            #expect(await hearing())
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
            #expect(await hearing() == false)
        }
    }
}

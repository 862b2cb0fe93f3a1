import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle

/// The least that Hummingbird can do: `GET /hello` on a bare router. What the API is measured against.
public struct HelloServer: Sendable {
    private let host: String
    private let port: Int

    public init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Runs until it is told to stop.
    ///
    /// - Parameter onListening: told the port.
    public func run(onListening: @escaping @Sendable (Int) -> Void) async throws {
        let router = Router()
        router.get("/hello") { _, _ in "hello" }
        var logger = Logger(label: "hello")
        logger.logLevel = .error
        let application = Application(
            router: router, configuration: .init(address: .hostname(host, port: port)),
            onServerRunning: { channel in onListening(channel.localAddress?.port ?? 0) }, logger: logger)
        try await application.runService()
    }
}

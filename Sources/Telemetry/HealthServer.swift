import Foundation
import HTTPTypes
import Hummingbird
import Logging
import ServiceLifecycle

/// The HTTP face of a process that has no other: `/healthz` (200 while it runs), `/readyz` (200 or 503, with each
/// check as JSON) and `/metrics` (Prometheus text).
public struct HealthServer: Service {
    private let host: String
    private let port: Int
    private let readiness: Readiness
    private let registry: MetricsRegistry
    private let logger: Logger
    private let onListening: @Sendable (Int) async -> Void

    /// - Parameters:
    ///   - port: 0 takes any free one; the log says which.
    ///   - onListening: told the port once connections are accepted.
    public init(
        host: String, port: Int, readiness: Readiness, registry: MetricsRegistry, logger: Logger,
        onListening: @escaping @Sendable (Int) async -> Void = { _ in }
    ) {
        self.host = host
        self.port = port
        self.readiness = readiness
        self.registry = registry
        self.logger = logger
        self.onListening = onListening
    }

    /// Serves until graceful shutdown.
    public func run() async throws {
        var quiet = logger
        // Hummingbird logs each start and stop at info; the line below says the same once.
        quiet.logLevel = max(logger.logLevel, .warning)
        let application = Application(
            router: router(),
            configuration: ApplicationConfiguration(address: .hostname(host, port: port), serverName: nil),
            onServerRunning: { [logger, host, port, onListening] channel in
                let bound = channel.localAddress?.port ?? port
                logger.info("health", metadata: ["url": "http://\(host):\(bound)/readyz"])
                await onListening(bound)
            },
            logger: quiet)
        try await application.runService(gracefulShutdownSignals: [])
    }

    private func router() -> Router<BasicRequestContext> {
        let router = Router()
        router.get("/healthz") { _, _ in
            Self.response(.ok, "text/plain; charset=utf-8", "ok\n")
        }
        router.get("/readyz") { [readiness] _, _ in
            let summary = await readiness.summary()
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys]
            let body = String(decoding: try encoder.encode(summary), as: UTF8.self)
            return Self.response(summary.ready ? .ok : .serviceUnavailable, "application/json", body + "\n")
        }
        router.get("/metrics") { [registry] _, _ in
            Self.response(.ok, PrometheusText.contentType, registry.text())
        }
        return router
    }

    private static func response(_ status: HTTPResponse.Status, _ type: String, _ body: String) -> Response {
        Response(
            status: status, headers: [.contentType: type, .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: body)))
    }
}

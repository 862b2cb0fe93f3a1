import AsyncHTTPClient
import Hummingbird
import Logging
import ServiceLifecycle
import Telemetry

/// The payment providers for demos and load: Stripe's API and PayPal's as far as Muster uses them, signed webhooks,
/// faults on demand.
///
/// It charges nobody. It keeps Stripe's promises (an idempotency key has one answer, an intent is charged once) even
/// while it misbehaves, so that what goes wrong under its faults is the caller's fault.
public struct SandboxProcess: Sendable {
    private let configuration: SandboxConfiguration

    public init(configuration: SandboxConfiguration) {
        self.configuration = configuration
    }

    /// Serves until SIGTERM or SIGINT.
    /// - Throws: ``SandboxError`` for a configuration or a file that can't be used.
    public func run() async throws {
        let logger = Log.logger("sandbox")
        try await ProcessHost.run(services: try services(logger: logger), logger: logger)
    }

    /// What the process runs, for a host of the caller's.
    /// - Parameter onListening: told the port once connections are accepted.
    public func services(
        logger: Logger, onListening: @escaping @Sendable (Int) async -> Void = { _ in }
    ) throws -> [any Service] {
        try configuration.validate()
        let dice = FaultDice(faults: configuration.faults, seed: configuration.seed ?? UInt64.random(in: 0 ... .max))
        let account = PayPalAccount(
            clientId: configuration.payPalClientId, clientSecret: configuration.payPalClientSecret,
            webhookId: configuration.payPalWebhookId)
        let webhooks = WebhookSender(
            settings: .init(
                stripe: configuration.webhookURL.map { .init(url: $0, secret: configuration.webhookSecret) },
                payPal: configuration.payPalWebhookURL.map { .init(url: $0, account: account) },
                lateness: configuration.webhookLateness),
            dice: dice, client: .shared, logger: logger)
        let ledger = try SandboxLedger(folder: configuration.dataFolder, dice: dice, logger: logger) { events in
            for event in events { webhooks.send(event) }
        }
        let calls = SandboxCalls(ledger: ledger, dice: dice, logger: logger)
        let router = Router()
        router.get("/healthz") { _, _ in Response.json(#"{"ready":true}"#) }
        router.get("/readyz") { _, _ in Response.json(#"{"checks":[],"ready":true}"#) }
        router.get("/metrics") { _, _ in
            Response(
                status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: MetricsRegistry.shared.text())))
        }
        SandboxRoutes(secretKey: configuration.secretKey, calls: calls).add(to: router)
        PayPalRoutes(account: account, calls: calls).add(to: router)
        FaultRoutes(ledger: ledger, dice: dice).add(to: router)
        return [
            webhooks, SandboxServer(router: router, configuration: configuration, logger: logger, onListening),
        ]
    }
}

/// The HTTP server of the sandbox.
private struct SandboxServer: Service {
    private let application: Application<RouterResponder<BasicRequestContext>>

    init(
        router: Router<BasicRequestContext>, configuration: SandboxConfiguration, logger: Logger,
        _ onListening: @escaping @Sendable (Int) async -> Void
    ) {
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .warning)
        let (host, port) = (configuration.host, configuration.port)
        application = Application(
            router: router,
            configuration: ApplicationConfiguration(
                address: .hostname(host, port: port), serverName: "muster-sandbox", backlog: 1024),
            onServerRunning: { channel in
                let bound = channel.localAddress?.port ?? port
                logger.info("listening", metadata: ["url": "http://\(host):\(bound)"])
                await onListening(bound)
            },
            logger: quiet)
    }

    func run() async throws { try await application.runService(gracefulShutdownSignals: []) }
}

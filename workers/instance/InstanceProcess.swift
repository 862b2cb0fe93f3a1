import AsyncHTTPClient
import GameModel
import Logging
import MusterInstance
import NIOCore
import NIOPosix
import ServiceLifecycle
import Telemetry

/// `muster instance`: the reference game server. It holds many matches, and all that it knows of the house is the HTTP
/// API and its own token.
///
/// Stopped by SIGTERM it takes no more matches, lets the running ones end within the grace, posts their results,
/// deregisters and exits.
public struct InstanceProcess: Sendable {
    private let configuration: InstanceConfiguration
    private let logger: Logger

    public init(configuration: InstanceConfiguration, logger: Logger? = nil) {
        self.configuration = configuration
        var logger = logger ?? Log.logger("instance")
        logger[metadataKey: "instance"] = "\(configuration.instance)"
        self.logger = logger
    }

    public func run() async throws {
        try configuration.validate()
        let client = HTTPClient(eventLoopGroup: .singletonMultiThreadedEventLoopGroup)
        do {
            let services = try await services(client: client, withHealth: true)
            // Beyond the matches' time to end: the rest of what stops with them.
            try await ProcessHost.run(
                services: services, logger: logger, gracefulShutdownMax: configuration.stopGrace + .seconds(15))
        } catch {
            try await client.shutdown()
            throw error
        }
        try await client.shutdown()
    }

    /// The parts in the order of their start; they stop in reverse: the game port first, the instance's client last.
    func services(client http: HTTPClient, withHealth: Bool) async throws -> [any Service] {
        let place = try await placeInCluster(http)
        var configuration = configuration
        if let place { configuration.host = place.host }
        let client = try InstanceClient(configuration: configuration.client, httpClient: http, logger: logger)
        let host = MatchHost(configuration: configuration, client: client, logger: logger)
        let server = try await GameServer.bind(
            configuration: configuration, host: host, client: client, logger: logger)
        client.ready(port: place?.port ?? server.port)
        var services: [any Service] = []
        // First to start is last to stop: Agones may end this process when it is told that its work is done.
        let sidecar = sidecar(http, isReady: { client.readiness == .ready })
        if let sidecar { services.append(sidecar) }
        if withHealth {
            let readiness = Readiness()
            readiness.register("heartbeat") { client.readiness }
            services.append(
                HealthServer(
                    host: "127.0.0.1", port: configuration.healthPort, readiness: readiness,
                    registry: MetricsRegistry.shared, logger: logger))
        }
        services += [client, host, server, FleetOrders(client: client)]
        if let sidecar {
            services.append(AllocationWatch(sidecar: sidecar, isIdle: { client.matches.isEmpty }, logger: logger))
        }
        if let supervisor = configuration.supervisor {
            services.append(SupervisorWatch(supervisor: supervisor, logger: logger))
        }
        logger.info("listening", metadata: ["host": "\(configuration.bindHost)", "port": "\(server.port)"])
        return services
    }

    private func placeInCluster(_ http: HTTPClient) async throws -> AgonesSidecar.Place? {
        try await sidecar(http, isReady: { false })?.place()
    }

    /// Where this process is a game server that Agones keeps.
    private func sidecar(_ http: HTTPClient, isReady: @escaping @Sendable () -> Bool) -> AgonesSidecar? {
        configuration.agonesPort.map { port in
            AgonesSidecar(
                port: port, portName: configuration.agonesPortName, http: http, isReady: isReady, logger: logger)
        }
    }
}

/// Ends the process when the fleet says so: it was drained, and nothing runs or is placed here any more.
private struct FleetOrders: SelfStoppingService {
    let client: InstanceClient

    func run() async throws {
        await cancelWhenGracefulShutdown {
            for await order in client.orders where order == .shutdown { return }
        }
    }
}

import AsyncHTTPClient
import GameModel
import Logging
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
            try await ProcessHost.run(services: services, logger: logger)
        } catch {
            try await client.shutdown()
            throw error
        }
        try await client.shutdown()
    }

    /// The parts in the order of their start; they stop in reverse: the game port first, the heartbeat near the end.
    func services(client: HTTPClient, withHealth: Bool) async throws -> [any Service] {
        let api = InstanceAPI(url: configuration.apiURL, token: configuration.token, client: client)
        let spool = try ResultSpool(
            dataFolder: configuration.dataFolder, instance: configuration.instance, logger: logger)
        let events = EventBuffer()
        let poster = ResultPoster(api: api, spool: spool, logger: logger)
        let host = MatchHost(
            configuration: configuration, api: api, events: events, poster: poster, logger: logger)
        let verifier = JoinVerifier(instance: configuration.instance, api: api, logger: logger)
        let server = try await GameServer.bind(
            configuration: configuration, host: host, verifier: verifier, logger: logger)
        let heartbeater = Heartbeater(
            configuration: configuration, port: server.port, host: host, api: api, logger: logger)
        var services: [any Service] = [SpoolCloser(spool: spool)]
        if withHealth {
            let readiness = Readiness()
            readiness.register("heartbeat") { heartbeater.readiness }
            services.append(
                HealthServer(
                    host: "127.0.0.1", port: configuration.healthPort, readiness: readiness,
                    registry: MetricsRegistry.shared, logger: logger))
        }
        services += [
            ResultAdopter(poster: poster), EventPump(buffer: events, api: api, logger: logger), heartbeater, host,
            server,
        ]
        if let supervisor = configuration.supervisor {
            services.append(SupervisorWatch(supervisor: supervisor, logger: logger))
        }
        logger.info("listening", metadata: ["host": "\(configuration.bindHost)", "port": "\(server.port)"])
        return services
    }
}

/// Stops last: removes the spool's folder when nothing waits in it.
private struct SpoolCloser: Service {
    let spool: ResultSpool

    func run() async throws {
        try await gracefulShutdown()
        spool.close()
    }
}

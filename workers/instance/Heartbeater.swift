import GameModel
import Logging
import ServiceLifecycle
import Synchronization
import Telemetry

/// Tells the fleet each second that this instance lives and what runs here; at the end, that it is gone.
///
/// A heartbeat that fails is not repeated: the next one says more. It is ready once a heartbeat was taken, and no
/// longer when three in a row were not.
final class Heartbeater: Service {
    private let configuration: InstanceConfiguration
    private let port: Int
    private let host: MatchHost
    private let api: InstanceAPI
    private let logger: Logger
    private let interval: Duration
    private let failures = Mutex<Int?>(nil)

    init(
        configuration: InstanceConfiguration, port: Int, host: MatchHost, api: InstanceAPI, logger: Logger,
        interval: Duration = .seconds(1)
    ) {
        self.configuration = configuration
        self.port = port
        self.host = host
        self.api = api
        self.logger = logger
        self.interval = interval
    }

    /// For `/readyz`.
    var readiness: ReadinessState {
        switch failures.withLock({ $0 }) {
        case .none: .notReady("no heartbeat was taken yet")
        case .some(let count) where count >= 3: .notReady("\(count) heartbeats in a row failed")
        case .some: .ready
        }
    }

    func run() async throws {
        Failpoint.instanceListening.pass()
        await cancelWhenGracefulShutdown {
            var due = ContinuousClock.now
            while !Task.isCancelled {
                await self.beat()
                due = max(due + self.interval, .now)
                do { try await Task.sleep(until: due, clock: .continuous) } catch { return }
            }
        }
        guard !Task.isCancelled else { return }
        do {
            try await api.deregister(configuration.instance)
        } catch {
            logger.warning("can't deregister; the fleet will notice", metadata: ["error": "\(error)"])
        }
    }

    private func beat() async {
        let body = HeartbeatBody(
            region: configuration.region, host: configuration.host, port: port,
            slots: await host.isDraining ? 0 : configuration.slots, build: configuration.build,
            matches: await host.running)
        do {
            try await api.heartbeat(configuration.instance, body)
            let before = failures.withLock { failures in
                defer { failures = 0 }
                return failures
            }
            if before != 0 { logger.info("the fleet knows this instance", metadata: ["port": "\(port)"]) }
        } catch {
            let count = failures.withLock { failures in
                failures = failures.map { $0 + 1 }
                return failures ?? 0
            }
            if count <= 1 { logger.warning("heartbeat failed", metadata: ["error": "\(error)"]) }
        }
    }
}

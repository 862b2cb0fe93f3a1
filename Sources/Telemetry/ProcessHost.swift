import Logging
import ServiceLifecycle
import UnixSignals

/// Runs a process: starts its services in order, and stops them in reverse when SIGTERM or SIGINT asks for it.
///
/// The first signal stops gracefully, within ``gracefulShutdownMax`` or what the process asks for; a second one, or the
/// end of that time, cancels what still runs; what ignores even that ends the process after ``cancellationMax``.
public enum ProcessHost {
    /// How long all services together may take to stop by themselves, where a process does not ask for more.
    public static let gracefulShutdownMax = Duration.seconds(20)
    /// How long cancelled services may take to end before the process is ended.
    public static let cancellationMax = Duration.seconds(5)

    /// Returns when all services have stopped. A ``SelfStoppingService`` that returns stops the others gracefully too.
    /// - Throws: the error of the first service that failed, `ServiceGroupError` where one ended unasked, and
    ///   `CancellationError` after a second signal.
    /// - Parameter gracefulShutdownMax: how long all services together may take to stop by themselves: longer than what
    ///   any of them waits for, or it is cut short.
    public static func run(
        services: [any Service], logger: Logger, gracefulShutdownMax: Duration = ProcessHost.gracefulShutdownMax
    ) async throws {
        try await run(
            services: services, logger: logger, signals: [.sigterm, .sigint], gracefulShutdownMax: gracefulShutdownMax)
    }

    static func run(
        services: [any Service], logger: Logger, signals: [UnixSignal],
        gracefulShutdownMax: Duration = ProcessHost.gracefulShutdownMax
    ) async throws {
        var configuration = ServiceGroupConfiguration(
            services: services.map { service in
                ServiceGroupConfiguration.ServiceConfiguration(
                    service: service,
                    successTerminationBehavior: service is any SelfStoppingService
                        ? .gracefullyShutdownGroup : .cancelGroup)
            }, logger: logger)
        configuration.maximumGracefulShutdownDuration = gracefulShutdownMax
        configuration.maximumCancellationDuration = cancellationMax
        let group = ServiceGroup(configuration: configuration)
        let asked = await UnixSignalsSequence(trapping: signals)
        try await withThrowingTaskGroup(of: Ending.self) { tasks in
            tasks.addTask {
                try await group.run()
                return .stopped
            }
            tasks.addTask {
                var count = 0
                for await signal in asked {
                    count += 1
                    guard count == 1 else {
                        logger.warning("asked to stop again: stopping at once", metadata: ["signal": "\(signal)"])
                        return .cancelled
                    }
                    logger.info("stopping", metadata: ["signal": "\(signal)"])
                    await group.triggerGracefulShutdown()
                }
                return .listenerEnded
            }
            defer { tasks.cancelAll() }
            while let ending = try await tasks.next() {
                switch ending {
                case .stopped: return
                case .cancelled: throw CancellationError()
                case .listenerEnded: continue
                }
            }
        }
    }

    private enum Ending { case stopped, cancelled, listenerEnded }
}

/// A service that may return because it was told to stop by other ways than its process's signals. Its process then
/// stops gracefully, where the return of another service would be a failure.
public protocol SelfStoppingService: Service {}

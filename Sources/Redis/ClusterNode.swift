import Logging
import NIOCore
import NIOPosix
import Synchronization

/// One node of a cluster: its address, its shared connection and its connections for blocking commands.
final class ClusterNode: Sendable {
    let address: RedisConfiguration.Address
    let multiplexer: Multiplexer
    private let blocking: BlockingPool
    /// As `RedisClient.apart`.
    let apart: BlockingPool
    private let retired = Atomic<Bool>(false)

    /// - Parameter whenLost: called each time that there is no connection to it.
    init(
        _ address: RedisConfiguration.Address, configuration: RedisConfiguration, logger: Logger,
        metrics: RedisMetrics, whenLost: @escaping @Sendable () -> Void
    ) {
        self.address = address
        var own = configuration
        own.discovery = .none
        own.address = address
        let connector = Connector(configuration: own, eventLoop: MultiThreadedEventLoopGroup.singleton.next())
        multiplexer = Multiplexer(
            configuration: own, connector: connector, logger: logger, metrics: metrics, whenLost: whenLost)
        blocking = BlockingPool(configuration: own, connector: connector, logger: logger, metrics: metrics)
        apart = BlockingPool(
            configuration: own, connector: connector, logger: logger, metrics: metrics, whenFull: .wait)
    }

    /// Whether it is no longer part of the cluster; what it did not send is to be sent elsewhere.
    var isRetired: Bool { retired.load(ordering: .relaxed) }

    func start() { multiplexer.start() }

    nonisolated(nonsending) func perform(
        _ pending: PendingCommand, isBlocking: Bool
    ) async -> PendingCommand.Outcome {
        isBlocking ? await blocking.perform(pending) : await multiplexer.perform(pending)
    }

    /// Takes no further commands; those it was given are answered where it still can.
    func retire() {
        retired.store(true, ordering: .relaxed)
        _ = multiplexer.stop(gracefully: multiplexer.isConnected)
        _ = blocking.stop()
        _ = apart.stop()
    }

    func stop(gracefully: Bool) async throws {
        try await blocking.stop().get()
        try await apart.stop().get()
        try await multiplexer.stop(gracefully: gracefully).get()
    }
}

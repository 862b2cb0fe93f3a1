import GameModel
import Logging
import Metrics
import MusterInstance
import NIOCore
import NIOPosix
import ServiceLifecycle

/// The game port: one task per connection, and nothing that a connection sends can hurt a match it did not join.
///
/// A connection must join within the handshake time, an address has only so many that have not, frames are bounded in
/// size and time, the bytes waiting for a slow reader are bounded, and whatever is not understood closes that one
/// connection.
final class GameServer: Service {
    typealias Connection = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    private let listener: NIOAsyncChannel<Connection, Never>
    private let configuration: InstanceConfiguration
    private let host: MatchHost
    private let client: InstanceClient
    private let logger: Logger
    private let connections: OpenConnections
    private let refusedCounter = Counter(label: "instance_connections_refused_total")

    /// The port that players connect to.
    let port: Int

    /// Listens; connections are served from ``run()`` on.
    static func bind(
        configuration: InstanceConfiguration, host: MatchHost, client: InstanceClient, logger: Logger
    ) async throws -> GameServer {
        let limits = configuration.limits
        let listener = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .serverChannelOption(.backlog, value: 1_024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
            .childChannelOption(
                .writeBufferWaterMark, value: .init(low: limits.writeBytesMax / 2, high: limits.writeBytesMax)
            )
            .bind(host: configuration.bindHost, port: configuration.port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        ByteToMessageHandler(
                            LineDecoder(
                                bytesMax: limits.frameBytesMax,
                                timeMax: .milliseconds(limits.frameTime.milliseconds))))
                    return try Connection(wrappingChannelSynchronously: channel)
                }
            }
        return GameServer(
            listener: listener, configuration: configuration, host: host, client: client, logger: logger)
    }

    private init(
        listener: NIOAsyncChannel<Connection, Never>, configuration: InstanceConfiguration, host: MatchHost,
        client: InstanceClient, logger: Logger
    ) {
        self.listener = listener
        self.configuration = configuration
        self.host = host
        self.client = client
        connections = OpenConnections(limits: configuration.limits)
        self.logger = logger
        port = listener.channel.localAddress?.port ?? configuration.port
    }

    /// Serves until graceful shutdown: then accepts no more, lets the matches end within the grace, and closes.
    func run() async throws {
        let listener = listener
        try await withGracefulShutdownHandler {
            try await listener.executeThenClose { connections in
                try await withThrowingDiscardingTaskGroup { group in
                    for try await connection in connections {
                        group.addTask { await self.admit(connection) }
                    }
                    await self.host.drain(within: self.configuration.stopGrace)
                    self.closeAll()
                }
            }
        } onGracefulShutdown: {
            listener.channel.close(promise: nil)
        }
    }

    private func admit(_ connection: Connection) async {
        let channel = connection.channel
        let isAdmitted = connections.admit(channel)
        defer { connections.remove(channel) }
        do {
            try await connection.executeThenClose { frames, _ in
                guard isAdmitted else { return refusedCounter.increment() }
                await serve(frames, PlayerLink(channel: channel))
            }
        } catch {
            logger.debug("connection ended", metadata: ["error": "\(error)"])
        }
    }

    private func closeAll() {
        for channel in connections.all { channel.close(promise: nil) }
    }

    private func serve(_ frames: NIOAsyncChannelInboundStream<ByteBuffer>, _ link: PlayerLink) async {
        let channel = link.channel
        let handshake = channel.eventLoop.scheduleTask(
            in: .milliseconds(configuration.limits.handshake.milliseconds)
        ) { channel.close(promise: nil) }
        var seat: (room: MatchRoom, player: PlayerID)?
        do {
            for try await line in frames {
                switch try ClientFrame(line) {
                case .leave:
                    if let seat { await seat.room.leave(seat.player, link: link) }
                    return
                case .join(let token):
                    guard seat == nil else { throw GameRefusal(.badFrame, "this connection has joined before") }
                    let pass = try await client.join(token)
                    handshake.cancel()
                    connections.joined(channel)
                    seat = (try await enter(pass, link), pass.player)
                }
            }
        } catch let refusal as GameRefusal {
            refusedCounter.increment()
            await refuse(refusal, link)
        } catch let refusal as JoinRefusal {
            refusedCounter.increment()
            logger.debug("join refused", metadata: ["why": "\(refusal)"])
            await refuse(GameRefusal(refusal), link)
        } catch {
            logger.debug("connection failed", metadata: ["error": "\(error)"])
        }
        handshake.cancel()
        if let seat { await seat.room.leave(seat.player, link: link) }
    }

    private func enter(_ pass: JoinPass, _ link: PlayerLink) async throws(GameRefusal) -> MatchRoom {
        do {
            let room = try await host.room(for: pass.match)
            try await room.join(pass.player, link: link)
            return room
        } catch {
            await client.giveBack(pass)
            throw error
        }
    }

    /// Says why and closes, at most a second later: a client that does not read must not hold the connection.
    private func refuse(_ refusal: GameRefusal, _ link: PlayerLink) async {
        let channel = link.channel
        guard channel.isWritable else { return link.close() }
        let deadline = channel.eventLoop.scheduleTask(in: .seconds(1)) { channel.close(promise: nil) }
        defer { deadline.cancel() }
        do {
            try await channel.writeAndFlush(try ServerFrame.error(refusal).line()).get()
        } catch {
            logger.debug("could not say why", metadata: ["refusal": "\(refusal.code)", "error": "\(error)"])
        }
    }
}

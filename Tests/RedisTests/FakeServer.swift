import NIOCore
import NIOPosix
import Redis
import TestSupport
import Synchronization

/// A TCP server that answers a client's greeting as Redis would and everything after it as the test says: for the
/// faults that a real server can't be asked for.
final class FakeServer: Sendable {
    enum Answer: Sendable {
        case bytes(String)
        /// These bytes, and then the connection is closed.
        case lastBytes(String)
        case nothing
    }

    let configuration: RedisConfiguration
    private let channel: any Channel

    /// - Parameter answer: the answer to what came in one read, by the number of the connection, from 1.
    static func start(_ answer: @escaping @Sendable (Int) -> Answer) async throws -> FakeServer {
        let group = MultiThreadedEventLoopGroup.singleton
        let counter = Counter()
        let channel = try await ServerBootstrap(group: group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let number = counter.value.add(1, ordering: .relaxed).newValue
                    try channel.pipeline.syncOperations.addHandler(Handler(number: number, answer: answer))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return FakeServer(channel: channel)
    }

    private final class Counter: Sendable {
        let value = Atomic<Int>(0)
    }

    private init(channel: any Channel) {
        self.channel = channel
        var configuration = RedisConfiguration(
            address: .tcp(host: "127.0.0.1", port: channel.localAddress?.port ?? 0))
        configuration.clientName = nil
        // The answers go by the number of the connection: none is to be given up because the machine is slow.
        configuration.connectTimeout = .seconds(30)
        self.configuration = configuration
    }

    func stop() async throws { try await channel.close() }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let number: Int
        private let answer: @Sendable (Int) -> Answer
        private var isGreeted = false

        init(number: Int, answer: @escaping @Sendable (Int) -> Answer) {
            self.number = number
            self.answer = answer
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            guard isGreeted else {
                isGreeted = true
                return write("+PONG\r\n", context)
            }
            switch answer(number) {
            case .bytes(let text): write(text, context)
            case .lastBytes(let text):
                write(text, context)
                context.close(promise: nil)
            case .nothing: break
            }
        }

        private func write(_ text: String, _ context: ChannelHandlerContext) {
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}

/// Runs the body with a client of a server that answers so.
func withFakeServer(
    _ answer: @escaping @Sendable (Int) -> FakeServer.Answer,
    configure: (inout RedisConfiguration) -> Void = { _ in }, _ body: (RedisClient) async throws -> Void
) async throws {
    let server = try await FakeServer.start(answer)
    var configuration = server.configuration
    configure(&configuration)
    try await withClient(configuration) { redis in
        try await eventually("the client is connected") { redis.isConnected }
        try await body(redis)
    }
    try await server.stop()
}

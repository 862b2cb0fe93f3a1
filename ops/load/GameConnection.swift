import Foundation
import NIOCore
import NIOFoundationCompat
import NIOPosix

/// A player's connection to a game instance: JSON frames, one a line, over TCP.
struct GameConnection {
    struct Frame: Decodable, Sendable {
        let type: String
        let winner: Int?
        let team: Int?
        /// With an error: why.
        let detail: String?
    }

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private struct Join: Encodable {
        let type = "join"
        let token: String
    }

    /// Joins a match and stays until it is finished. `joined` is called once the instance has let the player in.
    ///
    /// Throws `Failure` when the instance refuses, closes early, or says nothing for `silence`.
    static func play(
        host: String, port: Int, token: String, silence: Duration = .seconds(40), joined: @Sendable () -> Void
    ) async throws -> Frame {
        let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .connectTimeout(.seconds(5))
            .connect(host: host, port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(ByteToMessageHandler(LineDecoder()))
                    try channel.pipeline.syncOperations.addHandler(SilenceWatch(limit: silence))
                    return try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            var join = ByteBuffer(data: try JSONEncoder().encode(Join(token: token)))
            join.writeString("\n")
            try await outbound.write(join)
            for try await line in inbound {
                let frame = try JSONDecoder().decode(Frame.self, from: line)
                switch frame.type {
                case "joined": joined()
                case "finished": return frame
                case "error": throw Failure(description: "refused: \(frame.detail ?? "no reason given")")
                default: continue
                }
            }
            throw Failure(description: "the instance closed the connection before the end")
        }
    }

    /// Splits the stream at newlines; a line over 64 KiB is an error.
    private struct LineDecoder: ByteToMessageDecoder {
        typealias InboundOut = ByteBuffer

        mutating func decode(context: ChannelHandlerContext, buffer: inout ByteBuffer) throws -> DecodingState {
            guard let newline = buffer.readableBytesView.firstIndex(of: UInt8(ascii: "\n")) else {
                guard buffer.readableBytes <= 65_536 else { throw Failure(description: "a frame over 64 KiB") }
                return .needMoreData
            }
            let length = newline - buffer.readerIndex
            guard let line = buffer.readSlice(length: length) else { return .needMoreData }
            buffer.moveReaderIndex(forwardBy: 1)
            context.fireChannelRead(wrapInboundOut(line))
            return .continue
        }
    }

    /// Closes a connection that has gone quiet, so that no journey waits for ever.
    private final class SilenceWatch: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias InboundOut = ByteBuffer
        private let limit: TimeAmount
        private var check: Scheduled<Void>?

        init(limit: Duration) { self.limit = .seconds(limit.components.seconds) }

        func channelActive(context: ChannelHandlerContext) {
            restart(context)
            context.fireChannelActive()
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            restart(context)
            context.fireChannelRead(data)
        }

        func channelInactive(context: ChannelHandlerContext) {
            check?.cancel()
            context.fireChannelInactive()
        }

        private func restart(_ context: ChannelHandlerContext) {
            check?.cancel()
            check = context.eventLoop.assumeIsolated().scheduleTask(in: limit) { context.close(promise: nil) }
        }
    }
}

import NIOCore
import NIOPosix
import Synchronization

/// A TCP proxy on 127.0.0.1 that does to the bytes what bad networks do, as told at any moment.
///
/// Each direction of a connection is one loop: read a piece, do the fault, write it. So what is held up also holds up
/// what follows it, and order is kept, as TCP promises.
public final class FaultyProxy: Sendable {
    public enum Fault: Sendable, Equatable {
        case none
        /// Each piece is held for so long first.
        case delay(Duration)
        /// Nothing passes until another fault is set; then what was held goes on.
        case stall
        /// Each piece arrives torn into odd ones, the first of a single byte.
        case halve
        /// What comes vanishes. As TCP has no gaps, so does everything after it on the same connection: it stays open
        /// and silent.
        case drop
        /// Each connection is cut once so many more bytes passed, wherever in a request or reply that is.
        case cut(afterBytes: Int)
    }

    /// Where clients connect to.
    public let port: Int
    private let target: Int
    private let state = Mutex(State())

    private struct State {
        var fault = Fault.none
        /// Both ends of each live connection.
        var channels: [ObjectIdentifier: any Channel] = [:]
        var cuts = 0
    }

    fileprivate init(port: Int, target: Int) {
        self.port = port
        self.target = target
    }

    /// What is done to all bytes from now on, on connections old and new.
    public var fault: Fault {
        get { state.withLock { $0.fault } }
        set { state.withLock { $0.fault = newValue } }
    }

    /// How many connections were cut, by `cut` and by the fault of that name.
    public var cuts: Int { state.withLock { $0.cuts } }

    /// Cuts all connections now; new ones are served.
    public func cut() {
        let channels = state.withLock { state in
            state.cuts += state.channels.count / 2
            return Array(state.channels.values)
        }
        for channel in channels { channel.close(promise: nil) }
    }

    // MARK: Passing on

    fileprivate typealias Pipe = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    fileprivate func serve(_ server: NIOAsyncChannel<Pipe, Never>) async throws {
        try await server.executeThenClose { clients in
            try await withThrowingDiscardingTaskGroup { group in
                for try await client in clients { group.addTask { await self.pass(client) } }
                // Nobody comes any more: the test is over.
                group.cancelAll()
            }
        }
    }

    private func pass(_ client: Pipe) async {
        do {
            // Also where the server is not there: the library ends the process when a connection is let go of unused.
            try await client.executeThenClose { requests, toClient in
                let server = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                    .channelOption(.tcpOption(.tcp_nodelay), value: 1)
                    .connect(host: "127.0.0.1", port: target) { Self.pipe($0) }
                note(client.channel, server.channel)
                defer { forget(client.channel, server.channel) }
                let wire = Wire()
                try await server.executeThenClose { replies, toServer in
                    await withTaskGroup(of: Void.self) { group in
                        group.addTask { await self.forward(requests, toServer, wire) }
                        group.addTask { await self.forward(replies, toClient, wire) }
                        // The end of one direction is the end of the connection.
                        await group.next()
                        group.cancelAll()
                    }
                }
            }
        } catch {
            // A connection that breaks, or a server that is not there, is what the proxy is for: its client sees it.
            client.channel.close(promise: nil)
        }
    }

    /// What both directions of a connection share.
    private final class Wire: Sendable {
        let passed = Atomic<Int>(0)
        let isDead = Atomic<Bool>(false)
    }

    private struct Cut: Error {}

    private func forward(
        _ input: NIOAsyncChannelInboundStream<ByteBuffer>, _ output: NIOAsyncChannelOutboundWriter<ByteBuffer>,
        _ wire: Wire
    ) async {
        do {
            for try await piece in input { try await forward(piece, output, wire) }
        } catch {
            // Either side is gone, or the connection is to be cut: the other direction is ended by the caller.
            return
        }
    }

    private func forward(
        _ piece: ByteBuffer, _ output: NIOAsyncChannelOutboundWriter<ByteBuffer>, _ wire: Wire
    ) async throws {
        var piece = piece
        while fault == .stall { try await Task.sleep(for: .milliseconds(5)) }
        let fault = fault
        if fault == .drop { wire.isDead.store(true, ordering: .relaxed) }
        if wire.isDead.load(ordering: .relaxed) { return }
        switch fault {
        case .none, .stall, .drop: try await output.write(piece)
        case .delay(let time):
            try await Task.sleep(for: time)
            try await output.write(piece)
        case .halve:
            var sizes = [1, 2, 3, 7, 61, 509][...]
            while piece.readableBytes > 0 {
                let size = min(sizes.popFirst() ?? 4_099, piece.readableBytes)
                if let part = piece.readSlice(length: size) { try await output.write(part) }
                await Task.yield()
            }
        case .cut(let limit):
            let before = wire.passed.add(piece.readableBytes, ordering: .relaxed).oldValue
            let left = min(max(0, limit - before), piece.readableBytes)
            if let part = piece.readSlice(length: left) { try await output.write(part) }
            guard piece.readableBytes == 0 else {
                state.withLock { $0.cuts += 1 }
                throw Cut()
            }
        }
    }

    private func note(_ channels: any Channel...) {
        state.withLock { state in
            for channel in channels { state.channels[ObjectIdentifier(channel)] = channel }
        }
    }

    private func forget(_ channels: any Channel...) {
        state.withLock { state in
            for channel in channels { state.channels[ObjectIdentifier(channel)] = nil }
        }
    }

    @Sendable fileprivate static func pipe(_ channel: any Channel) -> EventLoopFuture<Pipe> {
        channel.eventLoop.makeCompletedFuture { try Pipe(wrappingChannelSynchronously: channel) }
    }
}

/// Runs the body with a proxy before a port of 127.0.0.1, and cuts what is left of its connections afterwards.
public func withFaultyProxy<T>(
    to target: Int, isolation: isolated (any Actor)? = #isolation, _ body: (FaultyProxy) async throws -> T
) async throws -> T {
    let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
        .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
        .bind(host: "127.0.0.1", port: 0) { FaultyProxy.pipe($0) }
    let proxy = FaultyProxy(port: server.channel.localAddress?.port ?? 0, target: target)
    return try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await proxy.serve(server) }
        let outcome: Result<T, any Error>
        do {
            outcome = .success(try await body(proxy))
        } catch {
            outcome = .failure(error)
        }
        // Closed and not cancelled: so a connection that was accepted just now is still taken from the server.
        server.channel.close(promise: nil)
        try await group.waitForAll()
        return try outcome.get()
    }
}

import DequeModule
import NIOCore

/// Whoever uses a connection. Called on the connection's event loop.
protocol ConnectionOwner: AnyObject, Sendable {
    /// The last replies of calls came that have this many commands together; the oldest of them is given.
    func connection(_ connection: RedisConnection, answered commands: Int, oldest: PendingCommand)
    /// It is closed for good; these calls (some of which may have ended) were sent and not answered.
    func connection(
        _ connection: RedisConnection, closedBecause reason: RedisError,
        leaving unanswered: Deque<PendingCommand>)
    /// The bytes that were too many for the socket went out.
    func connectionBecameWritable(_ connection: RedisConnection)
}

/// One connection to a server: writes commands, reads replies, and matches them by their order. The first bytes that
/// are not RESP, or a reply that no command asked for, close it, as from there on no reply could be trusted.
// @unchecked. Proof: all of it is touched on the channel's event loop only. NIO calls the handler there; its owners,
// the locator and the greeting live on the same loop, on which the connector opens the channel. `append`, `flush`,
// `expire` and `close` assert it in debug builds, so in every test.
final class RedisConnection: ChannelInboundHandler, @unchecked Sendable {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// The bytes gathered for one write.
    private static let writeBytesMax = 256 * 1024

    weak var owner: (any ConnectionOwner)?
    /// Takes the replies that no command asked for: what is published to a subscription's connection.
    var listener: ((RESPValue) -> Void)?
    private(set) var isClosed = false
    /// What the socket or TLS complained of, where that is why it closed.
    private(set) var fault: (any Error)?
    private var inFlight: Deque<PendingCommand> = []
    private var lastProgress = NIODeadline.now()
    private var outgoing = ByteBuffer()
    private var context: ChannelHandlerContext?
    private let reader: ReplyReader

    /// Where it leads to.
    let address: RedisConfiguration.Address
    /// Whether another server may become the one that takes writes.
    private let mayBeDemoted: Bool

    init(configuration: RedisConfiguration, address: RedisConfiguration.Address) {
        self.address = address
        mayBeDemoted = configuration.discovery != .none
        reader = ReplyReader(
            bytesMax: configuration.replyBytesMax, elementsMax: configuration.replyElementsMax)
    }

    // MARK: Sending

    /// Whether no command waits for a reply.
    var isIdle: Bool { inFlight.isEmpty }

    /// Whether the socket takes bytes.
    var isWritable: Bool { !isClosed && context?.channel.isWritable == true }

    /// Whether the next write has room.
    var hasRoom: Bool { !isClosed && outgoing.readableBytes < Self.writeBytesMax }

    /// Adds a call to the next write.
    func append(_ pending: PendingCommand, at now: NIODeadline) {
        context?.eventLoop.assertInEventLoop()
        if inFlight.isEmpty { lastProgress = now }
        inFlight.append(pending)
        pending.write(into: &outgoing, at: now)
    }

    /// Adds a command whose answers the listener takes.
    func appendUnpaired(_ command: RedisCommand) { CommandWriter.write(command, into: &outgoing) }

    /// Writes what was appended, in one go.
    func flush() {
        context?.eventLoop.assertInEventLoop()
        guard let context, outgoing.readableBytes > 0 else { return }
        context.writeAndFlush(wrapOutboundOut(outgoing), promise: nil)
        outgoing.clear()
    }

    // MARK: Time

    /// Ends the calls whose time is up; they stay in line as placeholders. Answers the next deadline among the others.
    func expire(at now: NIODeadline) -> NIODeadline? {
        context?.eventLoop.assertInEventLoop()
        var next: NIODeadline?
        for pending in inFlight where !pending.isEnded {
            if pending.deadline <= now {
                pending.end(.timedOut(mayHaveRun: true))
            } else {
                next = min(next ?? pending.deadline, pending.deadline)
            }
        }
        return next
    }

    /// When the connection counts as deaf if no reply comes before; `nil` while it owes none. A call at the head of
    /// the line that was given more time than others is waited for.
    func deafDeadline(patience: TimeAmount) -> NIODeadline? {
        inFlight.first.map { lastProgress + max(patience, $0.timeout) }
    }

    // MARK: Closing

    /// Closes it at once and hands the unanswered calls to the owner. Does nothing the second time.
    func close(because reason: RedisError) {
        context?.eventLoop.assertInEventLoop()
        guard !isClosed else { return }
        isClosed = true
        let unanswered = inFlight
        inFlight = []
        context?.close(promise: nil)
        if let owner {
            owner.connection(self, closedBecause: reason, leaving: unanswered)
        } else {
            for pending in unanswered { pending.end(reason) }
        }
        owner = nil
    }

    // MARK: ChannelInboundHandler

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isClosed else { return }
        let bytes = unwrapInboundIn(data)
        guard bytes.withUnsafeReadableBytes({ reader.feed($0) }) else {
            return close(because: .protocolViolation("no memory for the reply"))
        }
        // The greeting's end makes an owner: one that did not send what is answered here, and must not count it.
        let owner = owner
        var answered = 0
        var oldest: PendingCommand?
        var violation: RedisError?
        var isDemoted = false
        do throws(RedisError) {
            while let reply = try reader.next() {
                guard let pending = inFlight.first else {
                    guard let listener else {
                        throw .protocolViolation("a reply that no command asked for: \(reply.kind)")
                    }
                    listener(reply)
                    guard !isClosed else { return }
                    continue
                }
                if oldest == nil {
                    oldest = pending
                    lastProgress = .now()
                }
                if mayBeDemoted, case .error(let text) = reply, text.hasPrefix("READONLY") { isDemoted = true }
                guard pending.take(reply) else { continue }
                // Ending a call may close the connection, which empties the line.
                guard !isClosed else { return }
                inFlight.removeFirst()
                answered += pending.count
            }
        } catch {
            violation = error
        }
        if let oldest, answered > 0 {
            owner?.connection(self, answered: answered, oldest: oldest)
        }
        if let violation { close(because: violation) }
        // The server has become a replica. What else was sent to it is refused too, and the next connection asks anew
        // where the master is.
        if isDemoted { close(because: .connectionLost(mayHaveRun: true)) }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if isWritable { owner?.connectionBecameWritable(self) }
        context.fireChannelWritabilityChanged()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if !isClosed { fault = error }
        close(because: .connectionLost(mayHaveRun: true))
    }

    func channelInactive(context: ChannelHandlerContext) {
        close(because: .connectionLost(mayHaveRun: true))
        context.fireChannelInactive()
    }
}

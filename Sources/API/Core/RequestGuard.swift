import Foundation
import GameModel
import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore
import NIOHTTPTypes

/// Stands at each connection: a request that can't be read as HTTP is told so by a problem, and one whose body doesn't
/// come to its end in time loses its connection. Time between requests, and for the head of one, is Hummingbird's idle
/// time-out, which is in ``server()``.
public final class RequestGuard: ChannelDuplexHandler, RemovableChannelHandler {
    public typealias InboundIn = HTTPRequestPart
    public typealias InboundOut = HTTPRequestPart
    public typealias OutboundIn = HTTPResponsePart
    public typealias OutboundOut = HTTPResponsePart

    /// Longer than a load balancer keeps a connection alive.
    public static let idleTimeout = TimeAmount.seconds(75)
    public static let bodyTimeout = TimeAmount.seconds(30)

    private let bodyTimeout: TimeAmount
    private var deadline: Scheduled<Void>?
    /// Requests that began and were not answered to the end.
    private var unanswered = 0
    private var isRefused = false

    init(bodyTimeout: TimeAmount = RequestGuard.bodyTimeout) { self.bodyTimeout = bodyTimeout }

    public func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isRefused else { return }
        switch unwrapInboundIn(data) {
        case .head:
            unanswered += 1
            let channel = context.channel
            deadline?.cancel()
            deadline = context.eventLoop.scheduleTask(in: bodyTimeout) { channel.close(promise: nil) }
        case .body: break
        case .end:
            deadline?.cancel()
            deadline = nil
        }
        context.fireChannelRead(data)
    }

    public func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data) { unanswered -= 1 }
        context.write(data, promise: promise)
    }

    public func channelInactive(context: ChannelHandlerContext) {
        deadline?.cancel()
        deadline = nil
        context.fireChannelInactive()
    }

    public func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // While a request is being answered, its route is told; and a connection that broke can't be answered.
        guard unanswered == 0, !isRefused, !(error is IOError), !(error is ChannelError) else {
            context.fireErrorCaught(error)
            return
        }
        isRefused = true
        let (head, body) = Self.refusal(of: error)
        let channel = context.channel
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(body)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in channel.close(promise: nil) }
    }

    private static func refusal(of error: any Error) -> (HTTPResponse, ByteBuffer) {
        let problem = Problem(.malformedRequest, "This is no HTTP/1.1 request that this server can read: \(error).")
        let requestID = ULID().description
        var body = ByteBuffer()
        do {
            body.writeBytes(try JSONEncoder().encode(problem.body(requestID: requestID)))
        } catch {
            preconditionFailure("a problem is always JSON: \(error)")
        }
        var fields = SecurityHeaders.fields
        fields[.contentType] = "application/problem+json"
        fields[.contentLength] = String(body.readableBytes)
        fields[.connection] = "close"
        fields[.requestID] = requestID
        return (HTTPResponse(status: problem.status, headerFields: fields), body)
    }
}

extension APIRoutes {
    /// The server that the routes are to stand behind.
    ///
    /// - Parameters:
    ///   - idleTimeout: how long a connection may lie idle, or take for a request's head.
    ///   - bodyTimeout: how long a body may take from the end of the head on.
    public static func server(
        idleTimeout: TimeAmount = RequestGuard.idleTimeout, bodyTimeout: TimeAmount = RequestGuard.bodyTimeout
    ) -> HTTPServerBuilder {
        .http1(
            configuration: .init(
                additionalChannelHandlers: [RequestGuard(bodyTimeout: bodyTimeout)], idleTimeout: idleTimeout))
    }
}

import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// Takes webhooks in over HTTP: keeps each with its signature, and answers as it was told to.
final class WebhookSink: Sendable {
    struct Delivery: Sendable {
        let signature: String
        let body: String

        /// A field of the event, or of the object that it tells of.
        var type: String { field("type", of: json) }
        var id: String { field("id", of: json) }
        var objectId: String {
            field("id", of: (json["data"] as? [String: Any])?["object"] as? [String: Any] ?? [:])
        }

        private var json: [String: Any] {
            do {
                return try JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any] ?? [:]
            } catch {
                return [:]
            }
        }

        private func field(_ name: String, of object: [String: Any]) -> String { object[name] as? String ?? "" }
    }

    private struct State: Sendable {
        var deliveries: [Delivery] = []
        var refusals: Int
    }

    private let state: Mutex<State>

    /// - Parameter refusals: how many deliveries are answered 500 before any is taken.
    init(refusals: Int = 0) { state = Mutex(State(refusals: refusals)) }

    /// Those that were taken, in order.
    var deliveries: [Delivery] { state.withLock { $0.deliveries } }

    /// Answers whether it is taken.
    fileprivate func receive(_ delivery: Delivery) -> Bool {
        state.withLock { state in
            guard state.refusals == 0 else {
                state.refusals -= 1
                return false
            }
            state.deliveries.append(delivery)
            return true
        }
    }

    /// Listens on a free port while the body runs.
    func serve<T>(
        isolation: isolated (any Actor)? = #isolation, _ body: (_ url: String) async throws -> T
    ) async throws -> T {
        let channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(SinkHandler(sink: self))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let result: T
        do {
            result = try await body("http://127.0.0.1:\(channel.localAddress?.port ?? 0)/hooks")
        } catch {
            try await channel.close()
            throw error
        }
        try await channel.close()
        return result
    }
}

private final class SinkHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let sink: WebhookSink
    private var signature = ""
    private var body = ""

    init(sink: WebhookSink) { self.sink = sink }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            signature = head.headers.first(name: "Stripe-Signature") ?? ""
            body = ""
        case .body(let buffer): body += String(buffer: buffer)
        case .end:
            let isTaken = sink.receive(.init(signature: signature, body: body))
            let head = HTTPResponseHead(
                version: .http1_1, status: isTaken ? .ok : .internalServerError, headers: ["Content-Length": "0"])
            context.write(wrapOutboundOut(.head(head)), promise: nil)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }
    }
}

import Foundation
import NIOCore
import NIOPosix
import Synchronization

/// Takes webhooks in over HTTP: keeps each with its headers, and answers as it was told to.
public final class WebhookSink: Sendable {
    public struct Delivery: Sendable {
        /// By their names in lower case.
        public let headers: [String: String]
        public let body: String

        public var bytes: [UInt8] { Array(body.utf8) }
        /// Stripe's.
        public var signature: String { headers["stripe-signature"] ?? "" }
        /// A field of the event, or of the object that it tells of; PayPal's names, too.
        public var type: String { field("type") ?? field("event_type") ?? "" }
        public var id: String { field("id") ?? "" }
        public var objectId: String {
            let object = (json["data"] as? [String: Any])?["object"] ?? json["resource"]
            return (object as? [String: Any])?["id"] as? String ?? ""
        }

        private var json: [String: Any] {
            do {
                return try JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any] ?? [:]
            } catch {
                return [:]
            }
        }

        private func field(_ name: String) -> String? { json[name] as? String }
    }

    private struct State: Sendable {
        var deliveries: [Delivery] = []
        var refusals: Int
    }

    private let state: Mutex<State>

    /// - Parameter refusals: how many deliveries are answered 500 before any is taken.
    public init(refusals: Int = 0) { state = Mutex(State(refusals: refusals)) }

    /// Those that were taken, in order.
    public var deliveries: [Delivery] { state.withLock { $0.deliveries } }

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
    public func serve<T>(
        isolation: isolated (any Actor)? = #isolation, _ body: (_ url: String) async throws -> T
    ) async throws -> T {
        let channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
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

/// As much of HTTP as a webhook needs: a head, and a body whose length is told.
private final class SinkHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let sink: WebhookSink
    private var waiting = ""

    init(sink: WebhookSink) { self.sink = sink }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        waiting += String(buffer: unwrapInboundIn(data))
        while let delivery = next() {
            let status = sink.receive(delivery) ? "200 OK" : "500 Internal Server Error"
            let answer = ByteBuffer(string: "HTTP/1.1 \(status)\r\nContent-Length: 0\r\n\r\n")
            context.writeAndFlush(wrapOutboundOut(answer), promise: nil)
        }
    }

    /// Takes a whole delivery off what came; `nil` where more is to come.
    private func next() -> WebhookSink.Delivery? {
        guard let end = waiting.firstRange(of: "\r\n\r\n") else { return nil }
        var headers: [String: String] = [:]
        for line in waiting[..<end.lowerBound].split(separator: "\r\n").dropFirst() {
            let sides = line.split(separator: ":", maxSplits: 1)
            guard sides.count == 2 else { continue }
            headers[sides[0].lowercased()] = sides[1].trimmingCharacters(in: .whitespaces)
        }
        let length = headers["content-length"].flatMap { Int($0) } ?? 0
        let rest = Array(waiting[end.upperBound...].utf8)
        guard rest.count >= length else { return nil }
        waiting = String(decoding: rest[length...], as: UTF8.self)
        return WebhookSink.Delivery(headers: headers, body: String(decoding: rest[..<length], as: UTF8.self))
    }
}

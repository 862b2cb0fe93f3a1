import Foundation
import NIOCore
import NIOFoundationCompat
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization
import TestSupport

/// Agones' allocator service, as far as a client can tell: TLS with a certificate wanted of the client, one path, and
/// requests held against its published OpenAPI document (`Golden/agones-allocation.swagger.json`). It keeps game
/// servers with labels and states and finds them by the selectors' order, as `findGameServerForAllocation` does.
final class AgonesFake: Sendable {
    struct GameServer: Sendable, Equatable {
        var name: String
        var labels: [String: String]
        var annotations: [String: String] = [:]
        var state = "Ready"
        var address = "203.0.113.7"
        var ports = [("metrics", 9_000), ("game", 7_777)]

        static func == (left: Self, right: Self) -> Bool {
            left.name == right.name && left.state == right.state && left.labels == right.labels
        }
    }

    /// What it does instead of, or before, its answer to a request.
    enum Fault: Sendable {
        /// An answer with this status, of grpc-gateway's form; nothing was done.
        case refuse(HTTPResponseStatus, String)
        /// Does it, and never answers.
        case swallow
        /// Answers with this text.
        case answer(String)
    }

    private struct State: Sendable {
        var servers: [GameServer] = []
        var faults: [Fault] = []
        var requests: [Data] = []
        /// What is wrong with requests, by the published document.
        var violations: [String] = []
    }

    private let state = Mutex(State())
    private let document: OpenAPIDocument
    private let channel: any Channel

    var url: String { "https://localhost:\(channel.localAddress?.port ?? 0)" }
    var requests: [Data] { state.withLock { $0.requests } }
    var violations: [String] { state.withLock { $0.violations } }
    var servers: [GameServer] { state.withLock { $0.servers } }

    func add(_ servers: GameServer...) { state.withLock { $0.servers += servers } }
    func next(_ faults: Fault...) { state.withLock { $0.faults += faults } }

    static func start(_ certificates: TestCertificates) async throws -> AgonesFake {
        var tls = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMFile(certificates.serverCertificate).map {
                .certificate($0)
            },
            privateKey: .privateKey(try NIOSSLPrivateKey(file: certificates.serverKey, format: .pem)))
        tls.certificateVerification = .noHostnameVerification
        tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(certificates.authority))
        let context = try NIOSSLContext(configuration: tls)
        let document = try OpenAPIDocument.agones()
        let fake = Mutex<AgonesFake?>(nil)
        let box = FakeBox(fake: fake)
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline(withPipeliningAssistance: false)
                    try channel.pipeline.syncOperations.addHandler(
                        AnsweringHandler { method, path, body in
                            box.fake.withLock { $0 }?.answer(method, path, body)
                        })
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let made = AgonesFake(document: document, channel: channel)
        box.fake.withLock { $0 = made }
        return made
    }

    private init(document: OpenAPIDocument, channel: any Channel) {
        self.document = document
        self.channel = channel
    }

    func stop() async throws { try await channel.close() }

    /// The answer to one request; `nil`: none.
    fileprivate func answer(_ method: HTTPMethod, _ path: String, _ body: Data) -> (HTTPResponseStatus, String)? {
        state.withLock { state in
            state.requests.append(body)
            guard method == .POST, path == "/gameserverallocation" else {
                state.violations.append("\(method) \(path) is no operation")
                return (.notFound, Self.failure(5, "Not Found"))
            }
            let json: Any
            do { json = try JSONSerialization.jsonObject(with: body) } catch {
                return (.badRequest, Self.failure(3, "\(error)"))
            }
            let wrong = document.violations(of: "allocationAllocationRequest", in: json)
            guard wrong.isEmpty else {
                state.violations += wrong
                return (.badRequest, Self.failure(3, wrong[0]))
            }
            let fault = state.faults.isEmpty ? nil : state.faults.removeFirst()
            switch fault {
            case .refuse(let status, let message): return (status, Self.failure(0, message))
            case .answer(let text): return (.ok, text)
            case .swallow:
                _ = Self.allocate(json, &state.servers)
                return nil
            case nil: break
            }
            guard let server = Self.allocate(json, &state.servers) else {
                return (.tooManyRequests, Self.failure(8, "there is no available GameServer to allocate"))
            }
            let ports = server.ports.map { #"{"name":"\#($0.0)","port":\#($0.1)}"# }.joined(separator: ",")
            let text = """
                {"gameServerName":"\(server.name)","ports":[\(ports)],"address":"\(server.address)",\
                "addresses":[{"type":"InternalIP","address":"10.0.0.5"}],"nodeName":"node-1","source":"local",\
                "metadata":{"labels":{},"annotations":{}},"counters":{},"lists":{}}
                """
            if let object = try? JSONSerialization.jsonObject(with: Data(text.utf8)) {  // The fake's own text.
                state.violations += document.violations(of: "allocationAllocationResponse", in: object)
            }
            return (.ok, text)
        }
    }

    /// The first server that fits the first selector, else the second, …; marked as taken.
    private static func allocate(_ request: Any, _ servers: inout [GameServer]) -> GameServer? {
        let request = request as? [String: Any] ?? [:]
        for selector in request["gameServerSelectors"] as? [[String: Any]] ?? [] {
            let labels = selector["matchLabels"] as? [String: String] ?? [:]
            let wanted = selector["gameServerState"] as? String == "ALLOCATED" ? "Allocated" : "Ready"
            let found = servers.firstIndex { server in
                server.state == wanted && labels.allSatisfy { server.labels[$0.key] == $0.value }
            }
            guard let found else { continue }
            let metadata = request["metadata"] as? [String: Any] ?? [:]
            servers[found].state = "Allocated"
            servers[found].labels.merge(metadata["labels"] as? [String: String] ?? [:]) { _, new in new }
            servers[found].annotations.merge(metadata["annotations"] as? [String: String] ?? [:]) { _, new in new }
            return servers[found]
        }
        return nil
    }

    private static func failure(_ code: Int, _ message: String) -> String {
        #"{"code":\#(code),"message":"\#(message)","details":[]}"#
    }
}

private final class FakeBox: Sendable {
    let fake: Mutex<AgonesFake?>
    init(fake: consuming Mutex<AgonesFake?>) { self.fake = fake }
}

/// Answers each request by a function of it; no answer where that is `nil`.
final class AnsweringHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart
    typealias Answer = @Sendable (HTTPMethod, String, Data) -> (HTTPResponseStatus, String)?

    private let answer: Answer
    private var head: HTTPRequestHead?
    private var body = Data()

    init(_ answer: @escaping Answer) { self.answer = answer }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): (self.head, body) = (head, Data())
        case .body(let bytes): body += Data(buffer: bytes)
        case .end:
            guard let head, let (status, text) = answer(head.method, head.uri, body) else { return }
            let bytes = ByteBuffer(string: text)
            let headers: HTTPHeaders = [
                "Content-Type": "application/json", "Content-Length": String(bytes.readableBytes),
            ]
            context.write(
                wrapOutboundOut(.head(.init(version: .http1_1, status: status, headers: headers))), promise: nil)
            context.write(wrapOutboundOut(.body(.byteBuffer(bytes))), promise: nil)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error _: any Error) { context.close(promise: nil) }
}

import AsyncHTTPClient
import Foundation
import GameModel
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization
import TestSupport

@testable import MusterInstance

/// An HTTP server that answers as a test says, and remembers what it was asked.
final class StubAPI: Sendable {
    struct Request: Sendable, Equatable {
        var line: String
        var body: String
    }

    struct Reply: Sendable {
        var status = 200
        var body = "{}"
        var headers: [String: String] = [:]
    }

    private let asked = Mutex<[Request]>([])
    private let answer: @Sendable (Request) -> Reply

    init(_ answer: @Sendable @escaping (Request) -> Reply) { self.answer = answer }

    /// What was asked, in order, where the line begins so.
    func requests(_ prefix: String) -> [Request] { asked.withLock { $0.filter { $0.line.hasPrefix(prefix) } } }

    fileprivate func router() -> Router<BasicRequestContext> {
        let router = Router()
        for method in [HTTPRequest.Method.get, .put, .post, .delete] {
            router.on("**", method: method) { [self] request, _ in
                let body = try await request.body.collect(upTo: 1 << 20)
                let said = Request(line: "\(method.rawValue) \(request.uri)", body: String(buffer: body))
                asked.withLock { $0.append(said) }
                let reply = answer(said)
                var headers = HTTPFields()
                for (name, value) in reply.headers {
                    guard let name = HTTPField.Name(name) else { continue }
                    headers[name] = value
                }
                return Response(
                    status: .init(code: reply.status), headers: headers,
                    body: .init(byteBuffer: ByteBuffer(string: reply.body)))
            }
        }
        return router
    }
}

/// Runs the body beside a listening stub; the body is given its URL.
func withStubAPI<T: Sendable>(
    _ answer: @Sendable @escaping (StubAPI.Request) -> StubAPI.Reply,
    _ body: @Sendable @escaping (StubAPI, String) async throws -> T
) async throws -> T {
    let stub = StubAPI(answer)
    let (ports, port) = AsyncStream<Int>.makeStream()
    var logger = Logger(label: "test.api")
    logger.logLevel = .error
    let application = Application(
        router: stub.router(), configuration: .init(address: .hostname("127.0.0.1", port: 0)),
        onServerRunning: { channel in port.yield(channel.localAddress?.port ?? 0) }, logger: logger)
    return try await withServices([application]) {
        var iterator = ports.makeAsyncIterator()
        return try await body(stub, "http://127.0.0.1:\(await iterator.next() ?? 0)")
    }
}

/// A client of a stub, not running: for its calls one by one.
func withClient<T: Sendable>(
    _ answer: @Sendable @escaping (StubAPI.Request) -> StubAPI.Reply,
    now: @escaping @Sendable () -> Instant = { .now },
    change: @Sendable @escaping (inout InstanceClient.Configuration) -> Void = { _ in },
    _ body: @Sendable @escaping (InstanceClient, StubAPI) async throws -> T
) async throws -> T {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    var logger = Logger(label: "test.client")
    logger.logLevel = .critical
    let quiet = logger
    return try await withStubAPI(answer) { stub, url in
        var configuration = InstanceClient.Configuration(region: Region("eu"))
        configuration.apiURL = url
        configuration.dataFolder = folder.path
        configuration.token = "t"
        configuration.heartbeatInterval = .milliseconds(100)
        configuration.eventInterval = .milliseconds(10)
        configuration.resultPatience = .milliseconds(50)
        change(&configuration)
        let http = HTTPClient(eventLoopGroup: .singletonMultiThreadedEventLoopGroup)
        do {
            let client = try InstanceClient(
                configuration: configuration, httpClient: http, logger: quiet, now: now)
            let result = try await body(client, stub)
            try await http.shutdown()
            return result
        } catch {
            try await http.shutdown()
            throw error
        }
    }
}

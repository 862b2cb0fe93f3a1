import AsyncHTTPClient
import Foundation
import Logging
import NIOCore
import NIOHTTP1
import ServiceLifecycle
import TestSupport

@testable import Sandbox

/// Calls a running sandbox as a shop would.
struct SandboxClient: Sendable {
    let url: String
    var secretKey: String

    func post(_ path: String, _ body: String, key: String?) async throws -> SandboxReply {
        var request = HTTPClientRequest(url: url + path)
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "application/x-www-form-urlencoded")
        if let key { request.headers.add(name: "Idempotency-Key", value: key) }
        request.body = .bytes(ByteBuffer(string: body))
        return try await send(request)
    }

    func get(_ path: String) async throws -> SandboxReply { try await send(HTTPClientRequest(url: url + path)) }

    private func send(_ request: HTTPClientRequest) async throws -> SandboxReply {
        var request = request
        request.headers.add(name: "Authorization", value: "Bearer \(secretKey)")
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(60))
        let body = try await response.body.collect(upTo: 4 << 20)
        return SandboxReply(status: Int(response.status.code), body: String(buffer: body))
    }
}

struct SandboxReply: Sendable {
    let status: Int
    let body: String

    /// The object in the body; empty where there is none.
    var json: [String: Any] {
        do {
            return try JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any] ?? [:]
        } catch {
            return [:]
        }
    }

    var fault: [String: Any] { json["error"] as? [String: Any] ?? [:] }

    /// The ids in a list.
    var ids: [String] { (json["data"] as? [[String: Any]] ?? []).compactMap { $0["id"] as? String } }

    subscript(field: String) -> String? { json[field] as? String }
}

/// Runs a sandbox on a free port, and stops it gracefully after the body.
func withSandbox<T: Sendable>(
    _ configuration: SandboxConfiguration = SandboxConfiguration(), isolation: isolated (any Actor)? = #isolation,
    _ body: (SandboxClient) async throws -> T
) async throws -> T {
    var configuration = configuration
    configuration.port = 0
    let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let (ports, listening) = AsyncStream.makeStream(of: Int.self)
    let services = try SandboxProcess(configuration: configuration).services(logger: quiet) { port in
        listening.yield(port)
        listening.finish()
    }
    let group = ServiceGroup(services: services, logger: quiet)
    return try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask {
            defer { listening.finish() }
            try await group.run()
        }
        var port: Int?
        for await bound in ports { port = bound }
        guard let port else {
            try await tasks.waitForAll()
            throw TestSupportError("the sandbox ended before it listened")
        }
        let client = SandboxClient(url: "http://127.0.0.1:\(port)", secretKey: configuration.secretKey)
        let result: T
        do {
            result = try await body(client)
        } catch {
            tasks.cancelAll()
            throw error
        }
        await group.triggerGracefulShutdown()
        try await tasks.waitForAll()
        return result
    }
}

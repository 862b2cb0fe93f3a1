import AsyncHTTPClient
import Foundation
import NIOCore
import NIOFoundationCompat
import NIOHTTP1

/// Speaks to a server under test as any client would: over a socket.
struct HTTPTestClient: Sendable {
    let base: String

    /// Sends a request; the body is sent as the text it is.
    func send(
        _ method: HTTPMethod, _ path: String, token: String? = nil, body: String? = nil,
        headers: [(String, String)] = []
    ) async throws -> TestReply {
        var request = HTTPClientRequest(url: base + path)
        request.method = method
        if let token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        if let body { request.body = .bytes(ByteBuffer(string: body)) }
        return try await send(request)
    }

    func send(_ request: HTTPClientRequest) async throws -> TestReply {
        let reply = try await HTTPClient.shared.execute(request, timeout: .seconds(90))
        let body = try await reply.body.collect(upTo: 4 * 1024 * 1024)
        return TestReply(status: Int(reply.status.code), headers: reply.headers, body: Data(buffer: body))
    }
}

/// What came back.
struct TestReply: Sendable {
    let status: Int
    let headers: HTTPHeaders
    let body: Data

    var text: String { String(decoding: body, as: UTF8.self) }

    func decode<T: Decodable>(_ type: T.Type = T.self) throws -> T { try JSONDecoder().decode(type, from: body) }

    /// The body as a problem; throws where it is none.
    func problem() throws -> TestProblem { try decode(TestProblem.self) }
}

/// A problem as a client reads it.
struct TestProblem: Decodable, Equatable {
    var type: String
    var title: String
    var status: Int
    var detail: String
    var code: String
    var field: String?
    var ticketId: String?
    var requestId: String?
}

import AsyncHTTPClient
import Foundation
import GameModel
import NIOCore
import NIOFoundationCompat
import NIOHTTP1

/// The HTTP calls to one provider: bounded in number, in time and in what is read of an answer.
///
/// Promises: a call that brings no whole answer is ``PaymentError/unavailable(_:)``, and is not tried again here: the
/// job decides when to ask again.
struct ProviderConnection: Sendable {
    static let answerBytesMax = 4 << 20
    static let connectTimeout: TimeAmount = .seconds(5)

    /// What came back, whatever its status.
    struct Answer: Sendable {
        let status: Int
        let body: Data
    }

    /// The body of a call.
    enum Body: Sendable {
        case none
        case form([(String, String)])
        case json(Data)
    }

    private let client: HTTPClient
    private let url: String
    private let timeout: Duration

    /// - Parameters:
    ///   - timeout: for one call, from its start to the end of its answer.
    ///   - connections: how many calls may be under way at once; more wait.
    init(url: String, timeout: Duration, connections: Int) {
        self.url = url.hasSuffix("/") ? String(url.dropLast()) : url
        self.timeout = timeout
        var configuration = HTTPClient.Configuration()
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = max(1, connections)
        // Fails fast where nobody listens.
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.timeout.connect = Self.connectTimeout
        // A redirect would carry the secret key to wherever it points.
        configuration.redirectConfiguration = .disallow
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    /// Closes the connections. Must be called once, when nothing is asked any more.
    func shutdown() async throws { try await client.shutdown() }

    func send(
        _ method: HTTPMethod, _ path: String, headers: [(String, String)], body: Body = .none
    ) async throws(PaymentError) -> Answer {
        var request = HTTPClientRequest(url: url + path)
        request.method = method
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        switch body {
        case .none: break
        case .form(let fields):
            request.headers.add(name: "Content-Type", value: "application/x-www-form-urlencoded")
            request.body = .bytes(ByteBuffer(string: Self.form(fields)))
        case .json(let data):
            request.headers.add(name: "Content-Type", value: "application/json")
            request.body = .bytes(ByteBuffer(data: data))
        }
        do {
            let deadline = NIODeadline.now() + .milliseconds(timeout.milliseconds)
            let response = try await client.execute(request, deadline: deadline)
            let body = try await response.body.collect(upTo: Self.answerBytesMax)
            return Answer(status: Int(response.status.code), body: Data(buffer: body))
        } catch {
            throw .unavailable("\(error)")
        }
    }

    /// Fields as `application/x-www-form-urlencoded`, also for the part of a URL after its question mark.
    static func form(_ fields: [(String, String)]) -> String {
        fields.map { escaped($0.0) + "=" + escaped($0.1) }.joined(separator: "&")
    }

    /// Percent-encoding that leaves only the unreserved characters of RFC 3986 as they are.
    static func escaped(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                result += "%" + Hex.encode([byte]).uppercased()
            }
        }
        return result
    }
}

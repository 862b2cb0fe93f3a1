import AsyncHTTPClient
import Foundation
import NIOCore
import NIOFoundationCompat
import NIOHTTP1
import NIOSSL
import ServiceLifecycle

/// Speaks to Agones' allocator service over its REST API, each side showing the other its certificate.
///
/// The certificates are read once: after they were renewed the process is restarted, which ends no match.
struct AgonesClient: Service {
    private let client: HTTPClient
    private let endpoint: String
    private let timeout: Duration

    private static let answerBytesMax = 1 << 20

    init(_ configuration: AgonesConfiguration) throws(AgonesError) {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.minimumTLSVersion = .tlsv12
        tls.trustRoots = .certificates(try Self.certificates(configuration.authorityFile))
        tls.certificateChain = try Self.certificates(configuration.certificateFile).map { .certificate($0) }
        do {
            tls.privateKey = .privateKey(try NIOSSLPrivateKey(file: configuration.keyFile, format: .pem))
        } catch {
            throw .unreadable(file: configuration.keyFile, reason: "\(error)")
        }
        var http = HTTPClient.Configuration(tlsConfiguration: tls, redirectConfiguration: .disallow)
        http.timeout.connect = .nanoseconds(configuration.timeout.nanoseconds)
        http.httpVersion = .http1Only
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: http)
        endpoint = configuration.url + AgonesWire.path
        timeout = configuration.timeout
    }

    /// Closes its connections when the process stops.
    func run() async throws {
        do {
            try await gracefulShutdown()
        } catch {
            // Cancelled: closed all the same.
        }
        try await client.shutdown()
    }

    /// What the service said to a request for a game server.
    enum Reply: Sendable, Equatable {
        case allocated(AgonesWire.Answer)
        /// None is free that the selectors want.
        case noneFree
        /// Others were faster, the service is failing, or is not reached: to be asked again.
        case again(AgonesError)
    }

    /// - Throws: `refused` where asking again is of no use, `badAnswer`.
    func allocate(_ request: AgonesWire.Request) async throws(AgonesError) -> Reply {
        let (status, body): (HTTPResponseStatus, Data)
        do {
            (status, body) = try await post(request)
        } catch {
            return .again(.unreachable("\(error)"))
        }
        if status == .ok {
            do {
                return .allocated(try JSONDecoder().decode(AgonesWire.Answer.self, from: body))
            } catch {
                throw .badAnswer("\(error)")
            }
        }
        let message = Self.message(of: body)
        switch status {
        case .tooManyRequests: return .noneFree
        case .conflict, .internalServerError, .badGateway, .serviceUnavailable, .gatewayTimeout:
            return .again(.refused(status: Int(status.code), message: message))
        default: throw .refused(status: Int(status.code), message: message)
        }
    }

    private func post(_ request: AgonesWire.Request) async throws -> (HTTPResponseStatus, Data) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var post = HTTPClientRequest(url: endpoint)
        post.method = .POST
        post.headers.add(name: "Content-Type", value: "application/json")
        post.headers.add(name: "Accept", value: "application/json")
        post.body = .bytes(ByteBuffer(data: try encoder.encode(request)))
        let response = try await client.execute(post, timeout: .nanoseconds(timeout.nanoseconds))
        let body = try await response.body.collect(upTo: Self.answerBytesMax)
        return (response.status, Data(body.readableBytesView))
    }

    /// The words of a refusal, whatever has sent it.
    private static func message(of body: Data) -> String {
        do {
            if let message = try JSONDecoder().decode(AgonesWire.Failure.self, from: body).message { return message }
        } catch {
            // A proxy's page, not the service's answer: shown as it is.
        }
        return String(String(decoding: body, as: UTF8.self).prefix(200))
    }

    private static func certificates(_ file: String) throws(AgonesError) -> [NIOSSLCertificate] {
        do {
            let found = try NIOSSLCertificate.fromPEMFile(file)
            guard !found.isEmpty else { throw AgonesError.unreadable(file: file, reason: "holds no certificate") }
            return found
        } catch {
            throw .unreadable(file: file, reason: "\(error)")
        }
    }
}

extension Duration {
    fileprivate var nanoseconds: Int64 {
        components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000
    }
}

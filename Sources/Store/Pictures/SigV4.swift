import Crypto
import Foundation
import GameModel

/// Signs requests as AWS and what speaks its S3 API want it: Signature Version 4 (AWS, "Create a signed AWS API
/// request"). A function of values; nothing is sent from here.
public struct SigV4: Sendable, CustomStringConvertible {
    /// What a signature covers. Whoever sends it must send exactly this.
    public struct Request: Sendable {
        public var method: String
        /// As it is sent: percent-encoded, beginning with `/`.
        public var path: String
        /// Not encoded.
        public var query: [(name: String, value: String)] = []
        /// All that are to be signed; `host` has to be among them.
        public var headers: [(name: String, value: String)]
        /// Of the body, as 64 hexadecimal digits, or ``SigV4/unsignedPayload``.
        public var payloadHash: String

        public init(
            method: String, path: String, query: [(name: String, value: String)] = [],
            headers: [(name: String, value: String)], payloadHash: String
        ) {
            self.method = method
            self.path = path
            self.query = query
            self.headers = headers
            self.payloadHash = payloadHash
        }
    }

    public static let unsignedPayload = "UNSIGNED-PAYLOAD"
    /// What AWS takes as the life of a presigned address: up to a week.
    public static let lifetimeRange: ClosedRange<Duration> = .seconds(1)...(.seconds(604_800))
    private static let algorithm = "AWS4-HMAC-SHA256"

    public let accessKey: String
    private let secretKey: String
    public let region: String
    public let service: String

    public init(accessKey: String, secretKey: String, region: String, service: String = "s3") {
        self.accessKey = accessKey
        self.secretKey = secretKey
        self.region = region
        self.service = service
    }

    /// Without the secret.
    public var description: String { "SigV4 of \(accessKey) for \(service) in \(region)" }

    /// The value of the header `Authorization`. The request's headers must hold `x-amz-date` of the same moment.
    public func authorization(for request: Request, at now: Instant) -> String {
        let signed = Self.signedHeaders(request)
        let signature = signature(of: request, at: now)
        return
            "\(Self.algorithm) Credential=\(accessKey)/\(scope(now)), SignedHeaders=\(signed), Signature=\(signature)"
    }

    /// The query of an address that carries its own signature, encoded; good for a lifetime, in whole seconds, within
    /// ``lifetimeRange``.
    public func presignedQuery(for request: Request, lifetime: Duration, at now: Instant) -> String {
        var request = request
        request.query += [
            ("X-Amz-Algorithm", Self.algorithm), ("X-Amz-Credential", "\(accessKey)/\(scope(now))"),
            ("X-Amz-Date", Self.time(now)), ("X-Amz-Expires", "\(lifetime.components.seconds)"),
            ("X-Amz-SignedHeaders", Self.signedHeaders(request)),
        ]
        return "\(Self.canonicalQuery(request))&X-Amz-Signature=\(signature(of: request, at: now))"
    }

    /// `20150830T123600Z`: the form of the header `x-amz-date`.
    public static func time(_ now: Instant) -> String {
        let date = Date(timeIntervalSince1970: Double(now.milliseconds / 1_000))
        return date.formatted(
            Date.ISO8601FormatStyle(dateSeparator: .omitted, timeSeparator: .omitted, timeZone: .gmt))
    }

    /// Of a body, as headers and signatures name it.
    public static func payloadHash(_ body: [UInt8]) -> String { Hex.encode(SHA256.hash(data: body)) }

    /// Percent-encodes all but the unreserved characters (RFC 3986, 2.3), in upper case, as the signature wants it.
    public static func encoded(_ text: String) -> String {
        var encoded: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                encoded.append(byte)
            default: encoded += Array("%\(Hex.encode([byte]).uppercased())".utf8)
            }
        }
        return String(decoding: encoded, as: UTF8.self)
    }

    // MARK: The steps of the signature, as AWS names them

    static func canonicalRequest(_ request: Request) -> String {
        let headers = canonicalHeaders(request).map { "\($0.name):\($0.value)\n" }.joined()
        return [
            request.method, request.path, canonicalQuery(request), headers, signedHeaders(request), request.payloadHash,
        ].joined(separator: "\n")
    }

    func stringToSign(_ request: Request, at now: Instant) -> String {
        let digest = Hex.encode(SHA256.hash(data: Data(Self.canonicalRequest(request).utf8)))
        return [Self.algorithm, Self.time(now), scope(now), digest].joined(separator: "\n")
    }

    func signature(of request: Request, at now: Instant) -> String {
        var key = SymmetricKey(data: Data("AWS4\(secretKey)".utf8))
        for part in [String(Self.time(now).prefix(8)), region, service, "aws4_request"] {
            key = SymmetricKey(data: Data(HMAC<SHA256>.authenticationCode(for: Data(part.utf8), using: key)))
        }
        let text = stringToSign(request, at: now)
        return Hex.encode(HMAC<SHA256>.authenticationCode(for: Data(text.utf8), using: key))
    }

    private func scope(_ now: Instant) -> String { "\(Self.time(now).prefix(8))/\(region)/\(service)/aws4_request" }

    private static func canonicalQuery(_ request: Request) -> String {
        let items = request.query.map { (name: encoded($0.name), value: encoded($0.value)) }
        return items.sorted { ($0.name, $0.value) < ($1.name, $1.value) }
            .map { "\($0.name)=\($0.value)" }.joined(separator: "&")
    }

    /// In lower case, by name; white space at the ends is cut, and within it each run becomes one space.
    private static func canonicalHeaders(_ request: Request) -> [(name: String, value: String)] {
        request.headers.map { header in
            (header.name.lowercased(), header.value.split(whereSeparator: { $0 == " " }).joined(separator: " "))
        }.sorted { $0.name < $1.name }
    }

    private static func signedHeaders(_ request: Request) -> String {
        canonicalHeaders(request).map(\.name).joined(separator: ";")
    }
}

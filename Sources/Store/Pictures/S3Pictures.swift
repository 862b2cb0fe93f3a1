import AsyncHTTPClient
import Foundation
import GameModel
import NIOCore
import NIOHTTP1

/// Pictures in a bucket of S3, or of anything that speaks its API, addressed by path (`endpoint/bucket/key`).
///
/// Developers' clients put them there themselves, with an address that we sign: it holds for one type, one size and one
/// content, and for a while. Players' clients read them without a signature, so the bucket, or the CDN before it, lets
/// everyone read.
public struct S3Pictures: PictureStore {
    private let endpoint: String
    /// `host[:port]`, as it is signed.
    private let host: String
    private let bucket: String
    private let publicURL: String
    private let signer: SigV4
    private let client: HTTPClient
    private let timeout: TimeAmount

    /// - Parameters:
    ///   - endpoint: `https://s3.eu-central-1.amazonaws.com`; no path.
    ///   - publicURL: where players' clients read, before `/<key>`; `nil`: the bucket itself.
    ///   - timeout: for one call, from its start to the end of its answer.
    /// - Throws: ``StoreError/invalidField(name:reason:)`` named after the setting.
    public init(
        endpoint: String, bucket: String, region: String, accessKey: String, secretKey: String,
        publicURL: String? = nil, client: HTTPClient = .shared, timeout: Duration = .seconds(15)
    ) throws(StoreError) {
        let plain = Self.withoutSlash(endpoint)
        guard let parts = URLComponents(string: plain), ["http", "https"].contains(parts.scheme ?? ""),
            let name = parts.host, !name.isEmpty, parts.path.isEmpty, parts.query == nil, parts.user == nil
        else {
            throw .invalidField(
                name: "muster.pictures.s3.endpoint",
                reason: "expected http:// or https:// and a host, without a path, got '\(endpoint.prefix(80))'")
        }
        guard Self.isBucket(bucket) else {
            throw .invalidField(
                name: "muster.pictures.s3.bucket",
                reason: "expected 3 to 63 of a-z, 0-9, '.' and '-', got '\(bucket.prefix(80))'")
        }
        let given = [("region", region), ("access-key", accessKey), ("secret-key", secretKey)]
        for (setting, value) in given where value.isEmpty {
            throw .invalidField(name: "muster.pictures.s3.\(setting)", reason: "is empty")
        }
        self.endpoint = plain
        host = parts.port.map { "\(name):\($0)" } ?? name
        self.bucket = bucket
        self.publicURL = Self.withoutSlash(publicURL ?? "\(plain)/\(bucket)")
        signer = SigV4(accessKey: accessKey, secretKey: secretKey, region: region)
        self.client = client
        self.timeout = TimeAmount(timeout)
    }

    public func upload(_ picture: PictureName, bytes: Int, at now: Instant) async throws(StoreError) -> PictureUpload {
        // S3 holds what comes against the checksum, and refuses other bytes than were promised.
        let headers = [
            "Content-Type": picture.format.contentType, "Content-Length": "\(bytes)",
            "X-Amz-Checksum-Sha256": Data(Hex.decode(picture.sha256) ?? []).base64EncodedString(),
        ]
        let request = SigV4.Request(
            method: "PUT", path: path(of: picture), headers: headers.map { ($0.key, $0.value) } + [("Host", host)],
            payloadHash: SigV4.unsignedPayload)
        let lifetime = PictureService.uploadLifetime
        let query = signer.presignedQuery(for: request, lifetime: lifetime, at: now)
        return PictureUpload(
            key: picture.key, method: "PUT", url: "\(endpoint)\(request.path)?\(query)", headers: headers,
            expiresAt: now + lifetime)
    }

    public func put(_ picture: PictureName, _ content: [UInt8], at now: Instant) async throws(StoreError) {
        let answer = try await send(
            .PUT, picture, body: content, headers: [("Content-Type", picture.format.contentType)], at: now)
        guard (200..<300).contains(answer.status.code) else { throw refused("PUT", answer) }
    }

    public func stored(_ picture: PictureName, at now: Instant) async throws(StoreError) -> StoredPicture? {
        let answer = try await send(.HEAD, picture, at: now)
        if answer.status.code == 404 { return nil }
        guard answer.status.code == 200, let length = answer.headers.first(name: "Content-Length").flatMap({ Int($0) })
        else { throw refused("HEAD", answer) }
        return StoredPicture(contentType: answer.headers.first(name: "Content-Type") ?? "", bytes: length)
    }

    public func content(of picture: PictureName, at now: Instant) async throws(StoreError) -> [UInt8]? {
        let answer = try await send(.GET, picture, at: now)
        if answer.status.code == 404 { return nil }
        guard answer.status.code == 200 else { throw refused("GET", answer) }
        do {
            return Array(try await answer.body.collect(upTo: PictureService.bytesMax).readableBytesView)
        } catch is NIOTooManyBytesError {
            return nil
        } catch {
            throw .unavailable("the bucket \(bucket) broke off: \(error)")
        }
    }

    public func url(of picture: PictureName) -> String { "\(publicURL)/\(picture.key)" }

    // MARK: Requests of our own, signed in their headers

    private func path(of picture: PictureName) -> String { "/\(bucket)/\(picture.key)" }

    private func send(
        _ method: HTTPMethod, _ picture: PictureName, body: [UInt8] = [], headers: [(name: String, value: String)] = [],
        at now: Instant
    ) async throws(StoreError) -> HTTPClientResponse {
        let path = path(of: picture)
        let hash = SigV4.payloadHash(body)
        let signed =
            headers + [("Host", host), ("X-Amz-Content-Sha256", hash), ("X-Amz-Date", SigV4.time(now))]
        let authorization = signer.authorization(
            for: .init(method: method.rawValue, path: path, headers: signed, payloadHash: hash), at: now)
        var request = HTTPClientRequest(url: endpoint + path)
        request.method = method
        for (name, value) in signed { request.headers.add(name: name, value: value) }
        request.headers.add(name: "Authorization", value: authorization)
        if !body.isEmpty { request.body = .bytes(ByteBuffer(bytes: body)) }
        do {
            return try await client.execute(request, timeout: timeout)
        } catch {
            throw .unavailable("the bucket \(bucket) at \(endpoint) does not answer: \(error)")
        }
    }

    private func refused(_ method: String, _ answer: HTTPClientResponse) -> StoreError {
        let next =
            switch answer.status.code {
            case 301, 307: "is it the right region and endpoint?"
            case 403: "has the key the rights s3:GetObject, s3:PutObject and s3:ListBucket, and is the clock right?"
            default: "try again"
            }
        return .unavailable("the bucket \(bucket) answers \(method) with \(answer.status.code): \(next)")
    }

    private static func withoutSlash(_ url: String) -> String { url.hasSuffix("/") ? String(url.dropLast()) : url }

    private static func isBucket(_ name: String) -> Bool {
        (3...63).contains(name.utf8.count)
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
                    UInt8(ascii: "."):
                    true
                default: false
                }
            }
    }
}

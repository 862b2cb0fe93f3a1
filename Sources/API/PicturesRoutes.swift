import Accounts
import Foundation
import GameModel
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import Store

/// Pictures of products: developers begin and confirm uploads; where the pictures lie in a folder, the uploads
/// themselves and every client's reads come here, too.
struct PicturesRoutes: Sendable {
    let pictures: PictureService
    /// `nil` where a bucket takes and serves them.
    let folder: FolderPictures?

    /// Names are digests: what lies under one never changes.
    static let cacheForGood = "public, max-age=31536000, immutable"

    func add(to router: some RouterMethods<APIContext>) {
        router.post("/v1/dev/pictures", use: begin)
        router.post("/v1/dev/pictures/{key}/confirm", use: confirm)
        router.put("/v1/pictures/{key}", use: upload)
        router.get("/v1/pictures/{key}", use: read)
    }

    @Sendable func begin(_ request: Request, _ context: APIContext) async throws -> Response {
        let identity = try context.requireIdentity(role: .developer)
        let wish = try await request.decodeBody(PictureWish.self, context: context)
        let upload = try await pictures.begin(
            contentType: wish.contentType, bytes: wish.bytes, sha256: wish.sha256, by: identity.subject)
        return try .json(upload, status: .created, headers: [.location: "/v1/dev/pictures/\(upload.key)/confirm"])
    }

    @Sendable func confirm(_ request: Request, _ context: APIContext) async throws -> Response {
        let identity = try context.requireIdentity(role: .developer)
        let picture = try name(context)
        let stored = try await pictures.confirm(picture.key)
        context.logger.info("picture stored", metadata: ["picture": "\(picture)", "by": "\(identity.subject)"])
        return try .json(
            PictureReply(
                key: picture.key, contentType: stored.contentType, bytes: stored.bytes,
                url: pictures.url(of: picture.key) ?? ""))
    }

    /// The token in the address is the permission; it says how many bytes may come.
    @Sendable func upload(_ request: Request, _ context: APIContext) async throws -> Response {
        let picture = try name(context)
        guard let folder else { throw Problem.notFound("Pictures are uploaded to the bucket, not here.") }
        let now = Instant.now
        let bytes: Int
        do {
            bytes = try folder.permitted(picture, token: request.query("token") ?? "", at: now)
        } catch {
            throw Problem.forbidden(error.reason)
        }
        guard request.headers[.contentType] == picture.format.contentType else {
            throw Problem.invalidField("Content-Type", "Expected \(picture.format.contentType), as was promised.")
        }
        let content = try await request.collectBytes(context: context)
        guard content.readableBytes == bytes else {
            throw Problem.invalidField(
                "(body)", "Expected the \(bytes) bytes that were promised, not \(content.readableBytes).")
        }
        try await folder.put(picture, Array(content.readableBytesView), at: now)
        return .empty(.noContent)
    }

    @Sendable func read(_ request: Request, _ context: APIContext) async throws -> Response {
        let picture = try name(context)
        guard let folder else { throw Problem.notFound("Pictures are in the bucket, not here.") }
        let tag = "\"\(picture.sha256)\""
        let headers: HTTPFields = [.eTag: tag, .cacheControl: Self.cacheForGood]
        guard let content = try await folder.content(of: picture, at: .now) else {
            throw StoreError.unknownPicture(picture.key)
        }
        let known = (request.headers[.ifNoneMatch] ?? "").split(separator: ",").map { item in
            item.trimmingCharacters(in: .whitespaces)
        }
        // RFC 9110, 13.1.2: compared weakly, and `*` is whatever there is.
        if known.contains(where: { $0 == tag || $0 == "W/" + tag || $0 == "*" }) {
            return Response(status: .notModified, headers: headers)
        }
        var full = headers
        full[.contentType] = picture.format.contentType
        full[.contentLength] = String(content.count)
        return Response(status: .ok, headers: full, body: ResponseBody(byteBuffer: ByteBuffer(bytes: content)))
    }

    private func name(_ context: APIContext) throws(Problem) -> PictureName {
        guard let key = context.parameters.get("key"), let picture = PictureName(key: key) else {
            throw .notFound("There is no picture under this key.")
        }
        return picture
    }
}

private struct PictureWish: Decodable {
    var contentType: String
    var bytes: Int
    /// Of the file, as hexadecimal digits.
    var sha256: String
}

private struct PictureReply: Encodable {
    var key: String
    var contentType: String
    var bytes: Int
    var url: String
}

import Crypto
import Foundation
import GameModel

/// Pictures in a folder of this machine, uploaded to and served by the API itself: the default.
///
/// A file appears under its name complete and on disk, or not at all, and never changes. An upload is permitted by a
/// token in its address: it holds for one picture of one size, and for a while.
public struct FolderPictures: PictureStore {
    /// Why an upload's token is of no use.
    public struct Refusal: Error, Sendable, Hashable {
        public let reason: String
    }

    private let files: PictureFiles
    private let secret: SymmetricKey
    private let publicURL: String

    /// - Parameters:
    ///   - folder: made with the first picture.
    ///   - secret: signs the tokens; the same in every process that serves the folder.
    ///   - publicURL: where clients reach the API or the CDN before it, before `/v1/pictures/<key>`; empty: addresses
    ///     are paths of the API.
    public init(folder: String, secret: [UInt8], publicURL: String = "") {
        files = PictureFiles(folder: folder)
        self.secret = SymmetricKey(data: secret)
        self.publicURL = publicURL.hasSuffix("/") ? String(publicURL.dropLast()) : publicURL
    }

    public func upload(_ picture: PictureName, bytes: Int, at now: Instant) async throws(StoreError) -> PictureUpload {
        let expiresAt = now + PictureService.uploadLifetime
        let token = token(picture, bytes: bytes, expiresAt: expiresAt)
        return PictureUpload(
            key: picture.key, method: "PUT", url: "\(url(of: picture))?token=\(token)",
            headers: ["Content-Type": picture.format.contentType, "Content-Length": "\(bytes)"], expiresAt: expiresAt)
    }

    /// How many bytes a token permits to be uploaded under a name.
    ///
    /// - Throws: ``Refusal`` for a token of another picture, one that is not ours, and one that expired.
    public func permitted(_ picture: PictureName, token: String, at now: Instant) throws(Refusal) -> Int {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let milliseconds = Int64(parts[0]), let bytes = Int(parts[1]),
            let code = Hex.decode(parts[2]),
            // Compares in constant time.
            HMAC<SHA256>.isValidAuthenticationCode(
                code, authenticating: Self.signed(picture, bytes: bytes, milliseconds: milliseconds), using: secret)
        else { throw Refusal(reason: "The token is not one that was given for this picture.") }
        guard now.milliseconds < milliseconds else {
            throw Refusal(reason: "The token has expired. Begin the upload again.")
        }
        return bytes
    }

    /// - Throws: ``StoreError/invalidField(name:reason:)`` for bytes that are not those of the name.
    public func put(_ picture: PictureName, _ content: [UInt8], at now: Instant) async throws(StoreError) {
        try PictureService.check(content, are: picture)
        try await files.write(content, as: picture.key)
    }

    public func stored(_ picture: PictureName, at now: Instant) async throws(StoreError) -> StoredPicture? {
        guard let bytes = try await files.size(of: picture.key) else { return nil }
        return StoredPicture(contentType: picture.format.contentType, bytes: bytes)
    }

    public func content(of picture: PictureName, at now: Instant) async throws(StoreError) -> [UInt8]? {
        try await files.read(picture.key, bytesMax: PictureService.bytesMax)
    }

    public func url(of picture: PictureName) -> String { "\(publicURL)/v1/pictures/\(picture.key)" }

    private func token(_ picture: PictureName, bytes: Int, expiresAt: Instant) -> String {
        let text = Self.signed(picture, bytes: bytes, milliseconds: expiresAt.milliseconds)
        let code = HMAC<SHA256>.authenticationCode(for: text, using: secret)
        return "\(expiresAt.milliseconds).\(bytes).\(Hex.encode(code))"
    }

    private static func signed(_ picture: PictureName, bytes: Int, milliseconds: Int64) -> Data {
        Data("put-picture\n\(picture.key)\n\(bytes)\n\(milliseconds)".utf8)
    }
}

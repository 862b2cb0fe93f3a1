import GameModel

/// Where products' pictures lie: an S3-compatible bucket, or a folder that the API serves.
public protocol PictureStore: Sendable {
    /// What a developer's client needs to put a picture's bytes there.
    func upload(_ picture: PictureName, bytes: Int, at now: Instant) async throws(StoreError) -> PictureUpload
    /// Puts a picture's bytes there from here.
    func put(_ picture: PictureName, _ content: [UInt8], at now: Instant) async throws(StoreError)
    /// What lies under a name, without its bytes; `nil` where nothing does.
    func stored(_ picture: PictureName, at now: Instant) async throws(StoreError) -> StoredPicture?
    /// The bytes that lie under a name; `nil` where nothing does, or more than a picture may have.
    func content(of picture: PictureName, at now: Instant) async throws(StoreError) -> [UInt8]?
    /// The address that players' clients get it from: unchanging for a name, so that caches may keep it for good.
    func url(of picture: PictureName) -> String
}

/// A request that a client makes to upload a picture: exactly this method, address, headers and size.
public struct PictureUpload: Sendable, Hashable, Codable {
    public let key: String
    public let method: String
    /// Absolute, or a path of the API that answered.
    public let url: String
    public let headers: [String: String]
    public let expiresAt: Instant

    public init(key: String, method: String, url: String, headers: [String: String], expiresAt: Instant) {
        self.key = key
        self.method = method
        self.url = url
        self.headers = headers
        self.expiresAt = expiresAt
    }
}

public struct StoredPicture: Sendable, Hashable {
    public let contentType: String
    public let bytes: Int

    public init(contentType: String, bytes: Int) {
        self.contentType = contentType
        self.bytes = bytes
    }
}

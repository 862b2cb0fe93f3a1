import GameModel

/// Where products' pictures lie: an S3-compatible bucket, or a folder that the API serves.
public protocol PictureStore: Sendable {
  /// What a developer's client needs to put a picture's bytes there.
  func upload(key: String, contentType: String, bytes: Int, at now: Instant)
    async throws(StoreError) -> PictureUpload
  /// What lies under a key; `nil` where nothing does.
  func stored(key: String) async throws(StoreError) -> StoredPicture?
  /// The address that players' clients get it from: unchanging for a key, so that caches may keep it for good.
  func url(of key: String) -> String
}

/// A request that a client makes to upload a picture: exactly this method, address, headers and size.
public struct PictureUpload: Sendable, Hashable, Codable {
  public let key: String
  public let method: String
  public let url: String
  public let headers: [String: String]
  public let expiresAt: Instant

  public init(
    key: String, method: String, url: String, headers: [String: String], expiresAt: Instant
  ) {
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

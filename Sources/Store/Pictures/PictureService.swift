import GameModel

/// Takes developers' pictures: says where one is to be uploaded, and lets products name it once it lies there.
///
/// Promises: a picture that can be named is a PNG, JPEG or WebP file of at most ``bytesMax`` bytes, it is the very
/// file that was promised (its name is its digest), and it stays.
public struct PictureService: Sendable {
    /// 5 MiB.
    public static let bytesMax = 5 << 20
    /// How long an upload may wait; after that it is begun again.
    public static let uploadLifetime = Duration.seconds(900)

    let repository: PicturesRepository
    let store: any PictureStore
    let clock: @Sendable () -> Instant

    public init(
        repository: StoreRepository, store: any PictureStore, clock: @escaping @Sendable () -> Instant = { .now }
    ) {
        self.repository = repository.pictures
        self.store = store
        self.clock = clock
    }

    /// Writes a picture down that is about to be uploaded. Begun again, it is the same picture.
    ///
    /// - Parameters:
    ///   - contentType: one of ``PictureFormat/contentTypes``.
    ///   - bytes: how many it has, 1 to ``bytesMax``.
    ///   - sha256: of these bytes, as 64 hexadecimal digits.
    ///   - editor: a player's id, or `cli:user@host`.
    /// - Throws: ``StoreError/invalidField(name:reason:)``, ``StoreError/unavailable(_:)``.
    public func begin(
        contentType: String, bytes: Int, sha256: String, by editor: String
    ) async throws(StoreError) -> PictureUpload {
        throw .unavailable("not built yet")
    }

    /// Looks at what was uploaded: a picture as promised may be named by products from now on.
    ///
    /// - Throws: ``StoreError/unknownPicture(_:)`` where it was not begun or nothing was uploaded,
    /// ``StoreError/invalidField(name:reason:)`` for another size, type or content than was promised.
    public func confirm(_ key: String) async throws(StoreError) -> StoredPicture {
        throw .unavailable("not built yet")
    }

    /// Begins, uploads and confirms a picture whose bytes are here: for forms and the command line.
    ///
    /// - Returns: its key.
    /// - Throws: as ``begin(contentType:bytes:sha256:by:)`` and ``confirm(_:)``.
    public func add(_ content: [UInt8], by editor: String) async throws(StoreError) -> String {
        throw .unavailable("not built yet")
    }

    /// Whether a picture was confirmed; in a transaction, see ``PicturesRepository/isStored(_:in:)``.
    public func isStored(_ key: String) async throws(StoreError) -> Bool { try await repository.isStored(key) }

    /// The address that players' clients get it from; `nil` for what is no picture's key.
    public func url(of key: String) -> String? { PictureName(key: key).map(store.url) }
}

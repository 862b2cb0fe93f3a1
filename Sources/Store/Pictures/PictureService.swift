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
        guard let format = PictureFormat(contentType: contentType) else {
            throw .invalidField(
                name: "contentType",
                reason: "expected one of \(PictureFormat.contentTypes), got '\(contentType.prefix(80))'")
        }
        guard (1...Self.bytesMax).contains(bytes) else {
            throw .invalidField(name: "bytes", reason: "expected 1 to \(Self.bytesMax), got \(bytes)")
        }
        guard let picture = PictureName(sha256: sha256, format: format) else {
            throw .invalidField(
                name: "sha256", reason: "expected 64 hexadecimal digits, got '\(sha256.prefix(80))'")
        }
        let now = clock()
        try await repository.begin(picture, bytes: bytes, by: editor, at: now)
        return try await store.upload(picture, bytes: bytes, at: now)
    }

    /// Looks at what was uploaded: a picture as promised may be named by products from now on.
    ///
    /// - Throws: ``StoreError/unknownPicture(_:)`` where it was not begun or nothing was uploaded,
    /// ``StoreError/invalidField(name:reason:)`` for another size, type or content than was promised.
    public func confirm(_ key: String) async throws(StoreError) -> StoredPicture {
        guard let picture = PictureName(key: key), let promised = try await repository.picture(picture) else {
            throw .unknownPicture(key)
        }
        if promised.isStored { return promised.picture }
        let now = clock()
        guard let found = try await store.stored(picture, at: now) else { throw .unknownPicture(key) }
        guard found.bytes == promised.picture.bytes else {
            throw .invalidField(
                name: "bytes", reason: "\(promised.picture.bytes) were promised, \(found.bytes) were uploaded")
        }
        guard found.contentType == promised.picture.contentType else {
            throw .invalidField(
                name: "contentType",
                reason: "\(promised.picture.contentType) was promised, '\(found.contentType.prefix(80))' was uploaded")
        }
        guard let content = try await store.content(of: picture, at: now) else { throw .unknownPicture(key) }
        try Self.check(content, are: picture)
        try await repository.confirm(picture, at: now)
        return found
    }

    /// Begins, uploads and confirms a picture whose bytes are here: for forms and the command line.
    ///
    /// - Returns: its key.
    /// - Throws: as ``begin(contentType:bytes:sha256:by:)`` and ``confirm(_:)``.
    public func add(_ content: [UInt8], by editor: String) async throws(StoreError) -> String {
        guard let format = PictureFormat(of: content) else {
            throw .invalidField(
                name: "picture", reason: "expected a file of one of \(PictureFormat.contentTypes)")
        }
        guard content.count <= Self.bytesMax else {
            throw .invalidField(
                name: "picture", reason: "expected at most \(Self.bytesMax) bytes, got \(content.count)")
        }
        let picture = PictureName(of: content, format: format)
        let now = clock()
        try await repository.begin(picture, bytes: content.count, by: editor, at: now)
        try await store.put(picture, content, at: now)
        _ = try await confirm(picture.key)
        return picture.key
    }

    /// Whether a picture was confirmed; in a transaction, see ``PicturesRepository/isStored(_:in:)``.
    public func isStored(_ key: String) async throws(StoreError) -> Bool { try await repository.isStored(key) }

    /// The address that players' clients get it from; `nil` for what is no picture's key.
    public func url(of key: String) -> String? { PictureName(key: key).map(store.url) }

    /// Whether bytes are those of a name: a file of its format, with its digest.
    static func check(_ content: [UInt8], are picture: PictureName) throws(StoreError) {
        guard PictureFormat(of: content) == picture.format else {
            throw .invalidField(
                name: "contentType", reason: "what was uploaded is no file of \(picture.format.contentType)")
        }
        guard PictureName(of: content, format: picture.format) == picture else {
            throw .invalidField(
                name: "sha256", reason: "what was uploaded has another digest than \(picture.sha256)")
        }
    }
}

import Configuration
import Foundation
import GameModel
import Store

#if canImport(Glibc)
    import Glibc
#endif

/// Where products' pictures lie: in the data folder, or in a bucket of S3 or of what speaks its API.
public struct PictureSettings: Sendable, Equatable {
    /// `https://s3.eu-central-1.amazonaws.com`; `nil`: pictures lie in the data folder.
    public var endpoint: String?
    public var bucket = ""
    public var region = "us-east-1"
    public var accessKey = ""
    public var secretKey = ""
    /// Where players' clients read, before `/<key>` of a bucket or `/v1/pictures/<key>` of the API: a CDN. `nil`: the
    /// bucket itself; of a folder, paths of the API.
    public var publicURL: String?

    public init() {}

    /// Reads:
    /// - `muster.pictures.s3.endpoint`: without it, pictures lie in `<data>/pictures`
    /// - `muster.pictures.s3.bucket`, `.region` (`us-east-1`), `.access-key`, `.secret-key` (secret)
    /// - `muster.pictures.public-url`
    public init(reader: ConfigReader) {
        endpoint = Self.given(reader.string(forKey: "muster.pictures.s3.endpoint"))
        bucket = reader.string(forKey: "muster.pictures.s3.bucket", default: bucket)
        region = reader.string(forKey: "muster.pictures.s3.region", default: region)
        accessKey = reader.string(forKey: "muster.pictures.s3.access-key", default: accessKey)
        secretKey = reader.string(forKey: "muster.pictures.s3.secret-key", isSecret: true, default: secretKey)
        publicURL = Self.given(reader.string(forKey: "muster.pictures.public-url"))
    }

    /// - Throws: ``APIConfigurationError`` naming the setting.
    public func validate() throws(APIConfigurationError) {
        if let publicURL {
            let parts = URLComponents(string: publicURL)
            guard ["http", "https"].contains(parts?.scheme ?? ""), parts?.host?.isEmpty == false, parts?.query == nil
            else {
                throw APIConfigurationError(
                    description: "muster.pictures.public-url is '\(publicURL)', and must be an http or https address")
            }
        }
        do {
            _ = try bucketStore()
        } catch {
            throw APIConfigurationError(description: "\(error)")
        }
    }

    /// The bucket; `nil` where pictures lie in a folder.
    private func bucketStore() throws(StoreError) -> S3Pictures? {
        guard let endpoint else { return nil }
        return try S3Pictures(
            endpoint: endpoint, bucket: bucket, region: region, accessKey: accessKey, secretKey: secretKey,
            publicURL: publicURL)
    }

    /// The pictures of a data folder; beside them the folder's own store where the API is to serve them.
    public func open(
        dataFolder: String, repository: StoreRepository
    ) throws -> (service: PictureService, folder: FolderPictures?) {
        if let bucket = try bucketStore() { return (PictureService(repository: repository, store: bucket), nil) }
        let folder = FolderPictures(
            folder: "\(dataFolder)/pictures", secret: try Self.secret(of: dataFolder), publicURL: publicURL ?? "")
        return (PictureService(repository: repository, store: folder), folder)
    }

    /// What signs the tokens of uploads: 32 random bytes in `keys/pictures.key`, made by whichever process comes first.
    private static func secret(of dataFolder: String) throws -> [UInt8] {
        let folder = "\(dataFolder)/keys"
        let path = "\(folder)/pictures.key"
        if let secret = FileManager.default.contents(atPath: path), secret.count == 32 { return Array(secret) }
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let aside = "\(folder)/.new-pictures-\(UUID().uuidString)"
        // The system's generator is fit for keys.
        let secret = Data((0..<32).map { _ in UInt8.random(in: .min ... .max) })
        guard FileManager.default.createFile(atPath: aside, contents: secret, attributes: [.posixPermissions: 0o600])
        else { throw APIConfigurationError(description: "muster.data: can't write a key into \(folder)") }
        defer { unlink(aside) }
        // A link that exists is never replaced: all processes have the key of the first.
        guard link(aside, path) == 0 || errno == EEXIST,
            let agreed = FileManager.default.contents(atPath: path), agreed.count == 32
        else { throw APIConfigurationError(description: "muster.data: there is no good key in \(path)") }
        return Array(agreed)
    }

    private static func given(_ text: String?) -> String? { text.flatMap { $0.isEmpty ? nil : $0 } }
}

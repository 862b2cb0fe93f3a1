import Foundation
import GameModel
import TestSupport
import Testing

@testable import Store

/// Pictures in a bucket of a foreign S3 server (PyPI's moto), looked at with AWS's own command line, and uploaded with
/// curl: none of them knows our code.
@Suite struct PictureBucketTests {
    private static let bucket = "muster-pictures"
    private static let region = "eu-central-1"

    /// A server with a bucket, and a key that may use it.
    private struct Cloud {
        let endpoint: String
        let folder: TemporaryFolder
        let accessKey: String
        let secretKey: String

        func aws(_ words: String...) async throws -> String {
            try await ForeignProgram.output(
                try ForeignProgram.script("aws"), ["--endpoint-url", endpoint] + words, environment: environment)
        }

        var environment: [String: String] {
            [
                "AWS_ACCESS_KEY_ID": accessKey, "AWS_SECRET_ACCESS_KEY": secretKey, "AWS_DEFAULT_REGION": region,
                "AWS_CONFIG_FILE": folder.file("config"), "AWS_SHARED_CREDENTIALS_FILE": folder.file("credentials"),
                "AWS_EC2_METADATA_DISABLED": "true",
            ]
        }

        /// From now on the server checks the signature in the headers of each request.
        func checkSignatures() async throws { try await setUnchecked("0") }

        /// From now on it takes any, as it must where the signature is in the address: those it can't check.
        func takeUnchecked() async throws { try await setUnchecked("inf") }

        private func setUnchecked(_ count: String) async throws {
            _ = try await ForeignProgram.output(
                "/usr/bin/curl",
                ["-sf", "-X", "POST", "-H", "Content-Type: text/plain", "-d", count, "\(endpoint)/moto-api/reset-auth"])
        }

        func pictures(secretKey: String? = nil) throws -> S3Pictures {
            try S3Pictures(
                endpoint: endpoint, bucket: bucket, region: region, accessKey: accessKey,
                secretKey: secretKey ?? self.secretKey)
        }

        /// Uploads as a developer's client would; the status.
        func curl(_ upload: PictureUpload, _ content: [UInt8]) async throws -> String {
            var words = ["-s", "-o", "/dev/null", "-w", "%{http_code}", "-X", upload.method, "--data-binary", "@-"]
            for (name, value) in upload.headers { words += ["-H", "\(name): \(value)"] }
            return try await ForeignProgram.output("/usr/bin/curl", words + [upload.url], input: content)
        }
    }

    private static let policy = #"""
        {"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:*"],"Resource":"*"}]}
        """#

    /// What a bucket without a CDN before it needs, so that players' clients can read.
    private static let everyoneReads = #"""
        {"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject",
        "Resource":"arn:aws:s3:::muster-pictures/*"}]}
        """#

    private func withCloud(_ body: (Cloud) async throws -> Void) async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        try await ForeignServer.run(log: folder.file("moto.log")) { port in
            [try ForeignProgram.script("moto_server"), "-H", "127.0.0.1", "-p", "\(port)"]
        } isListening: { port in
            let words = ["-sf", "--max-time", "10", "http://127.0.0.1:\(port)/moto-api/data.json"]
            return try await ForeignProgram.run("/usr/bin/curl", words).status == 0
        } _: { port in
            try await withBucket("http://127.0.0.1:\(port)", folder, body)
        }
    }

    private func withBucket(
        _ endpoint: String, _ folder: TemporaryFolder, _ body: (Cloud) async throws -> Void
    ) async throws {
        let first = Cloud(endpoint: endpoint, folder: folder, accessKey: "test", secretKey: "test")
        _ = try await first.aws("iam", "create-user", "--user-name", "muster")
        _ = try await first.aws(
            "iam", "put-user-policy", "--user-name", "muster", "--policy-name", "s3", "--policy-document", Self.policy)
        struct Answer: Decodable {
            struct Key: Decodable {
                let AccessKeyId: String, SecretAccessKey: String
            }
            let AccessKey: Key
        }
        let made = try await first.aws("iam", "create-access-key", "--user-name", "muster", "--output", "json")
        let key = try JSONDecoder().decode(Answer.self, from: Data(made.utf8)).AccessKey
        let cloud = Cloud(
            endpoint: endpoint, folder: folder, accessKey: key.AccessKeyId, secretKey: key.SecretAccessKey)
        _ = try await cloud.aws("s3", "mb", "s3://\(Self.bucket)")
        _ = try await cloud.aws(
            "s3api", "put-bucket-policy", "--bucket", Self.bucket, "--policy", Self.everyoneReads)
        try await body(cloud)
    }

    @Test("what we put, AWS's command line gets; what it puts, we see; and the server checks our signature")
    func signedInHeaders() async throws {
        try await withCloud { cloud in
            try await cloud.checkSignatures()
            let now = Instant.now
            let (ours, theirs) = (PictureSamples.png(bytes: 3_000), PictureSamples.jpeg(bytes: 5_000))
            let store = try cloud.pictures()
            let picture = PictureName(of: ours, format: .png)
            #expect(try await store.stored(picture, at: now) == nil)
            try await store.put(picture, ours, at: now)
            let head = try await cloud.aws(
                "s3api", "head-object", "--bucket", Self.bucket, "--key", picture.key, "--query",
                "[ContentType,ContentLength]", "--output", "text")
            #expect(head.split(whereSeparator: \.isWhitespace) == ["image/png", "3000"])
            let file = cloud.folder.file("got")
            _ = try await cloud.aws("s3", "cp", "s3://\(Self.bucket)/\(picture.key)", file)
            #expect(FileManager.default.contents(atPath: file) == Data(ours))

            let other = PictureName(of: theirs, format: .jpg)
            try Data(theirs).write(to: URL(filePath: cloud.folder.file("put.jpg")))
            _ = try await cloud.aws(
                "s3", "cp", cloud.folder.file("put.jpg"), "s3://\(Self.bucket)/\(other.key)", "--content-type",
                "image/jpeg")
            #expect(
                try await store.stored(other, at: now) == StoredPicture(contentType: "image/jpeg", bytes: 5_000))
            #expect(try await store.content(of: other, at: now) == theirs)

            let forger = try cloud.pictures(secretKey: "another")
            await #expect(throws: StoreError.self) { try await forger.put(other, theirs, at: now) }
            await #expect(throws: StoreError.self) { try await forger.content(of: other, at: now) }
        }
    }

    @Test("a developer's upload goes to the bucket itself, and may be named once it is confirmed")
    func upload() async throws {
        try await withCloud { cloud in
            try await PictureSamples.withRepository { repository in
                let content = PictureSamples.webp(bytes: 40_000)
                let service = PictureService(repository: repository, store: try cloud.pictures())
                let upload = try await service.begin(
                    contentType: "image/webp", bytes: content.count,
                    sha256: PictureName(of: content, format: .webp).sha256, by: "dev")
                #expect(try await cloud.curl(upload, content) == "200")
                #expect(try await service.isStored(upload.key) == false)
                try await cloud.checkSignatures()
                #expect(
                    try await service.confirm(upload.key)
                        == StoredPicture(contentType: "image/webp", bytes: content.count))
                #expect(try await service.isStored(upload.key))
                #expect(service.url(of: upload.key) == "\(cloud.endpoint)/\(Self.bucket)/\(upload.key)")
                // Whoever reads through the public address needs no signature.
                try await cloud.takeUnchecked()
                let read = try await ForeignProgram.run(
                    "/usr/bin/curl", ["-sf", "-o", cloud.folder.file("read"), service.url(of: upload.key) ?? ""])
                #expect(read.status == 0)
                #expect(FileManager.default.contents(atPath: cloud.folder.file("read")) == Data(content))
            }
        }
    }

    @Test("another size, type or content than was promised is refused when it is confirmed, and nothing is stored")
    func broken() async throws {
        try await withCloud { cloud in
            try await PictureSamples.withRepository { repository in
                let service = PictureService(repository: repository, store: try cloud.pictures())
                let content = PictureSamples.png(bytes: 2_000)
                let name = PictureName(of: content, format: .png)
                _ = try await service.begin(
                    contentType: "image/png", bytes: content.count, sha256: name.sha256, by: "dev")
                await #expect(throws: StoreError.unknownPicture(name.key)) { try await service.confirm(name.key) }

                /// Whatever a client with rights of its own puts there.
                func put(_ bytes: [UInt8], _ type: String) async throws {
                    let file = cloud.folder.file("any")
                    try Data(bytes).write(to: URL(filePath: file))
                    _ = try await cloud.aws(
                        "s3", "cp", file, "s3://\(Self.bucket)/\(name.key)", "--content-type", type)
                }
                func refusedField() async throws -> String {
                    do {
                        _ = try await service.confirm(name.key)
                        return "none"
                    } catch StoreError.invalidField(let field, _) {
                        return field
                    }
                }
                try await put(Array(content.dropLast()), "image/png")
                #expect(try await refusedField() == "bytes")
                try await put(content, "text/html")
                #expect(try await refusedField() == "contentType")
                try await put(Array("<script>".utf8) + content.dropFirst(8), "image/png")
                #expect(try await refusedField() == "contentType")
                try await put(PictureSamples.png(bytes: 2_000, filler: 1), "image/png")
                #expect(try await refusedField() == "sha256")
                #expect(try await service.isStored(name.key) == false)
                try await put(content, "image/png")
                #expect(try await refusedField() == "none")
            }
        }
    }

    @Test("a bucket that is not there, or nobody who listens, is unavailable, in words without the secret")
    func away() async throws {
        let store = try S3Pictures(
            endpoint: "http://127.0.0.1:1", bucket: Self.bucket, region: Self.region, accessKey: "AKIA",
            secretKey: "hidden-secret")
        let error = await #expect(throws: StoreError.self) {
            try await store.stored(PictureName(of: PictureSamples.pixel, format: .png), at: .now)
        }
        let words = "\(try #require(error))"
        #expect(words.contains("does not answer") && !words.contains("hidden-secret"))
    }

    @Test(
        "settings of a bucket that can't be right are refused by their names",
        arguments: [
            ("ftp://host", "pictures", "a", "muster.pictures.s3.endpoint"),
            ("https://host/path", "pictures", "a", "muster.pictures.s3.endpoint"),
            ("https://host", "No", "a", "muster.pictures.s3.bucket"),
            ("https://host", "pictures", "", "muster.pictures.s3.access-key"),
        ])
    func settings(endpoint: String, bucket: String, key: String, field: String) throws {
        do {
            _ = try S3Pictures(endpoint: endpoint, bucket: bucket, region: "r", accessKey: key, secretKey: "s")
            Issue.record("\(endpoint) was taken")
        } catch StoreError.invalidField(let name, _) {
            #expect(name == field)
        }
    }
}

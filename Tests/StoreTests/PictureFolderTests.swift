import Foundation
import GRDB
import GameModel
import Records
import Synchronization
import TestSupport
import Testing

@testable import Store

/// Pictures in a folder, and what is checked of every picture.
@Suite struct PictureFolderTests {
    private static let now = Instant(milliseconds: 1_790_000_000_000)

    private struct House {
        let service: PictureService
        let folder: FolderPictures
        let path: String
        let repository: StoreRepository
        let clock: TestClock
    }

    private final class TestClock: Sendable {
        private let time = Mutex(PictureFolderTests.now)
        var now: Instant { time.withLock { $0 } }
        func pass(_ duration: Duration) { time.withLock { $0 = $0 + duration } }
    }

    private func withHouse(_ body: (House) async throws -> Void) async throws {
        let temporary = try TemporaryFolder()
        defer { temporary.remove() }
        let clock = TestClock()
        let folder = FolderPictures(folder: temporary.file("pictures"), secret: Array("secret".utf8))
        try await PictureSamples.withRepository { repository in
            try await body(
                House(
                    service: PictureService(repository: repository, store: folder, clock: { clock.now }),
                    folder: folder, path: temporary.file("pictures"), repository: repository, clock: clock))
        }
    }

    private func begin(_ house: House, _ content: [UInt8], _ format: PictureFormat) async throws -> PictureUpload {
        try await house.service.begin(
            contentType: format.contentType, bytes: content.count,
            sha256: PictureName(of: content, format: format).sha256, by: "01DEV")
    }

    private func token(_ upload: PictureUpload) throws -> String {
        try #require(URLComponents(string: upload.url)?.queryItems?.first { $0.name == "token" }?.value)
    }

    @Test("a picture that was begun, uploaded and confirmed may be named, and is in the change log once")
    func whole() async throws {
        try await withHouse { house in
            let content = PictureSamples.png(bytes: 10_000)
            let upload = try await begin(house, content, .png)
            let name = try #require(PictureName(key: upload.key))
            #expect(upload.method == "PUT" && upload.url.hasPrefix("/v1/pictures/\(name.sha256).png?token="))
            #expect(upload.headers["Content-Type"] == "image/png" && upload.headers["Content-Length"] == "10000")
            #expect(try house.folder.permitted(name, token: try token(upload), at: Self.now) == 10_000)
            await #expect(throws: StoreError.unknownPicture(upload.key)) { try await house.service.confirm(upload.key) }
            try await house.folder.put(name, content, at: Self.now)
            for _ in 1...2 {
                #expect(
                    try await house.service.confirm(upload.key)
                        == StoredPicture(contentType: "image/png", bytes: 10_000))
            }
            #expect(try await house.service.isStored(upload.key))
            #expect(try await house.folder.content(of: name, at: Self.now) == content)
            let log = try await house.repository.pictures.file.read { try ChangeLog.changes(limit: 10, in: $0) }
            #expect(log.map(\.subject) == ["picture \(upload.key)"] && log.map(\.by) == ["01DEV"])
            // Begun again, it stays stored.
            _ = try await begin(house, content, .png)
            #expect(try await house.service.isStored(upload.key))
        }
    }

    @Test("a token is good for one picture, one size, and a quarter of an hour")
    func tokens() async throws {
        try await withHouse { house in
            let content = PictureSamples.png(bytes: 100)
            let upload = try await begin(house, content, .png)
            let (name, token) = (PictureName(of: content, format: .png), try token(upload))
            let other = PictureName(of: content, format: .webp)
            let parts = token.split(separator: ".").map(String.init)
            let forged = [
                "", "1.2", "x.y.z", "\(parts[0]).101.\(parts[2])", "9\(parts[0]).\(parts[1]).\(parts[2])",
                "\(parts[0]).\(parts[1]).\(String(repeating: "0", count: 64))", token + "00",
            ]
            for text in forged {
                #expect(throws: FolderPictures.Refusal.self, "\(text)") {
                    try house.folder.permitted(name, token: text, at: Self.now)
                }
            }
            #expect(throws: FolderPictures.Refusal.self) {
                try house.folder.permitted(other, token: token, at: Self.now)
            }
            let foreign = FolderPictures(folder: house.path, secret: Array("other".utf8))
            #expect(throws: FolderPictures.Refusal.self) { try foreign.permitted(name, token: token, at: Self.now) }
            let end = Self.now + PictureService.uploadLifetime
            #expect(upload.expiresAt == end)
            #expect(try house.folder.permitted(name, token: token, at: end - .milliseconds(1)) == 100)
            let late = #expect(throws: FolderPictures.Refusal.self) {
                try house.folder.permitted(name, token: token, at: end)
            }
            #expect(late?.reason.contains("expired") == true)
        }
    }

    @Test("bytes that are not those of the name leave no file")
    func content() async throws {
        try await withHouse { house in
            let content = PictureSamples.png(bytes: 100)
            let name = PictureName(of: content, format: .png)
            for wrong in [PictureSamples.jpeg(bytes: 100), PictureSamples.png(bytes: 101), [], Array("<svg".utf8)] {
                await #expect(throws: StoreError.self) { try await house.folder.put(name, wrong, at: Self.now) }
            }
            #expect(try await house.folder.stored(name, at: Self.now) == nil)
            #expect(!FileManager.default.fileExists(atPath: house.path))
            try await house.folder.put(name, content, at: Self.now)
            #expect(try FileManager.default.contentsOfDirectory(atPath: "\(house.path)/.aside") == [])
        }
    }

    @Test("what can't be a picture is refused when it is begun, by its field")
    func beginnings() async throws {
        try await withHouse { house in
            let digest = String(repeating: "ab", count: 32)
            let wrong: [(type: String, bytes: Int, sha256: String, field: String)] = [
                ("image/svg+xml", 10, digest, "contentType"), ("IMAGE/PNG", 10, digest, "contentType"),
                ("image/png", 0, digest, "bytes"), ("image/png", 5 << 20 | 1, digest, "bytes"),
                ("image/png", 10, "abc", "sha256"), ("image/png", 10, digest.dropLast() + "g", "sha256"),
                ("image/png", 10, "../../../etc/passwd", "sha256"),
            ]
            for (type, bytes, sha256, field) in wrong {
                do {
                    _ = try await house.service.begin(contentType: type, bytes: bytes, sha256: sha256, by: "dev")
                    Issue.record("\(type) \(bytes) \(sha256) was taken")
                } catch StoreError.invalidField(let name, _) {
                    #expect(name == field)
                }
            }
            let largest = try await house.service.begin(
                contentType: "image/png", bytes: 5 << 20, sha256: digest.uppercased(), by: "dev")
            #expect(largest.key == "\(digest).png")
        }
    }

    @Test("a key is a digest and a format; nothing else leads to a file")
    func keys() {
        let digest = String(repeating: "0f", count: 32)
        for format in PictureFormat.allCases {
            #expect(PictureName(key: "\(digest).\(format.rawValue)")?.format == format)
        }
        let wrong = [
            "", ".png", "\(digest)", "\(digest).gif", "\(digest).png.png", "\(digest.uppercased()).png", "../x.png",
            "\(digest)/../x.png", "\(digest.dropLast()).png", "\(digest)0.png", "\(digest).png\0", " \(digest).png",
            "\(digest.dropLast(2))..\(digest).png",
        ]
        for key in wrong { #expect(PictureName(key: key) == nil, "\(key)") }
    }

    @Test("a picture whose bytes are here is added in one step; what is no picture is not")
    func add() async throws {
        try await withHouse { house in
            for content in [
                PictureSamples.pixel, PictureSamples.jpeg(bytes: 50), PictureSamples.webp(bytes: 12),
            ] {
                let key = try await house.service.add(content, by: "cli:me@here")
                #expect(try await house.service.isStored(key))
            }
            for content in [[], Array("GIF89a".utf8), PictureSamples.png(bytes: 5 << 20 | 1)] {
                await #expect(throws: StoreError.self) { try await house.service.add(content, by: "cli:me@here") }
            }
        }
    }

    @Test("uploads that were begun and never came are forgotten after a day; stored pictures are not")
    func forgotten() async throws {
        try await withHouse { house in
            let kept = try await house.service.add(PictureSamples.pixel, by: "dev")
            let lost = try await begin(house, PictureSamples.png(bytes: 500), .png)
            house.clock.pass(.seconds(86_401))
            _ = try await begin(house, PictureSamples.png(bytes: 501), .png)
            let rows = try await house.repository.pictures.file.read { db in
                try String.fetchAll(db, sql: "SELECT picture_key FROM pictures")
            }
            #expect(rows.contains(kept) && !rows.contains(lost.key) && rows.count == 2)
        }
    }

    @Test("many writers of one picture leave one whole file")
    func race() async throws {
        try await withHouse { house in
            let content = PictureSamples.png(bytes: 1 << 20)
            let name = PictureName(of: content, format: .png)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 { group.addTask { try await house.folder.put(name, content, at: Self.now) } }
                try await group.waitForAll()
            }
            #expect(try await house.folder.content(of: name, at: Self.now) == content)
            #expect(try FileManager.default.contentsOfDirectory(atPath: "\(house.path)/.aside") == [])
        }
    }
}

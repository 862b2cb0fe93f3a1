import Accounts
import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import Store
import Testing

/// Pictures over HTTP: a developer uploads one, players read it.
@Suite struct PicturesRoutesTests {
    private struct Upload: Decodable {
        let key: String
        let method: String
        let url: String
        let headers: [String: String]
    }

    private struct Stored: Decodable {
        let key: String
        let contentType: String
        let bytes: Int
        let url: String
    }

    private static func png(bytes: Int) -> [UInt8] {
        [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A] + [UInt8](repeating: 7, count: bytes - 8)
    }

    private static func digest(_ content: [UInt8]) -> String { PictureName(of: content, format: .png).sha256 }

    private func begin(_ api: WholeAPI, _ content: [UInt8], token: String) async throws -> Upload {
        let begun = try await api.client.send(
            .POST, "/v1/dev/pictures", token: token,
            body: #"{"contentType":"image/png","bytes":\#(content.count),"sha256":"\#(Self.digest(content))"}"#)
        try #require(begun.status == 201, "\(begun.text)")
        let upload: Upload = try begun.decode()
        #expect(begun.headers.first(name: "Location") == "/v1/dev/pictures/\(upload.key)/confirm")
        return upload
    }

    private func put(
        _ api: WholeAPI, _ path: String, _ content: [UInt8], type: String = "image/png"
    ) async throws -> TestReply {
        var request = HTTPClientRequest(url: api.client.base + path)
        request.method = .PUT
        request.headers.add(name: "Content-Type", value: type)
        request.body = .bytes(ByteBuffer(bytes: content))
        return try await api.client.send(request)
    }

    @Test("a picture larger than any other body is begun, uploaded, confirmed, and read by anyone from caches for good")
    func whole() async throws {
        try await withAPI { api in
            let developer = try await api.token(.developer)
            let content = Self.png(bytes: 3_000_000)
            let upload = try await begin(api, content, token: developer)
            let path = "/v1/pictures/\(upload.key)"
            #expect(upload.method == "PUT" && upload.headers["Content-Type"] == "image/png")
            #expect(try await api.client.send(.GET, path).status == 404)
            let early = try await api.client.send(.POST, "/v1/dev/pictures/\(upload.key)/confirm", token: developer)
            #expect(early.status == 404)
            let put = try await put(api, upload.url, content)
            #expect(put.status == 204, "\(put.text)")
            let confirmed = try await api.client.send(
                .POST, "/v1/dev/pictures/\(upload.key)/confirm", token: developer)
            try #require(confirmed.status == 200, "\(confirmed.text)")
            let stored: Stored = try confirmed.decode()
            #expect(stored.key == upload.key && stored.bytes == content.count && stored.url == path)
            #expect(stored.contentType == "image/png")

            let read = try await api.client.send(.GET, path)
            #expect(read.status == 200 && read.body == Data(content))
            #expect(read.headers.first(name: "Content-Type") == "image/png")
            #expect(read.headers.first(name: "Cache-Control") == "public, max-age=31536000, immutable")
            #expect(read.headers.first(name: "X-Content-Type-Options") == "nosniff")
            let tag = try #require(read.headers.first(name: "ETag"))
            for known in [tag, "W/\(tag)", "\"other\", \(tag)", "*"] {
                let again = try await api.client.send(.GET, path, headers: [("If-None-Match", known)])
                #expect(again.status == 304 && again.body.isEmpty, "\(known)")
            }
            #expect(try await api.client.send(.GET, path, headers: [("If-None-Match", "\"x\"")]).status == 200)
        }
    }

    @Test("only what was promised is taken, only with its token, and only developers may promise")
    func refused() async throws {
        try await withAPI { api in
            let developer = try await api.token(.developer)
            let player = try await api.player().accessToken
            let content = Self.png(bytes: 1_000)
            let upload = try await begin(api, content, token: developer)
            let path = "/v1/pictures/\(upload.key)"
            let wish = #"{"contentType":"image/png","bytes":1000,"sha256":"\#(Self.digest(content))"}"#
            #expect(try await api.client.send(.POST, "/v1/dev/pictures", body: wish).status == 401)
            #expect(try await api.client.send(.POST, "/v1/dev/pictures", token: player, body: wish).status == 403)
            for (wrong, field) in [
                (wish.replacing("image/png", with: "image/gif"), "contentType"),
                (wish.replacing("1000", with: "5242881"), "bytes"), (wish.replacing("1000", with: "0"), "bytes"),
                (wish.replacing(Self.digest(content), with: "00"), "sha256"),
            ] {
                let reply = try await api.client.send(.POST, "/v1/dev/pictures", token: developer, body: wrong)
                #expect(reply.status == 422)
                #expect(try reply.problem().field == field)
            }
            #expect(try await put(api, path, content).status == 403)
            #expect(try await put(api, "\(path)?token=1.2.3", content).status == 403)
            #expect(try await put(api, upload.url.replacing(upload.key, with: "x.png"), content).status == 404)
            #expect(try await put(api, upload.url, content, type: "text/html").status == 422)
            #expect(try await put(api, upload.url, Array(content.dropLast())).status == 422)
            #expect(try await put(api, upload.url, Self.png(bytes: 999) + [0]).status == 422)
            #expect(try await put(api, upload.url, Self.png(bytes: 5_242_881)).status == 413)
            for key in ["..%2F..%2Faccounts.sqlite", "a.png", "%00.png"] {
                #expect(try await api.client.send(.GET, "/v1/pictures/\(key)").status == 404, "\(key)")
            }
            #expect(try await api.client.send(.GET, path).status == 404)
            #expect(try await put(api, upload.url, content).status == 204)
        }
    }
}
